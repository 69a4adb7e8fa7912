"""A file, a ledger and an eDoc that never stops; the program runs on them again and again, judged by eDoc's journal."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.domain.cufe import check_digit
from pipeline.domain.lifecycle import State
from tests.support import ledgers

ROOT = Path(__file__).parents[2]
NOW = datetime.fromisoformat("2026-11-20T10:00:00-05:00")
REASON = "Factura emitida con el monto equivocado"

UNSENT = {State.READY, State.NOT_SENT, State.REFUSED_AUTH, State.HELD, State.WITHDRAWN}


def make_cufe(number: int, scenario: str = "000") -> str:
    """A valid synthetic code; the sandbox behaves by its ``scenario``."""
    text = f"FE01200000000000029-29-29-56000{number % 10}20261118{number:010d}001012{number % 1000000:06d}{scenario}"
    return text + check_digit(text)


def _environment() -> dict[str, str]:
    kept = ("ANULAR_TEST_SQLITE",)
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ANULAR_") or key in kept}
    return {**clean, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass
class Service:
    """The sandbox in a process of its own, and its journal from byte ``since`` on: the judge."""

    process: subprocess.Popen[str]
    url: str
    journal: Path
    since: int = 0

    def posts(self, cufes: set[str]) -> Counter[str]:
        """How often each of ``cufes`` was received, without those that a 401 or a 429 proves unapplied."""
        return Counter(
            e["cufe"] for e in self._entries() if e["cufe"] in cufes and e["route"] == "cancel" and not _unapplied(e)
        )

    def taken(self, cufes: set[str]) -> set[str]:
        """Those that eDoc took for its own."""
        return {e["cufe"] for e in self._entries() if e["cufe"] in cufes and e["processed"]}

    def advance(self, seconds: float) -> None:
        """Moves the sandbox's time: what was to fall due does."""
        self.tell("advance", seconds=seconds)

    def tell(self, route: str, several: Sequence[dict[str, str]] = (), **values: object) -> None:
        """Tells the sandbox what to do (``pipeline/sandbox/control.py``); some of it is a list, of ``several``."""
        control = self.url.split("/EdocPanama/")[0] + f"/_sandbox/{route}"
        told = json.dumps([*several] or values).encode()
        request = urllib.request.Request(control, told, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200

    def _entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.journal.read_bytes()[self.since :].split(b"\n")[:-1]]


def _unapplied(entry: dict[str, Any]) -> bool:
    return entry["status"] in (401, 429) and not entry["processed"]


@contextmanager
def running_service(folder: Path) -> Iterator[Service]:
    """The sandbox until the end of the block."""
    journal = folder / "journal.jsonl"
    command = [sys.executable, "-m", "pipeline", "sandbox", "--port", "0", "--child", "--journal", str(journal)]
    process = subprocess.Popen(
        command, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=journal.parent
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url
    yield Service(process, url, journal)
    _end(process)


@dataclass
class Nursery:
    """Starts commands as forks of one warm process."""

    process: subprocess.Popen[str]

    def run(self, specs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(list(specs)) + "\n")
        self.process.stdin.flush()
        results: list[dict[str, Any]] = json.loads(self.process.stdout.readline())
        for spec, result in zip(specs, results, strict=True):
            device = spec["out"].startswith("/dev/")
            result["words"] = "" if device else Path(spec["out"]).read_text("utf-8", "replace")
            assert not result["timeout"], result["words"]
            assert "Traceback" not in result["words"], result["words"]
        return results


@contextmanager
def running_nursery() -> Iterator[Nursery]:
    """A warm nursery until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.storm.nursery"],
        env=_environment(),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "{}\n"
    yield Nursery(process)
    _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        process.wait(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


@dataclass
class Scene:
    """A file, a ledger, and the same command again and again."""

    folder: Path
    service: Service
    nursery: Nursery
    cufes: list[str] = field(default_factory=list)
    file: Path = Path()
    in_flight: int = 4
    runs: int = 0
    env: dict[str, str] = field(default_factory=dict)
    url: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.url = self.url or f"sqlite:///{self.ledger}"

    @property
    def ledger(self) -> Path:
        """The ledger in a file, where it is one."""
        return self.folder / "ledger" / "registro.db"

    @property
    def acks(self) -> Path:
        return self.folder / "acks"

    def write(self, scenarios: Sequence[str], name: str = "lote.csv", cufes: Sequence[str] = ()) -> Path:
        """A CSV with a good row for each scenario (or for each of ``cufes``)."""
        codes = list(cufes) or [make_cufe(next(self.numbers), scenario) for scenario in scenarios]
        self.file = self.folder / name
        lines = [f"{number};{code};{REASON}" for number, code in enumerate(codes, start=1)]
        self.file.write_text("\n".join(["No.;CUFE;Motivo", *lines, ""]), "utf-8")
        self.cufes = [*self.cufes, *(code for code in codes if code not in self.cufes)]
        return self.file

    def spec(self, *arguments: object, later: timedelta = timedelta(0), **more: Any) -> dict[str, Any]:
        """What the nursery needs for one command. ``later`` moves the program's calendar."""
        self.runs += 1
        values = {
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "COLUMNS": "300",
            "ANULAR_LEDGER": self.url,
            "ANULAR_OUT": str(self.folder / "out"),
            "ANULAR_BASE_URL": self.service.url,
            "ANULAR_RATE": "1000",
            "ANULAR_CONCURRENCY": str(self.in_flight),
            "ANULAR_POLL_EVERY": "0.05",
            "ANULAR_POLL_FOR": "0.2",
            "ANULAR_BREAKER_WAIT": "0.05",
            "ANULAR_SANDBOX_NOW": (NOW + timedelta(seconds=self.runs) + later).isoformat(),
            **self.env,
            **more.pop("env", {}),
        }
        out = more.pop("out", self.folder / f"out.{self.runs}.txt")
        spec: dict[str, Any] = {
            "arguments": [*map(str, arguments)],
            "env": values,
            "folder": str(self.folder),
            "out": str(out),
        }
        return {**spec, "seed": self.runs, "acks": str(self.acks), **more}

    def anular(self, *arguments: object, crash: str = "", **more: Any) -> dict[str, Any]:
        """Runs one command to its end."""
        if crash:
            more["env"] = {**more.get("env", {}), "ANULAR_TEST_CRASH": crash}
        return self.nursery.run([self.spec(*arguments, **more)])[0]

    def go(self, crash: str = "", **more: Any) -> dict[str, Any]:
        """``anular run`` on the file."""
        return self.anular("run", self.file, "--yes", crash=crash, **more)

    def states(self) -> dict[str, State]:
        """The newest state of each CUFE in the ledger."""
        found = ledgers.lines(self.url, "SELECT cufe, state FROM attempt ORDER BY n")
        return {line["cufe"]: State(line["state"]) for line in found}

    def check_promises(self, *, finished: bool = True) -> None:
        """P1, P3, P4, P5 and the ledger itself, judged by the sandbox's journal."""
        cufes = set(self.cufes)
        posts, taken = self.service.posts(cufes), self.service.taken(cufes)
        assert max(posts.values(), default=0) <= 1, "sent twice"
        self.check_acks()
        states = self.states()
        for cufe in taken:
            assert states[cufe] not in UNSENT, "claimed as not sent, and eDoc has it"
        for cufe, state in states.items():
            assert state is not State.CANCELLED or cufe in taken, "claimed as cancelled without ever being taken"
        self.check_ledger()
        if finished:
            assert set(states) == cufes
            left = {state for state in states.values() if state in (State.READY, State.SENDING)}
            assert not left, "not carried through"

    def check_stopped_safely(self, ended: dict[str, Any]) -> None:
        """P17: exit 5 and one Spanish sentence; nothing left without its durable intent; all else as promised."""
        assert ended["code"] == 5, ended["words"]
        (sentence,) = [line for line in ended["words"].splitlines() if line.startswith("✗")]
        assert any(word in sentence for word in ("No se pudo", "no se pudo", "El historial de envíos")), sentence
        if "attempt" not in self.tables():
            assert not self.service.posts(set(self.cufes))
            return
        states = self.states()
        for cufe in self.service.posts(set(self.cufes)):
            assert states[cufe] not in UNSENT, "sent without an intent in the ledger"
        self.check_promises(finished=False)

    def tables(self) -> set[str]:
        """The tables that the ledger has."""
        return ledgers.tables(self.url)

    def check_acks(self, start: int = 0) -> None:
        """What was told (from byte ``start`` on) is still there: the same version in the same state, or a later one."""
        told = self.acks.read_text("utf-8")[start:].splitlines() if self.acks.exists() else []
        if not told:  # killed before the ledger had its tables, perhaps
            return
        found = ledgers.lines(self.url, "SELECT id, v, state FROM attempt")
        now = {line["id"]: (line["v"], line["state"]) for line in found}
        for line in told:
            attempt, version, state, *_ = line.split()
            assert int(attempt) in now, f"lost: {line}"
            held, word = now[int(attempt)]
            assert held > int(version) or (held == int(version) and word == state), f"lost: {line}, found {held} {word}"

    def check_ledger(self) -> None:
        """Whole, every row once and in order, every event chained."""
        from pipeline.ledger.chain import GENESIS, link

        if self.url.startswith("sqlite"):
            assert ledgers.lines(self.url, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
        for batch in ledgers.lines(self.url, "SELECT id, n_rows FROM batch"):
            rows = ledgers.lines(self.url, f"SELECT pos FROM row WHERE batch = '{batch['id']}' ORDER BY pos")
            assert [line["pos"] for line in rows] == [*range(1, batch["n_rows"] + 1)]
        prev = GENESIS
        for number, values in enumerate(ledgers.lines(self.url, "SELECT * FROM event ORDER BY seq"), start=1):
            assert values["seq"] == number
            assert values.pop("prev") == prev
            kept = values.pop("hash")
            prev = link(prev, values)
            assert prev == kept

    def check_results(self) -> Path:
        """One whole workbook and nothing half-done beside it."""
        (path,) = (self.folder / "out").iterdir()
        with zipfile.ZipFile(path) as book:
            assert book.testzip() is None
        return path
