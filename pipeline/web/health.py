"""Whether the page works, for a supervisor: without any detail."""

from __future__ import annotations

from typing import Any

from django.db import Error, connection
from django.http import HttpResponse

from pipeline.approvals.work import is_alive
from pipeline.domain.errors import StorageTrouble
from pipeline.web.site import site
from pipeline.web.texts import frame as words


def health(request: Any) -> Any:
    """`/salud`: 200, or 503 when the office database cannot be read or no sender gave a sign of life for a minute."""
    del request
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM web_person")
        well = is_alive(site().office, site().now())
    except (Error, StorageTrouble):
        well = False
    if not well:
        return HttpResponse(words.NOT_WELL, status=503, content_type="text/plain; charset=utf-8")
    return HttpResponse(words.WELL, content_type="text/plain; charset=utf-8")
