"""Worker: takes jobs of its credentials, runs each in its own process, and recovers jobs of dead workers. The queue
runs a job at least once; the ledger, not the queue, makes sure that nothing is sent twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg
from procrastinate import App
from procrastinate.exceptions import ConnectorException

from pipeline.domain.errors import AnotherRun, AnularError, Interrupted, StorageTrouble, WrongUsage
from pipeline.queue import jobs
from pipeline.queue.app import PutBack, connected, make_app, queue_errors, quiet
from pipeline.queue.profiles import Post
from pipeline.runtime.clock import Clock
from pipeline.runtime.own_process import own_module, with_our_code
from pipeline.wiring.views import open_views

BUSY_S = 2.0
"""Seconds before a credential in use is tried again: its holder may be a worker that is just ending."""
Say = Callable[[str], None]


class Worker:
    """One worker for the credentials of ``posts``, all on one ledger; ``say`` receives a line per job and problem."""

    def __init__(self, posts: Sequence[Post], clock: Clock, say: Say, *, at_once: int) -> None:
        self._posts = {post.mark: post for post in posts}
        self._clock, self._say, self._at_once = clock, say, at_once
        self._settings = posts[0].settings
        self._url = self._settings.ledger
        self._children: set[Process] = set()
        self._stopping = False
        self._done = 0
        self._trouble = ""

    def serve(self, *, once: bool) -> None:
        """Serves until a signal (raises ``Interrupted``), or with ``once`` until no job waits.

        Raises ``StorageTrouble`` when the queue cannot be used, or the connection to it is lost.
        """
        if os.name == "nt":
            raise WrongUsage(
                "El comando worker necesita Linux o macOS.",
                code="worker-platform",
                remedy="En Windows se puede entregar con la opción --queue de run, y enviar con run.",
            )
        quiet()
        with connected(self._url), queue_errors(self._url):
            pass  # creates the tables
        with queue_errors(self._url):
            asyncio.run(self._serve(once=once))
        if self._stopping:
            raise Interrupted("Se dejó de atender la cola. Lo que faltaba volvió a ella.", code="worker-stopped")

    async def _serve(self, *, once: bool) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)  # ignores errors of a job that another worker took over meanwhile
        app = make_app(self._url, self._carry, retry=self._settings.queue_retry, connections=self._at_once + 4)
        async with app.open_async():
            await self._look()
            working = asyncio.create_task(self._work(app, once=once))
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self._stop, working)
            looking = asyncio.create_task(self._keep_looking())
            try:
                await working
            except asyncio.CancelledError:
                if not self._stopping:
                    raise
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
        if not once and not self._stopping:
            raise StorageTrouble(
                "El trabajador perdió la conexión con la cola de trabajo.",
                code="queue-lost",
                remedy="Inícielo otra vez; lo que tenía en curso vuelve a la cola.",
            )

    async def _work(self, app: App, *, once: bool) -> None:
        options = {
            "queues": list(self._posts),
            "concurrency": self._at_once,
            "install_signal_handlers": False,
            "update_heartbeat_interval": self._settings.queue_stale / 4,
            "stalled_worker_timeout": self._settings.queue_stale,
            "fetch_job_polling_interval": min(5.0, self._settings.queue_every),
            "delete_jobs": "successful",
            "wait": not once,
        }
        while True:
            before = self._done
            try:
                await app.run_worker_async(**options)  # type: ignore[arg-type]
            except ConnectorException as error:
                if not isinstance(error.__cause__, psycopg.errors.ForeignKeyViolation):
                    raise
                # The worker was removed from the table; an unknown worker gets no jobs.
                raise StorageTrouble(
                    "Los demás dieron por muerto a este trabajador: estuvo demasiado tiempo sin dar señales.",
                    code="queue-forgotten",
                    remedy="Inícielo otra vez; lo que tenía en curso volvió a la cola.",
                ) from error
            # It ends when it finds no job to start; jobs of a credential that was busy then may start now.
            if not once or self._done == before or self._stopping:
                return

    def _stop(self, working: asyncio.Task[None]) -> None:
        """The first request lets requests in flight finish, a second one gives them up."""
        for child in self._children:
            if self._stopping:
                with suppress(ProcessLookupError):
                    child.send_signal(signal.SIGTERM)
            elif child.stdin is not None:
                child.stdin.close()
        if not self._stopping:
            self._stopping = True
            working.cancel()  # procrastinate then takes no new job and waits for the running ones

    def _ending(self) -> bool:
        return self._stopping

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(self._settings.queue_every)
            await self._look()

    async def _look(self) -> None:
        """Takes over from dead workers, and creates jobs for batches without one. A problem is reported once."""
        try:
            taken = await asyncio.to_thread(self._look_now)
            self._trouble = ""
        except AnularError as trouble:
            if trouble.sentence != self._trouble:
                self._say(f"✗ {trouble.sentence}")
            self._trouble = trouble.sentence
            return
        for batch in taken:
            self._say(f"Vuelve a la cola {_named(batch)}: quien lo tenía no da señales.")

    def _look_now(self) -> list[str]:
        taken = jobs.take_over(self._url, self._settings.queue_stale)
        with open_views(self._settings) as views:
            if views is not None:
                jobs.sweep(self._url, views, list(self._posts.values()), self._clock.now())
        return taken

    async def _carry(self, mark: str, batch: str) -> None:
        """Runs a job. Raises ``PutBack`` when it is not done."""
        if self._ending():
            raise PutBack(0.0)
        post = self._posts[mark]
        whose = f"{_named(batch)}{f' [{post.settings.company}]' if post.settings.company else ''}"
        self._say(f"Empieza {whose}.")
        code, words = await self._process(post, batch)
        if code == 0:
            self._done += 1
            self._say(f"Termina {whose}. {' '.join(words)}".strip())
            return
        if code == WrongUsage.exit_code:
            # It cannot run in the present state. Put back it would block all others of its credential; the next look
            # creates a job for it behind them, while it has rows to send.
            self._say(f"No se puede hacer {whose}; queda aparte. {' '.join(words)}".strip())
            return
        if code == Interrupted.exit_code or code < 0 or self._ending():
            wait = 0.0 if self._ending() else BUSY_S
        else:
            wait = BUSY_S if code == AnotherRun.exit_code else self._settings.queue_retry
        busy = code == AnotherRun.exit_code
        when = "" if busy or not wait else f" en {wait:g} s"
        self._say(f"Se interrumpe {whose}; vuelve a la cola{when}. {' '.join(words)}".strip())
        raise PutBack(wait, growing=busy)

    async def _process(self, post: Post, batch: str) -> tuple[int, list[str]]:
        """Runs the job in its own process and session: a Ctrl-C reaches only the worker, which passes it on."""
        environment = with_our_code({**os.environ, "ANULAR_LEDGER": self._url})
        child = await asyncio.create_subprocess_exec(
            *own_module("pipeline.queue.job_process", post.profile, batch),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=environment,
            start_new_session=True,
        )
        assert child.stdout is not None
        self._children.add(child)
        if self._ending() and child.stdin is not None:  # the stop came while it was being started
            child.stdin.close()
        try:
            said = (await child.stdout.read()).decode("utf-8", "replace").strip()
            code = await child.wait()
        finally:
            self._children.discard(child)
        try:
            words = [str(one) for one in json.loads(said.splitlines()[-1])] if said else []
        except ValueError:
            words = []
        return code, words


def _named(batch: str) -> str:
    return f"el lote {batch}" if batch else "la consulta de lo pendiente"
