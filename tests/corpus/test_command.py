"""The bad files by the command itself: all that are refused end with 3, and nothing is sent or written down."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.eligibility import Rules
from tests.corpus import cells, containers, csv_rows, csv_structure, sheets
from tests.corpus.containers import outside
from tests.corpus.entry import Entry, Read, Refused
from tests.support.warm import LONGEST_S, Warm

THEMES = (csv_structure, csv_rows, containers, sheets)
REFUSED = [
    entry
    for module in THEMES
    for entry in module.theme.entries
    if isinstance(entry.expected, Refused) and not entry.options and len(entry.name) < 40
]
SHOWN = {1, 4, 6, 8, 12, 17, 24, 39, 40, 46, 47, 79, 83, 89, 97, 98, 101, 104, 107}
TABLES = [
    entry
    for module in (*THEMES, cells)
    for entry in module.theme.entries
    if isinstance(entry.expected, Read) and not entry.options and entry.rules == Rules() and entry.number in SHOWN
]
TOO_LARGE_FOR_EVERY_RUN = {51, 52, 69, 71}


def command(warm: Warm, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ANULAR_")}
    places = {
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "data"),
        "ANULAR_LEDGER": f"sqlite:///{folder / 'ledger' / 'registro.db'}",
        "ANULAR_SANDBOX_NOW": "2026-11-20T10:00:00-05:00",
        "ANULAR_OUT": str(folder / "out"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    with warm.start(arguments, folder=folder, env={**clean, **places}) as process:
        out, err = process.communicate(timeout=LONGEST_S)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def files(folder: Path, entries: list[Entry]) -> list[Path]:
    paths = [folder / entry.name for entry in entries]
    for path, entry in zip(paths, entries, strict=True):
        path.write_bytes(entry.make())
    return paths


@pytest.mark.long
def test_check_refuses_one_for_each_code_and_writes_no_workbook(warm: Warm, tmp_path: Path) -> None:
    by_code = {entry.expected.code: entry for entry in REFUSED if isinstance(entry.expected, Refused)}
    entries = [entry for entry in by_code.values() if entry.number not in TOO_LARGE_FOR_EVERY_RUN]
    assert len(entries) > 20
    done = command(warm, tmp_path, "check", "--json", *files(tmp_path, entries))
    assert done.returncode == 3
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    assert {Path(one["file"]).name: one["refused"]["code"] for one in answers} == {
        entry.name: entry.expected.code for entry in entries if isinstance(entry.expected, Refused)
    }
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_check_reads_the_others_as_the_tests_of_this_collection_do(warm: Warm, tmp_path: Path) -> None:
    """Those parse in their own process for speed; here each file has the reading process that the program gives it."""
    paths = files(tmp_path, TABLES)
    done = command(warm, tmp_path, "check", "--json", *paths)
    assert done.returncode == 1
    answers = {Path(one["file"]).name: one for one in json.loads(done.stdout)}
    for entry in TABLES:
        assert isinstance(entry.expected, Read)
        rows = entry.expected.rows if isinstance(entry.expected.rows, int) else len(entry.expected.rows)
        good = rows - len(entry.expected.problems) - len(entry.expected.mirrors)
        found = answers[entry.name]
        assert (found["rows"], found["accepted"], found["repaired"]) == (rows, good, len(entry.expected.repairs)), entry


def test_run_of_a_bad_file_beside_a_good_one_sends_nothing_at_all(warm: Warm, tmp_path: Path) -> None:
    good = tmp_path / "bueno.xlsx"
    good.write_bytes(containers.GOOD_BOOK)
    bad = files(tmp_path, [entry for entry in REFUSED if entry.name in ("quote_swallow.csv", "hidden_rows.xlsx")])
    assert len(bad) == 2
    done = command(warm, tmp_path, "run", "--yes", good, *bad)
    assert (done.returncode, done.stdout) == (3, "")
    assert all(path.name in done.stderr for path in bad)
    assert not (tmp_path / "ledger").exists()
    assert not (tmp_path / "out").exists()


def test_an_entity_that_names_a_file_opens_nothing(warm: Warm, tmp_path: Path) -> None:
    """The file is a pipe with a secret in it: whoever reads it takes the secret out."""
    pipe = tmp_path / "secreto"
    os.mkfifo(pipe)
    descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(descriptor, b"contenido")
        file = tmp_path / "xxe.xlsx"
        file.write_bytes(outside(pipe.as_uri()))
        done = command(warm, tmp_path, "check", "--json", file)
        assert (done.returncode, json.loads(done.stdout)[0]["refused"]["code"]) == (3, "xlsx-sospechoso")
        assert os.read(descriptor, 100) == b"contenido"
    finally:
        os.close(descriptor)


def test_an_entity_that_names_an_address_asks_for_nothing(warm: Warm, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        file = tmp_path / "xxe.xlsx"
        file.write_bytes(outside(f"http://127.0.0.1:{listener.getsockname()[1]}/x"))
        done = command(warm, tmp_path, "check", "--json", file)
        assert (done.returncode, json.loads(done.stdout)[0]["refused"]["code"]) == (3, "xlsx-sospechoso")
        with pytest.raises(BlockingIOError):
            listener.accept()
