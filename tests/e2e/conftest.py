"""The command as a person runs it: a process of its own, a folder of its own, the sandbox on a real port.

``Place.start`` starts ``python -m pipeline``; ``Place.anular`` has a warm process fork it (``forks.py``), which is the
same without a second of imports.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from pipeline.domain.cufe import check_digit
from pipeline.domain.deadline import PANAMA

ROOT = Path(__file__).parents[2]
NOW = "2026-11-20T10:00:00-05:00"
REASON = "Factura emitida con el monto equivocado"
LONGEST_S = 120.0
HEADINGS = ["No.", "Cliente", "CUFE", "Motivo de anulación", "Monto"]


def make_cufe(number: int, scenario: str = "000", day: str = "20261118") -> str:
    """A valid synthetic code; the sandbox behaves by its ``scenario``."""
    text = f"FE01200000000000029-29-29-56000{number % 10}{day}{number:010d}001012{number % 1000000:06d}{scenario}"
    return text + check_digit(text)


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        return self.out + self.err

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class Nursery:
    """A warm process that forks commands, one after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.forks"],
            cwd=ROOT,
            env=_without_settings(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # what select sees is all that there is
        )
        self._answer(LONGEST_S)

    def run(self, arguments: list[str], folder: Path, env: dict[str, str]) -> Done:
        """One command to its end. Whatever it leaves behind in its session is ended."""
        assert self._process.stdin is not None
        self._count += 1
        out, err = (self._folder / f"{self._count}.{name}" for name in ("out", "err"))
        for path in (out, err):
            path.touch()
        order = {"arguments": arguments, "folder": str(folder), "env": env, "out": str(out), "err": str(err)}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        number = self._answer(LONGEST_S)["pid"]
        try:
            code = self._answer(LONGEST_S)["code"]
        finally:
            with suppress(ProcessLookupError):
                os.killpg(number, signal.SIGKILL)
        return Done(code, *(path.read_text("utf-8", "replace") for path in (out, err)))

    def _answer(self, seconds: float) -> dict[str, int]:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            raise TimeoutError("the command did not end")
        told: dict[str, int] = json.loads(self._process.stdout.readline())
        return told

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=LONGEST_S)
        self._process.stdout.close()


def _without_settings() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("ANULAR_")}


@dataclass
class Place:
    """A folder with a ledger and a journal, and the environment that points to them."""

    folder: Path
    nursery: Nursery
    env: dict[str, str] = field(default_factory=dict)
    journal: Path = Path()

    def __post_init__(self) -> None:
        self.journal = self.folder / "ledger" / "registro.db.sandbox.jsonl"
        self.env = {
            **_without_settings(),
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "ANULAR_LEDGER": f"sqlite:///{self.folder / 'ledger' / 'registro.db'}",
            "ANULAR_OUT": str(self.folder / "out"),
            "ANULAR_RATE": "200",
            "ANULAR_CONCURRENCY": "8",
            "ANULAR_POLL_EVERY": "0.5",
            "ANULAR_POLL_FOR": "6",
            "ANULAR_SANDBOX_NOW": NOW,
        }

    def file(self, rows: Sequence[Sequence[Any]], name: str = "lote.xlsx", headings: Sequence[str] = HEADINGS) -> Path:
        """A workbook with one sheet ``Hoja1``."""
        book = Workbook()
        sheet = book.worksheets[0]
        sheet.title = "Hoja1"
        for row in (headings, *rows):
            sheet.append(list(row))
        path = self.folder / name
        book.save(path)
        return path

    def batch(self, scenarios: Iterable[str], name: str = "lote.xlsx", first: int = 1) -> Path:
        """A workbook with one good row for each scenario."""
        rows = [
            [n, f"Cliente {n}", make_cufe(n, scenario), REASON, 100.5 + n]
            for n, scenario in enumerate(scenarios, start=first)
        ]
        return self.file(rows, name)

    def numbered(self, name: str, first: int, rows: int) -> Path:
        """A workbook of rows that are accepted at once, issued two days ago by the machine's clock."""
        day = f"{datetime.now(PANAMA) - timedelta(days=2):%Y%m%d}"
        numbers = range(first, first + rows)
        return self.file([[n, "Cliente", make_cufe(n, "000", day), REASON, 10] for n in numbers], name)

    def start(self, *arguments: object, **more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.env, "PYTHONPATH": str(ROOT), **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def anular(self, *arguments: object, **more: str) -> Done:
        done = self.nursery.run([*map(str, arguments)], self.folder, {**self.env, "PYTHONPATH": str(ROOT), **more})
        assert "Traceback" not in done.words, done.words
        return done

    def entries(self) -> list[dict[str, Any]]:
        """What the sandbox received; a line that is just being written is left out."""
        if not self.journal.exists():
            return []
        lines = self.journal.read_text("utf-8").split("\n")[:-1]
        return [entry for entry in map(json.loads, lines) if "route" in entry]

    def posts(self) -> Counter[str]:
        return Counter(
            entry["cufe"] for entry in self.entries() if entry["route"] == "cancel" and entry["method"] == "POST"
        )

    def results(self, batch: str = "") -> Path:
        (path,) = (self.folder / "out").glob(f"*{batch}__resultados.xlsx")
        return path

    def rows(self, sheet: str = "Resultados") -> list[dict[str, Any]]:
        """The rows of a sheet of the results workbook, by heading."""
        book = load_workbook(self.results(), read_only=True)
        head, *rest = [list(row) for row in book[sheet].iter_rows(values_only=True)]
        book.close()
        return [dict(zip(map(str, head), row, strict=True)) for row in rest]

    def wait_for_posts(self, count: int, seconds: float = 60.0, unless: Callable[[], bool] = lambda: False) -> None:
        """Returns when the sandbox has received ``count`` cancellations, or ``unless`` says that there is no use."""
        end = time.monotonic() + seconds
        while sum(self.posts().values()) < count and not unless():
            assert time.monotonic() < end, "the program did not get that far"
            time.sleep(0.01)


def kill_group(process: subprocess.Popen[str]) -> None:
    """Ends ``process`` and the sandbox that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    nursery = Nursery(tmp_path_factory.mktemp("salidas"))
    yield nursery
    nursery.end()


@pytest.fixture
def place(tmp_path: Path, nursery: Nursery) -> Place:
    return Place(tmp_path, nursery)


@pytest.fixture
def lab(place: Place) -> Iterator[Place]:
    """The sandbox behind the address of the lab environment: what has legal effect is checked in earnest."""
    journal = place.folder / "lab.jsonl"
    server = place.start("sandbox", "--port", "0", "--latency-ms", "100", "--journal", journal)
    assert server.stdout is not None
    base = server.stdout.readline().strip()
    more = {"ANULAR_USER": "sandbox", "ANULAR_PASSWORD": "sandbox", "ANULAR_SANDBOX_NOW": ""}
    place.env |= {**more, "ANULAR_ENV": "lab", "ANULAR_BASE_URL": base}
    place.journal = journal
    yield place
    kill_group(server)


@pytest.fixture
def cufe() -> Callable[..., str]:
    return make_cufe


@pytest.fixture
def end_group() -> Callable[[subprocess.Popen[str]], None]:
    return kill_group
