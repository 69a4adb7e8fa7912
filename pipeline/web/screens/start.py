"""Start page of a company."""

from __future__ import annotations

from typing import Any

from pipeline.web.pages import render


def start(request: Any) -> Any:
    return render(request, "start.html")
