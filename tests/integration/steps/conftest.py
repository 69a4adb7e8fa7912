"""Submit and poll in virtual time: the real client, a scripted provider, a ledger on disk that commits inline."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from typing import Any

import httpx
import pytest

from pipeline.domain.cufe import check_digit
from pipeline.domain.deadline import Deadline, Window
from pipeline.domain.errors import AnularError
from pipeline.domain.lifecycle import State
from pipeline.domain.records import BatchInfo, CheckedRow, Finding
from pipeline.ledger.writer import Writer
from pipeline.poll import PollRules, poll
from pipeline.runtime.shutdown import Stop
from pipeline.submit.submit import SendRules, submit

CANCEL, QUERY = "/Eventos/Anulacion", "/Consulta"


def valid_cufe(number: int) -> str:
    text = f"FE01200000000000029-29-29-56763220261115{number:010d}939012012345678"
    return f"{text}{check_digit(text)}"


class Inline(Executor):
    """Runs at once: the virtual loop has nothing real to wait for."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


def answer(estado: object, status: int = 200, **more: Any) -> httpx.Response:
    return httpx.Response(status, json={"estado": estado, "MensajeRespuesta": "…", **more})


class Scene:
    """A batch, a provider whose answers are chosen by row, and what came of it."""

    def __init__(self, book: Any, world: Any, provider: Any, virtually: Any, rows: Iterable[CheckedRow]) -> None:
        self.book, self.world, self.provider, self.virtually = book, world, provider, virtually
        self.info: BatchInfo = book.take(list(rows))
        self.by_cufe = {line.cufe: line.pos for line in book.views.lines(self.info)}
        self.posts: list[tuple[int, float]] = []
        self.queries: list[tuple[int, float]] = []
        self.on_post: dict[int, list[Any]] = {}
        self.on_query: dict[int, list[Any]] = {}
        self.heard: list[tuple[State, Finding]] = []
        self.flight = self.most_in_flight = 0
        self.stop_reason: AnularError | None = None
        provider.on(CANCEL, lambda _: self._next(self.posts, self.on_post, answer("2")))
        provider.on(QUERY, lambda _: self._next(self.queries, self.on_query, answer(11)))

    def _next(self, log: list[tuple[int, float]], script: dict[int, list[Any]], default: Any) -> Any:
        request = self.provider.requests[-1]
        if request.url.path == CANCEL:
            pos = self.by_cufe[json.loads(request.content)["cufe"]]
        else:
            pos = int(request.url.params["dNroDF"])
        log.append((pos, self.provider.times[-1]))
        answers = script.get(pos)
        if not answers:
            return default
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def run(self, *steps: Any) -> None:
        """Runs the given coroutine functions one after the other, each with (clock, stop)."""

        async def main() -> None:
            world = self.world()
            stop = Stop(world.clock)
            async with Writer(self.book.store, Inline()) as writer:
                for step in steps:
                    await step(world, writer, stop)
            self.stop_reason = stop.reason

        self.virtually(main())

    def sending(self, during: Any = None, **rules: Any) -> Any:
        async def step(world: Any, writer: Writer, stop: Stop) -> None:
            if during is not None:
                during(world, stop)
            await submit(
                self.book.views.ready(self.info.id),
                client=world.client,
                limiter=world.limiter,
                writer=writer,
                clock=world.clock,
                rules=SendRules(**{"concurrency": 8, "ahead": 8, **rules}),
                stop=stop,
                watch=lambda state, finding: self.heard.append((state, finding)),
            )

        return step

    def asking(self, **rules: Any) -> Any:
        async def step(world: Any, writer: Writer, stop: Stop) -> None:
            await poll(
                self.book.views.followed([self.info.id]),
                client=world.client,
                limiter=world.limiter,
                writer=writer,
                clock=world.clock,
                rules=PollRules(**rules),
                stop=stop,
                watch=lambda _before, after, finding: self.heard.append((after, finding)),
            )

        return step

    @property
    def states(self) -> list[State]:
        return [line.state for line in self.book.views.lines(self.info)]

    @property
    def post_counts(self) -> Counter[int]:
        return Counter(pos for pos, _ in self.posts)


@pytest.fixture
def scene(book, world, provider, virtually, row):
    """``scene(n)``: a batch of n rows with valid codes, all ready."""

    def make(count: int, **more: Any) -> Scene:
        def urgency(n: int) -> Deadline:
            return Deadline(Window.IN_TIME, 50.0 + n)  # the first row is the most urgent one

        rows = [row(n, **{"cufe": valid_cufe(n), "deadline": urgency(n), **more}) for n in range(1, count + 1)]
        return Scene(book, world, provider, virtually, rows)

    return make


@pytest.fixture
def scene_of(book, world, provider, virtually):
    """``scene_of(rows)``: a batch of these very rows."""
    return lambda rows: Scene(book, world, provider, virtually, rows)


@pytest.fixture
def say():
    """``say(estado, status=200, **fields)``: an answer of the provider."""
    return answer


@pytest.fixture
def make_code():
    """A valid code by its number."""
    return valid_cufe
