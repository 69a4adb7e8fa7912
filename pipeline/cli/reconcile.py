"""``anular reconcile``: what the ledger holds compared with what eDoc says now. Sends nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli import questions
from pipeline.cli.context import ExitCodes, Talk, observation_of, results_folder, settings_for
from pipeline.cli.inputs import is_file_name, no_batch, own_batch, read_all, reader_processes
from pipeline.cli.options import Columns, Json, Ledger, Profile, SheetName
from pipeline.domain.commands import order
from pipeline.domain.errors import WrongUsage

if TYPE_CHECKING:
    from pipeline.domain.errors import AnularError
    from pipeline.report.comparison import Comparison
    from pipeline.run.reconcile import Answer, Asked
    from pipeline.run.session import Steps
    from pipeline.runtime.clock import Clock
    from pipeline.runtime.shutdown import Stop
    from pipeline.wiring.ledger import Memory


def reconcile(
    context: typer.Context,
    batches: Annotated[list[str] | None, typer.Argument(metavar="LOTE...", help="Los lotes que se comparan.")] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="ARCHIVO", help="Compara las facturas de un CSV o XLSX en vez de un lote."),
    ] = None,
    sheet: SheetName = "",
    columns: Columns = "",
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Pregunta a eDoc por cada factura y compara con lo que consta aquí. Solo consulta: nunca envía ni cambia nada."""
    from pipeline.run.plan import make_plan
    from pipeline.run.reconcile import head_of_file, of_batch, of_file
    from pipeline.wiring.ledger import open_memory
    from pipeline.wiring.rules import check_rules, make_clock
    from pipeline.wiring.sandbox import running_sandbox
    from pipeline.wiring.views import ledger_exists

    if bool(batches) == (file is not None):
        raise WrongUsage("Indique uno o más lotes, o un archivo con --file.")
    if wrong := next(filter(is_file_name, batches or []), ""):
        raise WrongUsage(
            f"«{wrong}» es el nombre de un archivo, y aquí va el número de un lote.",
            code="no-batch",
            remedy=f"Para comparar un archivo: {order('reconcile', '--file', wrong)}",
        )
    readers = reader_processes(context) if file is not None else None
    settings, talk = settings_for(profile, ledger), Talk(as_json)
    if batches and not ledger_exists(settings):
        raise no_batch(batches[0])
    clock, bus = make_clock(settings), observation_of(context).bus(settings, "reconcile")
    wish = questions.Wish.of(sheet, columns, include_hidden=False, asks=sys.stdin.isatty())
    sheets = read_all([file], wish, settings, talk, readers) if file is not None and readers is not None else []
    answer = ExitCodes()
    told = []
    with open_memory(settings, bus=bus) as memory, running_sandbox(settings) as base:
        for found in sheets:
            assert file is not None
            plan = make_plan(found, memory.views, check_rules(settings), clock.now(), resume=False)
            rows, folder = of_file(plan, memory.views), results_folder(settings, file)
            info = head_of_file(found, settings.env, len(rows), clock.now())
            told.append(_compared(info, rows, folder, memory, clock, base, talk, answer))
        for name in batches or []:
            batch = own_batch(memory.views, name)
            rows, folder = of_batch(batch, memory.views), settings.out or Path(batch.folder)
            told.append(_compared(batch, rows, folder, memory, clock, base, talk, answer))
    talk.data(told)
    return answer.code


def _compared(
    info: Any, rows: list[Asked], folder: Path, memory: Memory, clock: Clock, base: str, talk: Talk, answer: ExitCodes
) -> dict[str, Any]:
    """Queries eDoc, writes the comparison and shows it; returns the ``--json`` answer."""
    from pipeline.report.comparison import Comparison, write_comparison
    from pipeline.report.names import comparison_name, room
    from pipeline.report.publish import publish_file
    from pipeline.run import session
    from pipeline.run.reconcile import ask, compare

    begun = clock.now()
    answers: dict[str, Answer] = {}

    async def work(steps: Steps, stop: Stop) -> None:
        await ask(rows, steps, stop, talk.progress, answers)

    trouble = session.carry_out(memory, clock, base, work) if any(row.cufe for row in rows) else None
    found = Comparison(info, compare(rows, answers), begun)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / comparison_name(Path(info.file).stem, info.id, room(folder))
    workbook = publish_file(info.id, target, lambda stream: write_comparison(found, stream))
    code = _code(found, trouble)
    answer.codes.append(code)
    talk.out.print(f"{info.file}: {found.headline}", markup=False)
    if trouble is not None:
        talk.err.print(f"✗ {trouble.sentence} [{trouble.code}]", markup=False)
    talk.out.print(f"Comparación: {workbook}", markup=False)
    return _data(found, str(workbook), code)


def _code(found: Comparison, trouble: AnularError | None) -> int:
    from pipeline.domain.comparison import DIFFERENT, Conclusion

    if trouble is not None:
        return trouble.exit_code
    counts = found.counts
    if counts[Conclusion.UNKNOWN]:
        return 4
    return 1 if any(counts[one] for one in DIFFERENT) else 0


def _data(found: Comparison, workbook: str, code: int) -> dict[str, Any]:
    from pipeline.domain.comparison import DIFFERENT

    return {
        "batch": found.batch.id or None,
        "file": found.batch.file,
        "sha256": found.batch.sha256,
        "env": found.batch.env,
        "asked_at": found.begun.isoformat(),
        "conclusions": {
            conclusion.value: number
            for conclusion, number in sorted(found.counts.items(), key=lambda one: one[0].value)
        },
        "differences": [
            {
                "row": row.place,
                "cufe": row.cufe,
                "batch": row.batch or None,
                "here": row.here,
                "estado": row.estado,
                "conclusion": row.conclusion.value,
            }
            for row in found.rows
            if row.conclusion in DIFFERENT
        ],
        "workbook": workbook,
        "exit_code": code,
    }
