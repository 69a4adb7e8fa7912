"""Processes of this program that it starts itself: the same interpreter and the same code, without a window."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Folder of the package."""
NO_WINDOW = 0x0800_0000 if sys.platform == "win32" else 0
"""``creationflags``: a program without a console, as the page at log-on is, would open one for each child."""


def own_module(module: str, *arguments: str) -> list[str]:
    """Command for a module of this program. ``-P``: a folder ``pipeline`` that lies where the person works is another's
    code."""
    return [sys.executable, "-P", "-m", module, *arguments]


def with_our_code(environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` in which the child finds the code of its parent, wherever that was started from."""
    before = environment.get("PYTHONPATH", "")
    return {**environment, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), before]))}


def own_program() -> list[str]:
    """Command that starts this installation later: its own script, else its interpreter and module."""
    here = Path(sys.executable)
    script = here.with_name("anular.exe" if os.name == "nt" else "anular")
    return [str(script)] if script.exists() else own_module("pipeline")
