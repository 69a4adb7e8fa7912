"""Fast scan of a worksheet's XML for what the reader omits: positions, formulas, hidden rows, merges.

Nearly every program writes ``<row r="1" …>`` and ``<c r="A1" s="2" t="s"><v>0</v></c>``, address first and nothing
between the tags. Such a sheet is scanned row by row with one regular expression that matches a whole row: the cells
must be in ascending order, in their own row, and match one of a few forms to the last character. The rows must follow
each other without a gap from the first tag of the data to the last, so nothing that the reader or a person sees as a
cell, a formula, an error or a hidden row is missed. Any other form (other order, prefix, comment, odd spacing, an
entity in an attribute, no address, anything suspicious) sends the whole sheet to the full scan with expat, which
follows the rules for cells without an address and does the refusing.

Only rows with a formula, an error, or a mark on their height or visibility are examined one by one. The expressions do
without possessive groups: Python before 3.11.5 may match too much with them.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from functools import cache
from operator import lt

from pipeline.domain.records import column_letters
from pipeline.read.full_scan import FILLED_BY_ONE, Watcher, is_low, is_on
from pipeline.read.grid import COLUMNS, NUMBER_OF, ROWS, Area, Scan, area_of, key
from pipeline.read.strings import refuse_odd_texts
from pipeline.read.styles import NO_FORMATTING, Formatting, Judged

_WINDOW = 64 * 1024
_TRIES = 8
"""How often new columns may appear; each time the expression is rebuilt."""

_STYLE = rb'(?: s="(?:0|[1-9][0-9]{0,6})"|)'
_FORM = rb'<f(?: [A-Za-z][A-Za-z0-9:]*="[^"&<>\t\r\n]*")* ?(?:/>|>[^<]*</f>)'
# The forms of a cell after its address, most frequent first. The group is what must be examined.
_REST = (
    _STYLE
    + rb'(?: t="inlineStr"'
    + _STYLE
    + rb'><is><t(?: xml:space="preserve"|)>[^<]*</t></is></c>'
    + rb'|(?: t="[snb]"'
    + _STYLE
    + rb"|)><v>[0-9A-Za-z.+-]+</v></c>"
    + rb"| ?/>"
    + rb'|((?: t="[nb]"'
    + _STYLE
    + rb"|)>"
    + _FORM
    + rb"(?:<v>[0-9A-Za-z.+-]*</v>|)</c>"
    + rb'| t="str"'
    + _STYLE
    + rb">(?:"
    + _FORM
    + rb"|)(?:<v>(?![ \t\r\n])[^<]*(?<![ \t\r\n])</v>|)</c>"
    + rb'| t="e"'
    + _STYLE
    + rb">(?:"
    + _FORM
    + rb"|)(?:<v>[^<&\s]*</v>|)</c>))"
)
_ROW_START = (
    rb'<row r="([1-9][0-9]{0,6})"(?: (?:ht="(?:[2-9]|[1-9][0-9]+)(?:\.[0-9]+)?"(?: customHeight="[^"&<>]*"|)'
    rb"|(?:(hidden|ht|customHeight)|[A-Za-z]"
    rb'[A-Za-z0-9:]*)="[^"&<>\t\r\n]*"))*'
    rb" ?(?:/>|>"
)
_ROW_END = rb"</row>)[ \t\r\n]*"
_LETTERS = re.compile(rb'<c r="([A-Z]{1,3})[1-9]')

_ODD_TAG = re.compile(rb"<(?:row|c)[\t\r\n/>]")
_ODD_PREFIX = re.compile(rb":(?:row|c|f|v|is)[\s/>]")
_ROW = re.compile(rb"<row [^>]*>")
_FORMULA = re.compile(rb'<c r="([A-Z]{1,3})([1-9][0-9]{0,6})"([^>]*)(?<!/)><f[\s/>]')
_ERROR = re.compile(
    rb'<c r="([A-Z]{1,3})([1-9][0-9]{0,6})"[^>]*\st="e"[^>]*(?<!/)>(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?(?:<v>([^<&]*)</v>)?'
)
_ATTRIBUTE = re.compile(r' ([A-Za-z][A-Za-z0-9:]*)="([^"]*)"')
_FILLED = re.compile(rb"<f(?= )([^>]*)>")
_SAID = re.compile(rb' s="([0-9]+)"')
_SHARED = re.compile(rb'<c r="([A-Z]{1,3})([1-9][0-9]{0,6})"([^>]*)><v>([0-9]{1,9})</v>')
_CELL = re.compile(rb'<c r="([A-Z]{1,3})([1-9][0-9]{0,6})"')
_FEW = 16


def scan(content: bytes, sheet: str, last_row: int, last_column: int, formatting: Formatting = NO_FORMATTING) -> Scan:
    """Scans ``content``. Cells with content below ``last_row`` or beyond ``last_column`` columns are refused.

    Raises ``InputRefused``: far cells, cells out of order or twice, texts that programs read differently, broken XML.
    """
    return _fast(content, last_row, last_column, formatting) or _slow(content, sheet, last_row, last_column, formatting)


def _fast(content: bytes, last_row: int, last_column: int, formatting: Formatting) -> Scan | None:
    """The scan of a sheet whose rows all have the usual form, within the limits; None for any other."""
    if formatting.of(0):  # the style of cells that do not name one
        return None
    start, end = content.find(b"<sheetData>"), content.rfind(b"</sheetData>")
    if start < 0 or end < start or _odd(content[:start]):
        return None
    outside = content[:start] + b"<sheetData>" + content[end:]
    if b"<c " in outside or b"<row " in outside or outside.count(b"<sheetData") != 1:
        return None
    refuse_odd_texts(outside)
    found = _Found()
    if not found.all_of(content, start + len(b"<sheetData>"), end):
        return None
    if found.last_row > last_row or found.width > last_column:
        return None  # perhaps only a cell with a format and no content
    around = Watcher("", ROWS, COLUMNS)
    around.parse(outside)
    if around.low:  # each row would have to be examined
        return None
    return found.done(around, _judged(content, start, end, formatting))


def _odd(head: bytes) -> bool:
    """Whether the XML before the rows may contain a row or cell of another form."""
    return (
        b"<!" in head
        or b"<?" in head.removeprefix(BOM_UTF8).removeprefix(b"<?xml ")
        or _ODD_TAG.search(head) is not None
        or _ODD_PREFIX.search(head) is not None
    )


class _Found:
    """Collects the contents of well-formed rows."""

    def __init__(self) -> None:
        self.last_row = self.width = 0
        self._formulas: dict[int, bool] = {}
        self._errors: dict[int, str] = {}
        self._hidden: set[int] = set()
        self._arrays: list[Area] = []

    def all_of(self, content: bytes, start: int, end: int) -> bool:
        """Records the rows between ``start`` and ``end``; False when something there is not a row of the usual form."""
        rows: list[bytes] = []
        while start < end and content[start] in b" \t\r\n":
            start += 1
        columns: frozenset[int] = frozenset()
        for _ in range(_TRIES):
            window = content[start : min(end, max(start + _WINDOW, content.find(b"</row>", start)))]
            met = {NUMBER_OF.get(letters, COLUMNS) for letters in _LETTERS.findall(window)} - columns
            if columns and not met:
                return False
            columns |= met
            if COLUMNS in columns:
                return False
            start = self._take(_row_of(tuple(sorted(columns))), content, start, end, rows)
            if start == end:
                break
        numbers = list(map(int, rows))
        self.last_row, self.width = max(numbers, default=0), max(columns, default=-1) + 1
        return start == end and all(map(lt, numbers, numbers[1:])) and self.last_row <= ROWS

    def _take(self, row: re.Pattern[bytes], content: bytes, start: int, end: int, rows: list[bytes]) -> int:
        """Adds to ``rows`` the numbers of consecutive rows from ``start``; returns where the last of them ends."""
        for match in iter(row.scanner(content, start, end).match, None):  # type: ignore[attr-defined]
            rows.append(match[1])
            start = match.end()
            if match.lastindex != 1:
                self._look_at(match[0], int(match[1]))
        return start

    def _look_at(self, row: bytes, number: int) -> None:
        """Records what is special about a row that is not only values."""
        tag = _ROW.match(row)
        if tag is not None and _is_hidden(tag[0]):
            self._hidden.add(number)
        for said in _FILLED.findall(row):
            attributes = dict(_ATTRIBUTE.findall(said.decode("latin-1")))
            if attributes.get("t") in FILLED_BY_ONE and "ref" in attributes:
                self._arrays.append(area_of(attributes["ref"]))
        for letters, line, more in _FORMULA.findall(row):
            self._formulas[key(int(line), NUMBER_OF[letters])] = b't="str"' in more
        for letters, line, word in _ERROR.findall(row):
            self._errors[key(int(line), NUMBER_OF[letters])] = word.decode()

    def done(self, around: Watcher, judged: dict[int, Judged]) -> Scan:
        """The scan, with what is ``around`` the rows."""
        return Scan(
            self.last_row,
            self.width,
            self._formulas,
            self._errors,
            frozenset(self._hidden),
            around.all_hidden_columns(),
            tuple(around.merged),
            tuple(self._arrays),
            judged,
            tuple(around.conditional),
            around.filtering,
        )


def _is_hidden(tag: bytes) -> bool:
    """Whether the row with this tag is hidden or too low to be visible."""
    said = dict(_ATTRIBUTE.findall(tag.decode("latin-1")))
    return is_on(said) or is_low(said.get("ht"), own=is_on(said, "customHeight"), default=False)


def _judged(content: bytes, start: int, end: int, formatting: Formatting) -> dict[int, Judged]:
    """The cells whose appearance matters, among those of the usual form: found by their styles and texts."""
    found: dict[int, Judged] = {}
    styles = {str(number).encode(): number for number in formatting.styles.judged}
    if styles:
        few = len(styles) <= _FEW
        pattern = re.compile(rb' s="(' + b"|".join(styles) + rb')"') if few else _SAID
        for match in pattern.finditer(content, start, end):
            if few or match[1] in styles:
                cell = _CELL.match(content, content.rfind(b"<", start, match.start()))
                if cell is not None:  # not a row
                    found[key(int(cell[2]), NUMBER_OF[cell[1]])] = formatting.of(styles[match[1]])
    if formatting.strings:
        for letters, line, said, string in _SHARED.findall(content, start, end):
            if b' t="s"' in said and int(string) in formatting.strings:
                style = _SAID.search(said)
                looks = formatting.of(int(style[1]) if style else 0, int(string))
                found[key(int(line), NUMBER_OF[letters])] = looks
    return {cell: said for cell, said in found.items() if said}


@cache
def _row_of(columns: tuple[int, ...]) -> re.Pattern[bytes]:
    """A pattern for a row with cells in some of ``columns``, from left to right, and the white space after it."""
    cells = (rb'(?:<c r="' + column_letters(column).encode() + rb'\1"' + _REST + rb"|)" for column in columns)
    return re.compile(_ROW_START + b"".join(cells) + _ROW_END)


def _slow(content: bytes, sheet: str, last_row: int, last_column: int, formatting: Formatting) -> Scan:
    refuse_odd_texts(content)
    watcher = Watcher(sheet, last_row, last_column, formatting)
    watcher.parse(content)
    return watcher.done()
