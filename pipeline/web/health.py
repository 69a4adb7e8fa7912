"""Whether the page works, for a supervisor: without any detail."""

from __future__ import annotations

from typing import Any

from django.db import Error, connection
from django.http import HttpResponse

from pipeline.web.texts import frame as words


def health(request: Any) -> Any:
    """`/salud`: 200, or 503 when the office database cannot be read."""
    del request
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM web_person")
    except Error:
        return HttpResponse(words.NOT_WELL, status=503, content_type="text/plain; charset=utf-8")
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")
