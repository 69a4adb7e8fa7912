"""Seeds each mutant of ``mutants.toml`` into a copy of the tree and runs the tests that must notice it.

    python tests/mutants/seeded.py             all of them, after a baseline without any (`make mutants`)
    python tests/mutants/seeded.py M1 M8       these only; M8 stands for M8a and M8b

A mutant is caught when one of its tests fails, and by nothing less: a copy that cannot be imported, tests that
cannot be found and a run that takes too long are errors of the script's data. Exit code 0: all caught.
"""

# ruff: noqa: T201 - a script that reports to a person

from __future__ import annotations

import os
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
COPIED = ("pipeline", "schemas", "sample_data", "tests", "pyproject.toml")
TIME_LIMIT_S = 120.0
FAILED = 1  # pytest's exit code for "tests ran and some failed"; 2 and above mean that they could not run


class Stale(Exception):
    """A mutant that no longer fits the source."""


@dataclass(frozen=True, slots=True)
class Edit:
    """``search`` stands exactly once in ``file`` (relative to the tree) and becomes ``replace``."""

    file: str
    search: str
    replace: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault: its id (``M4a``), what it does, its edits, and the tests of which at least one has to fail."""

    id: str
    what: str
    tests: tuple[str, ...]
    edits: tuple[Edit, ...]

    @property
    def number(self) -> str:
        return self.id.rstrip("ab")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of tests ended: pytest's exit code, the first test that failed, what was printed, seconds."""

    code: int
    failed: str
    output: str
    seconds: float


def load() -> list[Mutant]:
    """All mutants of the lists beside this file, in order."""
    listed = [
        m for path in sorted(HERE.glob("*.toml")) for m in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    ]
    return [
        Mutant(m["id"], m["what"], tuple(m["tests"]), tuple(Edit(**edit) for edit in m["edit"]))  # a wrong key raises
        for m in listed
    ]


def chosen(mutants: Sequence[Mutant], names: Iterable[str]) -> list[Mutant]:
    """The mutants of these ids or numbers; all without any. Raises ``KeyError`` for a name that is none."""
    wanted = list(names)
    for name in wanted:
        if not any(name in (mutant.id, mutant.number) for mutant in mutants):
            raise KeyError(name)
    return [m for m in mutants if not wanted or m.id in wanted or m.number in wanted]


def mutate(tree: Path, mutant: Mutant) -> None:
    """Makes the edits in ``tree``. Raises ``Stale`` when a text is missing or stands there twice."""
    for edit in mutant.edits:
        text = (tree / edit.file).read_text(encoding="utf-8")
        if (times := text.count(edit.search)) != 1:
            raise Stale(f"{mutant.id}: the text to replace stands {times} times in {edit.file}, not once")
    for edit in mutant.edits:
        path = tree / edit.file
        path.write_text(path.read_text(encoding="utf-8").replace(edit.search, edit.replace), encoding="utf-8")
        py_compile.compile(str(path), doraise=True)


@contextmanager
def copy_of_the_tree() -> Iterator[Path]:
    """A copy of what the tests need, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="anular-mutant-") as folder:
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, folder)
        yield Path(folder)


def run_tests(tree: Path, tests: Iterable[str]) -> Outcome:
    """Runs ``tests`` of ``tree`` against the source of ``tree``, ending at the first failure."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ANULAR_", "PYTEST_", "COV"))}
    environment = {**kept, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *tests]
    started = time.monotonic()
    try:
        done = subprocess.run(
            command,
            cwd=tree,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_S,
        )
        code, output = done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        code, output = -1, f"not finished after {TIME_LIMIT_S:g} s"
    failed = re.search(r"^FAILED (\S+)", output, re.MULTILINE)
    return Outcome(code, failed[1] if failed else "", output, time.monotonic() - started)


def try_one(mutant: Mutant) -> Outcome:
    """The tests of ``mutant`` with it in place. Raises ``Stale``."""
    with copy_of_the_tree() as tree:
        mutate(tree, mutant)
        return run_tests(tree, mutant.tests)


def baseline(mutants: Iterable[Mutant]) -> Outcome:
    """The same tests without any mutant: they have to pass, or their failing says nothing."""
    with copy_of_the_tree() as tree:
        return run_tests(tree, dict.fromkeys(test for mutant in mutants for test in mutant.tests))


def is_caught(outcome: Outcome) -> bool:
    return outcome.code == FAILED and outcome.failed != ""


def main(names: Sequence[str]) -> int:
    try:
        mutants = chosen(load(), names)
    except KeyError as name:
        print(f"there is no mutant {name}")
        return 2
    clean = baseline(mutants)
    if clean.code != 0:
        print(clean.output, "\nbaseline: these tests fail without any mutant", sep="")
        return 2
    print(f"baseline passes without any mutant ({clean.seconds:.1f} s)")
    missed: list[str] = []
    for mutant in mutants:
        try:
            outcome = try_one(mutant)
        except Stale as stale:
            print(f"{mutant.id:5} STALE   {stale}")
            missed.append(mutant.id)
            continue
        caught = is_caught(outcome)
        by = f"by {outcome.failed.rpartition('/')[2]}" if caught else f"pytest ended with {outcome.code}"
        print(f"{mutant.id:5} {'caught' if caught else 'MISSED'} {outcome.seconds:6.1f} s  {mutant.what}\n{'':23}{by}")
        if not caught:
            missed.append(mutant.id)
            if outcome.code != 0:
                print(outcome.output[-2000:])
    numbers = {mutant.number for mutant in mutants}
    lost = {mutant.number for mutant in mutants if mutant.id in missed}
    print(f"{len(numbers) - len(lost)} of {len(numbers)} mutants caught ({len(mutants)} forms, {len(missed)} missed)")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
