"""``anular run``: the five steps for files that a person approves."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import questions
from pipeline.cli.approve import (
    approve,
    check_certificates,
    check_hidden_count,
    confirm_asked,
    confirm_hidden,
    need_terminal,
)
from pipeline.cli.context import Talk, local_time, observation_of, results_folder, settings_for
from pipeline.cli.inputs import of_nobody_else, read_all, reader_processes, refusal_data, without_locks
from pipeline.cli.options import (
    BadDigit,
    Columns,
    FarRows,
    Formulas,
    Hidden,
    HiddenCount,
    IgnoreViews,
    Json,
    KnownElsewhere,
    Ledger,
    NewLedger,
    NoPoll,
    Profile,
    SheetName,
    Yes,
)
from pipeline.cli.output import News, notifies, report_batches, show_plan
from pipeline.cli.returned import ask_returned, returned_sheets
from pipeline.cli.two_people import need_two
from pipeline.domain.commands import order
from pipeline.domain.errors import InputRefused, WrongUsage
from pipeline.domain.outcomes import worst
from pipeline.runtime.garbage import loading

if TYPE_CHECKING:
    from pipeline.domain.eligibility import Rules
    from pipeline.domain.records import BatchInfo
    from pipeline.ledger.views import Views
    from pipeline.read.sheet import Sheet
    from pipeline.runtime.clock import Clock
    from pipeline.settings.model import Settings
    from pipeline.wiring.ledger import Memory


@notifies("run")
def run_files(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="ARCHIVO...", help="Uno o más archivos CSV o XLSX.")
    ] = None,
    yes: Yes = False,
    only: Annotated[
        int | None, typer.Option("--only", metavar="N", min=1, help="Envía solo las primeras N facturas enviables.")
    ] = None,
    no_poll: NoPoll = False,
    queue: Annotated[
        bool,
        typer.Option("--queue", help="No envía: entrega el lote aprobado a la cola de los trabajadores (worker)."),
    ] = False,
    sheet: SheetName = "",
    columns: Columns = "",
    include_hidden: Hidden = False,
    hidden_count: HiddenCount = None,
    far_rows: FarRows = None,
    ignore_views: IgnoreViews = False,
    accept_formulas: Formulas = False,
    allow_bad_check_digit: BadDigit = False,
    new_ledger: NewLedger = False,
    known_elsewhere: KnownElsewhere = None,
    approved: Annotated[
        int | None,
        typer.Option("--approved", metavar="NÚMERO", min=1, help="Envía una propuesta que otra persona aprobó."),
    ] = None,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Los cinco pasos: lee, valida, envía, consulta y escribe el libro de resultados. Pregunta antes de enviar."""
    if approved is not None:
        of_a_file = (sheet, columns, include_hidden, ignore_views, accept_formulas, allow_bad_check_digit, new_ledger)
        numbers = (only, hidden_count, far_rows, known_elsewhere)
        if files or yes or any(of_a_file) or any(one is not None for one in numbers):
            raise WrongUsage(
                "--approved envía lo que se aprobó, como se aprobó: no se usa con archivos ni con otras opciones del "
                "archivo.",
                code="approved-alone",
            )
        from pipeline.cli.approved import carry_approved

        return carry_approved(context, approved, profile, ledger, queue=queue, no_poll=no_poll, as_json=as_json)
    if not files:
        raise WrongUsage("Indique uno o más archivos, o una propuesta aprobada con --approved.", code="no-file")
    readers = reader_processes(context)
    settings, talk = settings_for(profile, ledger), Talk(as_json)
    need_two(settings, "un archivo no se envía con «run»", order("propose", "ARCHIVO"))
    bus = observation_of(context).bus(settings, "run")
    need_terminal(yes=yes)
    check_hidden_count(hidden_count, include_hidden)
    if queue:
        if only is not None or no_poll:
            raise WrongUsage("--only y --no-poll son para enviar aquí mismo: no se usan con --queue.")
        if known_elsewhere is not None:
            raise WrongUsage("--known-elsewhere es para enviar aquí mismo: no se usa con --queue.")
        from pipeline.queue.app import check_server

        check_server(settings.ledger)
    asks = sys.stdin.isatty() and not yes
    files = without_locks(questions.whole_names(files, "run", talk, asks=asks), talk)
    wish = questions.Wish.of(sheet, columns, include_hidden, asks=asks)
    sheets = read_all(files, wish, settings, talk, readers)
    from pipeline.run.returned import is_returned

    given_back = list(returned_sheets(files, sheets, settings))
    pairs = [(file, found) for file, found in zip(files, sheets, strict=True) if not is_returned(found)]
    files, sheets = [file for file, _ in pairs], [found for _, found in pairs]
    asks = wish.asks and not as_json
    if not files:
        talk.data([])
        return ask_returned(context, given_back, settings, talk, profile, ledger, asks=asks)
    confirm_hidden(files, sheets, hidden_count, talk, yes=yes)
    confirm_asked(files, sheets, far_rows, talk, yes=yes, ignore_views=ignore_views)
    with loading():
        from pipeline.certificates.check import note_of
        from pipeline.domain.batch_notes import was_queued
        from pipeline.ledger.ownership import who_am_i
        from pipeline.report.publish import check_folder
        from pipeline.run import session
        from pipeline.run.intake import take_in
        from pipeline.run.plan import make_plan
        from pipeline.wiring.ledger import open_memory
        from pipeline.wiring.rules import check_rules, make_clock, send_rules
        from pipeline.wiring.sandbox import running_sandbox

    clock = make_clock(settings)
    rules = check_rules(settings, allow_bad_check_digit=allow_bad_check_digit, accept_formulas=accept_formulas)
    given = [(file, found.sha256) for file, found in zip(files, sheets, strict=True)]
    if queue:
        with open_memory(settings, files=given, new_ledger=new_ledger, bus=bus, hands_in=True) as memory:
            _check_known(files, sheets, memory.views, talk)
            code = _hand_in(files, sheets, memory, rules, clock, settings, talk, wish, yes=yes)
        return worst([code, ask_returned(context, given_back, settings, talk, profile, ledger, asks=False)])
    with (
        open_memory(settings, files=given, new_ledger=new_ledger, bus=bus) as memory,
        running_sandbox(settings) as base,
    ):
        if memory.anew is not None:
            talk.out.print(
                f"Historial de envíos nuevo desde el {local_time(memory.anew)}: "
                "antes de anular un documento se consulta en eDoc."
            )
        _check_known(files, sheets, memory.views, talk)
        _check_elsewhere(sheets, memory.views, known_elsewhere)
        batches: list[BatchInfo] = []
        for file in files:
            # What was read goes with the plan: a large file is not in memory any more while its rows are sent.
            known = known_elsewhere is not None
            found = of_nobody_else(sheets.pop(0), memory, settings)
            plan = make_plan(found, memory.views, rules, clock.now(), known_elsewhere=known)
            if only is not None and plan.known is not None and plan.to_send and was_queued(plan.known):
                raise WrongUsage(
                    f"El lote {plan.known.id} se entregó a la cola: lo que aquí no se envíe lo envía un trabajador.",
                    code="only-queued",
                    where=str(file),
                    remedy="Ejecútelo sin --only, o retire antes con withdraw las facturas que no se deben enviar.",
                )
            certificates = show_plan(talk, plan, settings)
            check_certificates(talk, plan, settings, certificates)
            folder, note = results_folder(settings, file), note_of(certificates)
            if plan.to_send:
                check_folder(folder, file.stem)
            approve(talk, plan, settings, yes=yes, only=only)
            if plan.to_send:
                questions.remember(plan.sha256, wish, talk)
            batches.append(take_in(plan, memory, who=who_am_i(), folder=folder, note=note))
            del plan
        work = session.send_and_follow(batches, memory, talk.progress, only, follows=not no_poll)
        trouble = session.carry_out(memory, clock, base, work, send_rules(settings, memory.anew, memory.sent))
        code = report_batches(batches, memory, talk, settings, trouble, files, news=News.ALL)
    return worst(
        [code, ask_returned(context, given_back, settings, talk, profile, ledger, asks=asks and trouble is None)]
    )


def _check_elsewhere(sheets: Sequence[Sheet], views: Views, given: int | None) -> None:
    """Check of ``--known-elsewhere``: the number of rows that another ledger of this machine sent must be right.

    Raises ``WrongUsage`` for another number.
    """
    if given is None:
        return
    known = [info for sheet in sheets if (info := views.find(sheet.sha256, sheet.sheet)) is not None]
    count = sum(views.elsewhere(info.id) for info in known)
    if count == given:
        return
    right = f"Revíselas en el libro de resultados (CONFLICTO) e indique --known-elsewhere {count}."
    raise WrongUsage(
        f"Usted indicó {given} facturas enviadas según otro historial de envíos y hay {count}. No se envió nada.",
        code="elsewhere-count",
        remedy=right if count else "Quite --known-elsewhere.",
    )


def _check_known(files: list[Path], sheets: list[Sheet], views: Views, talk: Talk) -> None:
    """Raises ``InputRefused``, before anything is taken in, for a file that was read with other columns before."""
    from pipeline.run.plan import check_columns

    for file, found in zip(files, sheets, strict=True):
        try:
            check_columns(found, views.find(found.sha256, found.sheet))
        except InputRefused as refusal:
            talk.data([refusal_data(file, refusal)])
            raise


def _hand_in(
    files: list[Path],
    sheets: list[Sheet],
    memory: Memory,
    rules: Rules,
    clock: Clock,
    settings: Settings,
    talk: Talk,
    wish: questions.Wish,
    *,
    yes: bool,
) -> int:
    """Hands files in: into the ledger as approved, then into the queue. A kill in between is repaired by any worker."""
    from pipeline.certificates.check import note_of
    from pipeline.ledger.ownership import who_am_i
    from pipeline.queue import enqueue

    told = []
    for file in files:
        found = of_nobody_else(sheets.pop(0), memory, settings)
        plan = enqueue.plan(found, memory, rules, clock)
        certificates = show_plan(talk, plan, settings)
        check_certificates(talk, plan, settings, certificates)
        approve(talk, plan, settings, yes=yes, only=None)
        if plan.to_send:
            questions.remember(plan.sha256, wish, talk)
        folder, note = results_folder(settings, file), note_of(certificates)
        info = enqueue.hand_in(plan, memory, rules, clock, who=who_am_i(), folder=folder, note=note)
        told.append({"file": str(file), "batch": info.id, "queued": True, "rows": info.rows, "code": 4})
        talk.out.print(f"Lote {info.id} en cola: lo envía un trabajador. Vea cómo va: {order('status', info.id)}")
    talk.data(told)
    return 4
