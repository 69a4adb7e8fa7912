"""A standby that was promoted: a real primary, a streaming replica of it, kills, and then the replica in its place.

Whatever the replica lacks, nothing is posted twice: every machine is refused until a person has said once what the
refusal asks for, and then the same files go through. The judge is eDoc's journal.
"""

from __future__ import annotations

import itertools
import os
import random
import threading
import zlib

import pytest

from pipeline.domain.lifecycle import State
from tests.storm.scene import Scene
from tests.storm.servers import running_servers
from tests.storm.test_histories import KILLED, History
from tests.storm.workers import until

pytestmark = [pytest.mark.postgres, pytest.mark.long]

THIS, OTHER, UNKNOWING = "state", "state-b", "state-c"
"""State folders of three machines: one sent last, one has an older note, one was never here."""
FAILOVERS = int(os.environ.get("FAILOVERS", "2"))


class Pair(History):
    """A history on a primary that has a replica."""

    def __init__(self, scene, seed, servers):
        super().__init__(scene, seed)
        self.servers, self.primary = servers, servers.primary()
        self.replica = servers.replica_of(self.primary)
        self.lead_to(self.primary)

    def lead_to(self, server):
        """``ANULAR_LEDGER`` is that server's address."""
        self.scene.url = server.url

    def file(self, rows=4):
        """A new file, of documents that eDoc knows."""
        already = len(self.scene.cufes)
        self.files.append(self.scene.write(["000"] * rows, f"lote{len(self.files)}.csv"))
        self.scene.service.tell("documents", [{"cufe": c, "status": "alive"} for c in self.scene.cufes[already:]])
        return self.files[-1]

    def posts(self):
        return self.scene.service.posts(set(self.scene.cufes)).total()

    def events(self, server):
        return server.ask("SELECT max(seq) FROM event")

    def refused(self, file, code):
        """The file is refused and nothing of it sent; the refusal's words."""
        before = self.posts()
        ended = self.anular("run", file, "--yes")
        assert (ended["code"], self.posts()) == (5, before), ended["words"]
        assert f"[{code}]" in ended["words"]
        return ended["words"]

    def take_over(self, address):
        """The primary is gone; the replica is promoted, under its own address or the primary's."""
        if address == "the primary's":
            self.replica.move_to(self.primary.port)
        self.lead_to(self.replica)
        assert "réplica de solo lectura" in self.refused(self.files[-1], "ledger-server")
        self.replica.promote()

    def all_through(self):
        """Every file, from each machine in turn; nobody is refused any more, and the ledger is whole."""
        for machine, file in zip(itertools.cycle((THIS, OTHER, UNKNOWING)), self.files, strict=False):
            self.machine = machine
            ended = self.anular("run", file, "--yes")
            assert ended["code"] in (0, 1, 4), ended["words"]
            self.judge()
        states, posts = self.scene.states(), self.scene.service.posts(set(self.scene.cufes))
        assert set(states) == set(self.scene.cufes)
        for cufe, state in states.items():
            assert (state is not State.CANCELLED) or posts[cufe] == 1, "claimed without ever being sent"
            assert state not in (State.READY, State.SENDING, State.NOT_FOUND), "not carried through"
        assert self.anular("verify")["code"] == 0
        self.scene.check_ledger()


@pytest.fixture
def pair(request, tmp_path, service, nursery):
    own = zlib.crc32(request.node.nodeid.encode())
    with running_servers() as servers:
        scene = Scene(tmp_path, service, nursery, url="postgresql://", numbers=itertools.count(own))
        yield Pair(scene, own, servers)


@pytest.mark.parametrize(
    ("lag", "address", "first"),
    [
        ("nothing is missing", "its own", UNKNOWING),
        ("the replay stood still", "the primary's", OTHER),
        ("the link was lost", "the primary's", THIS),
        ("the link was lost", "its own", OTHER),
    ],
)
def test_a_promoted_standby_is_refused_until_a_person_has_said_so_once_and_nothing_is_sent_twice(
    pair, lag, address, first
):
    pair.machine = OTHER
    pair.run(pair.file())
    pair.machine = THIS
    assert pair.anular("run", pair.file(), "--yes", crash="apply-after-commit:2")["code"] == KILLED
    pair.replica.catch_up_with(pair.primary)
    if lag == "the replay stood still":
        pair.replica.stand_still()
    if lag == "the link was lost":
        pair.replica.cut_off()
    pair.run(pair.files[-1])
    assert pair.anular("run", pair.file(), "--yes", crash="post-after:2")["code"] == KILLED
    pair.run(pair.file())
    assert pair.anular("run", pair.file(), "--yes", crash="claim-after:2")["code"] == KILLED
    if lag == "nothing is missing":
        pair.replica.catch_up_with(pair.primary)
    there, sent = pair.events(pair.primary), pair.posts()
    assert sent > 12

    pair.primary.stop()
    pair.take_over(address)
    missing = there - pair.events(pair.replica)
    assert (missing > 0) == (lag == "the link was lost"), "promoting replays what was received"
    pair.machine = first
    words = pair.refused(pair.files[-1], "ledger-lost")
    for pair.machine in (THIS, OTHER, UNKNOWING):
        pair.refused(pair.files[2], "ledger-lost")
    pair.machine = first
    pair.mend(words)

    pair.run(pair.files[-1])
    pair.judge()
    pair.all_through()


def test_a_server_that_dies_while_a_run_sends_leaves_its_place_to_the_replica(pair):
    """What the replica lacks here is what was on its way."""
    file = pair.file(200)
    ended = {}
    spec = pair.scene.spec("run", file, "--yes", env={"ANULAR_RATE": "30"})
    sending = threading.Thread(target=lambda: ended.update(pair.scene.nursery.run([spec])[0]))
    sending.start()
    until(lambda: pair.posts() > 15, "it sends")
    pair.primary.stop()
    sending.join()
    assert ended["code"] == 5, ended["words"]
    assert pair.posts() < 200

    pair.take_over("the primary's")
    pair.mend(pair.refused(file, "ledger-lost"))
    pair.run(file)
    pair.all_through()


def test_one_failover_after_another_sends_nothing_twice(pair, seed):
    """Each promoted replica gets a replica of its own; machines and kills at random."""
    pair.chance = dice = random.Random(seed)
    for number in range(FAILOVERS):
        for _ in range(2):
            pair.machine = dice.choice((THIS, OTHER))
            pair.run(pair.file(dice.randint(2, 5)), crash=pair.crash())
        pair.replica.catch_up_with(pair.primary)
        if dice.random() < 0.7:
            pair.replica.cut_off()
        pair.run(pair.file(dice.randint(2, 5)), crash=pair.crash())
        pair.run(dice.choice(pair.files), crash=pair.crash())
        pair.primary.stop()
        pair.take_over(dice.choice(("its own", "the primary's")))
        pair.machine = dice.choice((THIS, OTHER, UNKNOWING))
        refusals = pair.refusals
        pair.run(dice.choice(pair.files))
        assert pair.refusals == refusals + 1, f"failover {number} went unseen"
        pair.judge()
        pair.primary = pair.replica
        pair.replica = pair.servers.replica_of(pair.primary)
    pair.all_through()
