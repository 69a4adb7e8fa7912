"""Group commit: many rows share a transaction, each waits for its own (reliability.md R1, D10)."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.domain.errors import Bug, StorageTrouble
from pipeline.domain.lifecycle import Event, State
from pipeline.ledger import writer as writer_module
from pipeline.ledger.moves import Move
from pipeline.ledger.writer import Writer


def claims(book, info):
    return [
        Move(one.attempt, one.version, one.batch, one.pos, State.READY, Event.CLAIMED, book.now)
        for one in book.views.ready(info.id)
    ]


def test_a_move_is_durable_when_its_caller_hears_of_it(book, row):
    info = book.take([row(1)])

    async def main():
        async with Writer(book.store) as writer:
            moved = await writer.record(claims(book, info)[0])
            return moved, [line.state for line in book.views.lines(info)]

    moved, states = asyncio.run(main())

    assert (moved.version, moved.state, states) == (2, State.SENDING, [State.SENDING])


def test_what_queues_together_is_committed_together(book, row, monkeypatch):
    info = book.take([row(n) for n in range(1, 41)])
    groups = []
    apply = book.store.apply
    monkeypatch.setattr(book.store, "apply", lambda moves: groups.append(len(moves)) or apply(moves))

    async def main():
        async with Writer(book.store) as writer:
            await asyncio.gather(*(writer.record(move) for move in claims(book, info)))

    asyncio.run(main())

    assert sum(groups) == 40
    assert len(groups) <= 3


def test_an_impossible_move_fails_alone(book, row):
    info = book.take([row(1), row(2), row(3)])
    good, bad, other = claims(book, info)
    book.claim(book.views.ready(info.id)[1])

    async def main():
        async with Writer(book.store) as writer:
            return await asyncio.gather(*(writer.record(m) for m in (good, bad, other)), return_exceptions=True)

    results = asyncio.run(main())

    assert [type(result).__name__ for result in results] == ["Moved", "Bug", "Moved"]
    assert [line.state for line in book.views.lines(info)] == [State.SENDING] * 3


def test_a_disk_that_fails_while_moves_are_tried_one_by_one_is_no_bug(book, row, monkeypatch):
    info = book.take([row(1), row(2)])
    first, second = claims(book, info)
    apply = book.store.apply

    def failing(moves):
        if len(moves) > 1:
            raise Bug("one of them is impossible")
        if moves[0].pos == 2:
            raise StorageTrouble("el disco está lleno")
        return apply(moves)

    async def main():
        async with Writer(book.store) as writer:
            return await asyncio.gather(writer.record(first), writer.record(second), return_exceptions=True)

    monkeypatch.setattr(book.store, "apply", failing)
    results = asyncio.run(main())

    assert [type(result).__name__ for result in results] == ["Moved", "StorageTrouble"]


def test_after_a_failed_commit_nothing_is_accepted_any_more(book, row, monkeypatch):
    info = book.take([row(1), row(2)])
    first, second = claims(book, info)

    def full(_moves):
        raise StorageTrouble("el disco está lleno")

    async def main():
        async with Writer(book.store) as writer:
            with monkeypatch.context() as patch:
                patch.setattr(book.store, "apply", full)
                with pytest.raises(StorageTrouble):
                    await writer.record(first)
            with pytest.raises(StorageTrouble):
                await writer.record(second)

    asyncio.run(main())

    assert [line.state for line in book.views.lines(info)] == [State.READY] * 2


def test_a_caller_that_goes_away_does_not_undo_its_move(book, row):
    info = book.take([row(1)])

    async def main():
        async with Writer(book.store) as writer:
            task = asyncio.create_task(writer.record(claims(book, info)[0]))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())

    assert [line.state for line in book.views.lines(info)] == [State.SENDING]


def test_a_bug_alone_in_its_group_is_raised(book, row):
    info = book.take([row(1)])
    move = claims(book, info)[0]
    book.claim(book.views.ready(info.id)[0])

    async def main():
        async with Writer(book.store) as writer:
            with pytest.raises(Bug):
                await writer.record(move)

    asyncio.run(main())


@pytest.mark.parametrize("point", ["group-taken", "group-committed"])
def test_whatever_breaks_in_the_writer_itself_nobody_waits_for_ever(book, row, monkeypatch, point):
    """Found by running out of memory between the queue and the commit: the writer was gone, its callers stayed."""
    info = book.take([row(n) for n in range(1, 4)])

    def crashpoint(name):
        if name == point:
            raise MemoryError

    monkeypatch.setattr(writer_module, "crashpoint", crashpoint)

    async def main():
        async with Writer(book.store) as writer:
            wishes = [writer.record(move) for move in claims(book, info)]
            first = await asyncio.wait_for(asyncio.gather(*wishes, return_exceptions=True), 20)
            with pytest.raises(MemoryError):
                await asyncio.wait_for(writer.record(claims_again), 20)
            return first

    claims_again = claims(book, info)[0]
    assert [type(result) for result in asyncio.run(main())] == [MemoryError] * 3
