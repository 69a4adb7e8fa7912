"""What the command line says when the program itself is wrong: kind and place, never values, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from pipeline.cli.main import run_command
from pipeline.domain.errors import Bug
from pipeline.settings import load

ROOT = Path(__file__).resolve().parents[3]
WITHOUT_POSTGRES = (
    "import sys; sys.modules.update(dict.fromkeys(['psycopg', 'psycopg_pool', 'procrastinate'])); "
    "from pipeline.cli.main import run_command; sys.exit(run_command(sys.argv[1:]))"
)


@pytest.mark.parametrize("error", [ValueError("clave-secreta"), KeyError("clave-secreta"), RuntimeError("x")])
def test_an_unexpected_error_is_one_sentence_without_values(monkeypatch, capsys, error):
    def broken(*_args):
        raise error

    monkeypatch.setattr(load, "load_settings", broken)

    assert run_command(["status"]) == 5
    shown = capsys.readouterr()
    assert type(error).__name__ in shown.err
    assert "clave-secreta" not in shown.err + shown.out
    assert "Traceback" not in shown.err


def test_a_bug_of_the_ledger_protocol_says_which(monkeypatch, capsys):
    def broken(*_args):
        raise Bug("no legal move from SENDING by accepted")

    monkeypatch.setattr(load, "load_settings", broken)

    assert run_command(["status"]) == 5
    assert "no legal move" in capsys.readouterr().err


@pytest.mark.parametrize("broken_off", [KeyboardInterrupt, EOFError, typer.Abort])
def test_ctrl_c_where_nothing_listens_for_it_is_130_and_says_so(monkeypatch, capsys, broken_off):
    def interrupted(*_args):
        raise broken_off

    monkeypatch.setattr(load, "load_settings", interrupted)

    assert run_command(["status"]) == 130
    assert "Interrumpido. Lo enviado quedó registrado" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["ANULAR_ISSUERS", "ANULAR_WATCH_ISSUERS", "ANULAR_MAIL_TO"])
@pytest.mark.parametrize("value", [",", " ", " , ,"])
def test_a_list_of_nothing_is_a_mistake_and_never_means_any(monkeypatch, capsys, name, value):
    monkeypatch.setenv(name, value)

    assert run_command(["status"]) == 2
    said = capsys.readouterr().err
    assert name in said
    assert "escríbalos separados por comas, o deje el ajuste vacío" in " ".join(said.split())


@pytest.mark.parametrize(
    "arguments", [["status"], ["status", "--json"], ["worker"], ["run", "lote.csv", "--queue", "--yes"]]
)
@pytest.mark.long
def test_without_the_extra_for_postgresql_the_message_says_how_to_install_it(arguments, tmp_path):
    settings = {"ANULAR_LEDGER": "postgresql+psycopg://ana@127.0.0.1:1/anular", "HOME": str(tmp_path)}
    command = [sys.executable, "-c", WITHOUT_POSTGRES, *arguments]
    ended = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False)

    assert ended.returncode == 2, ended.stderr
    assert "anular[postgres]" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.long
def test_a_file_of_this_machine_needs_nothing_of_postgresql(tmp_path):
    command = [
        sys.executable,
        "-c",
        WITHOUT_POSTGRES,
        "check",
        str(ROOT / "sample_data" / "lote_mensual.xlsx"),
        "--json",
    ]
    settings = {"HOME": str(tmp_path), "ANULAR_OUT": str(tmp_path)}
    ended = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False)

    assert ended.returncode == 1, ended.stderr
    assert json.loads(ended.stdout)[0]["rows"] == 120


@pytest.mark.parametrize(
    ("asked", "same"),
    [(["help"], ["--help"]), (["help", "check"], ["check", "--help"]), (["help", "help"], ["--help"])],
    ids=" ".join,
)
def test_help_prints_the_help_of_the_program_or_of_a_command(capsys, asked, same):
    assert run_command(same) == 0
    wanted = capsys.readouterr().out
    assert run_command(asked) == 0
    assert capsys.readouterr().out == wanted
    assert wanted.startswith("Uso: anular")


def test_help_about_a_command_that_does_not_exist_says_so(capsys):
    assert run_command(["help", "chekc"]) == 2
    assert "No existe el comando «chekc». ¿Quiso decir check?" in capsys.readouterr().err
