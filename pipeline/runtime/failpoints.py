"""Failpoints: named places at which a test can kill the program; off by default (reliability.md 5, G2).

``ANULAR_TEST_CRASH=name`` ends the process with SIGKILL the first time it reaches ``crashpoint("name")``,
``name:3`` the third time: no ``finally``, no flush, no clean-up, as in a power cut.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count

VARIABLE = "ANULAR_TEST_CRASH"

# One counter is enough: the process dies when it is used up.
_passages = count(1)


def crashpoint(name: str) -> None:
    """Kills the process if the environment says so; otherwise one dictionary look-up."""
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
