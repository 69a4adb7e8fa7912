"""``anular check``: reads and validates, sends nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli import questions
from pipeline.cli.context import ExitCodes, Talk, results_folder, settings_for
from pipeline.cli.inputs import read_file, reader_processes, refusal_data, without_locks
from pipeline.cli.options import BadDigit, Columns, Files, Formulas, Hidden, Json, Ledger, Profile, SheetName
from pipeline.cli.output import show_plan
from pipeline.cli.returned import name_returned, returned_sheets
from pipeline.domain.columns import RETURNED_SHEET
from pipeline.domain.errors import InputRefused
from pipeline.runtime.desktop import open_file
from pipeline.runtime.garbage import loading

if TYPE_CHECKING:
    from pipeline.read.sheet import Sheet
    from pipeline.settings.model import Settings

OPENING_S = 10.0
"""Seconds that a program has to begin to open a workbook: then this command ends all the same."""


def check_command(
    context: typer.Context,
    files: Files,
    sheet: SheetName = "",
    columns: Columns = "",
    include_hidden: Hidden = False,
    accept_formulas: Formulas = False,
    allow_bad_check_digit: BadDigit = False,
    show: Annotated[bool, typer.Option("--open", help="Al terminar abre los libros de revisión.")] = False,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Lee y valida, sin enviar nada y sin usar la red: escribe un libro de revisión con lo que pasaría."""
    from pipeline.cli import console

    readers = reader_processes(context)
    settings, talk, answer = settings_for(profile, ledger), Talk(as_json), ExitCodes()
    asks = sys.stdin.isatty()
    wish = questions.Wish.of(sheet, columns, include_hidden, asks=asks)
    told: list[object] = []
    check: Callable[[Path, Sheet], dict[str, Any]] | None = None
    for file in without_locks(questions.whole_names(files, "check", talk, asks=asks), talk):
        try:
            found = read_file(file, wish, settings, next(readers), talk)
            given_back = list(returned_sheets([file], [found], settings))
            if wishes := name_returned(given_back, settings, talk, asks=asks):
                answer.codes.append(1)
            if found.sheet == RETURNED_SHEET and found.corrects:
                told.append({"file": str(file), "returned": len(wishes)})
                continue
            if check is None:  # loads the libraries of the other steps: a file that is refused does not need them
                check = context.with_resource(
                    _checking(settings, talk, wish, answer, bad_digit=allow_bad_check_digit, formulas=accept_formulas)
                )
            told.append(written := check(file, found))
            if show:
                open_file(Path(written["workbook"])).join(OPENING_S)
        except InputRefused as refusal:
            told.append(refusal_data(file, refusal))
            console.say_error(talk.err, refusal)
            answer.codes.append(refusal.exit_code)
    talk.data(told)
    return answer.code


@contextmanager
def _checking(
    settings: Settings, talk: Talk, wish: questions.Wish, answer: ExitCodes, *, bad_digit: bool, formulas: bool
) -> Iterator[Callable[[Path, Sheet], dict[str, Any]]]:
    """Function that validates a sheet, shows the findings and returns their ``--json`` answer."""
    with loading():
        from pipeline.certificates.check import refuse_blocked
        from pipeline.cli import console
        from pipeline.cli.render import checked_data
        from pipeline.run.plan import make_plan
        from pipeline.run.results import to_correct, write_preview
        from pipeline.wiring.rules import check_rules, make_clock
        from pipeline.wiring.views import open_views

    clock = make_clock(settings)
    rules = check_rules(settings, allow_bad_check_digit=bad_digit, accept_formulas=formulas)

    with open_views(settings) as views:

        def check(file: Path, found: Sheet) -> dict[str, Any]:
            plan = make_plan(found, views, rules, clock.now(), resume=False)
            written = write_preview(plan, settings, results_folder(settings, file))
            certificates = show_plan(talk, plan, settings)
            for line in (f"Libro de revisión: {written.workbook}", *to_correct(written)):
                talk.out.print(line, markup=False)
            passed = plan.checked is not None and plan.to_send == plan.checked.invoices
            if passed:
                questions.remember(plan.sha256, wish, talk)
            answer.codes.append(0 if passed else 1)
            try:
                refuse_blocked(settings, certificates, plan.file)
            except InputRefused as refusal:
                console.say_error(talk.err, refusal)
                answer.codes.append(refusal.exit_code)
            return checked_data(file, plan, written, settings.rate, certificates)

        yield check
