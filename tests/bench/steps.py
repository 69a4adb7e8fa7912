"""The command with a mark on each step: how much memory it takes at most, by the kernel's own account.

``python -m tests.bench.steps FILE.json run …`` runs ``anular run …`` in this very process and leaves the peaks in MB.
Before a step the kernel's high-water mark is set back to what is in use, so that each step tells its own.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.runner import high_water

STEPS = {
    "leer": ("pipeline.cli.run", "read_all"),
    "validar": ("pipeline.run.plan", "make_plan"),
    "registrar": ("pipeline.run.intake", "take_in"),
    "enviar": ("pipeline.run.session", "send"),
    "consultar": ("pipeline.run.session", "follow"),
    "libro de resultados": ("pipeline.run.results", "write_results"),
    "paquete de evidencia": ("pipeline.cli.report", "_write_pack"),
    "verificar el paquete": ("pipeline.cli.verify", "_verify_pack"),
}


def marked(step: str, work: Callable[..., Any], peaks: dict[str, float]) -> Callable[..., Any]:
    """``work``, whose peak is noted under ``step``."""

    def begin() -> None:
        Path("/proc/self/clear_refs").write_text("5")

    def end() -> None:
        peaks[step] = round(max(peaks.get(step, 0.0), high_water(os.getpid())), 1)

    @functools.wraps(work)
    def plain(*arguments: Any, **more: Any) -> Any:
        begin()
        try:
            return work(*arguments, **more)
        finally:
            end()

    @functools.wraps(work)
    async def waiting(*arguments: Any, **more: Any) -> Any:
        begin()
        try:
            return await work(*arguments, **more)
        finally:
            end()

    return waiting if inspect.iscoroutinefunction(work) else plain


def main(arguments: list[str]) -> int:
    target, *command = arguments
    peaks: dict[str, float] = {}
    for step, (module, name) in STEPS.items():
        place = importlib.import_module(module)
        setattr(place, name, marked(step, getattr(place, name), peaks))
    from pipeline.cli.main import run_command

    code = run_command(command)
    Path(target).write_text(json.dumps(peaks), "utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
