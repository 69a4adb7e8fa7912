"""Workbook check: compares a results workbook with the ledger at hand.

Never says «alterado»: a workbook may be older than the ledger, laid out by another version or saved again by another
program, and be genuine. Differences are listed cell by cell; what cannot be compared is reported as such.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from openpyxl.utils import get_column_letter

from pipeline.domain.commands import order
from pipeline.domain.errors import InputRefused, WrongUsage
from pipeline.domain.records import BatchInfo
from pipeline.evidence import format as m
from pipeline.evidence.remake import BOUNDS, Parts, Places, differences, sheets_of, workbook
from pipeline.ledger.extract import Extract
from pipeline.ledger.replay import Replay
from pipeline.ledger.views import Views
from pipeline.read.guard import Parts as Members
from pipeline.read.guard import open_workbook
from pipeline.read.origin import origin_of
from pipeline.read.source import take
from pipeline.read.worksheets import tabs_of
from pipeline.read.xlsx_file import sheet_values
from pipeline.report.labels import FACT_SEAL, SUMMARY
from pipeline.report.layout import layout
from pipeline.report.lines import outcome_of
from pipeline.report.summary import summarise
from pipeline.report.workbook import write_workbook

MOST_SHOWN = 10
_SEAL = re.compile(r"([0-9a-f]{64}) \((?:evento|suceso) ([1-9][0-9]*)\)")
_PROPERTIES = "docProps/custom.xml"


@dataclass
class Book:
    """Result of the check."""

    batch: str
    #: event that the workbook ends with; 0 when it names none
    seal: int = 0
    #: whether that is the batch's newest
    newest: bool = True
    #: whether every byte is the ledger's
    same: bool = False
    #: the differences, in Spanish
    differing: list[str] = field(default_factory=list)
    #: why it cannot be compared; empty when it can
    unsure: str = ""

    @property
    def good(self) -> bool:
        return not self.differing and not self.unsure


def ask_for_the_pack(name: str, batch: str = "") -> WrongUsage:
    """The error for a workbook that cannot be checked alone."""
    where = f"; el lote {batch} no está en el historial de envíos de este equipo" if batch else ""
    return WrongUsage(
        f"«{name}» es un libro, no un paquete{where}: pida el paquete de evidencia.",
        code="verify-book",
        remedy=f"Lo escribe {order('report', batch or 'LOTE', '--evidence')} donde está el historial de envíos.",
    )


def check_book(path: Path, views: Views | None) -> Book:
    """Compares the workbook at ``path`` with the ledger of ``views`` (None: there is none).

    Raises ``WrongUsage`` when there is nothing to compare it with, ``InputRefused`` when it cannot be read.
    """
    data = take(path, BOUNDS).data
    members = open_workbook(data, path.name, BOUNDS)
    batch = origin_of(members)
    env = views.env_of(batch) if views is not None and batch else None
    if views is None or env is None:
        raise ask_for_the_pack(path.name, batch if views is not None else "")
    if SUMMARY not in {tab.name for tab in tabs_of(members)}:
        raise WrongUsage(f"«{path.name}» no es un libro de resultados.", code="verify-book")
    views = views.of(env)
    info = views.batch(batch)
    assert info is not None, "just found"
    whole = views.whole(info)
    ours = io.BytesIO()
    write_workbook(summarise(whole.info, whole.lines, whole.log), ours)
    seal = _seal_in(data, path.name)
    found = Book(batch, seal[0], newest=whole.info.seal is not None and seal[0] == whole.info.seal.seq)
    if ours.getvalue() == data:
        found.same = True
    elif not seal[0]:
        found.unsure = "lo escribió una versión anterior, que no ponía el sello del lote en «Resumen»"
    elif not views.has_seal(batch, *seal):
        found.differing = [f"su sello (evento {seal[0]}) no es de este historial de envíos"]
    else:
        wanted = [ours.getvalue()] if found.newest else []
        _compare(found, data, members, path.name, [*wanted, *_as_of(whole.info, views, seal[0])])
    return found


def _compare(found: Book, data: bytes, members: Members, name: str, wanted: list[bytes]) -> None:
    """Compares with each workbook that the ledger may have written at that event; the closest counts."""
    told = [_differing(data, members, name, one) for one in wanted]
    if not told:
        found.unsure = "es anterior, y de los eventos de una versión anterior no se deduce el libro de entonces"
        return
    found.differing = min(told, key=len)
    if found.differing and layout() not in members.by_name.get(_PROPERTIES, b"").decode("utf-8", "replace"):
        found.differing, found.unsure = [], "lo escribió otra versión de anular, que escribe el libro de otra forma"


def _differing(data: bytes, members: Members, name: str, wanted: bytes) -> list[str]:
    """The differences: byte by byte while it is still our file, else by the cells."""
    if not differences(data, wanted):
        return []
    told: list[str] = []
    titles = list(sheets_of(wanted).values())
    if [(tab.name, tab.visible) for tab in tabs_of(members)] != [(title, True) for title in titles]:
        told.append("no tiene las hojas de este libro de resultados, todas a la vista y en su orden")
    for title in titles:
        try:
            told += _in_cells(sheet_values(data, name, BOUNDS, title), sheet_values(wanted, name, BOUNDS, title), title)
        except InputRefused as refusal:
            told.append(f"la hoja «{title}» no se puede comparar: {refusal.sentence}")
    return told[:MOST_SHOWN]


def _in_cells(here: list[list[object]], there: list[list[object]], title: str) -> Iterator[str]:
    empty: list[object] = []
    for number, (left, right) in enumerate(zip_longest(here, there, fillvalue=empty), start=1):
        for column, (one, other) in enumerate(zip_longest(left, right, fillvalue=""), start=1):
            if _plain(one) != _plain(other):
                cell = f"{get_column_letter(column)}{number}"
                yield f"hoja «{title}», celda {cell}: dice «{_plain(one)}» y el historial «{_plain(other)}»"


def _plain(value: object) -> str:
    text = f"{value:.15g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
    return " ".join(("" if value is None else text).split())[:80]


def _as_of(info: BatchInfo, views: Views, seq: int) -> Iterator[bytes]:
    """The workbook as it was when ``seq`` was the newest event of the batch's rows. What other batches said of this one
    then is not known, so one for each possibility. None where old events do not contain enough."""
    extract = views.extract(info).up_to(seq)
    replay = Replay(info.id)
    for event in _own(extract):
        replay.see(event)
    if replay.has_old_events:
        return
    others = {one[0]: m.other_line(*one) for one in extract.others()}
    places = Places()
    for row in extract.rows():
        places.see(row)
    head = extract.head()
    for known in {bool(head["corrects_known"]), False}:
        for number in range(len(info.corrected_in), -1, -1):
            then = {**head, "corrects_known": known, "corrected_in": info.corrected_in[:number]}
            parts = Parts(then, extract.rows, others, lambda: _own(extract), replay, places)
            lines = parts.lines(parts.leaders())
            yield workbook(parts, Counter(outcome_of(line).value for line in lines))


def _own(extract: Extract) -> Iterator[dict[str, object]]:
    return (event for event in extract.events() if isinstance(event, dict))


def _seal_in(data: bytes, name: str) -> tuple[int, str]:
    """The seal in ``Resumen``; (0, "") where there is none."""
    for row in sheet_values(data, name, BOUNDS, SUMMARY):
        values = [str(value) for value in row if value not in (None, "")]
        if len(values) == 2 and values[0] == FACT_SEAL and (told := _SEAL.fullmatch(values[1])):
            return int(told[2]), told[1]
    return 0, ""
