"""Queue health for ``anular status --workers``: which workers are alive, what each is doing, and what waits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from pipeline.domain.deadline import PANAMA
from pipeline.queue.app import connected, is_there


@dataclass(frozen=True, slots=True)
class Health:
    """The queue at one moment of the server's clock."""

    #: id, seconds since the last sign, whether that is still alive, and the jobs of each
    workers: list[dict[str, Any]]
    #: name, jobs that run, wait, and wait after a stop, and since when the oldest waits
    profiles: list[dict[str, Any]]
    #: jobs without a worker, about to be taken over
    unowned: list[str]


def health(url: str, silent: float) -> Health:
    """The current state. ``silent``: seconds without a sign after which a worker counts as dead. Changes nothing.

    Raises ``StorageTrouble``, ``WrongUsage``.
    """
    if not is_there(url):
        return Health([], [], [])
    with connected(url) as connection, connection.cursor(row_factory=dict_row) as cursor:
        workers = cursor.execute(_WORKERS).fetchall()
        running = cursor.execute(_RUNNING).fetchall()
        profiles = cursor.execute(_PROFILES).fetchall()
    doing: dict[int | None, list[str]] = {}
    for line in running:
        doing.setdefault(line["worker_id"], []).append(_named(line["args"]))
    told = [
        {
            "worker": line["id"],
            "silent_s": round(float(line["silent"]), 1),
            "alive": float(line["silent"]) < silent,
            "doing": doing.pop(line["id"], []),
        }
        for line in workers
    ]
    return Health(told, profiles, [name for names in doing.values() for name in names])


def data(found: Health) -> dict[str, Any]:
    """The ``--json`` form."""
    profiles = [{**line, "oldest": line["oldest"].isoformat() if line["oldest"] else None} for line in found.profiles]
    return {"workers": found.workers, "profiles": profiles, "unowned": found.unowned}


def worker_facts(found: Health) -> list[tuple[str, str]]:
    """A line per worker for people."""
    return [(f"Trabajador {one['worker']}", _sign(one)) for one in found.workers]


def profile_facts(found: Health) -> list[tuple[str, str]]:
    """A line per profile for people."""
    return [(line["profile"] or "(sin perfil)", "; ".join(_jobs(line))) for line in found.profiles]


def _sign(one: dict[str, Any]) -> str:
    said = f"última señal hace {one['silent_s']:g} s"
    if not one["alive"]:
        return f"✗ {said}: sin señales, otro toma lo suyo"
    return f"✓ {said}; {', '.join(one['doing']) or 'libre'}"


def _jobs(line: dict[str, Any]) -> Iterable[str]:
    yield f"en curso {line['running']}"
    yield f"en espera {line['waiting']}"
    if line["stopped"]:
        yield f"detenidos, se intentarán otra vez {line['stopped']}"
    oldest: datetime | None = line["oldest"]
    if oldest is not None:
        yield f"el más antiguo espera desde el {oldest.astimezone(PANAMA):%d/%m/%Y %H:%M}"


def _named(job: dict[str, Any]) -> str:
    profile = f" [{job['profile']}]" if job.get("profile") else ""
    return (f"lote {job['batch']}" if job.get("batch") else "consulta de lo pendiente") + profile


_WORKERS = "SELECT id, extract(epoch FROM now() - last_heartbeat) AS silent FROM procrastinate_workers ORDER BY id"
_RUNNING = "SELECT worker_id, args FROM procrastinate_jobs WHERE status = 'doing' ORDER BY id"
# A job put back for later was stopped; one put back for now only waits.
_PROFILES = """
    SELECT args ->> 'profile' AS profile,
        count(*) FILTER (WHERE status = 'doing') AS running,
        count(*) FILTER (WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()) AS waiting,
        count(*) FILTER (WHERE status = 'failed' OR (status = 'todo' AND scheduled_at > now())) AS stopped,
        min(event.at) FILTER (WHERE status = 'todo') AS oldest
    FROM procrastinate_jobs AS job
    LEFT JOIN procrastinate_events AS event ON event.job_id = job.id AND event.type = 'deferred'
    WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1 ORDER BY 1
"""
