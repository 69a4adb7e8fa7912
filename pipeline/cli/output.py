"""Output that several commands share: the plan before sending, the results after it, notifications."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pipeline.cli.context import ExitCodes, Talk, observation_of, settings_for
from pipeline.domain.errors import AnularError, WrongUsage
from pipeline.wiring.telemetry import Observation

if TYPE_CHECKING:
    from pipeline.domain.certificates import Finding
    from pipeline.domain.records import BatchInfo
    from pipeline.notify import Notification
    from pipeline.run.plan import Plan
    from pipeline.settings.model import Settings
    from pipeline.wiring.ledger import Memory


NOT_DONE = (3, 5, 6)
"""Exit codes of errors that are notified: not those of a person who typed something wrong or declined."""


class News(Enum):
    """Batches that are notified of at the end of a command, where that may have passed unseen."""

    NONE = "nothing: a person decided something, and knows it"
    CHANGES = "batches in which an outcome changed"
    ALL = "every batch"


def send_notification(
    talk: Talk, profile: str, ledger: str, notification: Notification, seen: Observation, command: str
) -> None:
    """Sends a notification to whom the profile's settings name; a failure is one line and changes nothing else."""
    from pipeline.notify import send

    try:
        settings = settings_for(profile, ledger)
    except WrongUsage:  # told already
        return
    for warning in send(settings, notification, seen.bus(settings, command)):
        talk.progress.warn(warning)


def notifies(command: str, codes: tuple[int, ...] = NOT_DONE) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Decorator of a command: notifies of an error with one of ``codes`` that ended it before it had any result (a
    refused file, a service that is not there), where nobody may have seen it."""

    def decorate(work: Callable[..., int]) -> Callable[..., int]:
        @wraps(work)
        def inner(context: typer.Context, *given: Any, **named: Any) -> int:
            talk = Talk(bool(named.get("as_json")))
            try:
                return work(context, *given, **named)
            except AnularError as error:
                if talk.unseen and error.exit_code in codes:
                    from pipeline.run.notification_texts import notification

                    profile, ledger = named.get("profile", ""), named.get("ledger", "")
                    send_notification(talk, profile, ledger, notification([], error), observation_of(context), command)
                raise

        return inner

    return decorate


def show_plan(talk: Talk, plan: Plan, settings: Settings) -> list[Finding]:
    """Shows a plan; returns the findings about the certificates of its issuers (C8), which it shows as well."""
    from pipeline.certificates.check import check_before_run
    from pipeline.cli import console
    from pipeline.run.plan_words import plan_facts, plan_problems

    style = "bold white on red" if settings.env == "production" else "bold"
    console.facts(talk.out, f" {plan.file} ", plan_facts(plan, settings), style=style)
    console.listing(talk.out, "No se enviarán", plan_problems(plan))
    found = check_before_run(settings, plan.issuers, plan.to_send, plan.moment)
    console.listing(talk.out, "Certificados digitales", [one.words for one in found])
    return found


def report_batches(
    batches: Sequence[BatchInfo],
    memory: Memory,
    talk: Talk,
    settings: Settings,
    trouble: AnularError | None,
    files: Sequence[Path] = (),
    *,
    news: News = News.NONE,
) -> int:
    """Exit code of finished batches; writes their workbooks and the notes of held files, and prints the results.

    ``files``: the input files, where the batches were not named by number. ``news``: what is notified.
    """
    from pipeline.cli import console
    from pipeline.cli.render import corrected_words
    from pipeline.notify import has_recipients, send
    from pipeline.run.figures import ordered
    from pipeline.run.notification_texts import Digest, digest, notification
    from pipeline.run.results import (
        batch_data,
        exit_code,
        note_written,
        renew_corrected,
        set_aside,
        to_correct,
        todo,
        totals,
        write_results,
    )
    from pipeline.watch.renewal import renew

    answer, told, shown = ExitCodes(), [], []
    digests: list[Digest] = []
    notified = news is not News.NONE and talk.unseen and has_recipients(settings)
    beside = [*files, *[None] * (len(batches) - len(files))]
    for info, file in zip(batches, beside, strict=True):
        written = write_results(info, memory.views, settings.out)
        shown.append(written.batch)  # not its rows: those of one batch at a time are in memory
        code = trouble.exit_code if trouble is not None else exit_code(written.lines)
        answer.codes.append(code)
        note_written(memory.bus, written, code)
        renew(written, code, settings, file)
        told.append(batch_data(written, code))
        if notified and (news is News.ALL or totals(written.lines) != ordered(info.counts)):
            digests.append(digest(written, code))
        console.counts(talk.out, f"Lote {info.id} · {info.file}", totals(written.lines), corrected_words(written.batch))
        console.listing(talk.out, "Qué hacer ahora", todo(written.report))
        for line in (f"Resultados: {written.workbook}", *set_aside(written), *to_correct(written)):
            talk.out.print(line, markup=False)
    for left in renew_corrected(shown, memory.views, settings.out):
        talk.progress.warn(left.sentence)
    for warning in memory.sent.warnings if memory.sent is not None else ():
        talk.progress.warn(warning)
    if trouble is not None:
        memory.bus.note("run_stopped", error=trouble.code)
        console.say_error(talk.err, trouble)
        answer.codes.append(trouble.exit_code)
    if digests or (notified and trouble is not None):
        for warning in send(settings, notification(digests, trouble), memory.bus):
            talk.progress.warn(warning)
    talk.data(told)
    return answer.code
