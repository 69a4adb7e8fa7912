"""Texts that want to act, in every place of the workbook and of the exports: openpyxl and LibreOffice show them all.

LibreOffice is asked twice, in one test each, because it takes seconds to start.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest

from pipeline.domain.lifecycle import Event, State
from pipeline.domain.pasted import MARKER
from pipeline.domain.records import BatchInfo, CheckedRow, EventLine, Position, Problem, ResultLine, Verdict
from pipeline.report.corrections import Corrections, corrections_of
from pipeline.report.exports import write_csv, write_jsonl
from pipeline.report.inert import fit, visible
from pipeline.report.model import Report
from pipeline.report.preview import lines_of, preview_batch
from pipeline.report.publish import publish, publish_corrections, publish_export
from pipeline.report.summary import summarise
from tests.support.dialects import soffice
from tests.support.hostile import HOSTILE
from tests.support.reading import read_sheet

NOON = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
CUFE = "FE01200000000000029-29-29-5676322018101525982740639300126729580548"
Texts = dict[int, str]


def hostile_report() -> Report:
    """A row for each text, with that text in every field that a file, a server or a person fills."""
    lines, events = [], []
    for pos, text in enumerate(HOSTILE, 1):
        known: dict[str, Any] = {"cells": (text, CUFE, text), "reason": text, "cufe": CUFE, "sent_cufe": CUFE}
        said: dict[str, Any] = {
            "message": text,
            "note": text,
            "dgi": text[:8],
            "authorised_at": text[:64],
            "decided_why": text,
        }
        state = State.NEEDS_SUPPORT if pos % 2 else State.CLOSED_BY_PERSON
        place = Position(text[:31], pos + 1)
        line = ResultLine(
            pos=pos, position=place, state=state, decided_by=text, problems=(problem(text),), **known, **said
        )
        lines.append(replace(line, estado=4, http=200, sent_at=NOON))
        event = EventLine(pos, NOON, pos, place, State.SENDING, state, Event.SUPPORT, CUFE, message=text, who=text)
        events.append(replace(event, note=text))
    batch = BatchInfo(
        id="20261120-7f3a",
        file=HOSTILE[0],
        sha256="0" * 64,
        env="sandbox",
        sheet=HOSTILE[1],
        rows=len(lines),
        headings=("CUFE", HOSTILE[0], HOSTILE[13]),
        created=NOON,
        issuers=HOSTILE[:5],
        notes=HOSTILE,
        approved_by=HOSTILE[3],
    )
    return summarise(batch, lines, events)


def hostile_check() -> tuple[BatchInfo, list[ResultLine]]:
    rows = [
        CheckedRow(pos, Position("Hoja1", pos + 1), (text, text, "x"), Verdict.REJECTED, problems=(problem(text),))
        for pos, text in enumerate(HOSTILE, 1)
    ]
    headings = ("CUFE", HOSTILE[0], "Motivo")
    batch = preview_batch(
        file=HOSTILE[2], sha256="0" * 64, env="sandbox", sheet="Hoja1", rows=len(rows), headings=headings, now=NOON
    )
    return batch, lines_of(rows)


def hostile_corrections() -> Corrections:
    return corrections_of(*hostile_check())


def published(path: Path | None) -> Path:
    assert path is not None
    return path


def problem(text: str) -> Problem:
    return Problem("cufe-prefijo", "Hoja1!A2", "CUFE", text[:80], f"El CUFE «{text[:80]}» no vale.")


WRITERS: dict[str, Callable[[Path], Path]] = {
    "results": lambda folder: publish(hostile_report(), folder, "lote"),
    "preview": lambda folder: publish(summarise(*hostile_check(), ()), folder, "lote"),
    "corrections": lambda folder: published(publish_corrections(hostile_corrections(), folder, "lote")),
}


def assert_inert(path: Path) -> None:
    """No formula, link, name or connection in any cell or part; every relationship stays inside of the file."""
    with ZipFile(path) as archive:
        for name in archive.namelist():
            assert not name.startswith(("xl/externalLinks", "xl/connections", "xl/vbaProject", "xl/embeddings"))
            if name.endswith(".rels"):
                assert b"TargetMode" not in archive.read(name)
    book = openpyxl.load_workbook(path)
    assert not book.defined_names
    for page in book.worksheets:
        assert not page.data_validations.dataValidation
        for line in page.iter_rows():
            for cell in line:
                assert cell.data_type in ("s", "n", "b", "d"), f"{page.title}!{cell.coordinate}: {cell.value!r}"
                assert cell.hyperlink is None


def texts_of(path: Path) -> list[str]:
    """The texts of the table, a row each, without its header."""
    book = openpyxl.load_workbook(path)
    page = next(page for page in book.worksheets if page.title == "Resultados" or "CUFE" in headings_of(page))
    place = headings_of(page).index("CUFE") + 1
    return [str(page.cell(line, place).value) for line in range(2, page.max_row + 1)]


def headings_of(page: Any) -> list[Any]:
    return [cell.value for cell in page[1]]


def test_a_worksheet_whose_name_has_a_line_break_does_not_stop_the_results(tmp_path: Path) -> None:
    """The results are written when everything was sent: they are never the place to find a name too odd."""
    line = ResultLine(pos=1, position=Position("Hoja\n1", 2), cells=(CUFE,), state=State.WITHDRAWN, cufe=CUFE)
    batch = preview_batch(
        file="lote.xlsx", sha256="0" * 64, env="sandbox", sheet="Hoja\n1", rows=1, headings=("CUFE",), now=NOON
    )
    path = publish(summarise(replace(batch, id="20261120-7f3a"), [line], []), tmp_path, "lote")
    assert openpyxl.load_workbook(path)["Resultados"]["E2"].value == "Hoja\n1, fila 2"


@pytest.mark.parametrize("name", WRITERS)
def test_every_text_is_in_its_row_as_text(name: str, tmp_path: Path) -> None:
    path = WRITERS[name](tmp_path)
    assert_inert(path)
    shown = [fit(visible(text)) for text in HOSTILE]
    if name == "corrections":  # there a text that cannot come back as it was gives way to a mark
        shown = [text if visible(given) == given else MARKER for text, given in zip(shown, HOSTILE, strict=True)]
    assert texts_of(path) == shown


@pytest.mark.long
@pytest.mark.parametrize("name", ["results", "preview", "corrections"])
def test_libreoffice_opens_it_and_shows_every_row_as_text(name: str, tmp_path: Path) -> None:
    given = WRITERS[name](tmp_path)
    soffice("--convert-to", "xlsx", "--outdir", tmp_path / "opened", given)
    opened = tmp_path / "opened" / given.name
    assert_inert(opened)
    assert list(map(plain, texts_of(opened))) == list(map(plain, texts_of(given)))


def plain(text: str) -> str:
    """What is compared after LibreOffice had it: line ends are its own; openpyxl reads its _x005F_ as nothing."""
    return "".join(text.split()).replace("x005F_", "")


@pytest.mark.long
def test_the_csv_export_is_inert_even_where_formulas_are_evaluated(tmp_path: Path) -> None:
    """Opened as a careless person would, "evaluate formulas" ticked; a CSV without our quotes shows what that does."""
    export = publish_export(hostile_report(), tmp_path / "export.csv", write_csv)
    raw = tmp_path / "raw.csv"
    raw.write_text("\ufeffa;b\r\n=1+1;x\r\n", encoding="utf-8")
    ticked = "CSV:59,34,76,1,,3082,false,true,false,false,false,0,true"
    out = tmp_path / "opened"
    soffice(f"--infilter={ticked}", "--convert-to", "xlsx", "--outdir", out, export, raw)
    with pytest.raises(AssertionError, match=r"raw!A2: '=1\+1'"):
        assert_inert(out / "raw.xlsx")
    assert_inert(out / "export.xlsx")
    page: Any = openpyxl.load_workbook(out / "export.xlsx").active
    assert page.max_row == len(HOSTILE) + 1


def test_every_cell_of_the_csv_export_begins_harmlessly(tmp_path: Path) -> None:
    """ASVS 5.0 1.2.10: ``=``, ``+``, ``-``, ``@``, tab, carriage return and NUL never begin a text."""
    export = publish_export(hostile_report(), tmp_path / "export.csv", write_csv)
    text = export.read_bytes().decode("utf-8-sig")
    records = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    assert len(records) == len(HOSTILE) + 1
    assert {len(record) for record in records} == {len(records[0])}
    texts = [cell for record in records for cell in record]
    assert not [cell for cell in texts if cell[:1] in tuple("=+-@\t\r\n\x00") and cell]
    marked = re.compile(r"([,;|\t\r\n][\"'\s]*)'(?=[=+@-])")  # where another separator would begin a formula
    first = [marked.sub(r"\1", record[0]).removeprefix("'") for record in records[1:]]
    assert first == [marked.sub(r"\1", visible(text)).removeprefix("'") for text in HOSTILE]


def test_the_json_lines_are_one_valid_object_for_each_row(tmp_path: Path) -> None:
    export = publish_export(hostile_report(), tmp_path / "export.jsonl", write_jsonl)
    content = export.read_bytes()
    objects = [json.loads(line) for line in content.split(b"\n") if line]
    assert [one["pos"] for one in objects] == list(range(1, len(HOSTILE) + 1))
    assert [visible(one["original"]["CUFE"]) for one in objects] == list(map(visible, HOSTILE))
    assert not [char for char in content.decode() if char != "\n" and visible(char) != char]


def test_the_results_are_read_back_as_an_input(tmp_path: Path) -> None:
    report = hostile_report()
    with_reason = replace(report, headings=("CUFE de otro", "CUFE", "Motivo"))
    sheet = read_sheet(publish(with_reason, tmp_path, "lote"))
    assert list(sheet.text["reason"]) == [fit(visible(text)) for text in HOSTILE]
