"""Workbooks by the hundred: each says of one row, in one way, that it is not to be sent; the generator knows which.

A case is a way to say it, the row that is meant, and how the XML is written. ``made`` is the file, ``mended`` what a
person makes of it who does what the message asks for: there every row is to be sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.corpus.dressed import comments, dressed, solid, styles, thread, view
from tests.corpus.entry import REASON, cufe
from tests.corpus.parts import shared

LINES = (2, 3, 4, 5)
COLUMNS = {"cufe": "A", "reason": "B", "email": "C"}
EMAIL = "ana@x.pa"
FONT, GROUND, FORMAT = (
    'fontId="1" fillId="0" numFmtId="0"',
    'fontId="1" fillId="2" numFmtId="0"',
    'fontId="0" numFmtId="164"',
)
NAVY = 'rgb="FF1F3A5F"'
RULE = '<cfRule type="expression" priority="1"><formula>$C2=1</formula></cfRule>'

STRUCK = styles(FONT, fonts=["<strike/>"])
UNSEEN: dict[str, str] = {
    "white": styles(FONT, fonts=['<color rgb="FFFFFFFF"/>']),
    "white of the theme": styles(FONT, fonts=['<color theme="0"/>']),
    "white of the palette": styles(FONT, fonts=['<color indexed="1"/>']),
    "system background": styles(FONT, fonts=['<color indexed="65"/>']),
    "nearly white": styles(FONT, fonts=['<color theme="0" tint="-4.9989318521683403E-2"/>']),
    "navy on navy": styles(GROUND, fonts=[f"<color {NAVY}/>"], fills=[solid(NAVY)]),
    "accent on accent": styles(GROUND, fonts=['<color theme="4"/>'], fills=[solid('rgb="FF4472C4"')]),
    "tint on tint": styles(GROUND, fonts=['<color theme="4" tint="0.8"/>'], fills=[solid('theme="4" tint="0.8"')]),
    "black on black": styles(GROUND, fonts=['<sz val="9"/>'], fills=[solid('indexed="64"')]),
    "size 1": styles(FONT, fonts=['<sz val="1"/>']),
    "size 2": styles(FONT, fonts=['<sz val="2"/>']),
    "three semicolons": styles(FORMAT, formats=[";;;"]),
    "other words": styles(FORMAT, formats=['General;General;General;"(NO) "@']),
    "only words": styles(FORMAT, formats=['0;0;0;"anulada"']),
    "white by format": styles(FORMAT, formats=["[White]@"]),
    "twice": styles(FORMAT, formats=["@@"]),
}
ROWS_UNSEEN = ("hidden", 'ht="0"', 'ht="0.0"', 'ht="1.5" customHeight="1"', 'customHeight="1"')
COLUMNS_UNSEEN = ('hidden="1" width="9"', 'width="0"', 'width="0.0"', 'width="0.25" customWidth="1"')
AREAS = ('t="array"', 't="dataTable" dt2D="1"', 't="array" aca="1"')


@dataclass(frozen=True)
class Way:
    """A way to say it: ``outcome`` is what has to come of it: the row ``rejected`` (with its code), the file
    ``refused``, or the person ``asked`` or ``told`` first."""

    name: str
    outcome: str
    code: str = ""
    role: str = "cufe"
    looks: str = ""
    run: str = ""
    attributes: str = ""
    before: str = ""
    after: str = ""
    beside: tuple[str, str] | None = None
    filled: str = ""
    far: bool = False
    anular: str = ""


@dataclass(frozen=True)
class Case:
    """One workbook: the way, the row that is meant, and whether the XML is written as few programs do."""

    way: Way
    line: int
    odd: bool
    lines: tuple[int, ...] = field(default=LINES)

    def __str__(self) -> str:
        return f"{self.way.name}, {self.way.role}, row {self.line}{', odd' if self.odd else ''}"

    @property
    def made(self) -> bytes:
        return self._book(self.way)

    @property
    def mended(self) -> bytes:
        return self._book(Way("nothing", ""))

    def _book(self, way: Way) -> bytes:
        last = self.line if way.filled else 0
        rows = [self._row(1, dict(zip(COLUMNS, ("CUFE", "Motivo", "Correo"), strict=True)), Way("", ""))]
        strings: list[str] = []
        for line in self.lines:
            number = line + (30 if way.far and line >= self.line else 0)
            values = {"cufe": cufe(line), "reason": REASON, "email": EMAIL}
            rows.append(self._row(number, values, way if line == self.line or way.filled else Way("", ""), strings))
        return dressed(
            *rows,
            looks=way.looks,
            strings=shared(*strings) if strings else "",
            before=way.before.format(line=last),
            after=way.after.format(line=self.line, first=self.lines[0], last=self.lines[-1]),
            beside=[(way.beside[0], way.beside[1].replace("@@", str(self.line)))] if way.beside else (),
        )

    def _row(self, number: int, values: Mapping[str, str], way: Way, strings: list[str] | None = None) -> str:
        cells = []
        for role, column in COLUMNS.items():
            marked, value = role == way.role and bool(way.name), values[role]
            style = ' s="1"' if marked and way.looks else ""
            if marked and way.run and strings is not None:
                half = len(value) // 2
                strings.append(f"<r><t>{value[:half]}</t></r><r><rPr>{way.run}</rPr><t>{value[half:]}</t></r>")
                cells.append(f'<c r="{column}{number}" t="s"><v>{len(strings) - 1}</v></c>')
            elif marked and way.filled:
                ref = f"{column}{self.lines[0]}:{column}{self.lines[-1]}"
                formula = f'<f {way.filled} ref="{ref}">X</f>' if number == self.lines[0] else ""
                cells.append(f'<c r="{column}{number}" t="str">{formula}<v>{value}</v></c>')
            else:
                cells.append(f'<c r="{column}{number}"{style} t="inlineStr"><is><t>{value}</t></is></c>')
        if way.anular:
            cells.append(f'<c r="D{number}" t="inlineStr"><is><t>{way.anular}</t></is></c>')
        elif number == 1 and self.way.anular:
            cells.append(f'<c r="D{number}" t="inlineStr"><is><t>¿Anular?</t></is></c>')
        space = "\n" if self.odd else ""
        attributes = {"hidden": 'hidden="1"'}.get(way.attributes, way.attributes)
        return f'<row r="{number}"{" " + attributes if attributes else ""}{space}>{"".join(cells)}</row>'


def ways() -> Iterator[Way]:
    for role in COLUMNS:
        yield Way("struck cell", "rejected", "fila-tachada", role, looks=STRUCK)
        yield Way("struck run", "rejected", "fila-tachada", role, run="<strike/>")
        yield Way("white run", "refused", "xlsx-ocultas", role, run='<color rgb="FFFFFFFF"/>')
        for name, looks in UNSEEN.items():
            yield Way(name, "refused", "xlsx-ocultas", role, looks=looks)
        column = "ABC".index(COLUMNS[role]) + 1
        for said in COLUMNS_UNSEEN:
            before = f'<cols><col min="{column}" max="{column}" {said}/></cols>'
            yield Way(f"column {said}", "refused", "xlsx-ocultas", role, before=before)
        for kind in AREAS:
            yield Way(f"filled {kind}", "all rejected", "celda-formula", role, filled=kind)
        at = COLUMNS[role]
        yield Way("comment no", "rejected", "fila-dice-no", role, beside=comments((f"{at}@@", "no anular")))
        yield Way("thread no", "rejected", "fila-dice-no", role, beside=thread((f"{at}@@", "NO SE DEBE ANULAR")))
        yield Way("comment", "told", role=role, beside=comments((f"{at}@@", "¿revisar?")))
        yield Way("thread", "told", role=role, beside=thread((f"{at}@@", "¿revisar?")))
        area = f'<conditionalFormatting sqref="{at}{{line}}">{RULE}</conditionalFormatting>'
        yield Way("conditional format", "told", role=role, after=area)
    for said in ROWS_UNSEEN:
        yield Way(f"row {said}", "refused", "xlsx-ocultas", attributes=said)
    for word in ("no", "NO", "n", "Falso", "0"):
        yield Way(f"column says {word}", "rejected", "fila-dice-no", anular=word)
    yield Way("covered", "refused", "xlsx-ocultas", after='<mergeCells><mergeCell ref="A{line}:B{line}"/></mergeCells>')
    vertical = '<mergeCells><mergeCell ref="B{first}:B{last}"/></mergeCells>'
    yield Way("vertical merge", "refused", "xlsx-combinadas", after=vertical)
    yield Way("view", "asked", "vista-filtra", beside=view("Vista de Ana"))
    yield Way("far", "asked", "fila-lejana", far=True)


def cases() -> list[Case]:
    """The whole grid, in one order."""
    return [Case(way, line, odd) for way in ways() for line in LINES[1:3] for odd in (False, True)]
