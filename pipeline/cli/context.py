"""Context of one command: its settings, its streams, its telemetry, its exit code."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pipeline.cli.stdio import output_lost
from pipeline.domain.commands import Here
from pipeline.domain.visible import escaped_json
from pipeline.runtime.garbage import loading
from pipeline.wiring.telemetry import Observation

if TYPE_CHECKING:
    from pipeline.settings.model import Settings


SEEN_S = 60.0
"""Seconds for which a person can be expected to look on."""


def observation_of(context: typer.Context) -> Observation:
    """Telemetry of this command: log and metrics file, as far as the settings name them."""
    return context.find_object(Observation) or Observation()


@dataclass
class Talk:
    """Output streams of one command: with ``--json`` stdout is for data alone."""

    as_json: bool
    #: when the command began, by a clock that only grows
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        from pipeline.cli import console

        self.out = console.make_console(stderr=self.as_json)
        self.err = console.make_console(stderr=True)
        self.progress = console.Terminal(self.err)

    @property
    def unseen(self) -> bool:
        """Whether its end may have passed unseen: it took more than a minute, or there is no terminal."""
        return not sys.stdin.isatty() or time.monotonic() - self.began > SEEN_S

    def check_seen(self) -> None:
        """Raises ``StorageTrouble`` when what a person was to see before the sending could not be shown (P2)."""
        self.out.file.flush()
        trouble = output_lost(self.out.file, "No se envió nada: lo que se iba a enviar no se pudo mostrar.")
        if trouble is not None:
            raise trouble

    def data(self, value: object) -> None:
        """Prints the ``--json`` answer; nothing without ``--json``."""
        if self.as_json:
            told = _completed(value, getattr(sys.stdout, "here", Here()))
            sys.stdout.write(escaped_json(json.dumps(told, ensure_ascii=False, indent=2)) + "\n")


def _completed(value: Any, here: Here) -> Any:
    """``--json`` answer in which every suggested command is completed for the place ``here``."""
    if isinstance(value, str):
        return here.complete(value)
    if isinstance(value, dict):
        return {key: _completed(one, here) for key, one in value.items()}
    return [_completed(one, here) for one in value] if isinstance(value, list | tuple) else value


@dataclass
class ExitCodes:
    """Exit code of a command: the worst of its parts."""

    codes: list[int] = field(default_factory=list)

    @property
    def code(self) -> int:
        from pipeline.domain.outcomes import worst

        return worst(self.codes)


def settings_for(profile: str, ledger: str) -> Settings:
    with loading():
        from pipeline.settings.load import load_settings

    return load_settings(profile, ledger)


def results_folder(settings: Settings, file: Path) -> Path:
    return (settings.out or file.parent).absolute()


def local_time(moment: datetime) -> str:
    from pipeline.domain.deadline import PANAMA

    return f"{moment.astimezone(PANAMA):%d/%m/%Y %H:%M}"
