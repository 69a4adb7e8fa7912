"""Start page of a company: what waits for the person, most urgent first, and the newest batches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pipeline.approvals.store import Proposal
from pipeline.certificates.calendar import due_day
from pipeline.certificates.registry import Registry
from pipeline.certificates.shown import what_now
from pipeline.domain.certificates import State, state_of
from pipeline.domain.outcomes import Outcome
from pipeline.domain.proposals import DUE, ProposalState
from pipeline.domain.records import BatchInfo
from pipeline.ledger.pages import NEWEST, Urgent
from pipeline.report.labels import count
from pipeline.run.figures import counts_data
from pipeline.web.company import Company
from pipeline.web.pages import render
from pipeline.web.roles import May
from pipeline.web.screens.shared import named
from pipeline.web.site import site
from pipeline.web.templatetags.anular import local
from pipeline.web.texts import start as words

SOON = timedelta(days=60)
"""How long before its end a certificate is named here."""
_MOST = 12


@dataclass(frozen=True, slots=True)
class Todo:
    """One line of what waits."""

    words: str
    link: str
    #: of the link
    go: str
    bad: bool = False


def start(request: Any) -> Any:
    """`/`."""
    company = request.company
    if company is None or not company.may(May.SEE):
        certificates = _certificates(company) if company is not None and company.may(May.SEE_CERTIFICATES) else []
        return render(request, "start.html", {"todo": certificates, "sees": bool(certificates)})
    before = str(request.GET.get("antes", ""))
    with company.pages() as pages:
        infos = pages.recent(NEWEST + 1, before=before) if pages is not None else []
        urgent = pages.urgent() if pages is not None else []
    open_ = company.proposals.open()
    waiting = [one for one in open_ if one.state in DUE]
    moving = {one.batch for one in waiting}  # what is on its way asks for nobody
    urgent = [one for one in urgent if one.batch.id not in moving]
    found = {
        "sees": True,
        "uploads": company.may(May.UPLOAD),
        "todo": [*_deadlines(urgent), *_proposals(request, open_), *_rows(urgent), *_certificates(company)],
        "batches": [batch_line(one) for one in infos[:NEWEST]],
        "more": infos[NEWEST - 1].id if len(infos) > NEWEST else "",
        "before": before,
    }
    return render(request, "start.html", found)


def batch_line(info: BatchInfo) -> dict[str, Any]:
    """One batch in a table: its figures are those of ``status --json``."""
    figures = counts_data(info)
    done = sum(info.counts.get(one.value, 0) for one in (Outcome.CANCELLED, Outcome.ALREADY))
    open_ = figures["needs_person"] or figures["pending"]
    return {
        "id": info.id,
        "file": info.file,
        "rows": info.rows,
        "done": done,
        "todo": figures["needs_person"],
        "pending": figures["pending"],
        "state": words.SOME_OPEN if open_ else words.ALL_SETTLED,
        "received": info.created,
    }


def _deadlines(urgent: list[Urgent]) -> list[Todo]:
    """Batches with rows that are still to be sent, the nearest legal limit first."""
    now, found = site().now(), []
    for one in urgent:
        if one.limit is None:
            continue
        left = one.open.get(Outcome.NOT_SENT.value, 0) + one.open.get(Outcome.HELD.value, 0)
        said = words.DUE if one.limit > now else words.DUE_PAST
        told = said.format(when=local(one.limit), count=_invoices(left), lote=one.batch.id)
        found.append(Todo(told, f"/lotes/{one.batch.id}", words.SEE, bad=True))
    return found[:_MOST]


def _proposals(request: Any, open_: list[Proposal]) -> list[Todo]:
    company, who = request.company, request.user.username
    names = named(one.people.submitted_by or one.people.prepared_by for one in open_)
    order = [ProposalState.STOPPED, ProposalState.WAITING, ProposalState.DRAFT, ProposalState.CHECKING]
    found = []
    for one in sorted(open_, key=lambda one: order.index(one.state) if one.state in order else len(order)):
        link, invoices = f"/propuestas/{one.id}", _invoices(one.to_send)
        mine = who in one.people.preparers
        values = {"name": one.file_name, "count": invoices, "word": one.word, "why": one.why}
        if one.state is ProposalState.STOPPED:
            found.append(Todo(words.STOPPED.format(**values), f"/lotes/{one.batch}", words.SEE, bad=True))
        elif one.state is ProposalState.WAITING:
            by = names.get(one.people.submitted_by or one.people.prepared_by, "")
            if company.may(May.APPROVE) and not (company.two and mine):
                told = words.TO_APPROVE.format(**values, who=by)
                found.append(Todo(told, f"{link}/aprobar", words.APPROVE))
            else:
                found.append(Todo(words.TO_APPROVE_OTHERS.format(**values), link, words.SEE))
        elif one.state is ProposalState.DRAFT and mine:
            told = words.DRAFT if one.to_send else words.DRAFT_NONE
            found.append(Todo(told.format(**values), link, words.REVIEW))
        elif one.state is ProposalState.CHECKING and mine:
            found.append(Todo(words.UNCHECKED.format(**values), link, words.SEE))
        elif one.state in DUE:
            batch = company.batch_of(one) if one.state is not ProposalState.APPROVED else ""
            where = f"/lotes/{batch}" if batch else link
            found.append(Todo(words.RUNNING.format(**values), where, words.SEE))
    return found


def _rows(urgent: list[Urgent]) -> list[Todo]:
    """Batches whose rows need a person, or wait for an answer."""
    found = []
    for one in urgent:
        figures, link = counts_data(one.batch), f"/lotes/{one.batch.id}"
        person, pending = figures["needs_person"], figures["pending"]
        if person:
            some = count(person, *words.PERSON.split("|"))
            found.append(Todo(words.PERSON_WHAT.format(count=some, lote=one.batch.id), link, words.SEE))
        if pending:
            found.append(Todo(words.PENDING.format(count=_invoices(pending), lote=one.batch.id), link, words.SEE))
    return found[:_MOST]


def _certificates(company: Company) -> list[Todo]:
    """Certificates that end soon or have ended, and requests whose answer is due."""
    settings, now = company.settings, site().now()
    due = due_day(settings.cert_review_days, settings.cert_holidays)
    records, found = Registry(site().office, settings, "").all(), []
    for one in records:
        state = state_of(one, now)
        ends = one.valid_until is not None and now <= one.valid_until <= now + SOON
        newer = any(other.id != one.id and other.ruc == one.ruc and other.id > one.id for other in records)
        if state in (State.IN_PROCESS, State.REJECTED) or (state is State.COMPLETE and ends) or (
            state is State.EXPIRED and not newer
        ):  # fmt: skip
            told = words.CERTIFICATE.format(ruc=one.ruc, what=what_now(one, now, due))
            found.append(Todo(told, f"/certificados/{one.id}", words.SEE, bad=state is State.EXPIRED))
    return found


def _invoices(number: int) -> str:
    return count(number, "factura", "facturas")
