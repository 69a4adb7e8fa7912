"""Every address of the page, for Django; each from a table of routes."""

from __future__ import annotations

from django.urls import path

from pipeline.web.access.routes import ROUTES as ACCESS
from pipeline.web.routes import Route
from pipeline.web.screens.routes import ROUTES as SCREENS

ROUTES: dict[str, Route] = {route.name: route for route in [*ACCESS, *SCREENS]}
"""All routes, by name."""
assert len(ROUTES) == len(ACCESS) + len(SCREENS), "two routes have one name"

urlpatterns = [path(route.path, route.view, name=route.name) for route in ROUTES.values()]

handler400 = "pipeline.web.trouble.bad_request"
handler403 = "pipeline.web.trouble.refused"
handler404 = "pipeline.web.trouble.not_found"
handler500 = "pipeline.web.trouble.broken"
