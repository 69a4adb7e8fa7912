"""Makes the evidence pack of a batch from the ledger and the workbook that was just published beside it.

The same batch gives the same bytes as long as it has no new event, whatever other batches do. Written aside, read back
and checked like anybody else's pack, then put in place.
"""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED

from pipeline.domain.errors import StorageTrouble
from pipeline.evidence import members as m
from pipeline.evidence.check import check
from pipeline.evidence.replay import Replay
from pipeline.ledger.extract import Extract, Foreign
from pipeline.report.archive import FixedZip
from pipeline.report.lines import outcome_of
from pipeline.report.model import Report
from pipeline.report.names import evidence_name
from pipeline.report.publish import publish_export


def write_pack(report: Report, extract: Extract, workbook: Path) -> Path:
    """Writes ``<input stem>__<batch>__evidencia.zip`` beside ``workbook`` and returns its path.

    Raises ``StorageTrouble`` when it cannot be written, and when the ledger holds something that does not fit together:
    then there is no evidence, and nothing is left behind.
    """
    target = workbook.parent / evidence_name(Path(report.batch.file).stem, report.batch.id)
    parts = collect(extract, workbook.read_bytes())

    def write(_report: Report, stream: IO[bytes]) -> None:
        with FixedZip(stream, "w", ZIP_DEFLATED, compresslevel=6) as box:
            for name in m.MEMBERS:
                box.writestr(name, parts[name])
        parts.clear()  # a large batch is not in memory twice
        stream.seek(0)
        found = check(stream.read())
        if found.faults:
            fault = found.faults[0]
            raise StorageTrouble(
                f"El paquete de evidencia no coincide consigo mismo: {fault.member}: {fault.words}",
                code="evidence-broken",
                remedy="Compruebe el registro con «anular verify» y pida ayuda.",
            )

    return publish_export(report, target, write)


def collect(extract: Extract, workbook: bytes) -> dict[str, bytes]:
    """The members of the pack by name."""
    head = extract.head()
    events, rows = io.BytesIO(), io.BytesIO()
    chain = [m.start_line(extract.span()[0] - 1, extract.before())]
    replay, count, seal = Replay(head["id"]), 0, (0, "")
    for one in extract.events():
        if isinstance(one, Foreign):
            chain.append(m.foreign_line(one))
            continue
        events.write(m.event_line(one))
        replay.see(one)
        if one["batch"] == head["id"]:
            count, seal = count + 1, (one["seq"], one["hash"].hex())
    for row in extract.rows():
        rows.write(m.row_line(row))
    counts = Counter(outcome_of(line).value for line in replay.lines(head["sheet"], extract.rows()))
    parts = {
        m.README: m.readme(head),
        m.WORKBOOK: workbook,
        m.HEAD: m.head_text(head),
        m.ROWS: rows.getvalue(),
        m.EVENTS: events.getvalue(),
        m.CHAIN: b"".join(chain),
    }
    parts[m.MANIFEST] = m.manifest(head, parts, events=count, seal=seal, counts=dict(sorted(counts.items())))
    return parts
