"""A process that the program starts is the program, wherever the person works, and opens no window."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from pipeline.runtime.own_process import own_module, own_program, own_sample, with_our_code
from tests.support.warm import ROOT


def test_a_folder_of_the_same_name_where_the_person_works_is_not_run(tmp_path):
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "__init__.py").write_text("raise SystemExit('another program')")
    done = subprocess.run(
        own_module("pipeline", "--version"), cwd=tmp_path, env=with_our_code(os.environ), capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "anular" in done.stdout


@pytest.mark.parametrize("before", [None, "/somewhere"])
def test_what_leads_to_other_code_comes_after_our_own(before):
    environment = {} if before is None else {"PYTHONPATH": before}
    found = with_our_code(environment)["PYTHONPATH"].split(os.pathsep)
    assert found == [str(ROOT), *([] if before is None else [before])]


def test_nothing_starts_the_interpreter_by_another_way():
    found = [
        f"{path.name}: {line.strip()}"
        for path in sorted((ROOT / "pipeline").rglob("*.py"))
        for line in path.read_text("utf-8").splitlines()
        if "sys.executable" in line and path.name != "own_process.py" and "own_module(" not in line
    ]
    assert found == []


def test_every_process_that_windows_knows_is_started_without_a_window():
    """``worker`` refuses Windows, and what macOS is asked is not asked there."""
    starts = re.compile(r"subprocess\.Popen\((?:[^()]|\([^()]*\))*\)", re.DOTALL)
    texts = [path.read_text("utf-8") for path in (ROOT / "pipeline").rglob("*.py")]
    found = [start for text in texts for start in starts.findall(text)]
    assert len(found) >= 2
    assert all("creationflags=NO_WINDOW" in start for start in found)


@pytest.mark.parametrize("there", [True, False])
def test_a_command_of_an_installed_package_is_that_of_the_version_in_use(tmp_path, there):
    scripts = tmp_path / "v" / "0.1.0" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "anular").touch()
    if there:
        (tmp_path / "anular.sh").touch()
    wanted = tmp_path / "anular.sh" if there else scripts / "anular"
    assert own_program(scripts / "python") == [str(wanted)]


def test_a_command_of_a_plain_environment_is_its_own_script_or_its_interpreter(tmp_path):
    assert own_program(tmp_path / "python") == own_module("pipeline")
    (tmp_path / "anular").touch()
    assert own_program(tmp_path / "python") == [str(tmp_path / "anular")]


def test_the_sample_of_the_source_tree_is_found():
    assert own_sample() == ROOT / "sample_data" / "lote_mensual.xlsx"
