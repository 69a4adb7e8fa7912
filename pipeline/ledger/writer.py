"""Group commit: one task commits all queued moves, without a timer; each caller waits for its own move only.

A move is durable when ``record`` returns, alone or together with others (reliability.md R1, D10).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from types import TracebackType

from pipeline.domain.errors import Bug, SendingStopped
from pipeline.ledger.moves import Move, Moved
from pipeline.ledger.store import Store
from pipeline.runtime.failpoints import crashpoint

_MOST = 512  # moves in one transaction: bounds the wait of the first


class Writer:
    """The writing side of the ledger, inside ``async with``. After a failed commit it accepts nothing more."""

    def __init__(self, store: Store, thread: Executor | None = None) -> None:
        self._store = store
        self._waiting: list[tuple[Move, asyncio.Future[Moved]]] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._broken: BaseException | None = None
        # Its own thread: an fsync must not delay other answers.
        self._thread = thread or ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")

    async def __aenter__(self) -> Writer:
        self._task = asyncio.create_task(self._serve(), name="ledger-writer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._wake.set()
        await self._task
        self._thread.shutdown(wait=True)

    async def record(self, wish: Move) -> Moved:
        """Returns once ``wish`` is durable. Raises ``StorageTrouble``, ``SendingStopped`` or ``Bug``; the move did
        not happen then."""
        if self._broken is not None:
            await self._keep_aside([wish])
            raise self._broken
        future: asyncio.Future[Moved] = asyncio.get_running_loop().create_future()
        self._waiting.append((wish, future))
        self._wake.set()
        # Shielded: a caller that is cancelled while waiting must not cancel the moves of the others.
        return await asyncio.shield(future)

    async def _serve(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                group, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                try:
                    await self._commit(group)
                except BaseException as error:  # for any error: no caller may wait for ever
                    self._broken = error
                    _fail(group, error)
            if self._closing:
                return

    async def _commit(self, group: Sequence[tuple[Move, asyncio.Future[Moved]]]) -> None:
        if self._broken is not None:
            await self._give_up(group, self._broken)
            return
        crashpoint("group-taken")
        try:
            moved = await self._in_thread([wish for wish, _ in group])
        except (Bug, SendingStopped):
            # One impossible move, or a claim of what was held meanwhile, must not lose the outcomes of the others: each
            # separately.
            for pair in group:
                await self._commit_alone(pair)
        except BaseException as error:
            self._broken = error
            await self._give_up(group, error)
        else:
            crashpoint("group-committed")
            for (_, future), result in zip(group, moved, strict=True):
                future.set_result(result)

    async def _commit_alone(self, pair: tuple[Move, asyncio.Future[Moved]]) -> None:
        wish, future = pair
        try:
            (moved,) = await self._in_thread([wish])
        except (Bug, SendingStopped) as refused:
            _fail([pair], refused)
        except BaseException as error:
            self._broken = error
            await self._give_up([pair], error)
        else:
            future.set_result(moved)

    async def _give_up(self, group: Sequence[tuple[Move, asyncio.Future[Moved]]], error: BaseException) -> None:
        """Writes the outcomes to the reserve journal before the callers learn that the commit failed (P17)."""
        await self._keep_aside([wish for wish, _ in group])
        _fail(group, error)

    async def _keep_aside(self, moves: list[Move]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._store.keep_aside, moves)

    async def _in_thread(self, moves: list[Move]) -> list[Moved]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._store.apply, moves)


def _fail(group: Sequence[tuple[Move, asyncio.Future[Moved]]], error: BaseException) -> None:
    """Sets the error on all futures. Callers are shielded from them, so a cancelled caller has not closed its own."""
    for _, future in group:
        if not future.done():
            future.set_exception(error)
            future.exception()  # marks it as retrieved: without a caller it would cause a warning
