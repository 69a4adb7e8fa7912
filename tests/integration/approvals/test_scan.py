"""An upload is looked at by the command of the office before it is kept (S22)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.approvals import scan
from pipeline.domain.errors import InputRefused, StorageTrouble

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture
def scanner(tmp_path: Path) -> str:
    program = tmp_path / "scanner.py"
    program.write_text("import sys; sys.exit(b'EICAR-STANDARD-ANTIVIRUS' in sys.stdin.buffer.read())", "utf-8")
    return f"'{sys.executable}' '{program}'"


def test_what_the_scanner_knows_is_refused(scanner: str):
    with pytest.raises(InputRefused, match="no lo aceptó"):
        scan.scan(scanner, b"CUFE,Motivo\n" + EICAR, "lote.csv")


def test_what_it_lets_pass_is_taken(scanner: str):
    scan.scan(scanner, b"CUFE,Motivo\n", "lote.csv")


def test_without_a_scanner_nothing_is_asked():
    scan.scan("", EICAR, "lote.csv")


def test_a_scanner_that_does_not_answer_lets_nothing_pass(monkeypatch):
    monkeypatch.setattr(scan, "PATIENCE_S", 0.1)
    with pytest.raises(InputRefused, match="a tiempo"):
        scan.scan(f"'{sys.executable}' -c 'import time; time.sleep(60)'", b"x", "lote.csv")


def test_a_scanner_that_is_not_there_lets_nothing_pass(tmp_path: Path):
    with pytest.raises(StorageTrouble):
        scan.scan(str(tmp_path / "gone"), b"x", "lote.csv")


def test_it_hears_no_password(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("ANULAR_PASSWORD", "secreta")
    program = tmp_path / "look.py"
    program.write_text("import os, sys; sys.exit('ANULAR_PASSWORD' in os.environ)", "utf-8")
    scan.scan(f"'{sys.executable}' '{program}'", b"x", "lote.csv")
