"""Address of a database in a file."""

from __future__ import annotations

from pathlib import Path


def file_address(path: Path) -> str:
    """``sqlite:///…`` of the file ``path``. What has a meaning in an address is written as a name has it."""
    return "sqlite:///" + path.as_posix().replace("%", "%25").replace("?", "%3F")
