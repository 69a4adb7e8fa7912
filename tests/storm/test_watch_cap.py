"""The cap of a night (``ANULAR_WATCH_MAX_NIGHT``) when a pass stands still in the middle of taking a file in.

Two machines with a folder each send under one credential. One of them is stopped with SIGSTOP within the transaction of
its intake; whatever becomes of it, together they take in no more rows unattended than the cap allows.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager

import pytest

from tests.storm.test_watch_queue import Front
from tests.storm.workers import QUICK, until
from tests.support import ledgers

pytestmark = [pytest.mark.postgres, pytest.mark.long]

ROWS, CAP = 3, 5
LONG = {"lock_timeout": 60, "idle_in_transaction_session_timeout": 60}
INTAKE = "intake-before-commit"
WAITING = (
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
# Who stands idle in a transaction that has the lock of all writers: a transaction's own, and it has written already.
STANDING = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction' "
    "AND backend_xid IS NOT NULL"
)
# The turn of those who weigh a file against the cap, which the queue has besides: a transaction that writes nothing.
TURN = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    "AND state = 'idle in transaction' AND backend_xid IS NULL AND pid <> pg_backend_pid()"
)


class Machine(Front):
    """A machine with a drop folder of its own, and what only it remembers."""

    def __init__(self, scene, name):
        self.scene, self.root, self.name = scene, scene.folder / name / "carpeta", name
        (self.root / "inbox").mkdir(parents=True)
        self.put(scene.write(["000"] * ROWS, f"{name}.csv"), f"{name}.csv")

    def spec(self, *rigs, queue=True, **waits):
        own = {name: str(self.scene.folder / self.name / name) for name in ("XDG_STATE_HOME", "XDG_DATA_HOME")}
        more = {"ANULAR_WATCH_MAX_NIGHT": str(CAP), "ANULAR_WATCH_QUIET": "0", "ANULAR_OUT": ""}
        rig = [*rigs, ["server-waits", {**LONG, **waits}]]
        queued = ["--queue"] if queue else []
        return self.scene.spec("watch", self.root, "--once", *queued, env={**own, **more}, rig=rig)

    def passes(self, **how):
        """One pass to its end."""
        return self.scene.nursery.run([self.spec(**how)])[0]


class Two:
    """Two machines, the first of which stands still while it takes its file in."""

    def __init__(self, scene):
        self.scene, self.sign, self.looks = scene, scene.folder / "esta-parada", 0
        self.first, self.second = Machine(scene, "uno"), Machine(scene, "dos")

    @contextmanager
    def meeting(self, *, queue=True, waits=None, patience=None):
        """The first stands still and the second has begun. Gives what becomes of both; after the block, after which the
        first goes on, it is there."""
        still = self.first.spec(["stand-still-at", INTAKE, str(self.sign)], queue=queue, **(waits or {}))
        other = self.second.spec(["begin-after", str(self.sign)], **(patience or {}))
        ended = []
        both = threading.Thread(target=lambda: ended.extend(self.scene.nursery.run([still, other])))
        both.start()
        try:
            until(self.sign.exists, "the first stands still")
            yield ended
        finally:
            until(self.sign.exists, "the first stands still")
            os.kill(int(self.sign.read_text()), signal.SIGCONT)
            both.join()

    def found(self, query):
        return ledgers.lines(self.scene.url, query)

    def calm(self):
        """Whether nobody waits, at twenty looks one after the other: between two locks nobody does for a moment."""
        self.looks = 0 if self.found(WAITING) else self.looks + 1
        return self.looks >= 20

    def approved(self):
        """How many rows were taken in unattended, to be sent."""
        counted = (
            "SELECT count(*) AS n FROM attempt JOIN batch ON batch.id = attempt.batch WHERE batch.approved_by <> ''"
        )
        return self.found(counted)[0]["n"]

    def come_again(self, sent):
        """Another pass of each: so many rows are approved, and not one more."""
        for machine in (self.first, self.second):
            assert machine.passes()["code"] in (0, 4, 7)
        assert self.approved() == sent <= CAP

    def finish(self, sent):
        """As ``come_again``, and a worker: just these are sent."""
        self.come_again(sent)
        assert self.scene.anular("worker", "--once", env=QUICK)["code"] == 0
        assert self.scene.service.posts(set(self.scene.cufes)).total() == sent
        self.scene.check_promises(finished=False)


@pytest.fixture
def two(scene):
    return Two(scene)


def test_who_comes_second_waits_until_the_first_goes_on_and_is_held_by_the_cap(two):
    with two.meeting() as ended:
        until(lambda: two.found(WAITING), "the second waits")
        assert two.approved() == 0
    assert [one["code"] for one in ended] == [4, 7], [one["words"] for one in ended]
    assert f"máximo es {CAP}" in ended[1]["words"]
    two.finish(ROWS)


def test_who_waited_long_enough_refuses_in_one_sentence_and_takes_nothing_in(two):
    with two.meeting(patience={"lock_timeout": 0.5}) as ended:
        until(lambda: two.found(WAITING), "the second waits")
        until(lambda: not two.found(WAITING), "it waits no longer")
        assert two.approved() == 0
    assert [one["code"] for one in ended] == [4, 5], [one["words"] for one in ended]
    assert "otra ejecución lo tiene bloqueado" in ended[1]["words"]
    two.come_again(ROWS)


@pytest.mark.parametrize("queue", [True, False], ids=["whose turn was lost", "without a queue"])
def test_without_a_turn_the_intake_itself_holds_the_cap(two, queue):
    """A pass without the queue weighs its file without a turn, and a turn ends with its connection."""
    with two.meeting(queue=queue) as ended:
        if queue:
            two.found(TURN)
        until(lambda: two.found(WAITING), "the second waits for the first's transaction")
        assert two.approved() == 0
    assert ended[1]["code"] == 7, ended[1]["words"]
    assert f"máximo es {CAP}" in ended[1]["words"]
    assert two.approved() == ROWS
    two.come_again(ROWS)


@pytest.mark.parametrize("queue", [True, False], ids=["whose turn was lost", "without a queue"])
def test_the_server_ends_a_transaction_that_stands_idle_and_its_rows_were_never_taken_in(two, queue):
    with two.meeting(queue=queue, waits={"idle_in_transaction_session_timeout": 1}) as ended:
        if queue:
            two.found(TURN)
        until(lambda: two.found(WAITING) or two.approved(), "the second comes")
        until(lambda: not two.found(STANDING), "the server has ended it")
        until(lambda: two.approved() == ROWS, "the second takes its file in, while the first still stands")
    assert [one["code"] for one in ended] == [5, 4], [one["words"] for one in ended]
    assert two.approved() == ROWS
    two.finish(ROWS)


def test_a_turn_is_kept_however_long_its_pass_stands_still_and_others_refuse_meanwhile(two):
    """Reading a large file takes a while: the turn's own transaction may stand idle. It ends with its process."""
    waits = {"idle_in_transaction_session_timeout": 0.5}
    with two.meeting(waits=waits, patience={"lock_timeout": 2}) as ended:
        until(lambda: two.found(WAITING), "the second waits for its turn")
        until(lambda: not two.found(STANDING), "the server has ended the intake")
        until(two.calm, "the second waits no longer")
    assert [one["code"] for one in ended] == [5, 5], [one["words"] for one in ended]
    assert two.approved() == 0
    two.come_again(ROWS)
