"""Jobs: the job of a batch, and work without one. The queue may lose jobs; the ledger does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pipeline.domain.batch_notes import QUEUED
from pipeline.ledger.scope import Scope
from pipeline.ledger.storage.postgres_session import number_of
from pipeline.ledger.views import Views
from pipeline.queue.app import BATCH, POLL, Connect, connected
from pipeline.queue.profiles import Post

_MORE = "+"
"""Suffix of the job name when rows were approved while a job of the batch was running: another job follows."""


def hand_in(url: str, batch: str, post: Post, *, again: bool, connect: Connect = connected) -> bool:
    """Creates a job for a batch unless one waits already; with ``again`` also when one is running, which may have read
    the ledger before. Returns whether there is a new one. Raises ``StorageTrouble``, ``WrongUsage``."""
    with connect(url) as connection:
        return _add(connection, BATCH, batch, post, {"batch": batch, "profile": post.profile}, again=again)


@contextmanager
def in_turn(url: str, post: Post, connect: Connect = connected) -> Iterator[None]:
    """Lock: hand-ins of this credential under a policy happen one after the other, because what one may hand in depends
    on the others. Raises ``StorageTrouble``, ``WrongUsage``."""
    with connect(url) as connection:
        # Reading a large file takes a while with the lock held: the server must not end the transaction.
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (number_of("carpeta", post.mark),))
        yield


def having(url: str, batches: Sequence[str], connect: Connect = connected) -> set[str]:
    """Which of ``batches`` have a job that waits or runs. Raises ``StorageTrouble``, ``WrongUsage``."""
    with connect(url) as connection:
        found = connection.execute(_JOBS_OF, ([one + more for one in batches for more in ("", _MORE)],)).fetchall()
    return {str(line[0]).removesuffix(_MORE) for line in found}


def sweep(url: str, views: Views, posts: Sequence[Post], now: datetime) -> int:
    """Creates a job for every queued batch that has rows to send and no job, and for open rows not queried for too
    long. Returns how many. Raises ``StorageTrouble``."""
    wanted: list[tuple[str, str, Post, dict[str, str]]] = []
    for post in posts:
        mine = views.under(post.settings.env, Scope(post.mark, alone=False, orphans=False))
        wanted += [(BATCH, one, post, {"batch": one, "profile": post.profile}) for one in mine.left_over(QUEUED)]
        if mine.unasked_since(now - timedelta(seconds=post.settings.queue_poll)):
            wanted.append((POLL, f"{POLL} {post.mark}", post, {"profile": post.profile}))
    if not wanted:
        return 0
    with connected(url) as connection:
        return sum(_add(connection, task, name, post, arguments, again=False) for task, name, post, arguments in wanted)


def take_over(url: str, silent: float) -> list[str]:
    """Puts the jobs of workers without a sign for ``silent`` seconds back into the queue; returns their batches.

    The old worker may still be alive: then it holds the credential in the ledger, and the new one has to wait.
    """
    with connected(url) as connection:
        found = connection.execute(_TAKE_OVER, {"silent": silent}).fetchall()
        connection.execute(_FORGET, {"silent": silent})
        return [str(line[0].get("batch", "")) for line in found]


def _add(
    connection: psycopg.Connection[Any], task: str, name: str, post: Post, arguments: dict[str, str], *, again: bool
) -> bool:
    # Check and insert are one step: a running job must find its own name free when it is put back.
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (number_of("entrega"),))
    found = dict(connection.execute(_JOBS_OF, ([name, name + _MORE],)).fetchall())
    if "todo" in found.values() or (found and not again):
        return False
    free = name + _MORE if name in found else name
    connection.execute(_DEFER, (post.mark, task, post.mark, free, Jsonb(arguments)))
    return True


_JOBS_OF = (
    "SELECT queueing_lock, status::text FROM procrastinate_jobs "
    "WHERE queueing_lock = ANY(%s) AND status IN ('todo', 'doing')"
)
# Like procrastinate's own ``defer_jobs``: queue, task, priority, lock, queueing lock, arguments, not before.
_DEFER = "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(%s, %s, 0, %s, %s, %s, NULL)]::procrastinate_job_to_defer_v1[])"
# Like its ``retry_job`` for the jobs of its ``select_stalled_jobs_by_heartbeat``, but in one step: between the two,
# another worker could put the job back and a third start it, and we would take it away from that one.
_TAKE_OVER = """
    UPDATE procrastinate_jobs AS job SET status = 'todo', attempts = attempts + 1, scheduled_at = now()
    WHERE job.status = 'doing' AND NOT EXISTS (
        SELECT FROM procrastinate_workers AS worker
        WHERE worker.id = job.worker_id AND worker.last_heartbeat >= now() - make_interval(secs => %(silent)s)
    ) RETURNING args
"""
_FORGET = "SELECT procrastinate_prune_stalled_workers_v1(%(silent)s)"
