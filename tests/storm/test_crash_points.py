"""G2: every named point of the program, pulled the plug at once; then run again. In every run most points between an
intent and its result and one of each other part, with 8 requests in flight; where it is long all, with 1 and 4 too."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.ledger.storage.driver import has_wal
from tests.support import ledgers
from tests.support.long import long

ROOT = Path(__file__).parents[2]
KILLED = -9
IN_FLIGHT = (8,) if ledgers.on_a_server() else (8, *long(1, 4))
OF_THE_LOG = {
    *("wal-begun", "wal-mark-logged", "wal-marked", "wal-written", "wal-unmark-logged", "wal-unmarked", "wal-ended"),
}
OF_A_FILE = {"ledger-created", "ledger-in-place", *OF_THE_LOG}  # on a server the tables come by one transaction

# Accepted at once; a 401; cancelled without an answer; two queries; a duplicate that is cancelled; pending for ever.
ROWS = ["000", "000", "941", "000", "970", "000", "994", "916", "000", "000", "950", "000"]

# The n-th passage at which to crash, by requests in flight: once per row, so later ones meet a fuller ledger.
ONCE_PER_ROW = {1: 1, 4: 4, 8: 7}
AT_ONCE = {1: 1, 4: 1, 8: 1}
POINTS = {
    "lock-taken": AT_ONCE,
    "ledger-created": AT_ONCE,
    "schema-before-commit": AT_ONCE,
    "schema-after-commit": AT_ONCE,
    "ledger-in-place": AT_ONCE,
    **dict.fromkeys(sorted(OF_THE_LOG), AT_ONCE),
    "begin-run-before-commit": AT_ONCE,
    "begin-run-after-commit": AT_ONCE,
    "recover-found": AT_ONCE,
    "recover-done": AT_ONCE,
    "intake-batch-written": AT_ONCE,
    "intake-before-commit": AT_ONCE,
    "intake-after-commit": AT_ONCE,
    "reopen-before-commit": AT_ONCE,
    "reopen-after-commit": AT_ONCE,
    "token-before": {1: 1, 4: 1, 8: 2},
    "token-after": {1: 1, 4: 1, 8: 2},
    "claim-before": ONCE_PER_ROW,
    "claim-after": ONCE_PER_ROW,
    "group-taken": ONCE_PER_ROW,
    "apply-moved": ONCE_PER_ROW,
    "apply-before-commit": ONCE_PER_ROW,
    "apply-after-commit": ONCE_PER_ROW,
    "group-committed": ONCE_PER_ROW,
    "sent-before-insert": ONCE_PER_ROW,
    "sent-after-insert": ONCE_PER_ROW,
    "departure": ONCE_PER_ROW,
    "post-before": ONCE_PER_ROW,
    "post-after": ONCE_PER_ROW,
    "wire-headers-sent": {1: 2, 4: 5, 8: 8},  # the first is the token's
    "wire-body-sent": {1: 2, 4: 5, 8: 8},
    "exchange-after": ONCE_PER_ROW,
    "outcome-after": ONCE_PER_ROW,
    "outcome-shown": ONCE_PER_ROW,
    "next-attempt-before-commit": AT_ONCE,
    "retry-before": AT_ONCE,
    "query-before": {1: 1, 4: 3, 8: 5},
    "query-after": {1: 1, 4: 3, 8: 5},
    "poll-recorded": {1: 1, 4: 3, 8: 5},
    "reserve-before-sync": AT_ONCE,
    "reserve-kept": AT_ONCE,
    "reserve-replayed": AT_ONCE,
    "reserve-put-away": AT_ONCE,
    "hand-over-before": AT_ONCE,
    "hand-over-after": AT_ONCE,
    "results-begun": AT_ONCE,
    "results-before-sync": AT_ONCE,
    "results-after-sync": AT_ONCE,
    "results-verified": AT_ONCE,
    "results-replaced": AT_ONCE,
    "results-in-place": AT_ONCE,
    "export-written": AT_ONCE,
}

# Tried in every run: most points between an intent and its result, and one of each other part.
ALWAYS = {
    "schema-before-commit",
    "wal-begun",
    "wal-marked",
    "wal-unmark-logged",
    "recover-done",
    "intake-before-commit",
    "claim-before",
    "claim-after",
    "apply-before-commit",
    "apply-after-commit",
    "sent-before-insert",
    "sent-after-insert",
    "departure",
    "post-before",
    "post-after",
    "wire-headers-sent",
    "wire-body-sent",
    "exchange-after",
    "outcome-after",
    "next-attempt-before-commit",
    "query-after",
    "reserve-kept",
    "reserve-put-away",
    "results-replaced",
}

# What has to have happened before the point can be passed at all, or means anything.
EARLIER = {
    "recover-found": "post-after",  # a row that is found in "sending"
    "recover-done": "post-after",
    "reopen-before-commit": "retry-before",  # a known batch
    "reopen-after-commit": "retry-before",
}
NO_ROOM = [["failing-outcomes", 2]]  # answers that come in and cannot be committed
LONG_AFTER = timedelta(hours=80)


def points_in_the_code() -> set[str]:
    found: set[str] = set()
    drop_folder = set((ROOT / "pipeline" / "watch").rglob("*.py"))  # has a sweep of its own: test_watch_crash.py
    # and so have these, in test_copy_crash.py
    copy = {ROOT / "pipeline" / "ledger" / name for name in ("transfer.py", "copying.py")}
    queue = set((ROOT / "pipeline" / "queue").rglob("*.py"))  # and this, on PostgreSQL: test_workers.py
    offices = {path for name in ("approvals", "office") for path in (ROOT / "pipeline" / name).rglob("*.py")}
    themselves = {ROOT / "pipeline" / "runtime" / "failpoints.py"}
    for path in (
        set((ROOT / "pipeline").rglob("*.py")) - themselves - drop_folder - copy - queue - offices
    ):  # of these: test_approval_crash.py
        found.update(re.findall(r'crashpoint\("([^"]+)"\)', path.read_text("utf-8")))
    return found - {"stop-before-commit"}  # of a stop that a person asks for: test_sender.py


def test_every_point_in_the_code_is_in_this_sweep_and_there_are_thirty_at_least():
    code = points_in_the_code()
    assert code == set(POINTS), f"not covered: {sorted(code - set(POINTS))}; gone: {sorted(set(POINTS) - code)}"
    assert len(code) >= 30
    assert set(POINTS) >= ALWAYS


def test_without_being_told_a_point_does_nothing(scene):
    scene.write(["000", "000"])
    assert scene.go()["code"] == 0


@pytest.mark.parametrize("in_flight", IN_FLIGHT)
@pytest.mark.parametrize(
    "point",
    [
        pytest.param(
            point,
            marks=[pytest.mark.sqlite] * (point in OF_A_FILE)
            + [pytest.mark.long] * (point not in ALWAYS)
            + [pytest.mark.skipif(not has_wal(), reason="too old for WAL")] * (point in OF_THE_LOG),
        )
        for point in POINTS
    ],
)
def test_f39_a_crash_at_any_point_loses_nothing_and_repeats_nothing(scene, point, in_flight):
    scene.in_flight = in_flight
    scene.write(ROWS)
    if point in EARLIER:
        assert scene.go(crash=EARLIER[point])["code"] == KILLED
    crash = f"{point}:{POINTS[point][in_flight]}"
    if point.startswith("hand-over"):
        scene.go()
        ended = scene.anular("poll", crash=crash, later=LONG_AFTER)
    elif point in ("reserve-before-sync", "reserve-kept"):
        ended = scene.go(crash=crash, rig=NO_ROOM)
    elif point.startswith("reserve"):
        assert scene.go(rig=NO_ROOM)["code"] == 5
        ended = scene.go(crash=crash)
    elif point == "export-written":
        scene.go()
        (batch,) = (scene.folder / "out").iterdir()
        ended = scene.anular("report", batch.name.split("__")[1], "--csv", crash=crash)
    else:
        ended = scene.go(crash=crash)
    assert ended["code"] == KILLED, f"{crash} was not passed: {ended['words']}"
    if "attempt" in scene.tables():
        scene.check_acks()

    again = scene.go()

    assert again["code"] == 4, again["words"]  # one row stays pending, and those that were lost
    scene.check_promises()
    scene.check_results()
    if in_flight == 4:
        assert scene.go()["code"] == 4
        scene.check_promises()
