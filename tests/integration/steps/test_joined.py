"""The outcome of a row and the intent of the next one share a commit, and P8's bound holds on the disk all the same."""

from __future__ import annotations

import pytest

from pipeline.domain.lifecycle import Event, State


@pytest.fixture
def commits(monkeypatch):
    """``commits(scene)``: what each commit held, and how many rows were SENDING on the disk after it."""

    def of(s):
        held: list[tuple[list[Event], int]] = []
        apply = s.book.store.apply

        def noted(moves):
            moved = apply(moves)
            sending = sum(line.state is State.SENDING for line in s.book.views.lines(s.info))
            held.append(([one.event for one in moves], sending))
            return moved

        monkeypatch.setattr(s.book.store, "apply", noted)
        return held

    return of


def test_one_after_the_other_takes_one_commit_per_row_and_one_more(scene, commits):
    s = scene(6)
    held = commits(s)
    s.run(s.sending(concurrency=1, ahead=1))

    assert s.states == [State.CANCELLED] * 6
    assert [events for events, _ in held] == [
        [Event.CLAIMED],
        *[[Event.CANCELLED, Event.CLAIMED]] * 5,
        [Event.CANCELLED],
    ]


@pytest.mark.parametrize("concurrency", [1, 2, 4, 8])
def test_never_more_rows_than_workers_are_of_unknown_outcome_on_the_disk(scene, commits, concurrency):
    s = scene(40)
    held = commits(s)
    s.run(s.sending(concurrency=concurrency, ahead=concurrency))

    assert s.states == [State.CANCELLED] * 40
    assert max(sending for _, sending in held) == concurrency


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, {"estado": "99"}), (429, {}), (401, {}), (503, {}), (403, {}), (200, {"estado": "2", "cufe": "otro"})],
)
def test_an_answer_that_may_stop_the_others_is_written_before_anything_else_is_claimed(
    scene, say, commits, status, body
):
    s = scene(3)
    s.on_post[1] = [say(body.get("estado"), status, **{k: v for k, v in body.items() if k != "estado"}), say("2")]
    held = commits(s)
    s.run(s.sending(concurrency=1, ahead=1))

    first = next(events for events, _ in held if events[0] is not Event.CLAIMED)
    assert len(first) == 1


def test_after_the_disk_failed_the_row_that_was_to_go_next_has_not_left(scene, commits, monkeypatch):
    from pipeline.domain.errors import StorageTrouble

    s = scene(3)
    apply, calls = s.book.store.apply, []

    def failing(moves):
        calls.append([one.event for one in moves])
        if len(calls) == 2:
            raise StorageTrouble("No hay espacio.", code="ledger-write")
        return apply(moves)

    monkeypatch.setattr(s.book.store, "apply", failing)
    s.run(s.sending(concurrency=1, ahead=1))

    assert calls == [[Event.CLAIMED], [Event.CANCELLED, Event.CLAIMED]]
    assert s.post_counts == {1: 1}
    assert s.states == [State.SENDING, State.READY, State.READY]
