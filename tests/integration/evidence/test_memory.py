"""Making and checking a pack takes what the last states of its rows take, not what their cells and events do."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace
from functools import partial

import pytest

from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import Finding, Source
from pipeline.evidence import pack as pack_module
from pipeline.evidence import sheet, unzip
from pipeline.evidence.check import check_file
from pipeline.evidence.pack import write_pack
from pipeline.ledger import extract, snapshot
from pipeline.ledger.moves import Move
from pipeline.report import verify
from pipeline.report.publish import publish
from pipeline.report.summary import summarise

PER_ROW = 2_000
"""Bytes that a row may cost: its newest state, its first event, its fingerprint, and its share of what is packed: the
pack, its rows once more, and the workbook made again. Its cells, texts and events come to five times as much, in the
ledger, in the pack and in the workbook each."""

WORDS = "Evento de anulación autorizado; "


@pytest.fixture
def sent(book, row, tmp_path, monkeypatch):
    """A batch of so many rows that were sent, each with a long reason and a longer answer, and its workbook."""
    monkeypatch.setattr(unzip, "BLOCK", 16_384)
    monkeypatch.setattr(pack_module, "BLOCK", 16_384)
    monkeypatch.setattr(sheet, "BLOCK", 16_384)
    monkeypatch.setattr(verify, "_CHUNK", 16_384)
    monkeypatch.setattr(snapshot, "PART", 20)
    monkeypatch.setattr(extract, "_CHUNK", 20)

    def make(name: str, first: int, count: int):
        rows = [row(first + n, reason=f"{WORDS * 40}{n}") for n in range(1, count + 1)]
        info = book.take([replace(one, pos=pos) for pos, one in enumerate(rows, 1)], name=name, sha=name)
        ready = book.views.ready(info.id)
        book.store.apply([Move(r.attempt, 1, info.id, r.pos, State.READY, Event.CLAIMED, book.now) for r in ready])
        ends = [(r.attempt, 2, info.id, r.pos, State.SENDING, Event.CANCELLED, book.now) for r in ready]
        book.store.apply([Move(*end, _answer(end[3])) for end in ends])
        shown = book.views.whole(info)
        workbook = publish(summarise(shown.info, shown.lines, shown.log), tmp_path / name, name)
        return partial(write_pack, book.views.extract(shown.info), workbook, book.now, who="ana")

    return make


def _answer(pos: int) -> Finding:
    body = f'{{"estado":2,"mensaje":"{WORDS * 400}{pos}"}}'.encode()
    return Finding(Source.CANCELLATION, Event.CANCELLED, http=200, estado=2, dgi="0600", body=body)


def peak_of(work) -> int:
    gc.collect()
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.long
def test_a_larger_batch_costs_little_for_each_row_more(sent):
    making, checking, sizes = [], [], (460, 460, 660)  # the first fills the caches
    for place, (name, rows) in enumerate(zip("abc", sizes, strict=True)):
        make = sent(name, 1_000 * place, rows)
        making.append(peak_of(make))
        pack = make()
        checking.append(peak_of(partial(check_file, pack)))
        assert check_file(pack).good

    for peaks in (making, checking):
        assert (peaks[2] - peaks[1]) / (sizes[2] - sizes[1]) < PER_ROW, peaks
