"""What a test does to a process of the program before it starts: hear its commits, spoil its disk, cut its patience."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_LATE = (
    "alembic.command",
    "anyio._backends._asyncio",
    "anyio.streams.tls",
    "certifi",
    "encodings.cp437",
    "encodings.utf_8_sig",
    "h11",
    "httpcore",
    "hypothesis.extra.pandas",
    "openpyxl.packaging.extended",
    "pandera.accessors.pandas_accessor",
    "pandera.pandas",
    "pandera.backends.pandas.register",
    "pandera.strategies.pandas_strategies",
    "pipeline.cli.render",
    "pipeline.ledger.storage.postgres_location",
    "pipeline.run.follow_up",
    "pipeline.validate.check",
    "pipeline.watch.scan",
    "pipeline.wiring.keyring_store",
    "pipeline.wiring.lost_ledger",
    "platformdirs.unix",
    "psycopg.types.numpy",
    "python_calamine",
    "rich._emoji_codes",
    "rich._unicode_data.unicode17-0-0",
    "schemas.results",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
    "pysqlite3.dbapi2",
    "sqlite3",
    "typer._adapters",
    "typer._click.decorators",
)


def warm() -> None:
    """Does once what every command does first, so that a fork has it: half of what a small one costs."""
    for name in _LATE:
        with contextlib.suppress(ModuleNotFoundError):  # what another version lacks is imported late
            importlib.import_module(name)
    # httpcore looks for it anew with every request, through the whole path; that it is not there is known from now on.
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
    _keep_the_command_line()
    from pipeline.read import process, sheet
    from tests.support import once

    for where, name, value in once.replacements():
        _replace(where, **{name: value})

    own = process.Reader
    read_here()  # a process that reads leaves a thread behind for a moment, and a fork has to have one
    _rehearse()
    for module in (process, sheet):
        _replace(module, Reader=own)


def _keep_the_command_line() -> None:
    """The commands and their options are put together once."""
    import typer.main

    from pipeline.cli.app import command_line

    ready = typer.main.get_command(command_line())
    _replace(typer.main, get_command=lambda _app: ready)


def read_here() -> None:
    """A file is read without a process of its own. ``test_together.py``, the workers and ``tests/e2e`` have one;
    ``tests/integration/read/test_process.py`` shows that both read the same."""
    from pipeline.read import process, sheet
    from tests.support.reading import Here

    for module in (process, sheet):
        _replace(module, Reader=Here)


def _rehearse() -> None:
    """A row goes through the program: what pandera, openpyxl, SQLAlchemy and others make at their first use is made.
    The sandbox for it is a fork, which takes no second to start."""
    from pipeline.cli.main import run_command
    from tests.storm.scene import REASON, make_cufe
    from tests.support.forks import Forked

    own = subprocess.Popen
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w") as nowhere:
        file = Path(folder, "ensayo.csv")
        file.write_text(f"CUFE;Motivo\n{make_cufe(1)};{REASON}\n", "utf-8")
        before, places = dict(os.environ), ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "ANULAR_OUT")
        os.environ.update(
            {
                **dict.fromkeys(places, folder),
                "ANULAR_LEDGER": f"sqlite:///{folder}/registro.db",
                "ANULAR_SANDBOX_NOW": "2026-11-20T10:00:00-05:00",
            }
        )
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            _replace(subprocess, Popen=Forked)
            assert run_command(["run", str(file), "--yes"]) == 0
            _replace(subprocess, Popen=own)
        os.environ.clear()
        os.environ.update(before)


def rig(spec: dict[str, Any]) -> None:
    """Applies ``acks`` and ``rig`` of a spec to this process."""
    if spec.get("acks"):
        _tell(spec["acks"])
    for name, *arguments in spec.get("rig", []):
        _RIGS[name](*arguments)


def _tell(path: str) -> None:
    """One line ``attempt version state batch pos`` for each move, written when its commit has returned, not before."""
    from pipeline.ledger.moves import Move, Moved
    from pipeline.ledger.store import Store
    from pipeline.wiring import ledger

    pipe = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    class Telling(Store):
        def apply(self, moves: Sequence[Move]) -> list[Moved]:
            moved = super().apply(moves)
            lines = "".join(
                f"{wish.attempt} {done.version} {done.state.value} {wish.batch} {wish.pos}\n"
                for wish, done in zip(moves, moved, strict=True)
            )
            os.write(pipe, lines.encode())
            return moved

    _replace(ledger, Store=Telling)


def _largest_file(size: int) -> None:
    """Writing beyond ``size`` bytes fails, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _failing_commit(nth: int, words: str) -> None:
    """From the ``nth`` COMMIT of this process on SQLite fails and says ``words``."""
    from pipeline.ledger.storage.driver import sqlite3

    real, count = sqlite3.connect, 0

    class Spoiled(sqlite3.Connection):
        def commit(self) -> None:
            nonlocal count
            count += self.in_transaction
            if self.in_transaction and count >= nth:
                self.rollback()
                raise sqlite3.OperationalError(words)
            super().commit()

    _replace(sqlite3, connect=lambda *a, **more: real(*a, **{**more, "factory": Spoiled}))


def _patience(seconds: float) -> None:
    """How long requests in flight may go on after SIGTERM."""
    from pipeline.runtime.shutdown import Stop

    Stop.__init__.__defaults__ = (seconds,)


def _stale_after(seconds: float) -> None:
    from dataclasses import replace

    from pipeline.wiring.rules import send_rules

    real = send_rules
    _replace_everywhere(send_rules, lambda *given: replace(real(*given), stale_after=seconds))


def _busy(milliseconds: int) -> None:
    """How long the ledger waits for somebody else's lock."""
    from pipeline.ledger.storage import sqlite

    shorter = [p if "busy_timeout" not in p else f"PRAGMA busy_timeout={milliseconds}" for p in sqlite.PRAGMAS]
    _replace(sqlite, BUSY_MS=milliseconds, PRAGMAS=tuple(shorter))


def _failing_outcomes(after: int) -> None:
    """From the transaction on that would be the ``after``-th with an answer in it the disk is gone."""
    from pipeline.domain.lifecycle import Event
    from pipeline.ledger.moves import Move, Moved
    from pipeline.ledger.store import Store

    real_apply, answers = Store.apply, 0

    def apply(self: Store, moves: Sequence[Move]) -> list[Moved]:
        nonlocal answers
        answers += any(wish.event is not Event.CLAIMED for wish in moves)
        return real_apply(self, moves)

    _replace(Store, apply=apply)
    if os.environ["ANULAR_LEDGER"].startswith("sqlite"):
        _spoil_file(lambda: answers > after)
    else:
        _spoil_server(lambda: answers > after)


def _spoil_file(broken: Callable[[], bool]) -> None:
    from pipeline.ledger.storage.driver import sqlite3

    real = sqlite3.connect

    class Spoiled(sqlite3.Connection):
        def commit(self) -> None:
            if self.in_transaction and broken():
                self.rollback()
                raise sqlite3.OperationalError("disk I/O error")
            super().commit()

    _replace(sqlite3, connect=lambda *a, **more: real(*a, **{**more, "factory": Spoiled}))


def _spoil_server(broken: Callable[[], bool]) -> None:
    import psycopg

    real = psycopg.Connection.commit

    def commit(self: Any) -> None:
        if broken():
            self.close()  # nobody knows what became of it; here the server rolls it back
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        real(self)

    _replace(psycopg.Connection, commit=commit)


def _mortal() -> None:
    """Root obeys the modes of files like everybody else: without CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    held = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, held) == 0
    held[0] &= ~0b110
    assert libc.capset(header, held) == 0, os.strerror(ctypes.get_errno())


def _read_only() -> None:
    """SQLite may only read the ledger."""
    from pipeline.ledger.storage.driver import sqlite3

    real = sqlite3.connect

    def connect(path: Any, *arguments: Any, **more: Any) -> Any:
        uri = path if str(path).startswith("file:") else f"file:{path}?mode=ro"
        return real(uri, *arguments, **{**more, "uri": True})

    _replace(sqlite3, connect=connect)


def _full_before_results(size: int) -> None:
    """The disk is full by the time that the results are written."""
    from pipeline.run.results import write_results

    real = write_results

    def write(*arguments: Any, **more: Any) -> Any:
        _largest_file(size)
        return real(*arguments, **more)

    _replace_everywhere(real, write)


def _mute_after(writes: int) -> None:
    """The disk that standard output and error go to is full after so many writes."""
    import io

    count = 0

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            nonlocal count
            count += 1
            if count > writes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(text)

    sys.stdout = sys.stderr = Full()


def _raise_at(point: str, error: str, nth: int = 1) -> None:
    """``error`` (the name of a built-in one) is raised at the ``nth`` passage of a named point of the program."""
    import builtins
    import itertools

    kind, passages = getattr(builtins, error), itertools.count(1)

    def crashpoint(name: str) -> None:
        if name == point and next(passages) == nth:
            raise kind

    _at_each_point(crashpoint)


def _signal_at(point: str, nth: int, *numbers: int) -> None:
    """The process gets these signals, one right after the other, at the ``nth`` passage of a named point."""
    import itertools

    passages = itertools.count(1)

    def crashpoint(name: str) -> None:
        if name == point and next(passages) == nth:
            for number in numbers:
                os.kill(os.getpid(), number)

    _at_each_point(crashpoint)


def _at_each_point(crashpoint: Callable[[str], None]) -> None:
    """What happens at the named points of the program, in each module that has some."""
    for name, module in list(sys.modules.items()):
        if name.startswith("pipeline.") and hasattr(module, "crashpoint"):
            _replace(module, crashpoint=crashpoint)


def _stand_still_at(point: str, sign: str) -> None:
    """The process is stopped at a named point, as a machine that was put to sleep is, and writes its number to ``sign``
    right before; SIGCONT lets it go on."""

    def crashpoint(name: str) -> None:
        if name == point and not Path(sign).exists():
            half = Path(f"{sign}.half")
            half.write_text(str(os.getpid()))
            half.rename(sign)
            os.kill(os.getpid(), signal.SIGSTOP)

    _at_each_point(crashpoint)


def _begin_after(sign: str) -> None:
    """The process begins when there is a file ``sign``."""
    import time

    while not Path(sign).exists():
        time.sleep(0.01)


def _server_waits(**seconds: float) -> None:
    """How long the server waits in each of these ways (``lock_timeout``, …) for this process and those beside it."""
    from pipeline.ledger.storage import postgres_session

    for name, most in seconds.items():
        assert name in postgres_session._SESSION
        postgres_session._SESSION[name] = f"{most * 1000:.0f}ms"


def _mounted(kind: str) -> None:
    """Everything lies on a file system of that kind."""
    from pipeline.ledger import ownership

    _replace(ownership, _read_mounts=lambda: f"22 1 0:40 / / rw - {kind} somewhere rw")


def _somebody_else() -> None:
    """This process belongs to a user who owns none of the files here."""
    owner = os.geteuid()
    _replace(os, geteuid=lambda: owner + 4000)


def _replace_everywhere(real: object, value: object) -> None:
    """In each module of the program that has imported ``real`` by its name."""
    for place, module in list(sys.modules.items()):
        if place.startswith("pipeline."):
            for name in [name for name, one in vars(module).items() if one is real]:
                setattr(module, name, value)


def _replace(module: object, **values: object) -> None:
    """This process ends soon; nobody has to put anything back."""
    for name, value in values.items():
        assert hasattr(module, name), name
        setattr(module, name, value)


def _files_of_a_night(seconds: float) -> None:
    """The clock of the file system is that many seconds ahead, and a file is as old as its (settable) mtime says."""
    import time

    from pipeline.runtime.clock import Clock
    from pipeline.watch.arrival import Arrival

    _replace(Clock, stamps=lambda _self: time.time() + seconds)
    _replace(Arrival, stamp=property(lambda one: one.found.st_mtime))


def _person(name: str) -> None:
    """Another user of the operating system types the command."""
    from pipeline.approvals import identity

    _replace(identity, _name=lambda: name)


def _turn() -> None:
    """The process takes a turn of the sender, whatever command it was given."""
    from pipeline.approvals import turn
    from pipeline.cli import main
    from pipeline.domain.errors import AnularError
    from pipeline.runtime.shutdown import Ending
    from pipeline.wiring.telemetry import Observation

    def take(_arguments: Sequence[str]) -> int:
        try:
            words, code = list(turn.take("", "", Ending(), Observation())), 0
        except AnularError as trouble:
            words, code = [f"✗ {trouble.sentence}"], trouble.exit_code
        sys.stdout.write("\n".join([*words, ""]))
        return code

    _replace(turn, when_input_closes=lambda _call: None)  # it has none
    _replace(main, run_command=take)


_RIGS: dict[str, Callable[..., None]] = {
    "largest-file": _largest_file,
    "failing-commit": _failing_commit,
    "patience": _patience,
    "stale-after": _stale_after,
    "busy": _busy,
    "failing-outcomes": _failing_outcomes,
    "mortal": _mortal,
    "mute-after": _mute_after,
    "read-only": _read_only,
    "full-before-results": _full_before_results,
    "raise-at": _raise_at,
    "signal-at": _signal_at,
    "stand-still-at": _stand_still_at,
    "begin-after": _begin_after,
    "server-waits": lambda given: _server_waits(**given),
    "mounted": _mounted,
    "somebody-else": _somebody_else,
    "person": _person,
    "turn": _turn,
    "files-of-a-night": _files_of_a_night,
}
