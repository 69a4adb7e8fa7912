"""Named places at which a test may pull the plug (reliability.md 5, G2). Nothing happens without being told to.

``ANULAR_TEST_CRASH=name`` ends the process with SIGKILL the first time it comes by ``crashpoint("name")``,
``name:3`` the third time: no ``finally``, no flush, no goodbye, as when somebody pulls the plug.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count

VARIABLE = "ANULAR_TEST_CRASH"

# The one count that a process needs: it dies when it is used up.
_passages = count(1)


def crashpoint(name: str) -> None:
    """Die here if the environment says so; else one look-up in a dictionary."""
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        return
    place, _, nth = wanted.partition(":")
    if place == name and next(_passages) == int(nth or 1):
        _die()


if sys.platform == "win32":

    def _die() -> None:
        os.kill(os.getpid(), signal.SIGTERM)  # ends it at once there

else:

    def _die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)
