"""F53, G4: the ledger's commits on a disk that forgets: unsynchronised writes lost or torn, removed files back again.

The program's transactions are recorded once, as it makes them. They run again on a recording disk (an apsw VFS), under
the PRAGMAS of the ledger. Then the power is cut at any operation, as often as wanted: what survives is written to a
folder, opened as the next start would, and compared with what had been acknowledged.

``python -m tests.storm.powercuts --cuts 1000`` prints its seed and figures.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import apsw
from sqlalchemy import event

import tests.support.own_sqlite  # noqa: F401 - before the program
from pipeline.domain.errors import StorageTrouble
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import BatchInfo, CheckedRow, Finding, Position, Source, Verdict
from pipeline.ledger.backup import _copy_pages
from pipeline.ledger.moves import Move
from pipeline.ledger.storage import wal
from pipeline.ledger.storage.driver import sqlite3
from pipeline.ledger.storage.location import open_ledger
from pipeline.ledger.storage.sqlite import PRAGMAS
from pipeline.ledger.store import Store

SECTOR = 512
NAME = "registro.db"
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
Statement = tuple[str, Any, bool]
Operation = tuple[Any, ...]


# --- the program's own transactions -----------------------------------------------------------------------------------


def recorded_work(folder: Path, rows: int) -> tuple[bytes, list[list[Statement]]]:
    """A ledger with a batch of ``rows``, and the transactions that claim and answer them, alone and in groups."""
    path = folder / NAME
    database = open_ledger(f"sqlite:///{path}")
    store = Store(database, "sandbox")
    store.begin_run(NOW)
    info = BatchInfo(
        id="20261120-lote", file="l.csv", sha256="a" * 64, env="sandbox", sheet=None, rows=rows, headings=("CUFE",),
        created=NOW, approved_by="ana", folder="/resultados",
    )  # fmt: skip
    store.intake(info, [_row(pos) for pos in range(1, rows + 1)])
    _copy_pages(path, folder / "base.db", None)
    base, done = (folder / "base.db").read_bytes(), list[list[Statement]]()

    @event.listens_for(database._engine, "begin")
    def _begin(_connection: Any) -> None:
        done.append([])

    @event.listens_for(database._engine, "before_cursor_execute")
    def _note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.startswith(("UPDATE", "INSERT", "DELETE")):
            done[-1].append((statement, list(parameters) if many else parameters, many))

    for group in _work(rows):
        store.apply(group)
    database.close()
    return base, [statements for statements in done if statements]


def _row(pos: int) -> CheckedRow:
    cells = (f"FE{pos:064d}", "Error en el monto facturado " * 8)
    return CheckedRow(
        pos, Position(None, pos), cells, Verdict.ACCEPTED, cufe=f"FE{pos:064d}", reason="Error en el monto"
    )


def _work(rows: int) -> list[list[Move]]:
    """Claims alone and in groups, outcomes with bodies of several pages, retries."""
    groups, pos = [], 1
    for size in (1, 2, 4, 8, 1, 3, 1, 4):
        taken = range(pos, min(rows + 1, pos + size))
        groups.append([_move(n, 1, State.READY, Event.CLAIMED) for n in taken])
        for part in (list(taken)[: size // 2], list(taken)[size // 2 :]):
            if part:
                groups.append([_move(n, 2, State.SENDING, _outcome(n), body=b"{...}" * 200 * (n % 4)) for n in part])
        pos += size
    return groups


def _outcome(n: int) -> Event:
    return (Event.CANCELLED, Event.UNCLEAR, Event.IN_PROGRESS, Event.UNAUTHORISED)[n % 4]


def _move(n: int, version: int, source: State, what: Event, body: bytes = b"") -> Move:
    finding = None if what is Event.CLAIMED else Finding(Source.CANCELLATION, what, http=200, estado=2, body=body)
    at = NOW + timedelta(seconds=n)
    retry = what is Event.UNAUTHORISED
    return Move(n, version, "20261120-lote", n, source, what, at, finding, retry=retry)


# --- the recording disk -----------------------------------------------------------------------------------------------


class _File:
    """An open file of the recording disk; apsw asks for these methods by name."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk, self._name = disk, name

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        return bytes(self._disk.now[self._name][offset : offset + amount])

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        self._disk.log.append(("write", self._name, offset, bytes(data)))
        _write(self._disk.now[self._name], offset, bytes(data))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.log.append(("truncate", self._name, size))
        del self._disk.now[self._name][size:]

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.log.append(("sync", self._name))

    def xFileSize(self) -> int:  # noqa: N802
        return len(self._disk.now[self._name])

    def xLock(self, level: int) -> None:  # noqa: N802
        """One process, one connection."""

    def xUnlock(self, level: int) -> None:  # noqa: N802
        """One process, one connection."""

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:  # noqa: N802
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        return SECTOR

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return 0

    def xClose(self) -> None:  # noqa: N802
        """Closing writes nothing and synchronises nothing."""


class Disk(apsw.VFS):
    """Files in memory, and a log of everything that happened to them."""

    def __init__(self, base: bytes) -> None:
        self.name = f"recording-{id(self)}"
        self.now = {f"/{NAME}": bytearray(base)}
        self.log: list[Operation] = []
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        if path not in self.now:
            self.log.append(("create", path))
            self.now[path] = bytearray()
        return _File(self, path)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        self.log.append(("delete", filename, bool(syncdir)))
        del self.now[filename]

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: N802
        return pathname in self.now

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        return name if name.startswith("/") else f"/{name}"


def replay(
    base: bytes, work: Sequence[Sequence[Statement]], pragmas: Sequence[str] = PRAGMAS, *, logged: bool = False
) -> list[Operation]:
    """Everything that the disk was asked to do; ``("ack", n)`` where the n-th COMMIT had returned.

    ``logged``: in WAL, by some owners one after the other, each of whom begins and ends it as the program does.
    """
    disk = Disk(base)
    ends = [len(work) * owner // OWNERS for owner in range(OWNERS + 1)] if logged else [0, len(work)]
    for first, last in pairwise(ends):
        connection = apsw.Connection(f"/{NAME}", vfs=disk.name)
        if logged:  # without shared memory, which this disk has none of
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        for pragma in (*pragmas[1:], *OFTEN) if logged else pragmas:
            connection.execute(pragma)
        with _on(disk):
            if logged:
                wal.begin(connection, Path(NAME))
            for number, statements in enumerate(work[first:last], start=first + 1):
                connection.execute("BEGIN IMMEDIATE")
                for sql, parameters, many in statements:
                    connection.executemany(sql, parameters) if many else connection.execute(sql, parameters)
                connection.execute("COMMIT")
                disk.log.append(("ack", number))
            if logged:
                assert wal.end(connection)
        connection.close()
    disk.unregister()
    return disk.log


OWNERS = 5
OFTEN = ("PRAGMA wal_autocheckpoint=24",)
"""So little work fills no log; the program leaves it at SQLite's 1,000 pages."""


@contextlib.contextmanager
def _on(disk: Disk) -> Iterator[None]:
    """The program looks at the recording disk, where it looks at files."""
    log = f"/{NAME}-wal"
    with (
        mock.patch.object(
            wal, "_mark_in", side_effect=lambda _path: int.from_bytes(disk.now[f"/{NAME}"][60:64], "big")
        ),
        mock.patch.object(wal, "_filled", side_effect=lambda _path: len(disk.now.get(log, b"")) > wal._NOTHING),
    ):
        yield


def _write(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


# --- what survives a cut ----------------------------------------------------------------------------------------------


@dataclass
class _Stored:
    """A file on the platter: what is certain, what may have arrived since, and whether its name is certain."""

    certain: bytes = b""
    since: list[Operation] = field(default_factory=list)
    named: bool = False


class Platter:
    """The disk as it is known to be, operation by operation."""

    def __init__(self, base: bytes) -> None:
        self._files = {f"/{NAME}": _Stored(base, named=True)}
        self._removed: dict[str, _Stored] = {}  # removals that no synchronised directory has confirmed
        self.acknowledged = 0

    def take(self, operation: Operation) -> None:
        kind, name = operation[0], operation[1]
        if kind == "ack":
            self.acknowledged = name
        elif kind == "create":
            self._files[name] = _Stored()
        elif kind == "delete":
            gone = self._files.pop(name)
            self._removed = {} if operation[2] else {**self._removed, name: gone}
        elif kind == "sync":
            self._synchronise(self._files[name])
        else:
            self._files[name].since.append(operation)

    def _synchronise(self, file: _Stored) -> None:
        content = bytearray(file.certain)
        for operation in file.since:
            _apply(content, operation)
        file.certain, file.since = bytes(content), []
        if not file.named:  # SQLite synchronises the folder together with a new file
            file.named, self._removed = True, {}

    def survivors(self, rng: random.Random) -> dict[str, bytes]:
        """What the next start finds."""
        found = {**self._files}
        for name, file in self._removed.items():
            if name not in found and rng.random() < 0.5:
                found[name] = file
        luck = rng.choice((0.0, 0.5, 0.9, 1.0))
        return {name: _torn(file, luck, rng) for name, file in found.items() if file.named or rng.random() < 0.5}


def _torn(file: _Stored, luck: float, rng: random.Random) -> bytes:
    """Each unsynchronised sector arrived or did not, in any order."""
    content = bytearray(file.certain)
    for operation in file.since:
        if operation[0] == "truncate":
            if rng.random() < luck:
                _apply(content, operation)
            continue
        _, _, offset, data = operation
        for start in range(0, len(data), SECTOR):
            if rng.random() < luck:
                _write(content, offset + start, data[start : start + SECTOR])
    return bytes(content)


def _apply(content: bytearray, operation: Operation) -> None:
    if operation[0] == "truncate":
        del content[operation[2] :]
    else:
        _write(content, operation[2], operation[3])


# --- the cuts ---------------------------------------------------------------------------------------------------------


@dataclass
class Cuts:
    """How many cuts, and how many of them lost an acknowledged commit, or the ledger."""

    cuts: int = 0
    commits: int = 0
    operations: int = 0
    lost: int = 0
    corrupt: int = 0
    #: sound ledgers that the next start would refuse
    refused: int = 0
    #: that would have been accepted without their log, although it had something that they have not
    halved: int = 0
    #: with a log to go back to, and without
    with_log: int = 0
    seconds: float = 0.0


def cut(cuts: int, seed: int, pragmas: Sequence[str] = PRAGMAS, *, logged: bool = False) -> Cuts:
    """Cuts the power ``cuts`` times at random operations of the program's work."""
    rng, started, found = random.Random(seed), time.monotonic(), Cuts()
    with tempfile.TemporaryDirectory(prefix="cuts") as name:
        folder = Path(name)
        base, work = recorded_work(folder, rng.randint(18, 30))
        log = replay(base, work, pragmas, logged=logged)
        found.commits, found.operations = len(work), len(log)
        expected = _states_after(folder / NAME, base, work)
        moments = sorted(rng.randrange(len(log) + 1) for _ in range(cuts))
        platter, done = Platter(base), 0
        for moment in moments:
            while done < moment:
                platter.take(log[done])
                done += 1
            found.cuts += 1
            _judge(folder, platter, rng, expected, found)
    found.seconds = round(time.monotonic() - started, 1)
    return found


def _judge(folder: Path, platter: Platter, rng: random.Random, expected: list[Any], found: Cuts) -> None:
    for left in folder.iterdir():
        left.unlink()
    for name, content in platter.survivors(rng).items():
        (folder / name[1:]).write_bytes(content)
    path = folder / NAME
    found.refused += _is_refused(path)
    if (log := wal.log_of(path)).exists():
        found.with_log += 1
        found.halved += _is_halved(path, log, platter.acknowledged, expected)
    try:
        state = _state_of(path)
    except sqlite3.DatabaseError:
        found.corrupt += 1
        return
    # What was acknowledged has to be there; the commit that was under way may be there as well. Nothing in between.
    if state not in expected:
        found.corrupt += 1
    elif expected.index(state) < platter.acknowledged:
        found.lost += 1


def _is_refused(path: Path) -> bool:
    try:
        wal.check_log(path)
    except StorageTrouble:
        return True
    return False


def _is_halved(path: Path, log: Path, acknowledged: int, expected: list[Any]) -> bool:
    """Whether the file without its log is accepted, and lacks something that was acknowledged."""
    place = path.with_name("copia")
    place.mkdir()
    try:
        copy = place / NAME
        for one in path.parent.iterdir():
            if one.is_file() and one != log:
                shutil.copy(one, place)
        if _is_refused(copy):
            return False
        state = _state_of(copy)
        return state not in expected or expected.index(state) < acknowledged
    except sqlite3.DatabaseError:
        return True
    finally:
        shutil.rmtree(place)


def _state_of(path: Path) -> Any:
    """Everything that the ledger says, after the roll-back that the next start makes."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("not whole")
        attempts = connection.execute("SELECT id, v, state, note, estado FROM attempt ORDER BY id").fetchall()
        return attempts, connection.execute("SELECT max(seq), hash FROM event").fetchall()


def _states_after(path: Path, base: bytes, work: Sequence[Sequence[Statement]]) -> list[Any]:
    """What the ledger says after none, one, two … transactions."""
    path.write_bytes(base)
    states = [_state_of(path)]
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for statements in work:
            for sql, parameters, many in statements:
                connection.executemany(sql, parameters) if many else connection.execute(sql, parameters)
            connection.commit()
            states.append(_state_of(path))
    return states


def main() -> int:
    """The command of ``make powercuts``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    ways = {"DELETE": False, "WAL": True}
    figures = {name: cut(given.cuts, given.seed, logged=logged) for name, logged in ways.items()}
    summary = json.dumps({"seed": given.seed, **{name: asdict(one) for name, one in figures.items()}}, indent=2)
    sys.stdout.write(summary + "\n")
    if given.json is not None:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(summary + "\n", "utf-8")
    return 1 if any(one.lost or one.corrupt or one.refused or one.halved for one in figures.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
