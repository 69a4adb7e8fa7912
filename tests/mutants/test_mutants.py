"""The seeded mutants fit the source as it is now, and they are caught (reliability.md 3): one at every run, all of them
where it is long. `make mutants` tries them one after the other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.long import long
from tests.support.scripts import loaded

ROOT = Path(__file__).resolve().parents[2]


seeded = loaded(Path(__file__).with_name("seeded.py"))
MUTANTS = seeded.load()


def test_every_mutant_of_the_list_is_there() -> None:
    """M1 to M20 are those of reliability.md 3; the lists beside it hold one for each rule of eyes.md."""
    assert {f"M{n}" for n in range(1, 21)} <= {mutant.number for mutant in MUTANTS}
    assert len({mutant.id for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.id)
def test_a_mutant_fits_the_source_and_its_tests_exist(mutant) -> None:
    for edit in mutant.edits:
        assert (ROOT / edit.file).read_text(encoding="utf-8").count(edit.search) == 1, edit.search
        assert edit.search != edit.replace
    for test in mutant.tests:
        file, _, name = test.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not name or re.search(rf"^def {name}\(", text, re.MULTILINE), test


@pytest.mark.parametrize("mutant", [MUTANTS[0], *long(*MUTANTS[1:])], ids=lambda m: m.id)
def test_a_mutant_is_caught(mutant) -> None:
    outcome = seeded.try_one(mutant)
    assert seeded.is_caught(outcome), f"{mutant.id} {mutant.what}: not caught\n{outcome.output[-3000:]}"


@pytest.mark.long
def test_a_change_that_harms_nothing_is_not_called_caught() -> None:
    edit = seeded.Edit("pipeline/domain/schedule.py", '"""When to query again', '"""When to ask again')
    harmless = seeded.Mutant("M0", "another word in a docstring", ("tests/unit/domain/test_schedule.py",), (edit,))
    outcome = seeded.try_one(harmless)
    assert outcome.code == 0, outcome.output
    assert not seeded.is_caught(outcome)


def test_tests_that_could_not_run_catch_nothing() -> None:
    for code in (-1, 2, 3, 4, 5):
        assert not seeded.is_caught(seeded.Outcome(code, "", "", 0.0))


@pytest.mark.parametrize("search", ["no such text anywhere", "def "])
def test_a_mutant_that_does_not_fit_exactly_once_is_stale(search: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def a():\n    return 1\n\n\ndef b():\n    return 2\n")
    with pytest.raises(seeded.Stale):
        seeded.mutate(tmp_path, seeded.Mutant("M0", "", (), (seeded.Edit("a.py", search, ""),)))


def test_a_mutant_that_is_no_python_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def a():\n    return 1\n")
    with pytest.raises(Exception, match="SyntaxError"):
        seeded.mutate(tmp_path, seeded.Mutant("M0", "", (), (seeded.Edit("a.py", "return 1", "return return"),)))


def test_mutants_are_chosen_by_id_or_number_and_a_wrong_name_is_told() -> None:
    assert [mutant.id for mutant in seeded.chosen(MUTANTS, ["M8", "M4b"])] == ["M4b", "M8a", "M8b"]
    assert seeded.chosen(MUTANTS, []) == MUTANTS
    with pytest.raises(KeyError):
        seeded.chosen(MUTANTS, ["M21"])
