"""The Makefile: every target is explained, and what it hands to the program is what the user asked for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.faults.test_time_faults import JUMPS, POINTS

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXIT_CODES = [
    int(code)
    for code in re.findall(
        r"^\| (\d+) \|", README.partition("\n## Exit codes\n")[2].partition("\n## ")[0], re.MULTILINE
    )
]
TARGETS = re.search(r"^\.PHONY: (help .*)$", MAKEFILE, re.MULTILINE)[1].split()  # type: ignore[index]

ON_A_SERVER = (
    re.search(r"^ON_A_SERVER := (.*?[^\\])$", MAKEFILE, re.MULTILINE | re.DOTALL)[1].replace("\\\n", " ").split()  # type: ignore[index]
)

# What a terminal or another make may have set; tests of the Makefile start from nothing.
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("ANULAR_", "MAKE", "MFLAGS")) and k != "FILE"}


def make(*arguments: str, folder: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=CLEAN | variables, check=False, capture_output=True, text=True, timeout=99
    )


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A folder with the demo script and an `anular` that only writes down how it was called, and ends as told."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / "sample_data").mkdir()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "demo", tmp_path / ".ci" / "demo")
    program = tmp_path / ".venv" / "bin" / "anular"
    program.write_text(
        '#!/bin/sh\nprintf "%s\\n" "$@" > called\nenv | grep ^ANULAR_ > settings\nexit ${ENDS_WITH:-0}\n'
    )
    program.chmod(0o755)
    return tmp_path


def run_demo(folder: Path, file: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [".ci/demo", file], cwd=folder, env=CLEAN | variables, check=False, capture_output=True, text=True, timeout=99
    )


def settings_of(folder: Path) -> dict[str, str]:
    lines = (folder / "settings").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_make_alone_lists_every_target_with_a_sentence() -> None:
    listed = dict(re.findall(r"^  make ([a-z-]+) +(\S.*)$", make().stdout, re.MULTILINE))
    assert list(listed) == TARGETS


def test_every_rule_with_a_public_name_is_declared() -> None:
    rules = re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE)
    assert rules == TARGETS


@pytest.mark.parametrize("target", ["run", "test", "test-all", "install"])
def test_the_commands_of_a_fresh_machine_exist(target: str) -> None:
    assert target in TARGETS


def test_the_tests_do_not_see_the_settings_of_the_machine() -> None:
    recipe = make("--dry-run", "test").stdout
    assert re.search(
        r"env -u PYTHONDONTWRITEBYTECODE \S+ \$\(env \| sed .*ANULAR_.*\) \.venv/bin/python -m pytest", recipe
    )


@pytest.mark.parametrize(("own", "expected"), [(None, "/var/tmp"), ("/elsewhere", "/elsewhere")])
def test_the_files_of_the_tests_lie_where_a_ledger_may_lie(own: str | None, expected: str) -> None:
    """In many a system ``/tmp`` is in memory, where the program refuses a ledger (F54)."""
    recipe = make("--dry-run", "test").stdout
    (setting,) = re.findall(r" (TMPDIR=\S+) ", recipe)
    env = {name: value for name, value in os.environ.items() if name != "TMPDIR"} | ({"TMPDIR": own} if own else {})
    shown = subprocess.run(
        ["sh", "-c", f"env {setting} sh -c 'echo $TMPDIR'"], env=env, capture_output=True, check=True
    )
    assert shown.stdout.decode().strip() == expected


def test_what_make_test_leaves_out_make_test_all_runs() -> None:
    """The expressions stand in one place each; what they choose is compared where it is long."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]["addopts"]
    assert options[-2:] == ["-m", "not long"]
    assert " -m '" not in make("--dry-run", "test").stdout
    rest = make("--dry-run", "test-all").stdout
    assert " -m 'long or hypothesis' --hypothesis-profile=random" in rest
    assert " -m '' tests/" in rest, "on a server everything that is about a ledger"


def test_of_a_matrix_that_is_thinned_out_each_value_of_each_parameter_is_tried() -> None:
    points = POINTS[::2]
    every = {f"[F67-{jump}-{point}]" for jump in JUMPS for point in points}
    names = collected("tests/faults/test_time_faults.py", "-k", "is_set_once_while")
    tried = {name[name.index("[") :] for name in names}
    assert tried < every
    assert {jump for jump in JUMPS if any(f"F67-{jump}-" in one for one in tried)} == set(JUMPS)
    assert {point for point in points if any(one.endswith(f"-{point}]") for one in tried)} == set(points)


@pytest.mark.long
def test_nothing_is_left_out_by_both_and_only_what_looks_for_examples_is_run_by_both() -> None:
    every, short = collected("-m", ""), collected()
    rest, examples = collected("-m", "long or hypothesis"), collected("-m", "hypothesis")
    assert every == short | rest
    assert short & rest == short & examples
    assert len(rest - examples) > 100
    server = "ANULAR_TEST_PG"
    on_a_server = collected("-m", "postgres", *ON_A_SERVER, **{server: "postgresql+psycopg://nobody@/nowhere"})
    assert on_a_server == collected("-m", "postgres", **{server: "postgresql+psycopg://nobody@/nowhere"})
    assert not on_a_server & every


def collected(*options: str, **variables: str) -> set[str]:
    """The names of the tests that pytest would run; a server that is named need not be there."""
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *options],
        cwd=ROOT,
        env=CLEAN | variables,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return {line for line in answer.stdout.splitlines() if "::" in line}


def test_words_for_pytest_are_passed_on() -> None:
    assert "-k cufe" in make("--dry-run", "test", "ARGS=-k cufe").stdout


def test_a_file_name_with_spaces_and_quotes_reaches_the_program_whole(demo: Path) -> None:
    run_demo(demo, "mi lote 'de' \"noviembre\".xlsx")
    assert (demo / "called").read_text().splitlines() == ["run", "--yes", "--", "mi lote 'de' \"noviembre\".xlsx"]


def test_make_run_hands_the_file_over_whole(demo: Path) -> None:
    shutil.copy(ROOT / "Makefile", demo / "Makefile")
    answer = make("run", "--assume-old=.venv/.ready", "FILE=mi lote 'de' noviembre.xlsx", folder=demo)
    assert answer.returncode == 0, answer.stderr
    assert (demo / "called").read_text().splitlines()[-1] == "mi lote 'de' noviembre.xlsx"


def test_the_demo_runs_in_the_sandbox_with_its_own_ledger(demo: Path) -> None:
    run_demo(demo, "lote.xlsx")
    assert settings_of(demo) == {
        "ANULAR_ENV": "sandbox",
        "ANULAR_LEDGER": f"sqlite:///{demo.resolve()}/.anular/sandbox.db",
        "ANULAR_OUT": "resultados",
        "ANULAR_RATE": "40",
        "ANULAR_CONCURRENCY": "8",
        "ANULAR_POLL_EVERY": "1",
        "ANULAR_POLL_FOR": "12",
    }
    assert (demo / ".anular").is_dir()
    assert (demo / "resultados").is_dir()


@pytest.mark.parametrize(
    "spelling", ["sample_data/lote.xlsx", "./sample_data/lote.xlsx", "{here}/sample_data/lote.xlsx"]
)
def test_the_sample_files_get_the_fixed_clock_of_the_sandbox(demo: Path, spelling: str) -> None:
    run_demo(demo, spelling.format(here=demo))
    assert settings_of(demo)["ANULAR_SANDBOX_NOW"] == "2026-11-20T10:00:00-05:00"


def test_a_variable_of_the_user_wins(demo: Path) -> None:
    run_demo(demo, "sample_data/lote.xlsx", ANULAR_RATE="5", ANULAR_SANDBOX_NOW="2026-11-21T08:00:00-05:00")
    assert settings_of(demo)["ANULAR_RATE"] == "5"
    assert settings_of(demo)["ANULAR_SANDBOX_NOW"] == "2026-11-21T08:00:00-05:00"


@pytest.mark.parametrize("environment", ["production", "lab"])
def test_the_demo_never_answers_yes_for_an_environment_that_is_not_the_sandbox(demo: Path, environment: str) -> None:
    answer = run_demo(demo, "lote.xlsx", ANULAR_ENV=environment)
    assert answer.returncode == 2
    assert environment in answer.stderr
    assert not (demo / "called").exists()


@pytest.mark.parametrize("code", [0, 1, 4, 7])
def test_rows_that_need_a_person_or_time_are_no_failure_of_make(demo: Path, code: int) -> None:
    answer = run_demo(demo, "lote.xlsx", ENDS_WITH=str(code))
    assert answer.returncode == 0
    assert answer.stdout.splitlines()[-1].startswith(f"anular ended with exit code {code}: ")


@pytest.mark.parametrize("code", [2, 3, 5, 6, 70, 130])
def test_anything_else_is(demo: Path, code: int) -> None:
    answer = run_demo(demo, "lote.xlsx", ENDS_WITH=str(code))
    assert answer.returncode == code
    assert answer.stdout.splitlines()[-1].startswith(f"anular ended with exit code {code}: ")


@pytest.mark.parametrize("code", [*EXIT_CODES, 70])
def test_every_exit_code_of_the_readme_is_said_in_words_and_no_other_one(demo: Path, code: int) -> None:
    said = run_demo(demo, "lote.xlsx", ENDS_WITH=str(code)).stdout.splitlines()[-1]
    assert said.endswith(": unexpected") == (code not in EXIT_CODES)
    assert len(EXIT_CODES) > 8


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the Makefile and doubles of what it calls; ``called`` has a line for each call of the installer."""
    folder = tmp_path / "checkout"
    (folder / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder / "Makefile")
    for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        (folder / name).touch()
    script(folder / ".ci" / "demo", "")
    script(folder / ".ci" / "deps", "")
    script(
        folder / ".ci" / "venv",
        'echo "$1${2:+ $2}" >> called\n'
        '[ "$1" = --add ] && { : > .venv/bin/pytest; exit ${ADDING_ENDS_WITH:-0}; }\n'
        "rm -rf .venv; mkdir -p .venv/bin\n"
        'printf "#!/bin/sh\\n[ \\"\\$3\\" != install ] || echo itself >> called\\n" > .venv/bin/python\n'
        "chmod +x .venv/bin/python; exit ${MAKING_ENDS_WITH:-0}\n",
    )
    return folder


def script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}")
    path.chmod(0o755)


PROGRAM = ["requirements.txt", "itself"]
TOOLS = ["--add requirements-dev.txt"]


def installs(folder: Path, *targets: str, **variables: str) -> list[str]:
    """What is installed, in order, by one ``make`` after the other."""
    (folder / "called").write_text("")
    for target in targets:
        make(target, folder=folder, **variables)
    return (folder / "called").read_text().splitlines()


def renew(path: Path) -> None:
    """The file is newer than anything that was made until now."""
    later = max(each.stat().st_mtime for each in path.parent.rglob("*")) + 1
    os.utime(path, (later, later))


def test_the_program_runs_without_the_test_tools(checkout: Path) -> None:
    assert installs(checkout, "run") == PROGRAM


@pytest.mark.parametrize(
    "targets", [("run", "test"), ("test", "run"), ("install", "tools"), ("test", "install", "run")]
)
def test_in_any_order_everything_is_installed_once(checkout: Path, targets: tuple[str, ...]) -> None:
    assert installs(checkout, *targets, *targets) == PROGRAM + TOOLS


def test_an_installation_that_broke_off_is_done_again_from_nothing(checkout: Path) -> None:
    assert installs(checkout, "run", MAKING_ENDS_WITH="1") == ["requirements.txt"]
    assert installs(checkout, "run") == PROGRAM


def test_tools_whose_adding_broke_off_leave_the_program_usable_and_are_made_anew_with_it(checkout: Path) -> None:
    assert installs(checkout, "test", ADDING_ENDS_WITH="1") == PROGRAM + TOOLS
    assert installs(checkout, "run") == []
    assert installs(checkout, "test") == PROGRAM + TOOLS
    assert installs(checkout, "test") == []


def test_a_folder_that_was_moved_gets_a_new_environment_with_what_it_had(checkout: Path) -> None:
    installs(checkout, "test")
    moved = checkout.rename(checkout.with_name("moved"))
    assert installs(moved, "run", "test", "run") == PROGRAM + TOOLS


def test_a_new_lock_of_the_program_makes_all_anew(checkout: Path) -> None:
    installs(checkout, "test")
    renew(checkout / "requirements.txt")
    assert installs(checkout, "install") == PROGRAM + TOOLS


def test_a_new_lock_of_the_tools_leaves_none_of_the_old_ones(checkout: Path) -> None:
    installs(checkout, "test")
    renew(checkout / "requirements-dev.txt")
    assert installs(checkout, "test") == PROGRAM + TOOLS


def test_a_new_lock_of_the_tools_is_nothing_to_who_has_none(checkout: Path) -> None:
    installs(checkout, "run")
    renew(checkout / "requirements-dev.txt")
    assert installs(checkout, "run") == []
    assert installs(checkout, "test") == TOOLS


def test_every_test_of_what_only_a_server_has_is_run_on_a_server() -> None:
    run = [ROOT / path for path in ON_A_SERVER]
    assert all(path.exists() for path in run)
    marked = {
        path
        for path in (ROOT / "tests").rglob("test_*.py")
        if re.search(r"\bmark\.postgres\b", path.read_text("utf-8"))
    } - {Path(__file__)}
    assert marked
    assert [path for path in marked if not any(path == one or one in path.parents for one in run)] == []
