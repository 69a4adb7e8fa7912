"""The template checks what is typed by rules of its own, which a spreadsheet program computes (interface.md 2)."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from openpyxl import load_workbook

from pipeline.domain.cufe import check_digit
from pipeline.domain.pasted import has_shape
from pipeline.report.template import CUFE_RULE, DATA_SHEET, EMAIL_RULE, LAST_ROW, REASON_RULE, write_template
from tests.support.dialects import soffice
from tests.support.reading import read_sheet

REASON = "Factura emitida por error"
RULES = {"A": CUFE_RULE, "B": REASON_RULE, "C": EMAIL_RULE}


def code(day: str = "20201118") -> str:
    body = f"FE0120000155668001-2-2018-370789{day}0000000001006012003530032"
    return body + check_digit(body)


TYPED: list[tuple[str, str, bool]] = [
    ("A", code(), True),
    ("A", code()[:-1], False),
    ("A", code() + "0", False),
    ("A", code()[:-2] + " 1", False),
    ("A", code().lower(), False),
    ("A", "FA" + code()[2:], False),
    ("A", code().replace("FE0", "FEÓ"), False),
    ("A", code("29991231"), False),
    ("A", "x" * 66, False),
    ("B", "x" * 15, True),
    ("B", "x" * 14, False),
    ("B", " " * 5 + "x" * 14 + " " * 5, False),
    ("B", "palabra" + " " * 9 + "corta", False),
    ("B", "x" * 1000, True),
    ("B", "x" * 1001, False),
    ("C", "ana@ejemplo.com.pa", True),
    ("C", "ana", False),
    ("C", "ana@", False),
    ("C", "@ejemplo.com", False),
    ("C", "ana@ejemplo", False),
    ("C", "ana@a.com;eva@b.com", False),
    ("C", "ana maria@ejemplo.com", False),
    ("C", "a" * 90 + "@ejemplo.com", False),
]


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "plantilla.xlsx"
    with path.open("wb") as stream:
        write_template(stream, "Comercial Norte")
    return path


def validations(path: Path) -> dict[str, str]:
    """By the range, the rule of each validation that stops what does not fit."""
    found = load_workbook(path)[DATA_SHEET].data_validations.dataValidation
    assert all((one.type, one.errorStyle or "stop", one.showErrorMessage) == ("custom", "stop", True) for one in found)
    return {str(one.sqref): one.formula1 for one in found}


def test_it_is_empty_below_the_headings_and_its_columns_are_text(template: Path) -> None:
    sheet = load_workbook(template)[DATA_SHEET]
    assert [cell.value for cell in sheet[1]] == ["CUFE", "Motivo", "Correo", "Factura", "Cliente", "Total"]
    assert sheet.max_row == 1
    assert [sheet.column_dimensions[letter].number_format for letter in "ABCDE"] == ["@"] * 5


def test_no_text_in_it_could_be_taken_for_a_code(template: Path) -> None:
    texts = [cell for sheet in load_workbook(template) for row in sheet.values for cell in row if cell]
    assert any("Comercial Norte" in text for text in texts if isinstance(text, str))
    assert not [text for text in texts if has_shape(str(text))]


def test_it_is_always_the_same_file(template: Path) -> None:
    again = io.BytesIO()
    write_template(again, "Comercial Norte")
    assert again.getvalue() == template.read_bytes()


def test_each_column_that_is_sent_has_its_rule(template: Path) -> None:
    assert validations(template) == {f"{letter}2:{letter}{LAST_ROW}": rule for letter, rule in RULES.items()}
    assert max(map(len, RULES.values())) <= 255, "more is too much for Excel"


@pytest.mark.long
def test_libreoffice_keeps_the_rules(template: Path, tmp_path: Path) -> None:
    soffice("--convert-to", "xlsx", "--outdir", tmp_path / "again", template)
    kept = validations(tmp_path / "again" / template.name)
    assert {area.partition(":")[0]: rule for area, rule in kept.items()} == {
        f"{at}2": rule for at, rule in RULES.items()
    }
    # When it saves, LibreOffice ends them a thousand rows below what is filled in.
    assert all(int(re.sub(r".*:[A-Z]+", "", area)) > 1000 for area in kept)


def test_computed_by_libreoffice_the_rules_refuse_what_they_should(template: Path, tmp_path: Path) -> None:
    book = load_workbook(template)
    sheet = book[DATA_SHEET]
    for number, (letter, text, _) in enumerate(TYPED, start=2):
        sheet[f"{letter}{number}"] = text
        rule = re.sub(r"\b([ABC])2\b", rf"\g<1>{number}", RULES[letter])
        sheet[f"H{number}"] = f'=IF(IFERROR({rule},FALSE),"se admite","se rechaza")'
    filled = tmp_path / "probada.xlsx"
    book.save(filled)
    soffice("--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1", "--outdir", tmp_path, filled)
    with filled.with_suffix(".csv").open(encoding="utf-8", newline="") as stream:
        said = [row[7] for row in csv.reader(stream)][1:]
    assert said == ["se admite" if good else "se rechaza" for *_, good in TYPED]


@pytest.mark.long
def test_filled_in_it_is_an_input_like_any_other(template: Path, tmp_path: Path) -> None:
    book = load_workbook(template)
    sheet = book[DATA_SHEET]
    sheet["A2"], sheet["B2"], sheet["D2"], sheet["F2"] = code(), REASON, "F-1", 107.5
    filled = tmp_path / "lote.xlsx"
    book.save(filled)
    soffice("--convert-to", "xlsx", "--outdir", tmp_path / "again", filled)
    for path in (filled, tmp_path / "again" / filled.name):
        found = read_sheet(path)
        assert (found.sheet, found.notes, list(found.text["cufe"])) == (DATA_SHEET, (), [code()])
        assert found.roles == {"cufe": 0, "reason": 1, "email": 2}
