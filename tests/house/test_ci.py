"""The helpers of `make check` and `make coverage`: what they let pass, and what they do not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import needs
from tests.support.scripts import CI, loaded

ROOT = Path(__file__).resolve().parents[2]


audit = loaded(CI / "audit.py")
branches = loaded(CI / "branches.py")


def report(*packages: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": list(packages), "fixes": []}


CLEAN = {"name": "good", "version": "1.0", "vulns": []}
UNKNOWN = {"name": "strange", "skip_reason": "not found"}
BAD = {"name": "bad", "version": "2.0", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}]}


def test_packages_without_known_vulnerabilities_pass() -> None:
    assert audit.judge(report(CLEAN)) == (0, ["no known vulnerability in 1 packages of requirements-dev.txt"])


def test_a_known_vulnerability_fails_and_names_the_version_that_mends_it() -> None:
    assert audit.judge(report(CLEAN, UNKNOWN, BAD)) == (1, ["VULNERABLE bad 2.0: CVE-1, mended in 2.1"])


def test_a_service_that_knows_no_package_at_all_is_no_pass() -> None:
    assert audit.judge(report(UNKNOWN)) == (2, [])


def test_a_package_that_was_not_looked_up_is_said_by_name() -> None:
    code, lines = audit.judge(report(CLEAN, UNKNOWN))
    assert code == 0
    assert lines[-1] == "NOT CHECKED: 1 packages the advisory service does not know: strange"


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, list[str]]]:
    """Answers of the advisory services, in the order they are asked."""
    answers: list[tuple[int, list[str]]] = []
    monkeypatch.setattr(audit, "ask", lambda _service: answers.pop(0))
    return answers


def test_services_that_cannot_be_reached_are_said_in_one_line(
    silent: list[tuple[int, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    silent += [(2, []), (2, [])]
    assert audit.main() == 0
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert said.startswith("!!! NOT CHECKED: known vulnerabilities of requirements-dev.txt; no advisory service is")


def test_the_second_service_is_asked_when_the_first_does_not_answer(
    silent: list[tuple[int, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    silent += [(2, []), (1, ["VULNERABLE bad"])]
    assert audit.main() == 1
    assert "VULNERABLE bad" in capsys.readouterr().out


def test_an_audit_that_breaks_for_another_reason_fails(silent: list[tuple[int, list[str]]]) -> None:
    silent += [(3, ["pip-audit failed: no such option"])]
    assert audit.main() == 1


def measured(covered: int, there: int) -> dict[str, Any]:
    return {"summary": {"covered_branches": covered, "num_branches": there}}


def test_the_branches_of_a_package_are_those_of_all_its_files() -> None:
    files = {"pipeline/domain/cufe.py": measured(9, 10), "pipeline/domain/edoc_states.py": measured(10, 10)}
    assert branches.branches_of("pipeline/domain", files) == (19, 20)


def test_a_package_can_be_judged_without_what_only_a_server_shows() -> None:
    files = {"pipeline/ledger/store.py": measured(9, 10), "pipeline/ledger/storage/postgres.py": measured(0, 10)}
    assert branches.branches_of("pipeline/ledger-storage/postgres", files) == (9, 10)
    assert branches.branches_of("pipeline/ledger", files) == (9, 20)


def test_a_module_is_found_by_its_file_and_not_by_its_prefix() -> None:
    files = {"pipeline/poll.py": measured(3, 4), "pipeline/polling.py": measured(0, 9)}
    assert branches.branches_of("pipeline/poll", files) == (3, 4)


@pytest.mark.parametrize(("covered", "good"), [(95, True), (94, False)])
def test_a_part_below_its_share_fails(covered: int, good: bool) -> None:
    assert branches.judge(95, ["pipeline/poll"], {"pipeline/poll.py": measured(covered, 100)})[0] is good


def test_a_part_that_was_not_measured_fails() -> None:
    good, lines = branches.judge(95, ["pipeline/ledger"], {"pipeline/poll.py": measured(1, 1)})
    assert not good
    assert "no branches were measured" in lines[0]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A PATH on which there is bash and what a script cannot do without."""
    for name in ("bash", "id", "dirname", "ls", "sort", "sed"):
        program = shutil.which(name)
        assert program is not None
        (tmp_path / name).symlink_to(program)
    return tmp_path


def ci(script: str, *words: str, path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / ".ci" / script), *words]
    return subprocess.run(command, env={"PATH": str(path), **variables}, check=False, capture_output=True, text=True)


def test_a_missing_office_is_named_with_the_way_to_install_it(bare: Path) -> None:
    answer = ci("deps", "--check", path=bare)
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "apt-get install libreoffice-calc" in answer.stderr


def test_a_missing_office_does_not_stop_the_tests(bare: Path) -> None:
    assert ci("deps", path=bare).returncode == 0


def test_pictures_are_not_made_without_what_makes_them(bare: Path) -> None:
    (bare / "soffice").symlink_to("bash")
    answer = ci("deps", "--pictures", path=bare)
    assert answer.returncode == 1
    assert "poppler-utils" in answer.stderr


@pytest.fixture
def no_server(bare: Path) -> Path:
    """``.ci/postgres`` where none of the places that it knows has a server."""
    script = bare / "postgres"
    text = (ROOT / ".ci" / "postgres").read_text(encoding="utf-8")
    script.write_text(re.sub(r"(?<=ls -d )/usr/lib[^\n]*\n[^\n]*(?= 2>)", "/nowhere", text), encoding="utf-8")
    assert "/nowhere 2>" in script.read_text(encoding="utf-8")
    script.chmod(0o755)
    return bare


def without_a_server(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [str(folder / "postgres"), *words, "id"]
    return subprocess.run(
        command, env={"PATH": str(folder), **variables}, check=False, capture_output=True, text=True, timeout=120
    )


def test_tests_on_a_server_that_cannot_be_had_are_skipped_with_one_line(no_server: Path) -> None:
    answer = without_a_server(no_server, "--or-skip")
    assert (answer.returncode, answer.stdout) == (0, "")
    assert answer.stderr.count("\n") == 1
    assert answer.stderr.startswith("!!! NOT TESTED: the tests on a server")
    assert "apt-get install postgresql" in answer.stderr


def test_what_only_a_server_can_do_fails_without_one(no_server: Path) -> None:
    for words, variables in ((["--or-skip"], {"CI": "true"}), ([], {})):
        answer = without_a_server(no_server, *words, **variables)
        assert answer.returncode == 1
        assert "apt-get install postgresql" in answer.stderr


def test_what_is_missing_skips_a_test_and_fails_it_on_a_server_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception):
        needs.missing("an oven: buy one")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="an oven: buy one"):
        needs.missing("an oven: buy one")


def test_the_last_line_of_a_report_says_what_was_not_tested_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_unconfigure\n")
    without = "import pytest\nfrom tests.support import needs\n@pytest.mark.parametrize('n', range(2))\n"
    (tmp_path / "test_it.py").write_text(f"{without}def test_it(n): needs.missing('an oven: buy one')\n")
    plain = ["-p", "no:cacheprovider", "-p", "no:xdist", "-c", os.devnull, "--import-mode=importlib"]
    assert pytest.main([*plain, "--rootdir", str(tmp_path), str(tmp_path)]) == 0
    *_, counts, last = capsys.readouterr().out.splitlines()
    assert "2 skipped" in counts
    assert last == "!!! NOT TESTED: 2 skipped; an oven: buy one"


def test_a_missing_office_is_told_as_the_installer_tells_it(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(bare))
    monkeypatch.setenv("CI", "true")
    told = r"^the workbook's look needs LibreOffice, the page in a browser chromium .*apt-get install"
    with pytest.raises(pytest.fail.Exception, match=told):
        needs.libreoffice()


def test_a_python_that_is_too_old_gives_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\ncase "$2" in *version_info*) exit 1 ;; *python_version*) echo 3.9.18 ;; esac\n')
    old.chmod(0o755)
    answer = subprocess.run(
        [str(ROOT / ".ci" / "venv"), "requirements-dev.txt", str(old)],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "3.9.18, too old; install Python 3.11 or newer" in answer.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_python_without_venv_gives_one_line_that_says_what_to_install(tmp_path: Path) -> None:
    bare = tmp_path / "python3"
    bare.write_text(
        '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; *python_version*) echo 3.11.2 ;; *_base*) echo "$0" ;; esac\n'
    )
    bare.chmod(0o755)
    answer = subprocess.run(
        [str(ROOT / ".ci" / "venv"), "requirements-dev.txt", str(bare)],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "apt-get install python3-venv" in answer.stderr
    assert not (tmp_path / ".venv").exists()
