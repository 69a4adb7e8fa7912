"""PostgreSQL servers of a test's own: a primary with durable settings, streaming replicas of it, and pgbouncer.

They lie in throw-away folders, listen on loopback, and end with their block. As root they run under another user, as
``.ci/postgres`` has them.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from tests.storm.workers import until
from tests.support import needs

DATABASE = "anular"


@contextmanager
def running_servers() -> Iterator[Servers]:
    """A place for servers until the end of the block; without their programs the test ends here."""
    programs = needs.postgres()
    folder = Path(tempfile.mkdtemp(prefix="anular-pg.", dir="/tmp"))  # where another user may go
    servers = Servers(programs, folder, who_runs_servers())
    if servers.others:
        os.chown(folder, servers.others["user"], servers.others["group"])
    try:
        yield servers
    finally:
        for server in servers.made:
            server.end()
        shutil.rmtree(folder)


@dataclass
class Servers:
    """``programs``: the folder of ``postgres`` and its like; ``others``: whom they run under, for ``Popen``."""

    programs: Path
    folder: Path
    others: dict[str, Any]
    made: list[Server] = field(default_factory=list)

    def do(self, program: str, *arguments: object) -> None:
        """One of the server's programs, to its end."""
        with (self.folder / "told").open("wb") as told:  # a pipe would wait for the server that is started
            ended = subprocess.run(
                [str(self.programs / program), *map(str, arguments)],
                **self.others,
                cwd="/",
                env={**os.environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=subprocess.STDOUT,
                timeout=60,
                check=False,
            )
        assert ended.returncode == 0, (self.folder / "told").read_text("utf-8", "replace")

    def primary(self) -> Server:
        """A new server with an empty database, as durable as PostgreSQL is when nobody says anything."""
        server = self._new()
        how = ("-U", "anular", "-E", "UTF8", "--locale=C", "--auth=trust", "--wal-segsize=1", "--no-sync")
        self.do("initdb", "-D", server.data, *how)
        server.start()
        server.ask(f"CREATE DATABASE {DATABASE}", database="postgres")
        return server

    def replica_of(self, primary: Server) -> Server:
        """A streaming replica, on its way."""
        server = self._new()
        where = ("-h", "127.0.0.1", "-p", primary.port, "-U", "anular")
        self.do("pg_basebackup", *where, "-D", server.data, "-R", "-X", "stream", "--checkpoint=fast", "--no-sync")
        server.start()
        return server

    def _new(self) -> Server:
        self.made.append(Server(self, self.folder / f"{len(self.made)}", free_port()))
        return self.made[-1]


@dataclass
class Server:
    """One server; ``port`` of loopback is its address."""

    servers: Servers
    data: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://anular@127.0.0.1:{self.port}/{DATABASE}"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.servers.folder} -c listen_addresses=127.0.0.1"
        log = self.servers.folder / f"{self.data.name}.log"
        self.servers.do("pg_ctl", "-D", self.data, "-l", log, "-w", "-o", options, "start")

    def stop(self, how: str = "immediate") -> None:
        """``immediate``: as if the power had gone; whatever a replica does not have is nowhere else."""
        self.servers.do("pg_ctl", "-D", self.data, "-m", how, "-w", "stop")

    def end(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.stop()

    def promote(self) -> None:
        self.servers.do("pg_ctl", "-D", self.data, "-w", "promote")

    def move_to(self, port: int) -> None:
        """From now on it answers under the address of another one that is gone."""
        self.stop("fast")
        self.port = port
        self.start()

    def ask(self, statement: str, database: str = DATABASE) -> Any:
        """The one value that a statement answers with; None for one that answers with nothing."""
        where = f"host=127.0.0.1 port={self.port} user=anular dbname={database}"
        with psycopg.connect(where, autocommit=True) as connection:
            answer = connection.execute(statement)
            found = answer.fetchone() if answer.description else None
        return found[0] if found else None

    def catch_up_with(self, primary: Server) -> None:
        """Waits until this replica has replayed all that the primary has."""
        end = primary.ask("SELECT pg_current_wal_lsn()")
        until(lambda: self.ask(f"SELECT pg_last_wal_replay_lsn() >= '{end}'"), "the replica has caught up")

    def cut_off(self) -> None:
        """The link to the primary is lost: what happens there from now on never arrives."""
        self.ask("ALTER SYSTEM SET primary_conninfo = ''")
        self.ask("SELECT pg_reload_conf()")
        until(lambda: self.ask("SELECT count(*) FROM pg_stat_wal_receiver") == 0, "the link is lost")

    def stand_still(self) -> None:
        """It goes on receiving and replays nothing more."""
        self.ask("SELECT pg_wal_replay_pause()")
        until(lambda: self.ask("SELECT pg_get_wal_replay_pause_state()") == "paused", "the replay stands still")


def who_runs_servers() -> dict[str, Any]:
    """For ``Popen``: another user where root tests, under whom neither PostgreSQL nor pgbouncer runs."""
    if os.getuid() != 0:
        return {}
    names = {one.pw_name: one for one in pwd.getpwall()}
    user = names.get("postgres", names["nobody"])
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running_pooler(url: str, mode: str, **settings: object) -> Iterator[str]:
    """The address of a pgbouncer in front of the ledger at ``url``, until the end of the block; without the program the
    test ends here. ``settings`` are its own."""
    program = needs.pgbouncer()
    folder, port, parsed = Path(tempfile.mkdtemp(prefix="anular-pool.", dir="/tmp")), free_port(), make_url(url)
    where = {"host": parsed.query.get("host", parsed.host), "port": parsed.query.get("port", parsed.port)}
    where |= {"dbname": parsed.database, "user": parsed.username, "password": parsed.password}
    told = {"listen_addr": "127.0.0.1", "listen_port": port, "unix_socket_dir": "", "auth_type": "any"}
    told |= {"pool_mode": mode, "logfile": folder / "log", "pidfile": folder / "pid", **settings}
    lines = ["[databases]", f"{DATABASE} = " + " ".join(f"{name}={value}" for name, value in where.items() if value)]
    lines += ["[pgbouncer]", *(f"{name} = {value}" for name, value in told.items()), ""]
    (folder / "ini").write_text("\n".join(lines), "utf-8")
    others = who_runs_servers()
    if others:
        for path in (folder, folder / "ini"):
            os.chown(path, others["user"], others["group"])
    process = subprocess.Popen([program, "-q", folder / "ini"], **others, cwd="/", stdin=subprocess.DEVNULL)
    try:
        until(lambda: process.poll() is not None or _answers(port), "the pooler listens")
        assert process.poll() is None, (folder / "log").read_text("utf-8")
        yield f"postgresql+psycopg://anular@127.0.0.1:{port}/{DATABASE}"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
