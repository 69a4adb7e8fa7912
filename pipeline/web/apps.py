"""Django's name for this package."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Application `web`."""

    name = "pipeline.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"
