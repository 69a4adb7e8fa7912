"""Core dumps: switched off before a secret is in memory, so that a crash does not write it to the disk."""

from __future__ import annotations

import sys


def no_core_dump() -> None:
    """Turns core dumps of this process off (reliability.md P12)."""
    if sys.platform != "win32":  # where none is written unless it was told to
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
