"""Early results: the workbooks as they are right after sending, for a person who does not stay for the answers.

They are written again after polling. A workbook that cannot be written now (open in Excel, a full disk) stops nothing:
the polling goes on, and the end of the run tries again and says what it came to. For 100,000 rows it costs about 23 s
(docs/rendimiento.md) after hours of sending; where nothing has to be waited for it is not done.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.domain.errors import AnularError, Bug
from pipeline.domain.records import BatchInfo
from pipeline.run.results import write_results
from pipeline.runtime.internal_error import internal
from pipeline.wiring.ledger import Memory

_AGAIN = "Se intenta otra vez después de consultar."


def write_early(batches: Sequence[BatchInfo], memory: Memory, folder: Path | None = None) -> list[str]:
    """Writes the results of ``batches`` as they are now into ``folder`` (else where each batch has them).

    Returns a Spanish sentence for each that could not be written. Missing memory and a broken protocol are hidden here
    as little as anywhere: they end the run.
    """
    troubles = []
    for info in batches:
        try:
            workbook = write_results(info, memory.views, folder).workbook
        except (MemoryError, Bug):
            raise
        except Exception as error:  # whatever else a full disk leads to
            told = error if isinstance(error, AnularError) else internal(error)
            troubles.append(f"{told.sentence} {_AGAIN}")
        else:
            memory.bus.note("workbook_written", batch=info.id, file=str(workbook))
    return troubles
