"""Identity at a terminal: the operating system's user that this process belongs to."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pipeline.domain.approved_by import is_name
from pipeline.domain.commands import order
from pipeline.domain.errors import NotApproved

if TYPE_CHECKING:
    from pipeline.office.database import Office


def terminal_user() -> str:
    """Name of the user that runs this process, by its number and not by any variable of the environment.

    It proves who logged in, not who types. Raises ``NotApproved`` for a user without a name that can be recorded.
    """
    name = _name()
    if not is_name(name):
        raise NotApproved(
            "El usuario de este equipo no tiene un nombre que se pueda registrar.",
            code="approval-nobody",
            remedy="Trabaje con un usuario propio del sistema operativo.",
        )
    return name


def person_at_terminal(office: Office | None) -> str:
    """Name under which this person proposes and approves: that of their account where the page has users, so that one
    person is not two; else the operating system's user. Raises ``NotApproved`` for a user who is no account."""
    from pipeline.office.people import account_of, has_people

    name = terminal_user()
    if office is None or not has_people(office):
        return name
    account = account_of(office, name)
    if account is None:
        raise NotApproved(
            f"La página tiene usuarios, y el usuario {name} de este equipo no es ninguno de ellos: no se sabe quién es "
            "usted. No se cambió nada.",
            code="approval-not-linked",
            remedy=f"Quien administra el equipo los une: {order('web', 'users', 'link', 'USUARIO', name)}.",
        )
    return account


if sys.platform == "win32":

    def _name() -> str:
        return os.getlogin().casefold()  # there it asks the system, and case makes no difference

else:

    def _name() -> str:
        import pwd

        try:
            return pwd.getpwuid(os.getuid()).pw_name
        except KeyError:  # a container without a user entry
            return f"uid-{os.getuid()}"
