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


def own_sample() -> Path | None:
    """The sample batch that came with this installation, or lies in the source tree; None where there is none."""
    places = (Path(sys.prefix) / "ejemplo.xlsx", ROOT / "sample_data" / "lote_mensual.xlsx")
    return next((path for path in places if path.is_file()), None)


def own_program(here: Path | None = None) -> list[str]:
    """Command that starts this installation later, also after an update: what installed packages lead to the version
    in use with (``installers/``), else its own script, else its interpreter ``here`` and module."""
    here = here or Path(sys.executable)
    script = here.with_name("anular.exe" if os.name == "nt" else "anular")
    if len(here.parents) > 3 and here.parents[2].name == "v":
        starter = here.parents[3] / ("tarea.bat" if os.name == "nt" else "anular.sh")
        script = starter if starter.exists() else script
    return [str(script)] if script.exists() else own_module("pipeline")
