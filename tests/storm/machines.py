"""Machines of one's own on one machine: a network namespace each, joined by cables to a switch that joins them to us.

What a machine sends to 127.0.0.1 goes over its cable and arrives at our loopback (``route_localnet``), where eDoc and
PostgreSQL listen. Nothing stands in between: both sides learn of a pulled cable as they would in earnest, by silence.
Needs root on Linux, util-linux and iproute2; the addresses are those set aside for measuring networks (RFC 2544).
Nothing stays: a namespace and its links end with the process that holds it, which ends with this one, however it ends.
"""

from __future__ import annotations

import itertools
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from tests.support import ledgers

_NETWORKS = 200
_NUMBERS = itertools.count(1)
_KNOCK = "import os, psycopg; psycopg.connect(os.environ['ADDRESS'], connect_timeout=5).close()"


class NoMachines(Exception):
    """They cannot be made here; says why."""


@dataclass(frozen=True)
class Machine:
    """``holder``: the process whose network it has; ``port``: the switch's end of its cable."""

    name: str
    holder: int
    switch: int
    port: str
    login: tuple[str, str]

    @property
    def prefix(self) -> list[str]:
        """In front of a command that is to run there; it ends with this process at the latest."""
        return [*_inside(self.holder), "setpriv", "--pdeathsig", "KILL"]

    def address(self, url: str) -> str:
        """Where a ledger of the test server is for this machine."""
        return _by_tcp(url, self.login)

    def cut(self) -> None:
        """Pulls the cable: nobody hears from the other side any more, and nobody is told."""
        _do(*_inside(self.switch), "ip", "link", "set", self.port, "down")

    def mend(self) -> None:
        _do(*_inside(self.switch), "ip", "link", "set", self.port, "up")

    def turn_off(self) -> None:
        """Kills what still runs there."""
        mine = Path(f"/proc/{self.holder}/ns/net").readlink()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended
                if int(process.name) != self.holder and (process / "ns" / "net").readlink() == mine:
                    os.kill(int(process.name), signal.SIGKILL)


@dataclass
class Network:
    """The switch and its number; ``login``: a role of the test server with a password."""

    switch: int
    number: int
    login: tuple[str, str]
    _ports: Iterator[int] = field(default_factory=lambda: itertools.count(2))

    @contextmanager
    def machine(self, name: str = "") -> Iterator[Machine]:
        """A machine that is on until the end of the block."""
        place = next(self._ports)
        with _namespace() as holder:
            port = f"port{place}"
            cable = ("ip", "link", "add", port, "type", "veth", "peer", "name", "cable", "netns", str(holder))
            _do(*_inside(self.switch), *cable)
            _do(*_inside(self.switch), "ip", "link", "set", port, "master", "switch", "up")
            _do(*_inside(holder), "ip", "address", "add", f"198.18.{self.number}.{place}/24", "dev", "cable")
            _do(*_inside(holder), "ip", "link", "set", "cable", "up")
            _do(*_inside(holder), "sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/cable/route_localnet")
            # Its own loopback stays down: 127.0.0.1 is ours.
            home = ("ip", "route", "add", "127.0.0.0/8", "via", f"198.18.{self.number}.1", "dev", "cable")
            _do(*_inside(holder), *home)
            machine = Machine(name or f"equipo{place}", holder, self.switch, port, self.login)
            try:
                yield machine
            finally:
                machine.turn_off()


@contextmanager
def network() -> Iterator[Network]:
    """A switch that machines can be joined to. Raises ``NoMachines`` where they cannot be made, or cannot reach the
    test server: that is tried."""
    with ExitStack() as stack:
        if not sys.platform.startswith("linux") or os.geteuid() != 0:
            raise NoMachines("needs root on Linux")
        switch = stack.enter_context(_namespace())
        number = _join(switch)
        stack.callback(_do, "ip", "link", "delete", f"anular{number}")
        login = stack.enter_context(_login())
        net = Network(switch, number, login)
        with net.machine("sonda") as probe:
            address = make_url(probe.address(ledgers.address("postgres"))).set(drivername="postgresql")
            environment = {**os.environ, "ADDRESS": address.render_as_string(hide_password=False)}
            _do(*probe.prefix, sys.executable, "-c", _KNOCK, env=environment)
        yield net


def _join(switch: int) -> int:
    """Joins us to the switch: the number of the network, which nobody else has."""
    _do(*_inside(switch), "ip", "link", "add", "switch", "type", "bridge")
    _do(*_inside(switch), "ip", "link", "set", "switch", "up")
    for number in range(_NETWORKS):
        ours = f"anular{number}"
        try:
            _do("ip", "link", "add", ours, "type", "veth", "peer", "name", "server", "netns", str(switch))
            break
        except NoMachines as error:
            if "File exists" not in str(error) or number == _NETWORKS - 1:
                raise
    _do(*_inside(switch), "ip", "link", "set", "server", "master", "switch", "up")
    _do("ip", "address", "add", f"198.18.{number}.1/24", "dev", ours)
    _do("ip", "link", "set", ours, "up")
    _do("sh", "-c", f"echo 1 >/proc/sys/net/ipv4/conf/{ours}/route_localnet")
    return number


@contextmanager
def _login() -> Iterator[tuple[str, str]]:
    """A role with a password, for whoever comes over the network; it may what the owner of the ledgers may."""
    name, word = f"anular_maquina_{os.getpid()}_{next(_NUMBERS)}", secrets.token_hex(16)
    owner = make_url(ledgers.address("postgres")).username
    try:
        ledgers.tell_server(f"CREATE ROLE {name} LOGIN PASSWORD '{word}' IN ROLE {owner}")
    except DBAPIError as error:
        raise NoMachines(f"the test server gives no role: {error.orig}") from None
    try:
        yield name, word
    finally:
        ledgers.tell_server(f"DROP ROLE {name}")


def _by_tcp(url: str, login: tuple[str, str]) -> str:
    (line,) = ledgers.lines(url, "SELECT current_setting('port') AS port")
    there = make_url(url).set(username=login[0], password=login[1], host="127.0.0.1", port=int(line["port"]), query={})
    return there.render_as_string(hide_password=False)


@contextmanager
def _namespace() -> Iterator[int]:
    """The process that holds a new network namespace until the end of the block, or until nobody can write to it."""
    command = ["unshare", "--net", "sh", "-c", "echo; exec cat"]
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        raise NoMachines(str(error)) from None
    with process:
        assert process.stdout is not None
        if (told := process.stdout.readline()) != b"\n":
            raise NoMachines(told.decode("utf-8", "replace").strip() or "unshare said nothing")
        yield process.pid


def _inside(holder: int) -> list[str]:
    return ["nsenter", f"--net=/proc/{holder}/ns/net", "--"]


def _do(*command: str, env: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, env=env, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoMachines(str(error)) from None
    if done.returncode:
        raise NoMachines((done.stderr.strip().splitlines() or [f"{command[0]} failed"])[-1])
