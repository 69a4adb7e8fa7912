"""``anular report``: the results workbook again, exports, the evidence pack."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.context import Talk, settings_for
from pipeline.cli.inputs import batch_named, no_batch, own_batch
from pipeline.cli.options import BatchId, Json, Ledger, Profile

_NAMES = {".pdf": "Constancias", ".csv": "CSV", ".jsonl": "JSON"}
"""How the files are called, by their ending; without one they are results."""

if TYPE_CHECKING:
    from pipeline.domain.records import BatchInfo
    from pipeline.evidence.check import Checked
    from pipeline.ledger.views import Views


def report(
    batch: BatchId,
    csv: Annotated[bool, typer.Option("--csv", help="Escribe también un CSV.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Escribe también JSON, una fila por línea.")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Escribe también la constancia del lote, en PDF.")] = False,
    constancias: Annotated[
        bool, typer.Option("--constancias", help="Además, una página en PDF por cada factura anulada, para su cliente.")
    ] = False,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Escribe también el paquete de evidencia (.zip) para la auditoría.")
    ] = False,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Vuelve a escribir el libro de resultados de un lote, solo con lo que dice el historial de envíos."""
    from pipeline.run.results import batch_data, exit_code, to_correct, write_results
    from pipeline.wiring.ledger import Memory, open_memory
    from pipeline.wiring.rules import make_clock
    from pipeline.wiring.views import ledger_exists, open_views

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    if evidence and not ledger_exists(settings):
        raise no_batch(batch)
    with open_memory(settings, sends=False) if evidence else open_views(settings) as opened, ExitStack() as held:
        views = opened.views if isinstance(opened, Memory) else opened
        if views is None:
            raise no_batch(batch)
        info = own_batch(views, batch) if evidence else batch_named(views, batch)
        checked = held.enter_context(_checking(info, views, settings.out)) if evidence else None
        written = write_results(info, views, settings.out, csv=csv, jsonl=jsonl, pdf=pdf, constancias=constancias)
        code = exit_code(written.lines)
        answer = batch_data(written, code)
        told = [f"{_NAMES.get(path.suffix, 'Resultados')}: {path}" for path in (written.workbook, *written.exports)]
        told += to_correct(written)
        if checked is not None:
            info, workbook = written.batch, written.workbook
            del written  # the pack is made from the ledger: the rows of a large batch are not in memory beside it
            pack = _write_pack(info, views, workbook, make_clock(settings).now(), checked)
            answer, told = {**answer, "evidence": str(pack)}, [f"Paquete de evidencia: {pack}", *told]
    talk.data(answer)
    for line in told:
        talk.out.print(line, markup=False)
    return code


def _checking(info: BatchInfo, views: Views, out: Path | None) -> AbstractContextManager[Callable[[], Checked | None]]:
    """Begins the check of what a large pack rests on, beside the workbook that is written meanwhile."""
    from pipeline.evidence.beside import checking

    return checking(views.extract(info), out or Path(info.folder))


def _write_pack(
    info: BatchInfo, views: Views, workbook: Path, now: datetime, checked: Callable[[], Checked | None]
) -> Path:
    from pipeline.evidence.pack import write_pack
    from pipeline.ledger.ownership import who_am_i

    return write_pack(views.extract(info), workbook, now, who=who_am_i(), checking=checked)
