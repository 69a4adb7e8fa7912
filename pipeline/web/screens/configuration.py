"""Settings of a company, read-only: secrets and addresses with their secret parts are not shown."""

from __future__ import annotations

from typing import Any

from pipeline.settings.load import config_path
from pipeline.settings.model import Settings
from pipeline.web.pages import render
from pipeline.web.texts import configuration as words


def configuration(request: Any) -> Any:
    """`/configuracion`."""
    from pipeline.doctor import configuration as shown  # loads what speaks with eDoc: only an administrator asks for it

    about = {f"ANULAR_{name.upper()}": field.description or "" for name, field in Settings.model_fields.items()}
    rows = [(name, value or words.EMPTY, about.get(name, "")) for name, value in shown(request.company.settings)]
    return render(request, "configuration.html", {"rows": rows, "file": str(config_path())})
