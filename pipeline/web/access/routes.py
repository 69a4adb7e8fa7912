"""Addresses of log-in and accounts."""

from __future__ import annotations

from pipeline.web.access.choose import choose
from pipeline.web.access.log_in import log_in, log_out
from pipeline.web.routes import Door, Route
from pipeline.web.static_files import static_file

BOTH = ("GET", "POST")

ROUTES = [
    Route("entrar", log_in, "log_in", Door.OPEN, BOTH),
    Route("salir", log_out, "log_out", Door.ENTERING, ("POST",)),
    Route("empresa", choose, "choose", Door.SIGNED_IN, ("POST",)),
    Route("estatico/<str:mark>/<str:name>", static_file, "static", Door.OPEN),
]
