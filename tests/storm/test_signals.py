"""F41, F42, P14: asked to stop once or twice, with eDoc hanging; and put to sleep between intent and sending."""

from __future__ import annotations

import signal

import pytest

from pipeline.domain.lifecycle import State
from pipeline.runtime.shutdown import GRACE_S
from tests.support import ledgers
from tests.support.long import long

INTERRUPTED = 130
CASES = [
    (signal.SIGTERM, 1),
    (signal.SIGINT, 2),
    *long((signal.SIGTERM, 2), (signal.SIGINT, 1), (signal.SIGHUP, 1), (signal.SIGHUP, 2)),
]


@pytest.fixture
def batch(scene):
    scene.write(["000"] * 60)
    scene.in_flight = 8
    return scene


def events(scene):
    return [line["event"] for line in ledgers.lines(scene.url, "SELECT event FROM event ORDER BY seq")]


@pytest.mark.parametrize(("number", "times"), CASES)
def test_f41_a_signal_ends_the_run_with_its_results_and_the_next_run_goes_on(batch, number, times):
    ended = batch.go(rig=[["signal-at", "outcome-after", 10, *[number] * times]])
    assert ended["code"] == INTERRUPTED, ended["words"]
    assert "Interrumpido" in ended["words"]
    batch.check_promises(finished=False)
    batch.check_results()
    states = [*batch.states().values()]
    assert states.count(State.READY) > 0, "it did not stop before the end"
    if times == 1:
        assert State.SENDING not in states
        assert State.UNKNOWN not in states, "what was in flight had its time"
    assert batch.go()["code"] in (0, 4)
    batch.check_promises()


def test_ctrl_c_after_the_last_answer_says_so_and_the_same_command_again_writes_the_results(batch):
    """The sending is over, so nothing listens for it any more: the workbook is being written."""
    ended = batch.go(rig=[["signal-at", "results-begun", 1, signal.SIGINT]])
    assert ended["code"] == INTERRUPTED, ended["words"]
    assert "Interrumpido. Lo enviado quedó registrado" in ended["words"]
    assert batch.go()["code"] == 0, "the same command again, as it said"
    batch.check_promises()
    batch.check_results()


@pytest.mark.parametrize("times", [1, 2])
def test_f41_a_service_that_hangs_cannot_hold_up_the_end(scene, times):
    """One signal ends it after the grace, two at once; what was in flight is of unknown outcome until it is queried."""
    scene.in_flight = 8
    scene.write(["000"] * 10 + ["976"] * 20)  # these answer after three seconds
    grace = 0.5 if times == 1 else 60.0
    asked = [[0.2 + 0.1 * n, signal.SIGTERM] for n in range(times)]
    ended = scene.go(rig=[["patience", grace]], after=10 + 10 + 8, signals=asked)
    assert ended["code"] == INTERRUPTED, ended["words"]
    assert ended["last"] < 45, "the grace of the second case is 60 seconds"
    states = [*scene.states().values()]
    assert states.count(State.UNKNOWN) >= 4, "it waited for the service"
    assert State.SENDING not in states
    assert states.count(State.READY) >= 8
    scene.check_promises(finished=False)
    scene.check_results()
    scene.service.advance(5)
    scene.anular("poll")
    assert State.UNKNOWN not in scene.states().values()
    scene.check_promises(finished=False)


def test_the_grace_of_the_program_itself_ends_within_thirty_seconds():
    assert GRACE_S <= 25


@pytest.mark.long
def test_f42_whoever_slept_between_intent_and_sending_does_not_send_but_tries_anew(batch):
    """Slow turns leave rows claimed and waiting; the process stops longer than an intent may age."""
    batch.in_flight = 4
    slow = {"ANULAR_RATE": "20"}  # four wait a fifth of a second at most
    ended = batch.go(
        env=slow,
        rig=[["stale-after", 2.0]],
        after=40,
        signals=[[0.01, signal.SIGSTOP], [3.0, signal.SIGCONT]],
    )
    assert ended["signalled"] == [signal.SIGSTOP, signal.SIGCONT]
    assert ended["code"] in (0, 4), ended["words"]
    assert "stale" in events(batch), "nobody was waiting with an intent: this showed nothing"
    batch.check_promises()
    assert set(batch.states().values()) <= {State.CANCELLED, State.UNKNOWN}
    assert batch.service.posts(set(batch.cufes)).total() == len(batch.cufes)


@pytest.mark.parametrize("after", [9, *long(1, 30)])
def test_f42_a_sleep_in_the_middle_of_anything_sends_nothing_twice(batch, after):
    ended = batch.go(rig=[["stale-after", 2.0]], after=after, signals=[[0.0, signal.SIGSTOP], [3.0, signal.SIGCONT]])
    assert ended["code"] in (0, 4), ended["words"]
    batch.check_promises()
