"""Log of accesses: who did what, when, from where, and whether it was allowed. Nothing changes or removes a line."""

from __future__ import annotations

import re
from typing import Any

from pipeline.domain.visible import one_line
from pipeline.web.models import AuditEvent
from pipeline.web.site import site

_CODE = re.compile(r"FE[0-9][0-9A-Za-z-]{30,}(?=[0-9A-Za-z-]{8})")
_ADDRESS = re.compile(r"([^\s@])[^\s@]*@([^\s@])[^\s@]*")


def note(
    request: Any,
    event: str,
    *,
    ok: bool = True,
    who: str | None = None,
    about: str = "",
    detail: str = "",
    profile: str | None = None,
) -> None:
    """Writes one line. ``who`` is a user name, that of the request's person unless given; ``about`` and ``detail`` hold
    no password, link, whole mail address or CUFE."""
    user = getattr(request, "user", None)
    if who is None:
        who = user.username if user is not None and user.is_authenticated else ""
    company = getattr(request, "company", None)
    AuditEvent.objects.create(
        at=site().now(),
        who=who[:64],
        address=address_of(request),
        event=event,
        profile=profile if profile is not None else company.profile if company is not None else None,
        about=_cut(about)[:200],
        ok=ok,
        detail=_cut(detail)[:300],
    )


def from_terminal(event: str, *, who: str, about: str, detail: str = "", profile: str | None = None) -> None:
    """Writes one line about a command of the terminal."""
    note(None, event, who=who, about=about, detail=detail, profile=profile)


def _cut(text: str) -> str:
    """``text`` in one line. Of a CUFE the end is left, of a mail address two letters: people name files and themselves
    as they like."""
    return _ADDRESS.sub(r"\1…@\2…", _CODE.sub("FE…", one_line(text)))


def address_of(request: Any) -> str:
    """Address of who asks, as the server saw it; "terminal" without a request."""
    return str(request.META.get("REMOTE_ADDR", ""))[:64] if request is not None else "terminal"
