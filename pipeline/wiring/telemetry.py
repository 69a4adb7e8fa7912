"""Telemetry of one command: for each of its companies, the log and the metrics file that the settings name
(``ANULAR_LOG``, ``ANULAR_METRICS``). Without either nothing is opened, imported or written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.telemetry.events import SILENT, EventBus

if TYPE_CHECKING:
    from pipeline.domain.records import Tally
    from pipeline.runtime.clock import Clock
    from pipeline.settings.model import Settings
    from pipeline.telemetry.collector import Collector
    from pipeline.telemetry.json_log import JsonLog


class _Channel:
    """Listeners of one company. Collects what the log's last line has: the run's number, rows by outcome."""

    def __init__(self, settings: Settings, clock: Clock, command: str) -> None:
        self.command, self._clock = command, clock
        self.log: JsonLog | None = None
        self.meter: Collector | None = None
        if settings.log is not None:
            from pipeline.telemetry.json_log import JsonLog

            self.log = JsonLog(settings.log, clock)
        if settings.metrics is not None:
            from pipeline.settings.model import VERSION
            from pipeline.telemetry.collector import Collector

            self.meter = Collector(
                settings.metrics,
                clock,
                env=settings.env.value,
                profile=settings.profile,
                rate=settings.rate,
                version=VERSION,
            )
        listeners = [one for one in (self, self.log, self.meter) if one is not None]
        about = {"env": settings.env.value, "company": settings.company, "profile": settings.profile}
        self.bus = EventBus(listeners, {**about, "command": command})
        self._places = {"log": settings.log, "metrics": settings.metrics}
        self._warned: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        self._run: object = None
        self._rows: Counter[str] = Counter()
        self._heard = False
        self._since = self._clock.monotonic()

    def on_event(self, event: str, facts: Mapping[str, object]) -> None:
        self._heard = True
        self._run = facts.get("run", self._run)
        counts = facts.get("outcomes")
        if event == "batch_finished" and isinstance(counts, dict):
            self._rows.update(counts)

    def ledger(self, count: Callable[[], Tally] | None) -> None:
        """Sets the counts of the metrics from the ledger."""

    def ended(self, code: int, error: str, *, always: bool = True) -> None:
        """Publishes the end of the command or of a pass; without ``always`` only when anything was done."""
        if self._heard or always:
            seconds = round(self._clock.monotonic() - self._since, 3)
            rows, run = dict(self._rows), self._run
            self.bus.note("run_ended", run=run, exit_code=code, error=error or None, outcomes=rows, seconds=seconds)
        if self.meter is not None:
            self.meter.write(command=self.command, code=code)
        self._begin()

    def close(self) -> None:
        for one in (self.log, self.meter):
            if one is not None:
                one.close()

    def warnings(self) -> list[str]:
        """Warnings that log or metrics could not be written, each returned once."""
        from pipeline.ledger.storage.files import reason_of

        told = []
        names = (("log", self.log, "la bitácora técnica"), ("metrics", self.meter, "el archivo de métricas"))
        for name, one, words in names:
            if one is not None and one.trouble is not None and name not in self._warned:
                self._warned.add(name)
                why = reason_of(one.trouble)
                told.append(f"No se pudo escribir {words} ({why}): {self._places[name]}. Lo procesado no cambia.")
        return told


class Observation:
    """Listeners of one command, by profile and pair of files. ``error`` is the code of what ended it."""

    def __init__(self) -> None:
        self._channels: dict[tuple[str, Path | None, Path | None], _Channel] = {}
        self._codes: dict[str, int] = {}
        self.error = ""

    def bus(self, settings: Settings, command: str) -> EventBus:
        """Event bus of the work for one company; the null one when neither log nor metrics are configured."""
        if settings.log is None and settings.metrics is None:
            return SILENT
        key = (settings.profile, settings.log, settings.metrics)
        if key not in self._channels:
            from pipeline.wiring.rules import make_clock

            self._channels[key] = _Channel(settings, make_clock(settings), command)
        return self._channels[key].bus

    def came_to(self, profile: str, code: int) -> None:
        """Records the exit code of one company, where one command works for several."""
        self._codes[profile] = code

    def pass_over(self) -> list[str]:
        """Ends a pass, after which another may follow; returns the warnings for a person."""
        return self._over(0, "", always=False)

    def end(self, code: int) -> list[str]:
        """Ends the command with exit code ``code``; returns the warnings for a person. Never raises ``OSError``."""
        warnings = self._over(code, self.error, always=True)
        for channel in self._channels.values():
            channel.close()
            warnings += channel.warnings()
        self._channels.clear()
        return warnings

    def _over(self, code: int, error: str, *, always: bool) -> list[str]:
        warnings = []
        for (profile, _, _), channel in self._channels.items():
            channel.ended(self._codes.get(profile, code), error, always=always)
            warnings += channel.warnings()
        self._codes.clear()
        return warnings
