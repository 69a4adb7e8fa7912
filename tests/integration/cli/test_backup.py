"""`anular backup --all`: what is wrong with one company costs no other one its copy, and is said with its name."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import backup
from pipeline.cli.main import run_command
from pipeline.ledger.storage.location import exclusive, open_ledger
from pipeline.office.place import place_of
from tests.support.warm import without_settings

NAMES = ("ana", "beto", "caro")


@dataclass
class Machine:
    """Three companies with a ledger each, an office database, and a folder for copies."""

    folder: Path
    own: dict[str, str] = field(default_factory=dict)

    @property
    def copies(self) -> list[str]:
        """What was copied: the names of the ledgers and of the office database, without time."""
        return sorted(path.name.partition("-")[0] for path in self.folder.glob("copias/*.db"))

    def ledger(self, name: str) -> Path:
        return self.folder / f"{name}.db"

    def write_settings(self) -> None:
        lines = [f'office = "sqlite:///{self.folder}/office.db"']
        for name in NAMES:
            ledger = f'ledger = "sqlite:///{self.ledger(name)}"'
            lines += [f"[profile.{name}]", self.own.get(name, ledger)]
        (self.folder / "anular.toml").write_text("\n".join(lines), "utf-8")

    def back_up(self, *options: str) -> int:
        self.write_settings()
        return run_command(["backup", str(self.folder / "copias"), "--all", *options])


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for name in set(os.environ) - set(without_settings()):
        monkeypatch.delenv(name)
    for name in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("ANULAR_CONFIG", str(tmp_path / "anular.toml"))
    made = Machine(tmp_path)
    for name in NAMES:
        open_ledger(f"sqlite:///{made.ledger(name)}").close()
    with closing(place_of(f"sqlite:///{tmp_path}/office.db").open(datetime(2026, 11, 20, tzinfo=UTC))):
        pass
    return made


def damaged(machine: Machine) -> None:
    machine.ledger("ana").write_bytes(b"no es una base de datos" * 500)


def with_wrong_settings(machine: Machine) -> None:
    machine.own["ana"] = "rate = -1"


def on_a_server_that_is_down(machine: Machine) -> None:
    machine.own["ana"] = 'ledger = "postgresql+psycopg://ana@127.0.0.1:1/anular"'


def with_a_ledger_that_cannot_be_looked_for(machine: Machine) -> None:
    machine.own["ana"] = f'ledger = "sqlite:///{machine.folder}/{"a" * 300}.db"'


TROUBLES = [
    (damaged, 5),
    (with_wrong_settings, 2),
    (on_a_server_that_is_down, 5),
    (with_a_ledger_that_cannot_be_looked_for, 5),
]


@pytest.mark.parametrize(("trouble", "code"), TROUBLES)
def test_the_other_companies_and_the_office_are_copied_and_the_trouble_is_said_with_its_company(
    trouble: Callable[[Machine], None], code: int, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    trouble(machine)
    assert machine.back_up("--json") == code
    said = capsys.readouterr()
    assert machine.copies == ["beto", "caro", "oficina"]
    assert [line.partition("]")[0] for line in said.err.splitlines() if line.startswith("✗")] == ["✗ [ana"]
    told = json.loads(said.out)
    assert [Path(one["ledger"]).stem for one in told["backups"]] == ["beto", "caro"]
    assert told["office"] is not None


def test_the_office_is_copied_where_no_ledger_can_be(machine: Machine) -> None:
    for name in NAMES:
        machine.ledger(name).write_bytes(b"no es una base de datos" * 500)
    assert machine.back_up() == 5
    assert machine.copies == ["oficina"]


def test_an_office_that_cannot_be_copied_is_said_after_all_ledgers_were(machine: Machine) -> None:
    (machine.folder / "office.db").write_bytes(b"no es una base de datos" * 500)
    assert machine.back_up() == 5
    assert machine.copies == ["ana", "beto", "caro"]


def test_a_bug_that_one_company_meets_does_not_stop_the_others(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    note = backup._note

    def broken(made: Any, settings: Any, now: datetime) -> list[str]:
        if settings.profile == "ana":
            raise ValueError("clave-secreta")
        return note(made, settings, now)

    monkeypatch.setattr(backup, "_note", broken)
    assert machine.back_up() == 5
    assert len(list(machine.folder.glob("copias/*.sello.txt"))) == 2
    said = capsys.readouterr().err
    assert ("[ana] Error interno" in said, "clave-secreta" in said) == (True, False)


@pytest.mark.parametrize(("trouble", "code"), TROUBLES)
def test_before_an_update_nothing_is_copied_when_one_cannot_be(
    trouble: Callable[[Machine], None], code: int, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    trouble(machine)
    assert machine.back_up("--idle") == code
    assert machine.copies == []
    assert "[ana]" in capsys.readouterr().err


def test_before_an_update_nothing_is_copied_when_the_last_one_is_in_use(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    with exclusive(f"sqlite:///{machine.ledger('caro')}"):
        assert machine.back_up("--idle") == 6
        assert machine.copies == []
        assert "[caro]" in capsys.readouterr().err
    assert machine.back_up("--idle") == 0


def test_a_folder_that_is_missing_is_said_once(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.write_settings()
    assert run_command(["backup", str(machine.folder / "no" / "hay"), "--all"]) == 2
    assert capsys.readouterr().err.count("No existe la carpeta") == 1


def test_where_no_settings_can_be_read_that_is_said_once(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ANULAR_RAET", "5")
    assert machine.back_up() == 2
    assert capsys.readouterr().err.count("ANULAR_RAET") == 1
