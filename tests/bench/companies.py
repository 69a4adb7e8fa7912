"""Many companies on one PostgreSQL: what each of them costs ``status``, ``poll --all`` and a pass of the drop folder.

The server is the one that ``ANULAR_TEST_PG`` names; without one ``.ci/postgres`` starts one for this. The other side is
the benchmark's own eDoc, in the lab environment, so that everything that a ledger with legal effect is checked for is
checked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.bench.material import REASON
from tests.bench.runner import ROOT, Figure, Scale, build, clean, column, command, server

COMPANIES, BATCHES, ROWS, PENDING = 200, 10, 20, 2
GOALS = {"status": 2.0, "poll": 15.0, "watch": 15.0}


def ruc(number: int) -> str:
    return f"{1_000_000 + number}-1-{1000 + number}"


def code(company: int, number: int, day: str) -> str:
    """A valid code of a company's document."""
    from pipeline.domain.cufe import check_digit

    text = f"FE012{ruc(company):0>20}-56000{number % 10}{day}{number:010d}001012{number % 1_000_000:06d}000"
    return text + check_digit(text)


def configure(place: Path, url: str, base: str, companies: int) -> dict[str, str]:
    """The settings of all companies, and the environment of who works with them."""
    secret = place / "clave"
    secret.touch(0o600)
    secret.write_text("sandbox", "utf-8")
    root = place / "carpeta"
    lines = [f'ledger = "{url}"', 'env = "lab"', f'base_url = "{base}"', f'out = "{place / "resultados"}"']
    lines += ['watch_env = "lab"', "watch_quiet = 0.1", "watch_max_rows = 50"]
    for number in range(companies):
        (root / "inbox" / f"e{number:03d}").mkdir(parents=True, exist_ok=True)
        lines += [f"[profile.e{number:03d}]", f'company = "Empresa {number}, S.A."', f'issuers = "{ruc(number)}"']
        lines += [f'watch_issuers = "{ruc(number)}"', f'user = "u{number:03d}"', f'password_file = "{secret}"']
    config = place / "anular.toml"
    config.write_text("\n".join([*lines, ""]), "utf-8")
    (place / "resultados").mkdir(exist_ok=True)
    return clean(
        ANULAR_CONFIG=str(config),
        HOME=str(place),
        XDG_STATE_HOME=str(place / "estado"),
        XDG_DATA_HOME=str(place / "datos"),
        ANULAR_TEST_UNSAFE_SERVER="1",
    )


def fill(url: str, place: Path, companies: int, batches: int, rows: int, pending: int) -> None:
    """Batches of every company, all cancelled but the last ``pending`` rows of its newest one."""
    from dataclasses import replace

    from pipeline.domain.lifecycle import Event, State
    from pipeline.domain.records import Finding, Source
    from pipeline.ledger.moves import Move
    from pipeline.ledger.scope import Scope, credential_mark
    from pipeline.ledger.storage.location import location_of
    from pipeline.ledger.store import Store
    from pipeline.ledger.views import Views
    from tests.bench.material import batch, checked
    from tests.bench.past import CANCELLED

    now = datetime.now(UTC)
    day = f"{now - timedelta(days=2):%Y%m%d}"
    asked = Finding(Source.CANCELLATION, Event.IN_PROGRESS, http=200, estado=5)
    database = location_of(url).open()
    for number in range(companies):
        scope = Scope(credential_mark("lab", f"u{number:03d}"), alone=False)
        store, views = Store(database, "lab", scope), Views(database, "lab", scope)
        store.begin_run(now)
        for turn in range(batches):
            name = f"2026{number:04d}-{turn:08x}"
            created = now - timedelta(days=1 + batches - turn)
            info = replace(
                batch(name, rows, place / "resultados", created), env="lab", sha256=f"{number:032x}{turn:032x}"
            )
            info = replace(info, issuers=(ruc(number),))
            store.intake(
                info,
                [replace(row, cufe=code(number, turn * rows + row.pos, day)) for row in checked(rows, 1 + turn * rows)],
            )
            ready = views.ready(name)
            store.apply([Move(r.attempt, 1, name, r.pos, State.READY, Event.CLAIMED, now) for r in ready])
            open_rows = ready[rows - pending :] if turn == batches - 1 else []
            done = ready[: rows - len(open_rows)]
            ends = [Move(r.attempt, 2, name, r.pos, State.SENDING, Event.CANCELLED, now, CANCELLED) for r in done]
            ends += [
                Move(r.attempt, 2, name, r.pos, State.SENDING, Event.IN_PROGRESS, now, asked, next_due=now)
                for r in open_rows
            ]
            store.apply(ends)
    database.close()


def drop(place: Path, companies: int, turn: int) -> None:
    """One small file for each company into its inbox."""
    day = f"{datetime.now(UTC) - timedelta(days=2):%Y%m%d}"
    for number in range(companies):
        rows = [f"{code(number, 900_000 + turn * 10 + n, day)},{REASON}" for n in range(3)]
        text = "\n".join(["CUFE,Motivo", *rows, ""])
        (place / "carpeta" / "inbox" / f"e{number:03d}" / f"lote-{turn}.csv").write_text(text, "utf-8")


@contextmanager
def database(address: str) -> Iterator[str]:
    """A new database on the server at ``address``, dropped at the end."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    name = f"anular_bench_{uuid.uuid4().hex[:12]}"
    engine = create_engine(make_url(address), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(address).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


def anular(*arguments: object) -> list[str]:
    return [str(ROOT / ".venv" / "bin" / "anular"), *map(str, arguments)]


def bench(scale: Scale) -> list[Figure]:
    address = os.environ.get("ANULAR_TEST_PG", "")
    if not address:
        return _on_a_server(scale)
    companies, figures = scale.of(COMPANIES, 3), []
    with tempfile.TemporaryDirectory(dir=build()) as folder, database(address) as url, server() as base:
        place = Path(folder)
        environment = configure(place, url, base, companies)
        fill(url, place, companies, BATCHES, ROWS, PENDING)
        run: Any = {"cwd": ROOT, "env": environment}
        watched = place / "carpeta"
        told = {
            "status": [command(anular("status"), **run) for _ in range(scale.of(5, 1))],
            "poll": [command(anular("poll", "--all"), codes=(0, 1, 4), **run)],
        }
        drop(place, companies, 0)
        told["watch"] = [command(anular("watch", watched, "--once", "--queue"), codes=(0, 4), **run)]
    names = {
        "status": "anular status",
        "poll": f"anular poll --all, {PENDING * companies} filas pendientes",
        "watch": f"anular watch --queue, una pasada con {companies} archivos",
    }
    for key, numbers in told.items():
        values = column({"anular": numbers}, "seconds")
        value = sorted(values["anular"])[len(numbers) // 2]
        goal = ("<=", GOALS[key]) if not scale.quick else None
        more = {"cpu": column({"anular": numbers}, "cpu")}
        case = f"{companies} empresas y {companies * BATCHES:,} lotes en un PostgreSQL: {names[key]}"
        figures.append(Figure("companies", case, "s", values, "segundos", round(value, 3), goal, more))
    return figures


def _on_a_server(scale: Scale) -> list[Figure]:
    """The figures, measured by a process that ``.ci/postgres`` gives a server."""
    told = json.dumps({"quick": scale.quick, "most": scale.most})
    order = [str(ROOT / ".ci" / "postgres"), sys.executable, "-m", "tests.bench.companies", told]
    done = subprocess.run(order, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return [Figure(**one) for one in json.loads(done.stdout.splitlines()[-1])]


__all__ = ["bench"]

if __name__ == "__main__":
    sys.stdout.write(json.dumps([asdict(one) for one in bench(Scale(**json.loads(sys.argv[1])))]) + "\n")
