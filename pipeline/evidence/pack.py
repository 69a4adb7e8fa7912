"""Evidence pack writer: makes the pack of a batch from the ledger and the workbook that was just published.

The same batch gives the same bytes as long as it has no new event, whatever other batches do. The pack is written to a
temporary file; between the members and the events their digests go into the chain. Then it is read back, checked like
any other pack, and renamed into place.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED

from pipeline.domain.commands import order
from pipeline.domain.errors import StorageTrouble
from pipeline.evidence import format as m
from pipeline.evidence.check import Checked, check_stream, proven
from pipeline.evidence.unzip import BLOCK
from pipeline.ledger.extract import Extract, Foreign
from pipeline.ledger.ledger_events import bind_pack, bound_pack
from pipeline.report.layout import layout
from pipeline.report.names import evidence_name, room
from pipeline.report.publish import publish_file
from pipeline.report.xlsx_writer import FixedZip


def write_pack(
    extract: Extract, workbook: Path, now: datetime, *, who: str, checking: Callable[[], Checked | None] = lambda: None
) -> Path:
    """Writes ``<input stem>__<batch>__evidencia.zip`` next to ``workbook`` and returns its path.

    ``extract`` is the batch as the workbook shows it. Its digests go into the chain as ``who``'s event at ``now``; the
    same state records them once. Raises ``StorageTrouble`` when it cannot be written, and when the ledger is
    inconsistent: then there is no evidence, and nothing is left behind but the event. ``checking`` has the result of a
    check of its texts that was begun before (``beside.py``), if there is one.
    """
    batch, seal = extract.info, _seal(extract)

    def bind(sums: bytes) -> int:
        return bind_pack(extract.database, batch.id, seal, now, who=who, sums=sums, layout=layout())

    return _publish(extract, workbook, bind, checking)


def copy_pack(extract: Extract, workbook: Path) -> Path:
    """The same for a pack that was written before, with the same bytes; writes nothing into the ledger. Raises
    ``StorageTrouble`` also when the batch got newer events since."""
    batch, seal = extract.info, _seal(extract)

    def bind(sums: bytes) -> int:
        return bound_pack(extract.database, batch.id, seal, sums=sums, layout=layout())

    return _publish(extract, workbook, bind)


def _seal(extract: Extract) -> int:
    assert extract.info.seal is not None, "a batch has rows, and each row an event"
    return extract.info.seal.seq


def _publish(
    extract: Extract,
    workbook: Path,
    bind: Callable[[bytes], int],
    checking: Callable[[], Checked | None] = lambda: None,
) -> Path:
    batch = extract.info

    def write(stream: IO[bytes]) -> None:
        with workbook.open("rb") as book:
            fill(stream, extract, book, bind)
        stream.seek(0)
        checked = checking()
        found = proven(stream, checked) if checked is not None else None
        if found is None:
            stream.seek(0)
            found = check_stream(stream)
        if found.faults:
            fault = found.faults[0]
            raise StorageTrouble(
                f"El paquete de evidencia no coincide consigo mismo: {fault.member}: {fault.words}",
                code="evidence-broken",
                remedy=f"Compruebe el historial de envíos con {order('verify')} y pida ayuda.",
            )

    name = evidence_name(Path(batch.file).stem, batch.id, room(workbook.parent))
    return publish_file(batch.id, workbook.parent / name, write)


def _texts(extract: Extract, head: Mapping[str, Any]) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The members of ``m.BOUND`` that are texts, in their written form."""
    yield m.README, [m.readme(head)]
    yield m.HEAD, [m.head_text(head)]
    yield m.ROWS, map(m.row_line, extract.rows())
    yield m.OTHERS, (m.other_line(*one) for one in extract.others())


def fill(
    stream: IO[bytes], extract: Extract, workbook: IO[bytes], bind: Callable[[bytes], int], *, level: int = 6
) -> None:
    """Writes the members one after the other, each as it is read: no part of a large batch is in memory as a whole.

    ``bind`` gets the digests of ``m.BOUND`` once these are written, adds them to the chain, and returns the number of
    their event, which is the last in the pack. The totals are those of the ledger; the check derives them from the
    events.
    """
    head = extract.head()
    count, seal, own = 0, (0, ""), (0, "")
    chain = io.BytesIO(m.start_line(extract.span()[0] - 1, extract.before()))
    chain.seek(0, io.SEEK_END)
    texts = dict(_texts(extract, head))
    with FixedZip(stream, "w", ZIP_DEFLATED, compresslevel=level) as box:
        sums: dict[str, m.Sum] = {}
        for name in m.BOUND:
            pieces = iter(lambda: workbook.read(BLOCK), b"") if name == m.WORKBOOK else texts[name]
            sums[name] = _put(box, name, pieces)
        bounded = extract.up_to(bind(m.bound(sums)))

        def own_events() -> Iterator[bytes]:
            nonlocal count, seal, own
            for one in bounded.events():
                if isinstance(one, Foreign):
                    chain.write(m.foreign_line(one))
                    continue
                if one["batch"] == head["id"]:
                    own = one["seq"], one["hash"].hex()
                    count, seal = (count + 1, own) if one["pos"] else (count, seal)
                yield m.event_line(one)

        sums[m.EVENTS] = _put(box, m.EVENTS, own_events())
        sums[m.CHAIN] = _put(box, m.CHAIN, [chain.getvalue()])
        totals = {word: number for word, number in sorted(extract.info.counts.items()) if number}
        _put(box, m.MANIFEST, [m.manifest(head, sums, events=count, seal=seal, counts=totals, pack=own)])


def _put(box: FixedZip, name: str, pieces: Iterable[bytes]) -> m.Sum:
    """Writes a member piece by piece; returns its sum."""
    digest, size = hashlib.sha256(), 0
    with box.stream(name) as member:
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            member.write(piece)
    return m.Sum(size, digest.hexdigest())
