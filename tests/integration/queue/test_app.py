"""The queue needs a server; on a file everything stays with one run."""

from __future__ import annotations

import pytest

from pipeline.cli.main import run_command


@pytest.fixture
def a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("ANULAR_LEDGER", f"sqlite:///{tmp_path / 'ledger' / 'registro.db'}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "lote.csv"
    file.write_text("CUFE;Motivo\n", "utf-8")
    return file


def test_a_worker_on_a_ledger_in_a_file_is_told_that_it_needs_a_server(a_file, capsys):
    assert run_command(["worker", "--once"]) == 2
    assert "PostgreSQL" in capsys.readouterr().err


def test_a_batch_is_not_handed_in_on_a_ledger_in_a_file(a_file, tmp_path, capsys):
    assert run_command(["run", str(a_file), "--yes", "--queue"]) == 2
    assert "PostgreSQL" in capsys.readouterr().err
    assert not (tmp_path / "ledger").exists()


@pytest.mark.parametrize("option", [["--only", "2"], ["--no-poll"]])
def test_what_is_for_sending_here_is_refused_with_queue(a_file, option, capsys):
    assert run_command(["run", str(a_file), "--yes", "--queue", *option]) == 2
    assert "--queue" in capsys.readouterr().err
