"""A ledger on a server: what it demands of the server, and what it says when something is wrong (P4, P12, P17)."""

from __future__ import annotations

import re
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url

from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.payload import payload_sha256
from pipeline.domain.records import Finding, Source
from pipeline.ledger import reserve_journal, tables, verify
from pipeline.ledger.ledger_events import settle_down, sited, start_anew
from pipeline.ledger.moves import Move
from pipeline.ledger.storage import postgres_session
from pipeline.ledger.storage.location import location_of, open_as_it_is, open_ledger, shown
from pipeline.ledger.storage.postgres_location import PostgresLocation
from pipeline.ledger.storage.postgres_session import UNSAFE
from pipeline.ledger.store import Store
from pipeline.queue.app import connected
from pipeline.queue.health import health
from tests.support import ledgers

pytestmark = pytest.mark.postgres

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
SECRET = "contraseña-muy-secreta"


def name_of(url):
    return make_url(url).database


@contextmanager
def role(url, *rights):
    """A user of this server with a password, and the address by which it comes over TCP."""
    name = f"{name_of(url)}_rol"
    ledgers.change(url, f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'", *(right.format(name) for right in rights))
    server = make_url(ledgers.address(name_of(url)))
    tcp = server.set(username=name, password=SECRET, host="127.0.0.1", port=int(str(server.query["port"])), query={})
    try:
        yield tcp
    finally:
        ledgers.change(url, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def refused(url):
    with pytest.raises(StorageTrouble) as trouble:
        open_ledger(url).close()
    assert SECRET not in trouble.value.sentence
    assert trouble.value.exit_code == 5
    return trouble.value


def plain(url):
    return url.render_as_string(hide_password=False)


ALL = ("GRANT ALL ON SCHEMA public TO {}", "GRANT ALL ON ALL TABLES IN SCHEMA public TO {}", "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {}")  # fmt: skip  # noqa: E501


# --- the address


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://ana:{}@servidor:puerto/base",
        "postgresql+psycopg://ana:{}@servidor",
        "postgresql+asyncpg://ana:{}@servidor/base",
        "postgresql://ana:{}@[::1/base",
    ],
)
def test_an_address_that_cannot_be_one_is_wrong_usage_and_is_not_repeated(url):
    with pytest.raises(WrongUsage) as refusal:
        location_of(url.format(SECRET))

    assert (refusal.value.exit_code, refusal.value.code) == (2, "ledger-url")
    assert SECRET not in refusal.value.sentence
    assert SECRET not in shown(url.format(SECRET))


def test_a_place_is_told_without_password_and_options():
    told = shown(f"postgresql+psycopg://ana:{SECRET}@servidor:5433/base?password={SECRET}&sslmode=require")

    assert told == "postgresql://ana@servidor:5433/base"


# --- what the server and the way to it may say


def test_a_ledger_works_over_tcp_with_a_password(ledger_url):
    with role(ledger_url, *ALL) as url:
        open_ledger(plain(url)).close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "otra"}, "no aceptó el usuario o la contraseña"),
        ({"password": None}, "no aceptó el usuario o la contraseña"),
        ({"username": "nadie"}, "no aceptó el usuario o la contraseña"),
        ({"database": "no_hay"}, "la base de datos no existe"),
        ({"port": 1}, "no responde en esa dirección"),
        ({"host": "no-existe.invalid"}, "no se encontró el servidor"),
        ({"query": {"sslmode": "nunca"}}, "una opción que no existe"),
        ({"query": {"sslmode": "verify-full"}}, "conexión cifrada|certificado"),
    ],
)
def test_whatever_keeps_the_server_from_answering_is_one_sentence_with_what_to_do(ledger_url, change, words):
    with role(ledger_url, *ALL) as url:
        trouble = refused(plain(url.set(**change) if change != {"password": None} else url.set(password="")))

    assert re.search(words, trouble.message), trouble.message
    assert trouble.remedy


def test_missing_rights_are_one_sentence_and_a_place_where_they_are_listed(ledger_url):
    with role(ledger_url) as url:
        trouble = refused(plain(url))

    assert "no tiene los derechos" in trouble.message
    assert "postgresql.md" in trouble.remedy


def test_another_programs_database_is_not_touched(ledger_url):
    ledgers.change(ledger_url, "DROP TABLE alembic_version")

    assert refused(ledger_url).code == "ledger-version"
    with pytest.raises(StorageTrouble):
        open_as_it_is(ledger_url)


def test_the_tables_of_the_job_queue_may_lie_beside_those_of_the_ledger(tmp_path):
    with ledgers.fresh(tmp_path, tables=False) as url:
        ledgers.change(url, "CREATE TABLE procrastinate_jobs (id bigint)")
        assert not location_of(url).exists()
        open_ledger(url).close()
        assert location_of(url).exists()


def test_what_the_page_about_postgresql_says_to_type_is_enough(ledger_url, row):
    """The statements of docs/despliegue/postgresql.md, word by word but for the names, then both users at work: the
    tables are made by the first command, after everything on the page."""
    page = (Path(__file__).parents[4] / "docs" / "despliegue" / "postgresql.md").read_text("utf-8")
    owner, reader = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    name = f"{name_of(ledger_url)}_doc"
    told = [block.replace("anular", name).replace("auditoria", f"{name}_a") for block in (owner, reader)]
    server = make_url(ledgers.address("postgres"))
    tcp = server.set(host="127.0.0.1", port=int(str(server.query["port"])), database=name, query={})
    try:
        for statement in _statements(told[0]):
            ledgers.tell_server(statement)
        for statement in _statements(told[1]):
            ledgers.tell_server(statement, database=name)
        working = plain(tcp.set(username=name, password="una-contraseña-larga"))
        auditing = plain(tcp.set(username=f"{name}_a", password="otra-contraseña"))
        open_ledger(working).close()
        with connected(working):
            pass  # the tables of the queue
        looking = open_as_it_is(auditing)
        assert verify.examine(looking).good
        assert health(auditing, 60).workers == []
        with pytest.raises(StorageTrouble, match="no tiene los derechos"):
            Store(looking, "sandbox").begin_run(NOW)
        looking.close()
    finally:
        ledgers.tell_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        ledgers.tell_server(f"DROP ROLE IF EXISTS {name}_a")
        ledgers.tell_server(f"DROP ROLE IF EXISTS {name}")


def _statements(block):
    return [one.strip() for one in re.sub(r"^\\c .*$", "", block, flags=re.MULTILINE).split(";") if one.strip()]


# --- what it demands of the server


@pytest.mark.parametrize("was", ["off", "local", "remote_write"])
def test_a_commit_waits_for_the_disk_whatever_the_server_is_told(ledger_url, was):
    ledgers.change(ledger_url, f"ALTER DATABASE {name_of(ledger_url)} SET synchronous_commit = {was}")
    database = open_ledger(ledger_url)
    with database.write() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
    database.close()
    ledgers.change(ledger_url, f"ALTER DATABASE {name_of(ledger_url)} RESET synchronous_commit")


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("fsync", "off", "corte de luz"),
        ("full_page_writes", "off", "corte de luz"),
        ("server_encoding", "LATIN1", "LATIN1"),
        ("synchronous_commit", "off", "synchronous_commit"),
    ],
)
def test_a_server_that_would_lose_what_it_acknowledged_is_refused(ledger_url, monkeypatch, setting, value, words):
    """A server that says so of itself: its own words about one setting are replaced."""
    told = f"CASE $1 WHEN '{setting}' THEN '{value}' ELSE pg_catalog.current_setting($1) END"
    ledgers.change(
        ledger_url,
        f"CREATE FUNCTION public.current_setting(text) RETURNS text LANGUAGE sql AS $f$ SELECT {told} $f$",
        f"ALTER DATABASE {name_of(ledger_url)} SET search_path = public, pg_catalog",
    )

    trouble = refused(ledger_url)
    assert trouble.code == "ledger-server"
    assert words in trouble.message
    monkeypatch.setenv(UNSAFE, "1")
    if "corte de luz" in words:
        open_ledger(ledger_url).close()  # a test may use such a server, and says so
    else:
        refused(ledger_url)
    ledgers.change(ledger_url, f"ALTER DATABASE {name_of(ledger_url)} RESET search_path")


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("DROP TRIGGER event_no_truncate ON event", "event_no_truncate"),
        ("ALTER TABLE event DISABLE TRIGGER event_no_update", "event_no_update"),
        ("CREATE OR REPLACE FUNCTION event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$", "event_no_update"),  # noqa: E501
        ("DROP INDEX one_batch_per_file", "one_batch_per_file"),
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'one_live'::regclass", "one_live"),
        ("ALTER TABLE event SET UNLOGGED", "no sobrevive"),
    ],
)  # fmt: skip
def test_rules_that_were_dropped_or_switched_off_are_missed(book, statement, word):
    ledgers.change(book.url, statement)

    with pytest.raises(StorageTrouble, match=word):
        verify.look_over(book.database)


@pytest.mark.parametrize("verb", ["TRUNCATE event", "TRUNCATE event CASCADE"])
def test_events_cannot_be_emptied_away(book, row, verb):
    book.take([row(1)])

    with pytest.raises(StorageTrouble), book.database.write() as connection:
        connection.execute(text(verb))


# --- a connection that breaks


def kill_sessions(url):
    ledgers.change(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


def test_a_connection_that_broke_is_one_sentence_and_nothing_of_it_happened(book, row):
    info = book.take([row(1)])
    kill_sessions(book.url)

    with pytest.raises(StorageTrouble, match=r"se está apagando|se perdió la conexión"):
        book.store.begin_run(book.now)
    assert [line.state for line in book.views.lines(info)] == [State.READY], "and the next one has a new connection"


@pytest.mark.parametrize("arrived", [True, False])
def test_a_commit_whose_answer_was_lost_is_unknown_and_what_was_learnt_is_kept(book, row, monkeypatch, arrived):
    info = book.take([row(1)])
    (ready,) = book.views.ready(info.id)
    version = book.claim(ready).version
    found = Finding(Source.CANCELLATION, Event.CANCELLED, http=200, estado=2)
    payload = payload_sha256(ready.cufe, ready.reason, ready.email)
    wish = Move(ready.attempt, version, info.id, 1, State.SENDING, Event.CANCELLED, book.now, found, payload=payload)
    real = psycopg.Connection.commit

    def lost(connection):
        if arrived:
            real(connection)
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "commit", lost)
        with pytest.raises(StorageTrouble, match="se perdió la conexión"):
            book.store.apply([wish])
    book.store.keep_aside([wish])
    (before,) = book.views.lines(info)
    assert before.state is (State.CANCELLED if arrived else State.SENDING)

    again = Store(book.database, "sandbox")
    again.begin_run(book.now)
    assert again.recover(book.now) == 0
    (line,) = book.views.lines(info)
    assert (line.state, line.note) == (State.CANCELLED, "" if arrived else "reserve")
    assert verify.examine(book.database).good


def test_the_reserve_journal_lies_with_the_user_by_the_name_of_the_ledger_and_is_private(book, tmp_path):
    place = book.database.reserve("abc")
    ident = ledgers.lines(book.url, "SELECT id FROM ledger")[0]["id"]

    assert place == tmp_path / "data" / "anular" / "reserva" / f"{ident}-abc.reserve.jsonl"
    assert place.parent.stat().st_mode & 0o777 == 0o700
    assert reserve_journal.read(place) == ([], 0)


# --- reading beside those who write


def test_the_reads_of_a_moment_see_one_state_while_others_commit(book, row):
    info = book.take([row(1)])
    other = open_ledger(book.url)
    with book.database.moment() as moment:
        before = moment.read(select(func.count()).select_from(tables.event))
        Store(other, "sandbox").begin_run(book.now)
        writer = Store(other, "sandbox")
        writer.begin_run(book.now)
        writer.apply([Move(1, 1, info.id, 1, State.READY, Event.CLAIMED, book.now)])
        assert moment.read(select(func.count()).select_from(tables.event)) == before
    other.close()
    assert book.database.read(select(func.count()).select_from(tables.event))[0][0] == before[0][0] + 1


def test_an_examination_sees_one_moment_while_others_write(book, row, monkeypatch):
    info = book.take([row(1), row(2)])
    other = open_ledger(book.url)
    writer = Store(other, "sandbox")
    writer.begin_run(book.now)
    real = verify._rows

    def meanwhile(database, found):
        (first, _) = type(book.views)(other, "sandbox").ready(info.id)
        writer.apply([Move(first.attempt, 1, info.id, 1, State.READY, Event.CLAIMED, book.now)])
        real(database, found)

    monkeypatch.setattr(verify, "_rows", meanwhile)
    examination = verify.examine(book.database)
    other.close()

    assert (examination.faults, examination.events) == ([], 2)


def test_an_examination_within_a_moment_is_of_that_moment(book, row):
    other = open_ledger(book.url)
    writer = Store(other, "sandbox")
    with book.database.still():
        assert verify.examine(book.database).events == 0
        writer.begin_run(book.now)
        replace(book, store=writer).take([row(1)])
        assert verify.examine(book.database).events == 0
    other.close()
    assert verify.examine(book.database).events == 1


def test_two_connections_that_get_one_session_are_a_pooler_and_refused(ledger_url, monkeypatch):
    site = PostgresLocation(ledger_url)
    open_ledger(ledger_url).close()
    first: list[Any] = []

    @contextmanager
    def handed_around(self):
        """As pgbouncer in transaction mode: whoever connects may get the session of another."""
        with nullcontext(first[0]) if first else real(self) as connection:
            first.append(connection)
            yield connection

    real = PostgresLocation._session
    monkeypatch.setattr(PostgresLocation, "_session", handed_around)

    with pytest.raises(StorageTrouble, match="no mantiene los bloqueos"), site.working("lab", "ana"):
        pass
    monkeypatch.undo()
    with site.working("lab", "ana"):
        pass


def test_another_database_is_another_place_for_every_machine(ledger_url, tmp_path):
    here = open_ledger(ledger_url)
    settle_down(here, NOW, who="ana")

    assert sited(here) == here.server
    with ledgers.fresh(tmp_path, tables=True) as url:
        other = open_ledger(url)
        assert other.server != here.server
        assert other.server.split("/")[:2] == here.server.split("/")[:2], "the same server, on the same timeline"
        other.close()
    start_anew(here, NOW, who="ana", why="se restauró", server="another")
    assert sited(here) == "another"
    here.close()


@pytest.mark.parametrize("rows", [1, 3])
def test_a_transaction_that_stands_idle_is_ended_by_the_server_also_after_many_rows_at_once(
    ledger_url, monkeypatch, rows
):
    """The driver writes several rows in a pipeline, after which a server stops counting."""
    monkeypatch.setitem(postgres_session._SESSION, "idle_in_transaction_session_timeout", "200ms")
    with pytest.raises(StorageTrouble, match="cerró la conexión por inactiva"):
        stand_idle(ledger_url, [{"started_utc": "", "who": "ana", "host": "aquí"}] * rows)
    assert ledgers.lines(ledger_url, "SELECT * FROM run") == []


def stand_idle(url, values):
    with open_ledger(url).write() as connection:
        connection.execute(text("INSERT INTO run (started_utc, who, host) VALUES (:started_utc, :who, :host)"), values)
        ledgers.lines(url, "SELECT pg_sleep(1)")
        connection.execute(text("SELECT 1"))
