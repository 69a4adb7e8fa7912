"""Check of an upload: stored bytes read and validated, as ``check`` and ``propose`` do, and what came of it kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.approvals import uploads
from pipeline.approvals.findings import write_findings
from pipeline.approvals.prepare import draft_of_file, read_stored
from pipeline.approvals.reviewing import kept_of
from pipeline.approvals.store import Draft, Proposal, Proposals
from pipeline.approvals.uploads import Choices
from pipeline.domain.errors import AnularError, InputRefused, NotApproved, StorageTrouble, WrongUsage
from pipeline.domain.proposals import ProposalState
from pipeline.read.sheet import Sheet
from pipeline.read.source import Source
from pipeline.run import questions
from pipeline.run.plan import Plan, make_plan
from pipeline.run.results import Previewed, write_preview
from pipeline.runtime.clock import Clock
from pipeline.settings.model import Settings
from pipeline.wiring.companies import elsewhere
from pipeline.wiring.rules import check_rules
from pipeline.wiring.views import open_views

READING, VALIDATING, WRITING = "leyendo", "validando", "escribiendo"
"""Phases of a check, in their order."""
Told = Callable[[str, int], None]
"""Hears of each phase, with the rows that it works on (0: not known yet)."""


def check_upload(
    store: Proposals, number: int, settings: Settings, clock: Clock, results: Path, books: Path, told: Told
) -> Proposal:
    """Proposal after its file was checked: a draft, or one that cannot be used, with the reason in words.

    ``results`` is where the results of its batch will be written, ``books`` a folder for the review workbook and the
    one to correct. One that is checked already is returned as it is. Raises ``StorageTrouble`` for our own trouble,
    after which it is checked again.
    """
    proposal = store.get(number)
    if proposal.state is not ProposalState.CHECKING:
        return proposal
    try:
        draft, plan = _draft(store, proposal, settings, clock.now(), results, told)
    except (InputRefused, WrongUsage) as trouble:
        refusal: AnularError = trouble
        return _kept(store, number, lambda: uploads.keep_refused(store, proposal, refusal, clock.now()))
    checked = _kept(store, number, lambda: uploads.keep_checked(store, proposal, draft, clock.now()))
    told(WRITING, checked.rows)  # nobody waits for the workbooks any more
    _write(plan, settings, books)
    return checked


def _write(plan: Plan, settings: Settings, books: Path) -> Previewed:
    """The workbooks of a plan, and all that is wrong in it by pages."""
    written = write_preview(plan, settings, books)
    if plan.checked is not None:
        write_findings(plan.checked.rows, books)
    return written


def _kept(store: Proposals, number: int, keep: Callable[[], Proposal]) -> Proposal:
    try:
        return keep()
    except NotApproved:  # another check was quicker
        return store.get(number)


def _draft(
    store: Proposals, proposal: Proposal, settings: Settings, now: datetime, results: Path, told: Told
) -> tuple[Draft, Plan]:
    data, said = store.file(proposal.id), uploads.choices_of(store, proposal.id)
    told(READING, 0)
    found = read_stored(data, proposal.file_name, said.sheet or None, said.options, settings)
    refuse_questions(found, said)
    told(VALIDATING, len(found.cells))
    source = Source(Path(proposal.file_name), data, proposal.sha256)
    with open_views(settings, mine=True) as views:
        if views is None:
            raise no_ledger()
        if elsewhere(settings, views, proposal.sha256) is not None:
            raise InputRefused(
                "Este archivo ya está en otro historial de envíos de este equipo. No se envió nada.",
                code="otro-registro",
                remedy="Pregunte a quien administra el programa.",
            )

        def shown(plan: Plan) -> dict[str, Any]:
            return kept_of(plan, settings, views.newest())

        options = {**said.options, "include_hidden": said.include_hidden or bool(found.hidden.count)}
        folder, ledger = settings.out or results, views.ledger_id()
        return draft_of_file(
            found, source, settings, views, ledger, now, options, shown, folder, read_with=said.options
        )


def write_books(store: Proposals, number: int, settings: Settings, clock: Clock, books: Path) -> Previewed:
    """Writes the review workbook of a proposal and the one to correct once more, from its stored file, with today's
    ledger: nothing of the proposal changes. Raises ``InputRefused``, ``StorageTrouble``."""
    proposal = store.get(number)
    options = dict(proposal.options)
    sheet = read_stored(store.file(number), proposal.file_name, proposal.sheet, options, settings)
    rules = check_rules(
        settings,
        allow_bad_check_digit=bool(options.get("allow_bad_check_digit")),
        accept_formulas=bool(options.get("accept_formulas")),
    )
    with open_views(settings, mine=True) as views:
        return _write(make_plan(sheet, views, rules, clock.now(), resume=False), settings, books)


def refuse_questions(found: Sheet, said: Choices) -> None:
    """Raises ``InputRefused`` for a question about the file that only a person can answer and did not; the answer is
    offered as a choice."""
    far = questions.far_rows([found])
    if far is not None and far[0] != said.far_rows:
        raise far[1]
    views = questions.views([found])
    if views is not None and not said.ignore_views:
        raise views


def no_ledger() -> AnularError:
    """The error for a company without a ledger: the pages never make one."""
    return StorageTrouble(
        "Esta empresa todavía no tiene historial de envíos: lo crea el proceso que envía, en unos segundos.",
        code="ledger-not-yet",
        remedy="Vuelva a intentarlo; si sigue así, avise a quien administra el programa.",
    )
