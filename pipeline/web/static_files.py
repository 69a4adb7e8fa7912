"""Style sheet, script and icon of the page: our own files, under an address that changes with their content."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from django.http import Http404, HttpResponse

FOLDER = Path(__file__).parent / "static"
TYPES = {
    "anular.css": "text/css; charset=utf-8",
    "anular.js": "text/javascript; charset=utf-8",
    "anular.svg": "image/svg+xml",
}


@cache
def _file(name: str) -> tuple[str, bytes]:
    data = (FOLDER / name).read_bytes()
    return hashlib.sha256(data).hexdigest()[:12], data


def address_of(name: str) -> str:
    """Address of the file ``name``, with a mark of its content."""
    return f"/estatico/{_file(name)[0]}/{name}"


def static_file(request: Any, mark: str, name: str) -> HttpResponse:
    """One of the files; a browser keeps it for a year, since another content has another address."""
    del request
    if name not in TYPES or _file(name)[0] != mark:
        raise Http404
    answer = HttpResponse(_file(name)[1], content_type=TYPES[name])
    answer["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer
