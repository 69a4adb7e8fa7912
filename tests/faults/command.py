"""The command as a person runs it, against the fault server, with every library's log turned up to the last word."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.ledger.storage.location import open_ledger
from tests.faults import judge
from tests.faults.bench import REASON, make_cufe
from tests.faults.processes import BASIC, PASSWORD, USER, FaultServer
from tests.support.warm import LONGEST_S, ROOT, Started, Warm

PATHS = {
    "AUTH": "Autenticacion/Api/ServicioEDOC",
    "CANCEL": "Emision/Eventos/API/Anulacion",
    "QUERY": "Emision/Api/Consulta/ConsultarDocumentoRuta",
}
LOUD = """import logging
logging.basicConfig(filename={path!r}, level=0, format="%(asctime)s %(name)s %(message)s")
"""


@dataclass
class Done:
    """How a command ended."""

    code: int
    words: str


class Command:
    """A folder with an input file, a ledger, and the settings that lead to the fault server."""

    def __init__(self, folder: Path, server: FaultServer, warm: Warm) -> None:
        self.folder, self.server, self.warm = folder, server, warm
        self.ran = 0

    def batch(self, count: int) -> Command:
        self.folder.mkdir()
        self.cufes = [make_cufe(n) for n in range(1, count + 1)]
        lines = ["CUFE,Motivo", *(f"{cufe},{REASON}" for cufe in self.cufes)]
        (self.folder / "lote.csv").write_text("\n".join(lines) + "\n", "utf-8")
        self.server.begin(self.folder.parent / "journal.jsonl", self.cufes)
        custom = self.folder / "custom"
        custom.mkdir()
        # Run before the command, as Python does by itself: the program has no switch that makes its libraries talk.
        self.custom = custom / "sitecustomize.py"
        self.custom.write_text(LOUD.format(path=str(self.folder / "debug.log")), "utf-8")
        clean = {key: value for key, value in os.environ.items() if not key.startswith("ANULAR_")}
        self.env = {
            **clean,
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "PYTHONPATH": os.pathsep.join((str(custom), str(ROOT))),
            "ANULAR_LEDGER": f"sqlite:///{self.folder / 'ledger' / 'registro.db'}",
            "ANULAR_OUT": str(self.folder / "out"),
            "ANULAR_LOG": str(self.folder / "anular.log"),
            "ANULAR_METRICS": str(self.folder / "anular.prom"),
            "ANULAR_USER": USER,
            "ANULAR_PASSWORD": PASSWORD,
            "ANULAR_RATE": "200",
            "ANULAR_POLL_EVERY": "0.2",
            "ANULAR_POLL_FOR": "1",
            "ANULAR_READ_TIMEOUT": "5",
            "ANULAR_SANDBOX_NOW": "2026-11-20T10:00:00-05:00",
            "ANULAR_BASE_URL": f"http://127.0.0.1:{self.server.ports['auth']}/",
        }
        for name, path in PATHS.items():
            self.url(name, f"http://127.0.0.1:{self.server.ports[name.lower()]}/{path}")
        return self

    def url(self, name: str, url: str) -> None:
        self.env[f"ANULAR_{name}_URL"] = url

    def script(self, service: str, *actions: Any, row: int | None = None) -> None:
        self.server.script(service, *actions, cufe="*" if row is None else self.cufes[row - 1])

    def run(self, *arguments: str, **more: str) -> Done:
        """``anular run lote.csv --yes``, or what ``arguments`` say. What it printed is kept as a file."""
        return self.ended(self.start(*arguments, **more))

    def start(self, *arguments: str, **more: str) -> Started:
        words = arguments or ("run", str(self.folder / "lote.csv"), "--yes")
        return self.warm.start(words, folder=self.folder, env={**self.env, **more}, first=self.custom)

    def real(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """The same by an interpreter of its own, for what only that has: its memory, its dump, its children by name."""
        words = arguments or ("run", str(self.folder / "lote.csv"), "--yes")
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", *words],
            cwd=self.folder,
            env={**self.env, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ended(self, process: subprocess.Popen[str]) -> Done:
        """Waits for its end; not for ever."""
        try:
            out, err = process.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        self.ran += 1
        (self.folder / f"printed-{self.ran}.txt").write_text(out + err, "utf-8")
        assert "Traceback" not in out + err, err
        return Done(process.returncode, out + err)

    def wait_for(self, count: int, service: str = "cancel") -> None:
        """Returns once the server has received that many."""
        end = time.monotonic() + LONGEST_S
        while len(self.server.entries(service=service)) < count:
            assert time.monotonic() < end, "the program did not get that far"
            time.sleep(0.02)

    @property
    def results(self) -> list[dict[str, Any]]:
        (path,) = (self.folder / "out").glob("*__resultados.xlsx")
        return judge.results(path)

    @property
    def outcomes(self) -> list[str]:
        return [row["resultado"] for row in self.results]

    @property
    def posts(self) -> int:
        return len(self.server.entries(service="cancel"))

    def check(self) -> None:
        """The common checks, from the server's journal and from what lies in the folder."""
        database = open_ledger(self.env["ANULAR_LEDGER"])
        try:
            events = judge.moves(database)
        finally:
            database.close()
        entries = self.server.entries()
        judge.at_most_one_post(entries, events)
        judge.every_row_once(self.results, self.cufes)
        judge.no_unfounded_claim(self.results, entries, events, self.server.cancelled)
        assert (self.folder / "debug.log").stat().st_size > 0  # the libraries did talk
        secrets = [USER, PASSWORD, BASIC, *self.server.tokens]
        judge.no_secret(judge.produced(self.folder.parent), secrets)  # the journal too: it holds every address
