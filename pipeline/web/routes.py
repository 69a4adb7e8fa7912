"""Route: one address of the page, and who may ask for it. An address that is in no table is not served."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pipeline.web.roles import FRESH, May

View = Callable[..., Any]


class Door(Enum):
    """Condition of a page that needs no role."""

    #: everybody, without a session
    OPEN = "abierta"
    #: who logged in, even where a password or a second factor is still to be set
    ENTERING = "entrando"
    #: who logged in
    SIGNED_IN = "con sesión"


@dataclass(frozen=True)
class Route:
    """One address: Django's path, its view, its name, and who may ask for it.

    With a ``May`` the person needs a role that may do that in the company that is chosen; the view itself looks at
    whose the object is. ``fresh``: who one is was confirmed within five minutes.
    """

    path: str
    view: View
    name: str
    access: Door | May
    methods: tuple[str, ...] = ("GET",)
    #: asked for by the page itself, and so no use of the session
    passive: bool = False
    confirmed: bool = False

    @property
    def fresh(self) -> bool:
        return self.confirmed or self.access in FRESH
