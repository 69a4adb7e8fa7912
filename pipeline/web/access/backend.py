"""Person of a session: an active account, looked up at every request, so that a suspension counts from the next one."""

from __future__ import annotations

from typing import Any

from pipeline.web.models import Person, PersonState


class PersonBackend:
    """Django's way to find the person of a session; it checks no password (``log_in.py`` does)."""

    def authenticate(self, request: Any, **_given: Any) -> None:
        """No person: passwords are checked in one place, with its limits."""
        del request

    def get_user(self, number: Any) -> Person | None:
        found: Person | None = Person.objects.filter(pk=number, state=PersonState.ACTIVE).first()
        return found
