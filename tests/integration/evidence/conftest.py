"""A ledger with everything that can become of a row, and the evidence pack of one of its batches."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import BatchInfo, Finding, Leader, Position, Problem, Source, Verdict
from pipeline.evidence.pack import write_pack
from pipeline.ledger.ledger_events import start_anew
from pipeline.ledger.moves import Move
from pipeline.ledger.scope import Scope, credential_mark
from pipeline.ledger.store import Store
from pipeline.ledger.views import Views
from pipeline.report.publish import publish
from pipeline.report.summary import summarise
from pipeline.report.xlsx_writer import FixedZip
from tests.integration.conftest import ENV, NOW

CREDENTIAL = credential_mark(ENV, "ana")
BODY = b'{"estado":2,"mensaje":"Autorizado \xc3\xb1"}'


@dataclass
class Case:
    """An open ledger, the batch that matters, and the folder of its results."""

    book: object
    info: BatchInfo
    folder: Path

    def pack(self, folder: Path | None = None) -> Path:
        """Publishes the workbook and the pack of the batch, as ``anular report --evidence`` does."""
        views = self.book.views  # type: ignore[attr-defined]
        info = views.batch(self.info.id)
        shown = views.whole(info)
        info = shown.info
        report = summarise(info, shown.lines, shown.log)
        workbook = publish(report, folder or self.folder, Path(info.file).stem)
        return write_pack(views.extract(info), workbook, self.book.now, who="ana")  # type: ignore[attr-defined]


def answer(event: Event, source: Source = Source.CANCELLATION, **more) -> Finding:
    return Finding(source, event, **{"http": 200, "body": BODY, **more})


@pytest.fixture
def book(book):
    """The ledger as a company's run opens it: everything that is taken in bears the mark of its credential."""
    scope = Scope(CREDENTIAL, alone=not book.database.shared)
    store = Store(book.database, ENV, scope)
    store.begin_run(NOW)
    return replace(book, store=store, views=Views(book.database, ENV, scope))


@pytest.fixture
def case(book, row, tmp_path):
    """Thirteen rows, among them a resend, queries, a decision and duplicates, with another batch's events between."""
    book.take([replace(row(69 + n), pos=n) for n in (1, 2)], name="antes", sha="b")
    problem = Problem("motivo-corto", "Hoja1!B10", "Motivo", "x", "El motivo es demasiado corto.")
    same, other = Leader(None, 1, Position("Hoja1", 5)), Leader("20261120-antes", 1, Position("Hoja1", 74))
    odd = ("=1+1", "a\r\nb\x07 _x0041_", -0.1, None, 10**17, True)
    info = book.take(
        [
            *(row(n) for n in range(1, 10)),
            replace(row(10, Verdict.REJECTED), problems=(problem,), cufe=None, cells=odd),
            replace(row(11, Verdict.DUPLICATE), leader=same, cufe=row(1).cufe),
            replace(row(12, Verdict.DUPLICATE), leader=other, cufe=row(70).cufe),
            row(13, Verdict.HELD),
        ]
    )
    one, two, three, four, five, six, seven, eight, _unsent = book.views.ready(info.id)
    cancelled = answer(Event.CANCELLED, estado=2, dgi="0600", message="Evento _x0041_ registrado", authorised_at="hoy")
    book.send(one, Event.CANCELLED, cancelled)
    book.send(two, Event.NOTHING_LEFT, Finding(Source.CANCELLATION, Event.NOTHING_LEFT, note="dns"), retry=True)
    again = next(one for one in book.views.ready(info.id) if one.pos == two.pos)
    book.send(again, Event.ALREADY, answer(Event.ALREADY, dgi="0622"))
    sent = book.send(three, Event.IN_PROGRESS, answer(Event.IN_PROGRESS, estado=5))
    start_anew(book.database, book.now, who="ana", why="sin rastros")
    (first, _) = book.views.ready("20261120-antes")
    book.send(first, Event.CANCELLED, answer(Event.CANCELLED, estado=2))
    query = answer(Event.ALIVE, Source.QUERY, estado=2, message="Autorizado")
    moved = book.move(three.attempt, sent.version, 3, State.PENDING, Event.ALIVE, query, after=timedelta(minutes=1))
    lost = Finding(Source.QUERY, Event.UNCLEAR, note="read-timeout")
    book.move(three.attempt, moved.version, 3, State.PENDING, Event.UNCLEAR, lost, after=timedelta(minutes=2))
    unclear = book.send(four, Event.UNCLEAR, Finding(Source.CANCELLATION, Event.UNCLEAR, http=500, body=b"<html>"))
    resend = Move(four.attempt, unclear.version, info.id, 4, State.UNKNOWN, Event.RESEND, book.now, query, "sí", "ana")
    book.store.apply([replace(resend, retry=True)])
    gone = book.send(five, Event.UNCLEAR, Finding(Source.CANCELLATION, Event.UNCLEAR, note="read-timeout"))
    book.store.apply(
        [Move(five.attempt, gone.version, info.id, 5, State.UNKNOWN, Event.RESOLVED, book.now, note="x", who="ana")]
    )
    book.send(six, Event.RETURNED, answer(Event.RETURNED, estado=15))
    book.send(seven, Event.UNAUTHORISED, Finding(Source.CANCELLATION, Event.UNAUTHORISED, http=401))
    book.move(eight.attempt, 1, 8, State.READY, Event.NOT_FOUND, answer(Event.NOT_FOUND, Source.QUERY, estado=18))
    return Case(book, info, tmp_path / "out")


@pytest.fixture(scope="session")
def _made_once() -> dict[str, bytes]:
    return {}


@pytest.fixture
def pack(request, _made_once, tmp_path) -> Path:
    """The pack of ``case``, its workbook beside it: made for the first test, copied for those that change only the
    copy. Who asks for ``case`` too gets the one of that very ledger."""
    if "case" in request.fixturenames:
        return request.getfixturevalue("case").pack()
    if not _made_once:
        made = request.getfixturevalue("case").pack()
        _made_once |= {path.name: path.read_bytes() for path in made.parent.iterdir() if path.is_file()}
    folder = tmp_path / "copia"
    folder.mkdir()
    for name, content in _made_once.items():
        (folder / name).write_bytes(content)
    (path,) = folder.glob("*.zip")
    return path


@pytest.fixture
def repack() -> Callable[[Path, Mapping[str, bytes]], bytes]:
    """The pack with some members changed, as somebody with a zip program makes it."""

    def make(pack: Path, changed: Mapping[str, bytes]) -> bytes:
        parts = members(pack.read_bytes())
        target = io.BytesIO()
        with FixedZip(target, "w") as box:
            for name in parts:
                box.writestr(name, changed.get(name, parts[name]))
        return target.getvalue()

    return make


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as box:
        return {name: box.read(name) for name in box.namelist()}


@pytest.fixture
def unzipped() -> Callable[[Path], dict[str, bytes]]:
    return lambda pack: members(pack.read_bytes())
