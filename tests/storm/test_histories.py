"""A ledger that goes back: backups, dumps and copies of every age put back at random after kills (E2).

Whatever takes the ledger back, nothing is posted twice; what refuses says what to do, and doing it works. On a file a
backup is a copy of it; on a server a real dump, put back into a database made anew, where two machines share it. The
judge is eDoc's journal.
"""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.support import ledgers
from tests.support.long import long

KILLED = -9
LOST = "El historial de envíos no es el que guarda lo ya enviado"
CRASHES = (
    *("claim-after", "sent-before-insert", "sent-after-insert", "apply-after-commit", "departure", "post-before"),
    *("post-after", "exchange-after", "outcome-after", "intake-after-commit", "begin-run-after-commit", "recover-done"),
)
STEPS = ("batch", "batch", "again", "backup", "restore", "restore", "other ledger", "other machine")
FIXED = (3, 11, 20, 31)
"""Short histories that `make test` lives through; longer and other ones are `long`."""


class History:
    """A ledger, its backups, the files that came, and one or two machines."""

    def __init__(self, scene, seed: int) -> None:
        self.scene, self.chance = scene, random.Random(seed)
        self.backups: list[Path] = []
        self.files: list[Path] = []
        self.machines = ["state", "state-b"] if ledgers.on_a_server() else ["state"]
        self.machine = self.machines[0]
        self.refusals = self.restored = self.kills = 0
        self.scene.env |= {
            "ANULAR_ENV": "lab",
            "ANULAR_USER": "sandbox",
            "ANULAR_PASSWORD": "sandbox",
            "ANULAR_ISSUERS": "29-29-29",
        }
        self.scene.env |= {"ANULAR_SANDBOX_NOW": "", "ANULAR_OUT": str(self.scene.folder / "out")}

    def live(self, steps: int) -> None:
        self.step("batch")
        self.step("backup")
        for _ in range(steps):
            self.step(self.chance.choice(STEPS))
            self.judge()
        for file in self.files:
            self.run(file)
        self.judge()

    def step(self, what: str) -> None:
        if what == "batch":
            name = f"lote{len(self.files)}.csv"
            self.files.append(self.scene.write(["000"] * self.chance.randint(3, 6), name))
            self.run(self.files[-1], crash=self.crash())
        elif what == "again":
            self.run(self.chance.choice(self.files), crash=self.crash())
        elif what == "backup" and self.scene.tables():
            self.backups.append(self.save(self.scene.folder / f"respaldo{len(self.backups)}"))
        elif what == "restore" and self.backups:
            self.put_back(self.chance.choice(self.backups))
            self.restored += 1
            self.run(self.files[-1], crash=self.crash())
        elif what == "other machine":
            self.machine = self.chance.choice(self.machines)
        elif what == "other ledger" and not ledgers.on_a_server():
            other = f"sqlite:///{self.scene.folder / 'otro' / 'registro.db'}"
            self.anular("run", self.chance.choice(self.files), "--yes", ledger=other)

    def crash(self) -> str:
        return f"{self.chance.choice(CRASHES)}:{self.chance.randint(1, 4)}" if self.chance.random() < 0.7 else ""

    def run(self, file: Path, crash: str = "") -> None:
        """The file through the program; what is refused is mended as it says, and then it goes through."""
        ended = self.anular("run", file, "--yes", crash=crash)
        if ended["code"] == KILLED:
            self.kills += 1
            return
        if LOST in ended["words"]:
            self.refusals += 1
            self.judge()
            self.mend(ended["words"])
            ended = self.anular("run", file, "--yes")
        assert ended["code"] in (0, 1, 4), ended["words"]

    def mend(self, words: str) -> None:
        """Gives the very command that the refusal names, with a name and a reason in it."""
        (found,) = re.findall(r"«anular (adopt --restored[^»]*)»", " ".join(words.split()))
        told = shlex.split(found.replace("QUIÉN", "Ana").replace("MOTIVO", "'respaldo restaurado'"))
        ended = self.anular(*told)
        assert ended["code"] == 0, ended["words"]

    def anular(self, *arguments, crash: str = "", ledger: str = ""):
        env = {"XDG_STATE_HOME": str(self.scene.folder / self.machine)}
        if ledger:
            env["ANULAR_LEDGER"] = ledger
        return self.scene.anular(*arguments, crash=crash, env=env)

    def judge(self) -> None:
        assert max(self.scene.service.posts(set(self.scene.cufes)).values(), default=0) <= 1, "sent twice"

    def save(self, place: Path) -> Path:
        if ledgers.on_a_server():
            return _dump(self.scene.url, place)
        shutil.copy2(self.scene.ledger, place)
        for end in ("-journal", "-wal"):  # of a killed run: a backup takes both, or the copy is a torn one
            if (beside := self.scene.ledger.with_name(f"registro.db{end}")).exists():
                shutil.copy2(beside, place.with_name(f"{place.name}{end}"))
        return place

    def put_back(self, backup: Path) -> None:
        if ledgers.on_a_server():
            _undump(self.scene.url, backup)
            return
        shutil.copy2(backup, self.scene.ledger)
        for end in ("-journal", "-wal", "-shm"):
            (beside := self.scene.ledger.with_name(f"registro.db{end}")).unlink(missing_ok=True)
            if (kept := backup.with_name(f"{backup.name}{end}")).exists():
                shutil.copy2(kept, beside)


def _program(name: str) -> str:
    found = [*sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True), shutil.which(name)]
    return str(next(one for one in found if one))


def _connection(url: str) -> list[str]:
    parsed = make_url(url)
    host, port = parsed.query.get("host", parsed.host), parsed.query.get("port", parsed.port)
    return ["-h", str(host), "-p", str(port), "-U", str(parsed.username)]


def _dump(url: str, place: Path) -> Path:
    name = str(make_url(url).database)
    subprocess.run([_program("pg_dump"), *_connection(url), "-Fc", "-f", str(place), name], check=True)
    return place


def _undump(url: str, place: Path) -> None:
    name = str(make_url(url).database)
    ledgers.tell_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    ledgers.tell_server(f"CREATE DATABASE {name}")
    subprocess.run([_program("pg_restore"), *_connection(url), "-d", name, str(place)], check=True)


@pytest.mark.parametrize("seed", [*FIXED[:2], *long(*FIXED[2:])])
def test_a_ledger_that_goes_back_sends_nothing_twice(scene, seed):
    history = History(scene, seed)
    history.live(5)

    assert history.restored or history.kills


HISTORIES = int(os.environ.get("HISTORIES", "40"))
"""How many `make test-all` lives through; `make histories` names more, on either kind of database."""


@pytest.mark.long
@pytest.mark.parametrize("number", range(HISTORIES))
def test_histories_of_every_length_send_nothing_twice(scene, seed, number):
    History(scene, seed + number).live(random.Random(seed + number).randint(4, 10))
