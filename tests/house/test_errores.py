"""docs/errores.md lists every code that a person can meet, in the program's own words.

The tables are written by ``python tests/house/test_errores.py`` from the places where the words are said: the table of
``problems.py``, the parts of a CUFE as ``cufe.py`` refuses them, and every error raised with a code of its own.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.domain import errors
from pipeline.domain.cufe import Cufe, check_digit
from pipeline.domain.errors import AnularError, CufeInvalid
from pipeline.domain.problems import KINDS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/errores.md"
COMMAND = "run: .venv/bin/python tests/house/test_errores.py"
WARNINGS = {
    "cufe-revisar",
    "dia-limite",
    "plazo-advertencia",
    "fecha-futura",
    "texto-sospechoso",
    "texto-perdido",
    "formula-aceptada",
    "fila-oculta",
}
"""Codes of rows that block nothing: they stand in «observaciones» after «Aviso»."""

GOOD = "FE0120000155668001-2-2018-3707892026111800000000010060120000000019"
BROKEN: dict[str, tuple[int, str]] = {
    "cufe-prefijo": (0, "XE"),
    "cufe-tipo": (2, "11"),
    "cufe-contribuyente": (4, "3"),
    "cufe-ruc": (5, "Ñ"),
    "cufe-guion": (25, "0"),
    "cufe-dv": (26, "X7"),
    "cufe-sucursal": (28, "07-9"),
    "cufe-fecha": (32, "20261331"),
    "cufe-numero": (40, "0000000000"),
    "cufe-punto": (50, "000"),
    "cufe-emision": (53, "05"),
    "cufe-ambiente": (55, "3"),
    "cufe-seguridad": (56, "00000000X"),
    "cufe-verificador": (65, "0"),
}
"""What to write where, into a good code, to hear each refusal."""


def example(code: str) -> CufeInvalid:
    """The refusal of a code that is wrong in this one way."""
    place, wrong = BROKEN.get(code, (0, GOOD[:-1]))
    with pytest.raises(CufeInvalid) as caught:
        Cufe.parse(wrong if len(wrong) > 60 else GOOD[:place] + wrong + GOOD[place + len(wrong) :])
    return caught.value


def blank(words: str) -> str:
    """A template as a person reads it: each value an ellipsis."""
    return re.sub(r"(?:\{[^}]*\}|…)(?: ?…)*", "…", words).replace("|", "\\|")


def table(heads: tuple[str, ...], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in [list(heads), ["---"] * len(heads), *rows])


def kinds(wanted: Callable[[str], bool]) -> str:
    rows = []
    for code, kind in KINDS.items():
        if not wanted(code):
            continue
        message, remedy = kind.message, kind.remedy
        if message == "{words}" and code not in WARNINGS:
            message, remedy = example(code).message, example(code).remedy
        elif message == "{words}":
            message = "El DV o la sucursal del CUFE son poco usuales: …"
        rows.append([f"`{code}`", blank(message), blank(remedy)])
    return table(("código", "qué dice", "qué hacer"), rows)


def rows_rejected() -> str:
    return kinds(lambda code: KINDS[code].scope == "fila" and code not in WARNINGS)


def rows_warned() -> str:
    return kinds(lambda code: code in WARNINGS)


def files_refused() -> str:
    return kinds(lambda code: KINDS[code].scope == "archivo")


def spoken(node: ast.expr | None) -> str:
    """The words of an expression, as far as they are written out: each value an ellipsis."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(spoken(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return "" if node is None else "…"


OF_THE_DOMAIN = ("certificates.py",)
"""Files of the domain whose errors are not of rows or files of invoices, and so not in ``KINDS``."""


def raised() -> Iterator[tuple[str, str, str, int]]:
    """Every error made with a code of its own outside ``KINDS``: code, words, remedy, exit code."""
    classes = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        if path.parent.name == "domain" and path.name not in OF_THE_DOMAIN:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            named = {keyword.arg: keyword.value for keyword in node.keywords}
            code, kind = named.get("code"), classes.get(name)
            if kind is None or not issubclass(kind, AnularError) or not isinstance(code, ast.Constant):
                continue
            words = spoken(node.args[0] if node.args else named.get("message")) or (kind.__doc__ or "").strip()
            yield str(code.value), words, spoken(named.get("remedy")), kind.exit_code


def program() -> str:
    """The error tree with its own words, then the errors with words of their own; for each code one line."""
    tree = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AnularError)]
    rows = [
        [f"`{kind().code}`", blank(kind().message), "", str(kind.exit_code)]
        for kind in tree
        if kind not in (AnularError, CufeInvalid)
    ]
    for code, words, remedy, ends in sorted(set(raised())):
        rows.append([f"`{code}`", blank(words), blank(remedy), str(ends)])
    return table(("código", "qué dice", "qué hacer", "código de salida"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "filas": rows_rejected,
    "avisos": rows_warned,
    "archivos": files_refused,
    "programa": program,
}


def split_at(name: str) -> tuple[str, str, str]:
    begin, end = f"<!-- {name}: begin -->\n", f"\n<!-- {name}: end -->"
    before, found, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    inside, closed, after = rest.partition(end)
    assert found, name
    assert closed, name
    return before + begin, inside, end + after


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_page_of_errors_is_up_to_date(name: str) -> None:
    assert split_at(name)[1] == TABLES[name](), COMMAND


def test_every_code_of_a_row_and_of_a_file_stands_on_the_page_once() -> None:
    codes = re.findall(
        r"^\| `([a-z0-9-]+)` \|", "\n".join(split_at(name)[1] for name in list(TABLES)[:3]), re.MULTILINE
    )
    assert sorted(codes) == sorted(KINDS)


@pytest.mark.parametrize("code", [*BROKEN, "cufe-longitud"])
def test_each_part_of_a_cufe_is_refused_with_its_own_code_and_the_remedy_of_the_table(code: str) -> None:
    assert Cufe.parse(GOOD).text[65] == check_digit(GOOD)
    assert example(code).code == code
    if code != "cufe-ruc":
        assert example(code).remedy == KINDS[code].remedy


def test_the_codes_that_only_warn_are_codes_of_rows() -> None:
    assert {KINDS[code].scope for code in WARNINGS} == {"fila"}


def rewrite() -> None:
    """Writes every table of the page anew."""
    for name, make in TABLES.items():
        before, _, after = split_at(name)
        PAGE.write_text(before + make() + after, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
