"""``anular sandbox``: serves the local double of eDoc."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    pass


def serve_sandbox(
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="Puerto; 0: uno libre.")] = 8321,
    journal: Annotated[Path | None, typer.Option("--journal", metavar="ARCHIVO", help="Bitácora que continúa.")] = None,
    latency_ms: Annotated[int, typer.Option("--latency-ms", metavar="MS", min=0, help="Demora de cada respuesta.")] = 0,
    child: Annotated[bool, typer.Option("--child", hidden=True)] = False,
) -> int:
    """Sirve el eDoc local de pruebas hasta que se detenga (Ctrl-C)."""
    from pipeline.runtime.clock import Clock
    from pipeline.sandbox.serve import serve

    start = os.environ.get("ANULAR_SANDBOX_NOW")
    clock = Clock.starting_at(datetime.fromisoformat(start)) if start else Clock()

    def ready(url: str) -> None:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()

    with suppress(KeyboardInterrupt):
        serve(
            clock,
            on_ready=ready,
            port=port,
            journal=journal,
            latency=timedelta(milliseconds=latency_ms),
            stop_when_stdin_closes=child,
        )
    return 0
