"""Opening the ledger: private, current, owned by one; every trouble is one sentence (reliability.md R8, P17, D10)."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from pipeline.domain.errors import AnotherRun, StorageTrouble, WrongUsage
from pipeline.ledger import tables
from pipeline.ledger.storage import schema
from pipeline.ledger.storage.driver import has_wal
from pipeline.ledger.storage.location import exclusive, open_ledger
from pipeline.ledger.storage.sqlite import sqlite_path
from pipeline.ledger.tables import metadata
from tests.support import ledgers, once


def pragma(database, name):
    with database.write() as connection:
        return connection.execute(text(f"PRAGMA {name}")).scalar()


@pytest.mark.sqlite
def test_the_file_and_its_folder_are_private(book):
    path = sqlite_path(book.url)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.sqlite
def test_nothing_acknowledged_may_be_lost_in_a_power_cut(book):
    assert pragma(book.database, "journal_mode") == ("wal" if has_wal() else "delete")
    assert pragma(book.database, "synchronous") == 3, "EXTRA: FULL lost commits in the power-cut model"
    assert pragma(book.database, "foreign_keys") == 1


@pytest.mark.filterwarnings("ignore:.*expression-based index:Warning")
def test_the_migrated_schema_is_the_one_of_the_tables(book):
    engine = create_engine(book.url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


@pytest.mark.sqlite
def test_what_the_tests_write_into_a_new_file_at_once_is_what_the_steps_write(tmp_path):
    def made(name, upgrade):
        url = f"sqlite:///{tmp_path / name}"
        engine = ledgers.past_the_program(url)
        with engine.begin() as connection:
            upgrade(connection)
        engine.dispose()
        names = ledgers.tables(url) - {"ledger"}
        (ledger,) = ledgers.lines(url, "SELECT * FROM ledger")
        held = {table: ledgers.lines(url, f"SELECT * FROM {table}") for table in sorted(names)}
        return (
            ledgers.lines(url, "SELECT sql FROM sqlite_master ORDER BY rowid"),
            held,
            ledger | {"id": len(ledger["id"])},
        )

    at_once = once.remembering(schema.upgrade)
    assert made("a.db", schema.upgrade) == made("b.db", at_once) == made("c.db", at_once)


def test_opening_again_keeps_everything(book, row):
    info = book.take([row(1)])
    book.database.close()
    again = open_ledger(book.url)
    try:
        assert type(book.views)(again, "sandbox").find(info.sha256, "Hoja1").id == info.id
    finally:
        again.close()


@pytest.mark.parametrize("verb", ["UPDATE event SET note='x'", "DELETE FROM event"])
def test_events_can_be_neither_changed_nor_removed(book, row, verb):
    book.take([row(1)])

    with pytest.raises(StorageTrouble), book.database.write() as connection:
        connection.execute(text(verb))


@pytest.mark.sqlite  # on a server every reading of the ledger shows one moment, and each run has a credential
def test_a_second_owner_is_told_at_once(book):
    with exclusive(book.url), pytest.raises(AnotherRun) as refusal, exclusive(book.url):
        pass

    assert refusal.value.exit_code == 6
    assert "Otra ejecución" in refusal.value.sentence


def test_the_lock_of_a_process_that_was_killed_is_free_again(book):
    code = (
        "import os, signal\nfrom pipeline.ledger.storage.location import exclusive\n"
        f"with exclusive({book.url!r}):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=False)

    with exclusive(book.url):
        pass


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///:memory:", "mysql://x/y", "no es una dirección"])
def test_only_a_sqlite_file_can_be_a_ledger(url):
    with pytest.raises(WrongUsage):
        sqlite_path(url)


def test_a_relative_address_is_refused_with_the_absolute_one_which_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(WrongUsage, match="es relativa") as refused:
        sqlite_path("sqlite:///datos/registro.db")

    remedy = f"sqlite:///{tmp_path}/datos/registro.db"
    assert (refused.value.code, remedy in refused.value.sentence) == ("ledger-relative", True)
    assert sqlite_path(remedy) == tmp_path / "datos" / "registro.db"


def test_a_tilde_is_the_home_folder_wherever_the_command_is_given(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))

    assert sqlite_path("sqlite:///~/registro.db") == tmp_path / "registro.db"


@pytest.mark.parametrize("content", [b"esto no es una base de datos, es texto " * 200, b"\0" * 4096])
def test_a_file_that_is_no_ledger_is_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "otra.db"
    path.write_bytes(content)

    with pytest.raises(StorageTrouble) as refusal:
        open_ledger(f"sqlite:///{path}").close()

    assert "historial de envíos" in refusal.value.sentence
    assert path.read_bytes() == content


def test_another_programs_database_is_not_touched(tmp_path):
    path = tmp_path / "otra.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE clientes (id INTEGER)"))
    engine.dispose()

    with pytest.raises(StorageTrouble) as refusal:
        open_ledger(f"sqlite:///{path}")

    assert refusal.value.code == "ledger-version"


def test_a_ledger_of_a_newer_program_is_not_touched(book):
    with book.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num='9999'"))
    book.database.close()

    with pytest.raises(StorageTrouble) as refusal:
        open_ledger(book.url)

    assert "más nueva" in refusal.value.sentence


def test_a_folder_in_the_place_of_the_ledger_is_one_sentence(tmp_path):
    with pytest.raises(StorageTrouble) as refusal:
        open_ledger(f"sqlite:///{tmp_path}")

    assert str(tmp_path) in refusal.value.sentence


def test_a_path_through_a_file_is_one_sentence(tmp_path):
    (tmp_path / "archivo").write_text("x")

    with pytest.raises(StorageTrouble):
        open_ledger(f"sqlite:///{tmp_path / 'archivo' / 'sub' / 'r.db'}")


@pytest.mark.filterwarnings("ignore:.*expression-based index:Warning")
def test_a_ledger_of_the_first_version_is_brought_up_to_date_with_everything_in_it(tmp_path):
    path = tmp_path / "registro.db"
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(Path(tables.__file__).parent / "storage" / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO run VALUES (7, '2026-11-20T15:00:00.000000Z', 'ana', 'equipo')"))
    engine.dispose()
    path.chmod(0o600)

    database = open_ledger(f"sqlite:///{path}")
    try:
        with database.write() as connection:
            assert connection.execute(text("SELECT who FROM run")).scalar() == "ana"
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    finally:
        database.close()


@pytest.mark.sqlite
def test_only_a_missing_file_is_a_new_ledger(book):
    book.database.close()
    path = sqlite_path(book.url)
    path.write_bytes(b"")

    with pytest.raises(StorageTrouble) as refusal:
        open_ledger(book.url)

    assert (refusal.value.code, path.read_bytes()) == ("ledger-empty", b"")


@pytest.mark.sqlite
def test_an_emptied_ledger_is_replaced_only_with_what_a_person_said_of_it_already_inside(book):
    book.database.close()
    sqlite_path(book.url).write_bytes(b"")
    said: list[bool] = []

    def anew(database):
        said.append(sqlite_path(book.url).stat().st_size == 0)
        with database.write() as connection:
            connection.execute(text("INSERT INTO run (id, started_utc, who, host) VALUES (9, '', 'ana', '')"))

    database = open_ledger(book.url, anew=anew)
    with database.write() as connection:
        assert connection.execute(text("SELECT id FROM run")).scalar() == 9
    database.close()
    assert said == [True]
    open_ledger(book.url, anew=lambda _: said.append(False)).close()
    assert said == [True], "one that is there is not begun anew"


def test_what_a_killed_start_left_behind_is_no_ledger_and_in_nobodys_way(tmp_path):
    for name in ("registro.db.nuevo", "registro.db.nuevo-journal"):
        (tmp_path / name).write_bytes(b"half of it")

    open_ledger(f"sqlite:///{tmp_path / 'registro.db'}").close()

    assert [path.name for path in tmp_path.iterdir()] == ["registro.db"]


@pytest.mark.sqlite
@pytest.mark.usefixtures("without_wal")
def test_the_journal_of_a_lost_ledger_is_not_rolled_back_into_a_new_one(book, row):
    """A hot journal beside a new database would bring back pages of the old one."""
    path = sqlite_path(book.url)
    with book.database.write() as connection:
        connection.execute(text("INSERT INTO run (id, started_utc, who, host) VALUES (99, '', 'ana', '')"))
        connection.execute(text("PRAGMA cache_spill=1"))
        hot = path.with_name(f"{path.name}-journal").read_bytes()
    book.database.close()
    path.unlink()
    path.with_name(f"{path.name}-journal").write_bytes(hot)

    open_ledger(book.url).close()
    database = open_ledger(book.url)
    with database.write() as connection:
        assert connection.execute(text("SELECT count(*) FROM run")).scalar() == 0
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    database.close()
    assert path.with_name(f"{path.name}-journal.1").read_bytes() == hot, "evidence stays"
