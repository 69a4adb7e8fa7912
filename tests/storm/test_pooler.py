"""A real pgbouncer in front of the server: in transaction mode whatever writes is refused before it locks, takes in or
sends anything; in session mode all is as without it.
"""

from __future__ import annotations

import pytest

from pipeline.domain.lifecycle import State
from tests.storm.servers import running_pooler
from tests.storm.test_histories import KILLED
from tests.storm.test_watch_queue import Front
from tests.support import ledgers

pytestmark = [pytest.mark.postgres, pytest.mark.long]

LOCKS = """SELECT * FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
# One session for all, the one that was used last (its default), and each in turn.
POOLS = [{"default_pool_size": 1}, {}, *({"server_round_robin": 1, "min_pool_size": size} for size in (2, 3, 5))]


@pytest.fixture
def lab(scene):
    """The scene with a folder of unattended files, allowed to send."""
    front = Front(scene)
    scene.env |= {"ANULAR_ENV": "lab", "ANULAR_USER": "sandbox", "ANULAR_PASSWORD": "sandbox"}
    scene.env |= {"ANULAR_ISSUERS": "29-29-29", "ANULAR_WATCH_ISSUERS": "29-29-29", "ANULAR_WATCH_ENV": "lab"}
    scene.env |= {"ANULAR_SANDBOX_NOW": "", "ANULAR_OUT": str(scene.folder / "out")}
    return front


@pytest.mark.parametrize("pool", POOLS, ids=["one", "last used", "two in turn", "three in turn", "five in turn"])
def test_in_transaction_mode_whatever_writes_is_refused_and_leaves_nothing_behind(lab, pool):
    scene = lab.scene
    assert scene.anular("run", scene.write(["000"], "antes.csv"), "--yes")["code"] == 0
    file = scene.write(["000"] * 3)
    lab.put(scene.write(["000"] * 2, "noche.csv"), "noche.csv")
    before = ledgers.lines(scene.url, "SELECT max(seq) AS n FROM event")
    sent = scene.service.posts(set(scene.cufes))
    word = ("--by", "Ana", "--reason", "respaldo restaurado")
    with running_pooler(scene.url, "transaction", **pool) as url:
        for order in (
            ("run", file, "--yes"),
            ("run", file, "--yes", "--queue"),
            ("watch", lab.root, "--once"),
            ("watch", lab.root, "--once", "--queue"),
            ("poll",),
            ("adopt", "--restored", *word),
        ):
            ended = scene.anular(*order, env={"ANULAR_LEDGER": url}, most=20)
            assert ended["code"] == 5, (order, ended["words"])
            assert "¿hay un pgbouncer por medio?" in ended["words"]
            assert "[ledger-server]" in ended["words"] or order[0] == "watch"
            assert ledgers.lines(scene.url, LOCKS) == [], f"{order} left its locks to whoever gets that session"
        assert ledgers.lines(scene.url, "SELECT max(seq) AS n FROM event") == before
        assert scene.service.posts(set(scene.cufes)) == sent

        # As the refusal says: directly, and at once, with the pooler still there.
        assert scene.anular("run", file, "--yes")["code"] == 0
    assert lab.go(queue=False)["code"] == 0
    scene.check_promises()


def test_in_session_mode_all_is_as_without_it(lab):
    """The locks are the session's: they shut others out, and are free again when who had them is killed."""
    scene = lab.scene
    with running_pooler(scene.url, "session") as url:
        through = {"env": {"ANULAR_LEDGER": url}}
        file = scene.write(["000"] * 3)
        assert scene.anular("run", file, "--yes", **through)["code"] == 0
        other = scene.write(["000"] * 5, "otro.csv")
        assert scene.anular("run", other, "--yes", crash="post-after:3", **through)["code"] == KILLED
        assert scene.anular("run", other, "--yes", **through)["code"] in (0, 4)
        slow = scene.write(["000"] * 40, "lento.csv")
        both = [scene.spec("run", slow, "--yes", env={**through["env"], "ANULAR_RATE": "10"}) for _ in range(2)]
        assert sorted(ended["code"] for ended in scene.nursery.run(both)) == [0, 6]
        lab.put(scene.write(["000"] * 2, "noche.csv"), "noche.csv")
        assert scene.anular("watch", lab.root, "--once", **through)["code"] == 0
        assert scene.anular("verify", **through)["code"] == 0
        assert set(scene.states().values()) <= {State.CANCELLED, State.UNKNOWN}
        scene.check_promises()
