"""First start: the address under which the first administrator is made, while there is no user."""

from __future__ import annotations

from pipeline.web.access import links
from pipeline.web.models import LinkKind, Person


def set_up_address() -> str | None:
    """A new address, once, for 30 minutes; None where there is a user. Earlier ones end."""
    return None if Person.objects.exists() else links.make(LinkKind.SET_UP, by="terminal")[0]
