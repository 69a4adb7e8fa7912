"""Identity at a terminal: the operating system's user that this process belongs to."""

from __future__ import annotations

import os
import sys

from pipeline.domain.approved_by import is_name
from pipeline.domain.errors import NotApproved


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
