"""One table as many programs write it: spreadsheet libraries, Excel in Spanish, LibreOffice, web exports.

``DIALECTS`` maps a name to a writer; whatever it writes, ``rows_of(sheet)`` must be ``expected(...)``. Cells that a
dialect can only hold as text (a CSV's decimal comma and dates) are compared by what they mean.
"""

from __future__ import annotations

import atexit
import csv
import io
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from pipeline.read.sheet import Sheet
from tests.fuzz.seeds import HEAD, MAIN, RELATION, STRICT, cufe, pack, parts_of, worksheet
from tests.support import needs

HEADINGS = ("CUFE", "Motivo de anulación", "Correo", "Cliente", "Código", "Monto", "Fecha")
Row = tuple[Any, ...]

_ROWS: tuple[Row, ...] = (
    (cufe(1), "Devolución total; mercancía «dañada»", "ana@ejemplo.com.pa", "Ñandú & Cía. <1>", "0012", 37.35, "18/11"),
    (cufe(2), 'Error "grave" en el monto, según cliente', None, "'O''Brien' €", "007", 1200.0, "19/11"),
    (None,) * 7,
    (cufe(3), "=Factura emitida a otro cliente", "b@c.pa", "-", "1E5", -0.5, "20/11"),
)
_WIDE: Row = (cufe(4), "Emitida a 李 por error 😀", None, "Ω mega", "00", 10.0, "01/11")
_LAST: Row = (cufe(5), "El cliente pagó dos veces:\nse anula la segunda", None, "TRUE", "+507", 0.01, "02/11")


def table(*, wide: bool) -> list[Row]:
    """The data rows with blanks; ``wide``: also one that Windows-1252 cannot write."""
    rows = [*_ROWS, *([_WIDE] if wide else []), _LAST]
    return [tuple(_day(v) if place == 6 and v else v for place, v in enumerate(row)) for row in rows]


def _day(text: str) -> date:
    day, month = text.split("/")
    return date(2026, int(month), int(day))


def expected(*, wide: bool, first: int = 2) -> dict[int, Row]:
    """What has to be read, by line; ``first`` is the line of the first data row."""
    return {first + place: row for place, row in enumerate(table(wide=wide)) if row[0] is not None}


def rows_of(sheet: Sheet) -> dict[int, Row]:
    """What was read, by line; amounts and dates by their meaning, blanks as None."""
    assert tuple(heading.strip() for heading in sheet.headings) == HEADINGS
    found = {}
    for line, cells in zip(sheet.cells.index, sheet.cells.itertuples(index=False), strict=True):
        values = [value if value != "" else None for value in cells]
        found[line] = (*values[:5], _amount(values[5]), _date(values[6]))
    return found


def _amount(value: Any) -> float:
    return float(value.replace(",", ".") if isinstance(value, str) else value)


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, str):
        return datetime.strptime(value, "%Y-%m-%d" if "-" in value else "%d/%m/%Y").date()  # noqa: DTZ007
    assert isinstance(value, date)
    return value


@dataclass(frozen=True, slots=True)
class Dialect:
    """``write`` makes a file with the suffix ``kind``; ``first`` is the line of its first data row."""

    write: Callable[[Path], None]
    kind: str = ".xlsx"
    wide: bool = True
    first: int = 2


# ------------------------------------------------------------------------------------------------- libraries


def by_openpyxl(path: Path, *, write_only: bool = False) -> None:
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    book = openpyxl.Workbook(write_only=write_only)
    page: Any = book.create_sheet("Hoja1") if write_only else book.active
    for row in [HEADINGS, *table(wide=True)]:
        cells = [WriteOnlyCell(page, value) for value in row] if write_only else list(row)
        if not write_only:
            page.append(cells)
        for cell in cells if write_only else page[page.max_row]:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # a text that looks like a formula stays one
        if write_only:
            page.append(cells)
    if not write_only:
        for place in range(1, 8):
            page.cell(4, place).value = None
    book.save(path)


def by_xlsxwriter(path: Path, **options: Any) -> None:
    import xlsxwriter  # type: ignore[import-untyped]

    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False, **options}) as book:
        page = book.add_worksheet()
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for line, row in enumerate([HEADINGS, *table(wide=True)]):
            for place, value in enumerate(row):
                if isinstance(value, date):
                    page.write_datetime(line, place, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001
                elif value is not None:
                    page.write(line, place, value)


def by_pandas(path: Path, engine: str) -> None:
    import pandas as pd

    frame = pd.DataFrame(table(wide=True), columns=list(HEADINGS)).astype(object).where(lambda f: f.notna(), None)
    # pandas lets its engine make a formula of "=..."; the row is written as anybody would have to: without the sign.
    options: Any = {"options": {"strings_to_formulas": False}} if engine == "xlsxwriter" else None
    with pd.ExcelWriter(path, engine=engine, engine_kwargs=options) as writer:  # type: ignore[call-overload]
        frame.to_excel(writer, index=False, sheet_name="Hoja1")
        if engine == "openpyxl":
            for cell in next(iter(writer.sheets.values()))["B"]:
                cell.data_type = "s"


# ---------------------------------------------------------------------------------------------- own recipes


def _plain(row: Sequence[Any]) -> list[str]:
    return ["" if v is None else f"{v:%d/%m/%Y}" if isinstance(v, date) else str(v) for v in row]


def _cells(number: int, texts: Sequence[str]) -> str:
    return "".join(
        f'<c r="{chr(65 + place)}{number}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
        for place, text in enumerate(texts)
        if text
    )


def _inline() -> list[str]:
    rows = [HEADINGS, *map(_plain, table(wide=True))]
    return [f'<row r="{n}">{cells}</row>' for n, texts in enumerate(rows, 1) if (cells := _cells(n, texts))]


def google_like(path: Path) -> None:
    """Texts inline, no styles, no shared strings, a dimension that claims one cell."""
    path.write_bytes(pack(parts_of(worksheet(*_inline(), before='<dimension ref="A1"/>'))))


def strict_ooxml(path: Path) -> None:
    """ISO/IEC 29500 strict: every namespace has another name."""
    relation = RELATION.replace("schemas.openxmlformats.org/officeDocument/2006", "purl.oclc.org/ooxml/officeDocument")
    parts = {
        name: str(content).replace(MAIN, STRICT).replace(RELATION, relation)
        for name, content in parts_of(worksheet(*_inline())).items()
    }
    path.write_bytes(pack(parts))


def pretty_printed(path: Path) -> None:
    """Every tag on a line of its own, every name with a prefix, no addresses: legal, and what XML tools make."""
    lines = []
    for texts in [HEADINGS, *map(_plain, table(wide=True))]:
        lines.append("  <x:row>")
        for text in texts:
            kept = f'<x:t xml:space="preserve">{escape(text)}</x:t>'
            lines.append(
                f"    <x:c\n t = 'inlineStr' >\n <x:is>\n {kept}\n </x:is>\n </x:c>" if text else "    <x:c />"
            )
        lines.append("  </x:row>")
    body = "\n".join(lines)
    sheet = f'{HEAD}<x:worksheet xmlns:x="{MAIN}">\n <x:sheetData>\n{body}\n </x:sheetData>\n</x:worksheet>\n'
    path.write_bytes(pack(parts_of(sheet)))


# ------------------------------------------------------------------------------------------------------ CSV


def csv_text(*, delimiter: str, wide: bool, end: str = "\r\n") -> str:
    """As Excel in Spanish writes it: decimal comma, days first, quotes only where needed."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=delimiter, lineterminator=end)
    writer.writerow(HEADINGS)
    for row in table(wide=wide):
        texts = _plain(row)
        texts[5] = texts[5].replace(".", ",")
        writer.writerow(texts)
    return target.getvalue()


def as_csv(encoding: str, delimiter: str, *, wide: bool = True, head: str = "", end: str = "\r\n") -> Dialect:
    def write(path: Path) -> None:
        path.write_bytes((head + csv_text(delimiter=delimiter, wide=wide, end=end)).encode(encoding))

    return Dialect(write, ".csv", wide, 3 if head else 2)


def csv_by_pandas(path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame(table(wide=True), columns=list(HEADINGS))
    frame["Fecha"] = [None if v is None else f"{v:%d/%m/%Y}" for v in frame["Fecha"]]
    frame.to_csv(path, index=False, encoding="utf-8")


DIALECTS: dict[str, Dialect] = {
    "openpyxl": Dialect(by_openpyxl),
    "openpyxl, write-only": Dialect(lambda path: by_openpyxl(path, write_only=True)),
    "XlsxWriter": Dialect(by_xlsxwriter),
    "XlsxWriter, constant memory": Dialect(lambda path: by_xlsxwriter(path, constant_memory=True)),
    "pandas with openpyxl": Dialect(lambda path: by_pandas(path, "openpyxl")),
    "pandas with XlsxWriter": Dialect(lambda path: by_pandas(path, "xlsxwriter")),
    "strict OOXML": Dialect(strict_ooxml),
    "a web export": Dialect(google_like),
    "an XML tool": Dialect(pretty_printed),
    "Excel in Spanish, CSV": as_csv("cp1252", ";", wide=False),
    "Excel in Spanish, CSV UTF-8": as_csv("utf-8-sig", ";"),
    "Excel in Spanish, Unicode text": as_csv("utf-16", "\t"),
    "Excel with a separator line": as_csv("utf-8-sig", ";", head="sep=;\r\n"),
    "an ERP, pipes": as_csv("utf-8", "|", end="\n"),
    "pandas, CSV": Dialect(csv_by_pandas, ".csv"),
}


# ---------------------------------------------------------------------------------------------- LibreOffice


def soffice(*arguments: str | Path) -> None:
    """Runs LibreOffice without a screen."""
    needs.libreoffice()
    subprocess.run(
        ["soffice", "--headless", f"-env:UserInstallation={_profile().as_uri()}", *map(str, arguments)],
        check=True,
        capture_output=True,
        timeout=300,
    )


@cache
def _profile() -> Path:
    """A profile for all tests of this process: LibreOffice takes seconds to make one."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return Path(folder.name) / "profile"


def flat_ods(path: Path) -> None:
    """A document of LibreOffice itself, by a recipe (.fods)."""
    names = {name: f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0" for name in ("office", "table", "text", "style")}
    names["number"] = "urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0"
    spaces = " ".join(f'xmlns:{name}="{place}"' for name, place in names.items())
    day = (
        '<number:date-style style:name="N1" number:language="es" number:country="PA">'
        '<number:day number:style="long"/><number:text>/</number:text>'
        '<number:month number:style="long"/><number:text>/</number:text><number:year number:style="long"/>'
        '</number:date-style><style:style style:name="d" style:family="table-cell" style:data-style-name="N1"/>'
    )
    rows = []
    for row in [HEADINGS, *table(wide=True)]:
        rows.append("<table:table-row>" + "".join(map(_ods_cell, row)) + "</table:table-row>")
    kind = 'office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.spreadsheet"'
    inside = f'<table:table table:name="Hoja1">{"".join(rows)}</table:table>'
    styles = f"<office:automatic-styles>{day}</office:automatic-styles>"
    content = f"<office:body><office:spreadsheet>{inside}</office:spreadsheet></office:body>"
    path.write_text(f"{HEAD}<office:document {spaces} {kind}>{styles}{content}</office:document>", encoding="utf-8")


def _ods_cell(value: Any) -> str:
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, float):
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
    if isinstance(value, date):
        return (
            f'<table:table-cell table:style-name="d" office:value-type="date" office:date-value="{value.isoformat()}"/>'
        )
    lines = "".join(f"<text:p>{escape(line)}</text:p>" for line in value.split("\n"))
    return f'<table:table-cell office:value-type="string">{lines}</table:table-cell>'


def by_libreoffice(folder: Path) -> dict[str, Path]:
    """What LibreOffice makes of the table: .xlsx of a document of its own and of one by openpyxl, and CSV of each."""
    given, books, texts = folder / "given", folder / "books", folder / "texts"
    given.mkdir(parents=True)
    flat_ods(given / "ods.fods")
    by_openpyxl(given / "xlsx.xlsx")
    sources = sorted(given.iterdir())
    soffice("--convert-to", "xlsx", "--outdir", books, *sources)
    # Semicolons, quotes, UTF-8, values as shown: what its dialogue offers a user in Spanish.
    filter_ = "csv:Text - txt - csv (StarCalc):59,34,76,1,,3082,false,true,false"
    soffice("--convert-to", filter_, "--outdir", texts, *sorted(books.iterdir()))
    return {f"{path.stem} to {path.suffix[1:]}": path for path in sorted([*books.iterdir(), *texts.iterdir()])}
