"""A machine whose cable is pulled says nothing to anybody: another takes over, each CUFE is posted once (P1, P3, P13).

Real connections over a cable of their own, and real silence: the times are those of the keepalives."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from pipeline.domain.lifecycle import State
from pipeline.ledger.storage.postgres_session import SILENCE_S
from tests.storm.machines import NoMachines, network
from tests.storm.scene import ROOT
from tests.storm.workers import is_empty, until, working_on
from tests.support import ledgers, needs

pytestmark = pytest.mark.postgres

STALE_S = 3
SLOWLY = {"ANULAR_RATE": "20", "ANULAR_QUEUE_STALE": str(STALE_S)}
NEXT_TRY_S = 60
"""A credential found in use is tried again after 2, 4, 8 s; then a process has to start and to ask what became of what
was under way: a moment, and some more on a machine that is busy with other things."""
MAY_BE = {State.CANCELLED, State.PENDING, State.UNKNOWN, State.REVIEW}
"""A row whose answer was lost waits for its outcome."""
AT_THE_DESK = """
import os, sys
from pipeline.ledger.storage.postgres_session import number_of
from pipeline.queue.app import connected
with connected(os.environ["ANULAR_LEDGER"]) as connection:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (number_of("entrega"),))
    print("has it", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def net():
    try:
        with network() as net:
            yield net
    except NoMachines as why:
        needs.missing(f"a pulled cable needs root on Linux, util-linux and iproute2, for network namespaces ({why})")


def hand_in(scene, rows, name="lote.csv"):
    scene.write(["000"] * rows, name=name)
    ended = scene.anular("run", scene.file, "--yes", "--queue")
    assert ended["code"] == 4, ended["words"]


def sent(scene):
    return scene.service.posts(set(scene.cufes)).total()


def cut_off(scene, machine, other):
    """Pulls the cable of a machine that sends, until its batch is taken for abandoned by the ``other`` worker."""
    machine.cut()
    until(lambda: "no da señales" in other.words, "its batch is taken for abandoned")
    assert sent(scene) < len(scene.cufes), "it had done it all: this showed nothing"


def workers(scene):
    return len(ledgers.lines(scene.url, "SELECT id FROM procrastinate_workers"))


def check_posted_once(scene):
    scene.check_promises()
    assert set(scene.states().values()) <= MAY_BE


def check_ends_well(worker, code):
    """By itself, with a sentence; ``working_on`` looks for tracebacks."""
    until(lambda: worker.process.poll() is not None, "it ends")
    assert worker.process.poll() == 5, worker.words
    sentence = worker.words.splitlines()[-1]
    assert sentence.startswith("✗")
    assert f"[{code}" in sentence


def test_a_pulled_cable_tells_nobody_and_what_was_said_arrives_when_it_is_mended(net):
    say = "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); s.send(b'1'); input()"
    with socket.create_server(("127.0.0.1", 0)) as server, net.machine() as one:
        server.settimeout(10)
        command = [*one.prefix, sys.executable, "-c", say, str(server.getsockname()[1])]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            connection, (host, _) = server.accept()
            with connection:
                assert host.startswith("198.18.")
                assert connection.recv(1) == b"1"
                one.cut()
                process.kill()
                connection.settimeout(1)
                with pytest.raises(TimeoutError):  # a process that ends says goodbye, but nobody hears it
                    connection.recv(1)
                one.mend()
                connection.settimeout(10)
                assert connection.recv(1) == b""


def test_no_namespace_no_link_and_no_process_stays_behind(net):
    with suppress(ZeroDivisionError), network() as other, other.machine() as one:
        command = [*one.prefix, "sh", "-c", "echo; exec sleep 600"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as left:
            assert left.stdout is not None
            assert left.stdout.readline() == b"\n"
            link = socket.if_nametoindex(f"anular{other.number}")
            one.turn_off()
        assert left.returncode == -signal.SIGKILL
        raise ZeroDivisionError
    assert link not in [number for number, _ in socket.if_nameindex()]
    for holder in (one.holder, one.switch):
        assert not Path(f"/proc/{holder}").exists()


@contextmanager
def one_of_two_sends(scene, net):
    """Two machines with a worker each, and a batch that one has begun; that one comes first."""
    hand_in(scene, 3, name="primero.csv")
    with ExitStack() as stack:
        machines = [stack.enter_context(net.machine()) for _ in range(2)]
        this, that = (stack.enter_context(working_on(machine, scene, **SLOWLY)) for machine in machines)
        until(lambda: workers(scene) == 2 and is_empty(scene), "both are there and nothing waits")
        begun = this.words.count("Empieza")
        hand_in(scene, 60)
        until(lambda: sent(scene) > 8, "one sends")
        if this.words.count("Empieza") > begun:
            yield machines[0], this, that
        else:
            yield machines[1], that, this


def test_another_machine_takes_over_after_the_silence_and_who_comes_back_sends_nothing_again(scene, net):
    with one_of_two_sends(scene, net) as (machine, first, second):
        begun = time.monotonic()
        cut_off(scene, machine, second)
        before = sent(scene)
        until(lambda: "Otra ejecución" in second.words, "its credential is found in use")
        assert sent(scene) == before, "it was cut off and eDoc heard it"
        until(lambda: sent(scene) > before, "the second one sends")
        waited = time.monotonic() - begun
        print(f"{waited:.1f} s from the pulled cable to the other machine's first request")  # noqa: T201
        machine.mend()
        until(lambda: is_empty(scene), "the second one has done it")
        assert second.ask_to_stop() == 130
        assert STALE_S < waited < STALE_S + SILENCE_S + NEXT_TRY_S, second.words
        check_posted_once(scene)
        hand_in(scene, 3, name="otro.csv")
        check_ends_well(first, "queue")  # by the silence, or because it was forgotten: whichever comes first
        with working_on(machine, scene, **SLOWLY):  # as its service would start it again
            until(lambda: is_empty(scene), "it serves again")
    check_posted_once(scene)


def test_a_machine_that_comes_back_before_the_silence_ends_finishes_what_it_had_begun(scene, net):
    with one_of_two_sends(scene, net) as (machine, first, second):
        said = len(first.words)
        cut_off(scene, machine, second)
        machine.mend()
        until(lambda: "Termina el lote" in first.words[said:], "the first one has done it")
        until(lambda: is_empty(scene), "nobody has it any more")
        assert second.ask_to_stop() == 130
        check_posted_once(scene)
        hand_in(scene, 3, name="otro.csv")
        check_ends_well(first, "queue-forgotten")
        with working_on(machine, scene, **SLOWLY):
            until(lambda: is_empty(scene), "it serves again")
    check_posted_once(scene)


def test_who_is_cut_off_while_handing_in_holds_nobody_up_for_longer_than_the_silence(scene, net):
    hand_in(scene, 3)
    with net.machine() as one:
        environment = {**os.environ, "ANULAR_LEDGER": one.address(scene.url), "PYTHONPATH": str(ROOT)}
        command = [*one.prefix, sys.executable, "-c", AT_THE_DESK]
        with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as desk:
            assert desk.stdout is not None
            assert desk.stdout.readline() == b"has it\n"
            one.cut()
            begun = time.monotonic()
            try:
                hand_in(scene, 3, name="otro.csv")
            finally:
                desk.kill()
            assert time.monotonic() - begun < SILENCE_S + 10
