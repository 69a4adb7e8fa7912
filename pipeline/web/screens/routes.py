"""Addresses of the screens about files, batches and rows."""

from __future__ import annotations

from pipeline.web.routes import Door, Route
from pipeline.web.screens.start import start

ROUTES = [Route("", start, "start", Door.SIGNED_IN)]
