"""Remake: a batch's workbook made again from its events alone, and the differences to the one at hand.

Rows are created on access; in memory are only the last state of each row, its place and code, and the packed workbook;
where rows have to be shown in another order, also their packed cells.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import zip_longest
from typing import Any, overload

from openpyxl.utils import get_column_letter

from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import Approval, BatchInfo, EventLine, Position, ResultLine, Seal
from pipeline.evidence.format import read_other
from pipeline.evidence.sheet import Odd, sheet_rows
from pipeline.evidence.unzip import BLOCK, DAMAGE, LIMITS
from pipeline.ledger import codec
from pipeline.ledger.replay import Other, Replay, repeats
from pipeline.read.guard import Parts as Members
from pipeline.read.limits import Limits
from pipeline.read.worksheets import RELATIONS, WORKBOOK, tabs_of
from pipeline.report.model import Report
from pipeline.report.summary import summarise
from pipeline.report.workbook import write_workbook

Rows = Callable[[], Iterable[Mapping[str, Any]]]
BOUNDS = Limits(size=LIMITS.size, rows=1_100_000, columns=1_000, unpacked=LIMITS.unpacked)
MOST_SHOWN = 3
"""Most cells that are named per sheet."""

_TOGETHER = 32
_OPENED = 2
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Places:
    """Where each row of a batch is, its code, and which rows are repeated; gathered in one pass over the rows."""

    #: line in the input, from ordinal 1
    lines: array[int] = field(default_factory=lambda: array("q"))
    cufes: list[str | None] = field(default_factory=list)
    #: ordinals of the rows that others of the batch repeat
    repeated: set[int] = field(default_factory=set)

    def see(self, row: Mapping[str, Any]) -> None:
        """Takes the next row."""
        self.lines.append(row["line"])
        self.cufes.append(row["cufe"])
        if repeats(row):
            self.repeated.add(row["leader_pos"])


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts from which a workbook is made."""

    #: of the batch
    head: Mapping[str, Any]
    rows: Rows
    #: by ordinal, the rows of other batches that its rows repeat
    others: Mapping[int, bytes]
    #: its events, read again each time
    events: Callable[[], Iterable[Mapping[str, Any]]]
    #: the result of these events for the rows
    replay: Replay
    #: what was gathered of the rows
    places: Places

    def other(self, pos: int) -> Other:
        """The row of another batch that row ``pos`` repeats."""
        line = self.others.get(pos)
        return read_other(line)[1:] if line is not None else None

    def leaders(self) -> dict[int, ResultLine]:
        """The rows that others of the batch repeat, after their events, by ordinal."""
        wanted = self.places.repeated
        rows = (row for row in self.rows() if row["pos"] in wanted) if wanted else ()
        return {row["pos"]: self.replay.line(self.head["sheet"], row) for row in rows}

    def lines(self, leaders: Mapping[int, ResultLine]) -> Iterator[ResultLine]:
        """Every row after its events, in input order."""
        whole = partial(self.replay.whole_line, self.head["sheet"], leaders=leaders, other=self.other)
        return map(whole, self.rows())


def workbook(parts: Parts, counts: Mapping[str, int]) -> bytes:
    """The results workbook. ``counts`` are the rows by outcome."""
    target = io.BytesIO()
    write_workbook(report(parts, counts), target)
    return target.getvalue()


def report(parts: Parts, counts: Mapping[str, int]) -> Report:
    """The content of the workbook."""
    return summarise(_info(parts, counts), _Lines(parts), _Log(parts))


def _info(parts: Parts, counts: Mapping[str, int]) -> BatchInfo:
    head, first, last = parts.head, parts.replay.first, parts.replay.last
    if first is None or last is None:
        raise ValueError("no event")
    return BatchInfo(
        id=head["id"],
        file=head["file"],
        sha256=head["sha256"],
        env=head["env"],
        sheet=head["sheet"] or None,
        rows=head["n_rows"],
        headings=tuple(json.loads(head["headings"])),
        created=codec.to_time(head["created_utc"]),
        approved_by=head["approved_by"] or None,
        started=codec.to_time(first["utc"]),
        ended=codec.to_time(last["utc"]),
        issuers=tuple(json.loads(head["issuers"])),
        notes=tuple(json.loads(head["notes"])),
        deadline_hours=head["deadline_hours"],
        counts=dict(counts),
        corrects=head.get("corrects"),
        corrects_known=bool(head.get("corrects_known")),
        corrected_in=tuple(head.get("corrected_in") or ()),
        seal=Seal(last["seq"], bytes(last["hash"]).hex()),
        approvals=_approvals(parts.replay),
    )


def _approvals(replay: Replay) -> tuple[Approval, ...]:
    """Approvals of what the drop folder held. What was held by a stop and goes on is in the log alone, as in the
    workbook."""
    if not replay.held:
        return ()
    return tuple(Approval(who, codec.to_time(utc), rows) for (who, utc), rows in replay.approved.items())


class _Kept:
    """The rows, compressed a few at a time, with access by ordinal."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._packed: list[bytes] = []
        self._opened = lru_cache(_OPENED)(self._unpacked)

    def __getitem__(self, pos: int) -> Mapping[str, Any]:
        if not self._packed:
            self._keep()
        return self._opened((pos - 1) // _TOGETHER)[(pos - 1) % _TOGETHER]

    def _keep(self) -> None:
        some: list[Mapping[str, Any]] = []
        for row in self._rows():
            some.append(dict(row))
            if len(some) == _TOGETHER:
                self._packed.append(zlib.compress(json.dumps(some).encode(), 1))
                some = []
        self._packed.append(zlib.compress(json.dumps(some).encode(), 1))

    def _unpacked(self, place: int) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = json.loads(zlib.decompress(self._packed[place]))
        return found


class _Lines(Sequence[ResultLine]):
    """The rows after their events, created on access."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._kept, self._sheet = parts, _Kept(parts.rows), parts.head["sheet"]
        self._leaders = parts.leaders()

    def __len__(self) -> int:
        return int(self._parts.head["n_rows"])

    def __iter__(self) -> Iterator[ResultLine]:
        return self._parts.lines(self._leaders)

    @overload
    def __getitem__(self, index: int) -> ResultLine: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ResultLine]: ...
    def __getitem__(self, index: int | slice) -> ResultLine | Sequence[ResultLine]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        return self._parts.replay.whole_line(self._sheet, self._kept[index + 1], self._leaders, self._parts.other)


class _Log:
    """The events of the rows as lines of the log."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[EventLine]:
        batch, sheet, places = self._parts.head["id"], self._parts.head["sheet"] or None, self._parts.places
        for event in self._parts.events():
            if event["batch"] == batch and (pos := event["pos"]) > 0:
                yield EventLine(
                    seq=event["seq"],
                    at=codec.to_time(event["utc"]),
                    pos=pos,
                    position=Position(sheet, places.lines[pos - 1]),
                    source=State(event["from_"]),
                    target=State(event["to_"]),
                    event=Event(event["event"]),
                    cufe=places.cufes[pos - 1],
                    http=event["http"],
                    estado=event["estado"],
                    message=event["message"],
                    note=codec.note_of(event["note"], event.get("more")),
                    who=event["who"],
                )


def sheets_of(book: bytes) -> dict[str, str]:
    """The titles of the sheets of ``book``, a workbook that we made, by their part, in the order of the tabs."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        parts = dict.fromkeys(archive.namelist(), b"")
        parts.update((name, archive.read(name)) for name in (WORKBOOK, RELATIONS))
        members = Members(parts)
    return {tab.part: tab.name for tab in tabs_of(members)}


def differences(given: bytes, wanted: bytes) -> list[str]:
    """The differences of the workbook ``given`` from ``wanted``, as Spanish phrases that follow «el libro»; empty when
    every part is equal."""
    if given == wanted:
        return []
    try:
        with zipfile.ZipFile(io.BytesIO(given)) as theirs, zipfile.ZipFile(io.BytesIO(wanted)) as ours:
            return list(_differing(theirs, ours, given, wanted))
    except (RuntimeError, *DAMAGE):
        return ["no se puede leer: no es un libro como los que escribe anular"]


def _differing(theirs: zipfile.ZipFile, ours: zipfile.ZipFile, given: bytes, wanted: bytes) -> Iterator[str]:
    names = [member.orig_filename for member in theirs.infolist()]
    known, titles = ours.namelist(), sheets_of(wanted)
    for name in sorted(set(names) - set(known)):
        yield f"contiene una parte que anular no escribe («{name}»)"
    if len(names) != len(set(names)):
        yield "contiene dos veces la misma parte"
    for name in known:
        if name not in names:
            yield f"no contiene la parte «{name}»"
        elif not _same(theirs, ours, name):
            yield from _in_cells(given, wanted, titles[name]) if name in titles else [_IN_PART.format(name=name)]


_IN_PART = "en la parte «{name}» (hojas, títulos, formatos, gráfico o propiedades) no es el que escribe anular"


def _same(theirs: zipfile.ZipFile, ours: zipfile.ZipFile, name: str) -> bool:
    """Compares both parts side by side until they differ: a hostile part is never unpacked beyond that."""
    with theirs.open(name) as left, ours.open(name) as right:
        while True:
            here, there = left.read(BLOCK), right.read(BLOCK)
            if here != there:
                return False
            if not here:
                return True


def _in_cells(given: bytes, wanted: bytes, title: str) -> Iterator[str]:
    told = 0
    try:
        left_rows, right_rows = sheet_rows(given, title, BOUNDS), sheet_rows(wanted, title, BOUNDS)
        pairs: Iterable[tuple[list[Any], list[Any]]] = zip_longest(left_rows, right_rows, fillvalue=[])
        for number, (here, there) in enumerate(pairs, start=1):
            for column, (left, right) in enumerate(zip_longest(here, there, fillvalue=""), start=1):
                if left != right:
                    cell = f"{get_column_letter(column)}{number}"
                    yield f"en la hoja «{title}», celda {cell}, dice «{_shown(left)}» en vez de «{_shown(right)}»"
                    told += 1
                    if told == MOST_SHOWN:
                        return
    except Odd:
        told = 0
    if not told:
        yield f"la hoja «{title}» no tiene la forma en que anular la escribe (formatos, alturas, filas o columnas)"


def _shown(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
