"""The command as a person runs it: a process of its own, a folder of its own, the sandbox on a real port.

A warm process forks it (``support/warm.py``), with what it starts itself, which is the same without seconds of imports.
``Place.real`` is ``python -m pipeline``, for what only a whole interpreter has: its start, its end, its arguments.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO, Any

import pytest
from openpyxl import Workbook

from pipeline.domain.cufe import check_digit
from pipeline.domain.deadline import PANAMA
from tests.support.books import rows_of
from tests.support.warm import LONGEST_S, ROOT, Started, Warm, without_settings

NOW = "2026-11-20T10:00:00-05:00"
REASON = "Factura emitida con el monto equivocado"
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


@dataclass
class Place:
    """A folder with a ledger and a journal, and the environment that points to them."""

    folder: Path
    warm: Warm
    env: dict[str, str] = field(default_factory=dict)
    journal: Path = Path()

    def __post_init__(self) -> None:
        self.journal = self.folder / "ledger" / "registro.db.sandbox.jsonl"
        self.env = {
            **without_settings(),
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

    def start(
        self, *arguments: object, stdin: Any = DEVNULL, stdout: Any = PIPE, stderr: Any = PIPE, **more: str
    ) -> Started:
        env = {**self.env, **more}
        return self.warm.start(arguments, folder=self.folder, env=env, stdin=stdin, stdout=stdout, stderr=stderr)

    def anular(self, *arguments: object, stdout: Any = None, stderr: Any = None, **more: str) -> Done:
        """One command to its end. Whatever it leaves behind in its session is ended."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self.start(*arguments, stdout=stdout or out, stderr=stderr or err, **more)
            try:
                code = process.wait(LONGEST_S)
            finally:
                kill_group(process)
            done = Done(code, *(_content(file) for file in (out, err)))
        assert "Traceback" not in done.words, done.words
        return done

    def real(self, *arguments: object, stdout: Any = PIPE, stderr: Any = PIPE, **more: str) -> Done:
        """``python -m pipeline`` to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *map(str, arguments)],
            cwd=self.folder,
            env={**self.env, "PYTHONPATH": str(ROOT), **more},
            stdin=DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
        return Done(done.returncode, done.stdout or "", done.stderr or "")

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
        """The rows of a sheet of the results workbook, by column."""
        return rows_of(self.results(), sheet)

    def wait_for_posts(
        self, count: int, seconds: float = LONGEST_S, unless: Callable[[], bool] = lambda: False
    ) -> None:
        """Returns when the sandbox has received ``count`` cancellations, or ``unless`` says that there is no use."""
        end = time.monotonic() + seconds
        while sum(self.posts().values()) < count and not unless():
            assert time.monotonic() < end, "the program did not get that far"
            time.sleep(0.01)


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def kill_group(process: subprocess.Popen[str]) -> None:
    """Ends ``process`` and the sandbox that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


@pytest.fixture
def place(tmp_path: Path, warm: Warm) -> Place:
    return Place(tmp_path, warm)


@pytest.fixture
def lab(place: Place) -> Iterator[Place]:
    """The sandbox behind the address of the lab environment: what has legal effect is checked in earnest."""
    journal = place.folder / "lab.jsonl"
    server = place.start("sandbox", "--port", "0", "--latency-ms", "100", "--journal", journal)
    assert server.stdout is not None
    base = server.stdout.readline().strip()
    more = {"ANULAR_USER": "sandbox", "ANULAR_PASSWORD": "sandbox", "ANULAR_SANDBOX_NOW": ""}
    place.env |= {**more, "ANULAR_ENV": "lab", "ANULAR_ISSUERS": "29-29-29", "ANULAR_BASE_URL": base}
    place.journal = journal
    yield place
    kill_group(server)


@pytest.fixture
def cufe() -> Callable[..., str]:
    return make_cufe


@pytest.fixture
def end_group() -> Callable[[subprocess.Popen[str]], None]:
    return kill_group
