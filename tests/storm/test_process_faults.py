"""F43, F46: the program's own troubles, at every named point of its life. It stops with one sentence, what was learnt
is recorded, the ledger holds, and the same command carries on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.domain.lifecycle import State
from tests.storm.test_crash_points import EARLIER, NO_ROOM, POINTS, ROWS
from tests.support.long import long

LONG_AFTER = timedelta(hours=80)
IN_FLIGHT = 4
ONE_TASK = {
    "claim-before": {State.READY},
    "claim-after": {State.SENDING},  # the intent is durable: only the next start may say what became of it
    "departure": {State.UNKNOWN, State.NOT_SENT},
    "post-before": {State.UNKNOWN},
    "post-after": {State.UNKNOWN},
    "exchange-after": {State.SENDING},
    "outcome-after": {State.CANCELLED},
    "outcome-shown": {State.CANCELLED},
}
"""Points of one row's own task, and where that row may stand after an error there."""

OFTEN = ("claim-after", "post-after", "outcome-after")

PHASES = (
    "schema-before-commit",
    "intake-batch-written",
    "claim-after",
    "apply-moved",
    "exchange-after",
    "poll-recorded",
)
"""From each phase of a run one point."""

BETWEEN = (
    *("lock-taken", "begin-run-before-commit", "recover-found", "intake-after-commit", "reopen-before-commit"),
    *("token-after", "group-taken", "apply-after-commit", "group-committed", "departure", "wire-body-sent"),
    *("outcome-shown", "next-attempt-before-commit", "query-after", "reserve-kept", "reserve-replayed"),
    *("hand-over-before", "results-begun", "results-verified", "export-written"),
)


def stumbling(scene, point, error):
    """The program meets ``error`` at ``point``, in the run (or other command) that passes it."""
    scene.in_flight = IN_FLIGHT
    scene.write(ROWS)
    rig = [["raise-at", point, error, POINTS[point][IN_FLIGHT]]]
    if point in EARLIER:
        assert scene.go(crash=EARLIER[point])["code"] == -9
    if point.startswith("hand-over"):
        scene.go()
        return scene.anular("poll", rig=rig, later=LONG_AFTER)
    if point in ("reserve-before-sync", "reserve-kept"):
        return scene.go(rig=[*NO_ROOM, *rig])
    if point.startswith("reserve"):
        assert scene.go(rig=NO_ROOM)["code"] == 5
    if point == "export-written":
        scene.go()
        (batch,) = (scene.folder / "out").iterdir()
        return scene.anular("report", batch.name.split("__")[1], "--csv", rig=rig)
    return scene.go(rig=rig)


@pytest.mark.parametrize("point", [*OFTEN, *long(*(point for point in ONE_TASK if point not in OFTEN))])
def test_f43_an_error_in_one_task_ends_the_run_and_the_others_in_flight_are_recorded(scene, point):
    scene.in_flight = 8
    scene.write(["000"] * 60)
    ended = scene.go(rig=[["raise-at", point, "RuntimeError", 12]])

    assert ended["code"] == 5, ended["words"]
    (sentence,) = [line for line in ended["words"].splitlines() if line.startswith("✗")]
    assert "Error interno de anular (RuntimeError en " in sentence
    scene.check_promises(finished=False)
    states = [*scene.states().values()]
    others = [state for state in states if state not in (State.READY, State.CANCELLED)]
    assert len(others) <= 1, "somebody else was pulled down"
    assert set(others) <= ONE_TASK[point]
    if not ONE_TASK[point] & {State.READY, State.CANCELLED}:
        assert others, "it struck nobody: this showed nothing"
    assert states.count(State.CANCELLED) >= 11
    # Until the twelfth is known to be struck, each of eight workers may have one in flight and one claimed beside it.
    assert states.count(State.READY) >= 60 - 12 - 2 * 8, "it went on"
    scene.check_results()
    assert scene.go()["code"] in (0, 4)
    scene.check_promises()


@pytest.mark.parametrize("point", ["query-after", *long("query-before", "poll-recorded")])
def test_f43_an_error_in_one_query_ends_the_run_and_the_next_one_carries_on(scene, point):
    scene.write(["994"] * 8)
    ended = scene.go(rig=[["raise-at", point, "RuntimeError", 3]])

    assert ended["code"] == 5, ended["words"]
    assert "Error interno de anular (RuntimeError en " in ended["words"]
    scene.check_promises(finished=False)
    scene.check_results()
    patient = {"ANULAR_POLL_FOR": "30"}  # it ends as soon as nothing is pending
    assert scene.anular("poll", env=patient)["code"] == 0
    scene.check_promises()
    assert set(scene.states().values()) == {State.CANCELLED}


def test_every_phase_has_its_point():
    assert {*PHASES, *BETWEEN} <= set(POINTS)


@pytest.mark.parametrize("point", [*PHASES[::2], *long(*PHASES[1::2], *BETWEEN)])
def test_f46_memory_that_runs_out_at_any_point_stops_the_run_and_harms_nothing(scene, point):
    ended = stumbling(scene, point, "MemoryError")

    assert ended["code"] == 5, ended["words"]
    assert len([line for line in ended["words"].splitlines() if line.startswith("✗")]) == 1, ended["words"]
    if scene.ledger.exists() and "attempt" in scene.tables():
        scene.check_promises(finished=False)
    again = scene.go()
    assert again["code"] == 4, again["words"]  # one row stays pending, and those of unknown outcome
    scene.check_promises()
    scene.check_results()
