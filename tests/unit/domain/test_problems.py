"""One table of codes: nothing is raised that it does not know, and every template can be filled in."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from pipeline.domain import cufe
from pipeline.domain.errors import CufeInvalid, InputRefused
from pipeline.domain.problems import KINDS, cufe_problem, problem, refused, shorten

SOURCES = Path(cufe.__file__).parents[1]


def fields_of(code: str) -> set[str]:
    kind = KINDS[code]
    return {name for _, name, _, _ in Formatter().parse(kind.message + kind.remedy) if name}


@pytest.mark.parametrize("code", KINDS)
def test_every_template_becomes_whole_sentences(code: str) -> None:
    words = dict.fromkeys(fields_of(code), "algo")
    if KINDS[code].scope == "fila":
        text = problem(code, cell="Hoja1!B2", column="CUFE", value="x", **words).message
    else:
        text = refused(code, **words).sentence
    assert not re.search(r"[{}]", text)
    assert text.endswith((".", "algo"))


@pytest.mark.parametrize("code", KINDS)
def test_a_refused_file_always_comes_with_what_to_do(code: str) -> None:
    if KINDS[code].scope == "archivo":
        assert KINDS[code].remedy


def test_an_unknown_code_is_a_bug() -> None:
    with pytest.raises(KeyError):
        problem("no-existe", cell="", column="", value="")
    with pytest.raises(KeyError):
        refused("no-existe")
    with pytest.raises(KeyError):
        cufe_problem(CufeInvalid("x", code="no-existe"), cell="", column="", value="")


def test_every_code_of_the_cufe_stands_in_the_table() -> None:
    codes = set(re.findall(r'"(cufe-[a-z]+)"', Path(cufe.__file__).read_text(encoding="utf-8")))
    assert len(codes) >= 14
    assert codes <= KINDS.keys()


def test_every_code_in_the_table_is_used_somewhere() -> None:
    paths = [path for path in SOURCES.rglob("*.py") if path.name != "problems.py"]
    used = set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', "".join(path.read_text(encoding="utf-8") for path in paths)))
    assert KINDS.keys() - used == set()


def test_a_refusal_says_where_what_and_what_to_do() -> None:
    error = refused("csv-columnas", where="línea 7", count=3, wanted=4)
    assert isinstance(error, InputRefused)
    assert (error.code, error.exit_code) == ("csv-columnas", 3)
    assert error.sentence.startswith("línea 7: Campos en esta línea: 3; en el encabezado: 4.")


def test_a_value_with_braces_is_shown_as_it_is() -> None:
    found = problem("cufe-error-excel", cell="A1", column="CUFE", value="{x}", word="{0}")
    assert (found.value, "{0}" in found.message) == ("{x}", True)


def test_a_long_value_is_cut_at_eighty_characters() -> None:
    assert shorten("x" * 80) == "x" * 80
    assert shorten("x" * 81) == "x" * 79 + "…"
    assert len(problem("cufe-vacio", cell="", column="", value="y" * 500).value) == 80
