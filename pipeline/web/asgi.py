"""Application that a server serves: the gate, and Django behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.web.gate import App, Gate

if TYPE_CHECKING:
    from pipeline.web.site import Site

MEGABYTE = 1_048_576


def application(site: Site) -> App:
    """The page of ``site``, for which Django is configured (``opening.py``)."""
    from django.core.handlers.asgi import ASGIHandler

    most = int((max(one.max_file_mb for one in site.companies.values()) + 1) * MEGABYTE)
    return Gate(ASGIHandler(), most, https=site.https)
