"""Makes the evidence pack of a batch from the ledger and the workbook that was just published beside it.

The same batch gives the same bytes as long as it has no new event, whatever other batches do. Written aside, read back
and checked like anybody else's pack, then put in place.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED

from pipeline.domain.commands import order
from pipeline.domain.errors import StorageTrouble
from pipeline.domain.records import BatchInfo
from pipeline.evidence import members as m
from pipeline.evidence.box import BLOCK
from pipeline.evidence.check import check_stream
from pipeline.ledger.extract import Extract, Foreign
from pipeline.ledger.replay import Replay
from pipeline.report.archive import FixedZip
from pipeline.report.lines import outcome_of
from pipeline.report.names import evidence_name
from pipeline.report.publish import publish_file


def write_pack(batch: BatchInfo, extract: Extract, workbook: Path) -> Path:
    """Writes ``<input stem>__<batch>__evidencia.zip`` beside ``workbook`` and returns its path.

    Raises ``StorageTrouble`` when it cannot be written, and when the ledger holds something that does not fit together:
    then there is no evidence, and nothing is left behind.
    """

    def write(stream: IO[bytes]) -> None:
        with workbook.open("rb") as book:
            fill(stream, extract, book)
        stream.seek(0)
        found = check_stream(stream)
        if found.faults:
            fault = found.faults[0]
            raise StorageTrouble(
                f"El paquete de evidencia no coincide consigo mismo: {fault.member}: {fault.words}",
                code="evidence-broken",
                remedy=f"Compruebe el registro con {order('verify')} y pida ayuda.",
            )

    return publish_file(batch.id, workbook.parent / evidence_name(Path(batch.file).stem, batch.id), write)


def fill(stream: IO[bytes], extract: Extract, workbook: IO[bytes]) -> None:
    """Writes the members one after the other, each as it is read: no part of a large batch is in memory whole."""
    head = extract.head()
    replay, count, seal = Replay(head["id"]), 0, (0, "")
    chain = io.BytesIO(m.start_line(extract.span()[0] - 1, extract.before()))
    chain.seek(0, io.SEEK_END)
    with FixedZip(stream, "w", ZIP_DEFLATED, compresslevel=6) as box:
        sums: dict[str, m.Sum] = {}
        sums[m.README] = _put(box, m.README, [m.readme(head)])
        sums[m.WORKBOOK] = _put(box, m.WORKBOOK, iter(lambda: workbook.read(BLOCK), b""))
        sums[m.HEAD] = _put(box, m.HEAD, [m.head_text(head)])
        sums[m.ROWS] = _put(box, m.ROWS, map(m.row_line, extract.rows()))

        def own_events() -> Iterator[bytes]:
            nonlocal count, seal
            for one in extract.events():
                if isinstance(one, Foreign):
                    chain.write(m.foreign_line(one))
                    continue
                replay.see(one)
                if one["batch"] == head["id"]:
                    count, seal = count + 1, (one["seq"], one["hash"].hex())
                yield m.event_line(one)

        sums[m.EVENTS] = _put(box, m.EVENTS, own_events())
        sums[m.CHAIN] = _put(box, m.CHAIN, [chain.getvalue()])
        counts = Counter(outcome_of(line).value for line in replay.lines(head["sheet"], extract.rows))
        manifest = m.manifest(head, sums, events=count, seal=seal, counts=dict(sorted(counts.items())))
        _put(box, m.MANIFEST, [manifest])


def _put(box: FixedZip, name: str, pieces: Iterable[bytes]) -> m.Sum:
    """Writes a member piece by piece; its sum."""
    digest, size = hashlib.sha256(), 0
    with io.BufferedWriter(box.open(box.member(name), "w"), BLOCK) as member:
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            member.write(piece)
    return m.Sum(size, digest.hexdigest())
