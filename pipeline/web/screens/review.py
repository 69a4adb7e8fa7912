"""Review of a file that was handed in: progress, refusal, or what would happen to each row; and what its preparer does
about it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponseRedirect, JsonResponse

from pipeline.approvals import decisions, uploads
from pipeline.approvals.findings import has_findings, read_findings
from pipeline.approvals.readers import BOOKS, CHECK
from pipeline.approvals.review import Column, Review, review_in
from pipeline.approvals.row_index import title_of
from pipeline.approvals.store import FILE, TERMINAL, Proposal, ProposalEvent
from pipeline.approvals.uploads import Handed
from pipeline.domain.errors import AnularError, InputRefused, NotApproved, WrongUsage
from pipeline.domain.proposals import ProposalState, Step
from pipeline.domain.visible import duration
from pipeline.settings.model import ENV_WORDS
from pipeline.web import audit, trouble
from pipeline.web.pages import render
from pipeline.web.roles import May
from pipeline.web.screens.shared import approvers, attachment, named, places, readers
from pipeline.web.screens.upload import receive
from pipeline.web.site import site
from pipeline.web.texts import review as words
from pipeline.web.texts.options import on_screen

if TYPE_CHECKING:
    from pipeline.web.company import Company

BOOK_KINDS = {"revision": "__revision.xlsx", "corregir": "__corregir.xlsx"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TONES = {
    ProposalState.UNUSABLE: "bad",
    ProposalState.DECLINED: "bad",
    ProposalState.EXPIRED: "bad",
    ProposalState.STOPPED: "bad",
    ProposalState.ENDED: "good",
    ProposalState.APPROVED: "good",
}


def review(request: Any, number: int) -> Any:
    """`/propuestas/ID`."""
    proposal = request.company.proposal(number)
    if proposal.state is ProposalState.CHECKING:
        live, mine = progress(request, proposal), request.company.may(May.UPLOAD)
        return render(request, "proposals/checking.html", {**head(proposal), "live": live, "mine": mine})
    if proposal.state is ProposalState.UNUSABLE:
        return _unusable(request, proposal)
    return render(request, "proposals/review.html", about(request, proposal))


def state(request: Any, number: int) -> Any:
    """`/propuestas/ID/estado`: how far the check is, or that the sending has yet to begin, for the page's script."""
    proposal = request.company.proposal(number)
    if going := _going(proposal, request.company.batch_of(proposal)):
        return JsonResponse({"done": False, "words": going})
    done = proposal.state is not ProposalState.CHECKING
    return JsonResponse({"done": done, "words": "" if done else progress(request, proposal)["words"]})


def _going(proposal: Proposal, batch: str) -> str:
    """That the sending has yet to begin, in words; empty for what has a ``batch``, or is not being sent."""
    return "" if batch else words.BEFORE_SENDING.get(proposal.state, "")


def progress(request: Any, proposal: Proposal) -> dict[str, str]:
    """Progress of a check, in words; one that is in no hands is asked for."""
    settings, arguments = request.company.settings, (CHECK, str(proposal.id))
    work = readers().work(settings, *arguments)
    if work is None:
        readers().ask(settings, *arguments)
        work = readers().work(settings, *arguments)
    if work is None:
        return {"words": words.PHASES[""], "failed": ""}
    said = words.PHASES.get(work.phase, words.PHASES[""])
    return {"words": said.format(name=proposal.file_name, rows=f"{work.rows:,}"), "failed": work.failed}


def submit(request: Any, number: int) -> Any:
    """`/propuestas/ID/enviar`: asks for the approval."""
    proposal = request.company.proposal(number)
    who, address = request.user.username, audit.address_of(request)
    try:
        if proposal.state is ProposalState.DRAFT and not proposal.to_send:
            raise NotApproved(words.NONE, code="approval-nothing")
        decisions.submit(request.company.proposals, proposal, site().now(), who=who, address=address)
    except NotApproved as refused:
        return conflict(request, proposal, refused)
    audit.note(request, "pide-aprobacion", about=f"propuesta {number}")
    return HttpResponseRedirect(f"/propuestas/{number}")


def discard(request: Any, number: int) -> Any:
    """`/propuestas/ID/descartar`: its preparer takes it back."""
    company, proposal = request.company, request.company.proposal(number)
    who, address = request.user.username, audit.address_of(request)
    try:
        if who not in proposal.people.preparers:
            raise NotApproved(_NOT_YOURS, code="approval-not-yours")
        decisions.check_step(proposal, Step.DISCARDED, who, two=company.two)  # what was approved ends who approves
        now, why = site().now(), words.DISCARDED_BY
        decisions.decline(company.proposals, proposal, now, who=who, why=why, two=company.two, address=address)
    except NotApproved as refused:
        return conflict(request, proposal, refused)
    audit.note(request, "descarta", about=f"propuesta {number}")
    return HttpResponseRedirect(f"/propuestas/{number}")


_NOT_YOURS = "Solo quien preparó la propuesta puede descartarla."


def again(request: Any, number: int) -> Any:
    """`/propuestas/ID/otra-vez`: the same file read in another way that was offered, or checked once more."""
    company, proposal = request.company, request.company.proposal(number)
    store = company.proposals
    if proposal.state is ProposalState.CHECKING:
        readers().ask(company.settings, CHECK, str(number))
        return HttpResponseRedirect(f"/propuestas/{number}")
    offered, chosen = _offered(request, proposal), str(request.POST.get("como", ""))
    if not chosen.isdecimal() or int(chosen) >= len(offered) or not uploads.has_file(store, number):
        return HttpResponseRedirect(f"/propuestas/{number}")
    handed = Handed(proposal.file_name, store.file(number), offered[int(chosen)][1], again=number)
    try:
        found = receive(request, handed)
    except (InputRefused, WrongUsage) as refusal:
        return conflict(request, proposal, refusal)
    where = f"/propuestas/{found.proposal.id}" if found.proposal is not None else f"/propuestas/{number}"
    return HttpResponseRedirect(where)


def book(request: Any, number: int, kind: str) -> Any:
    """`/propuestas/ID/libros/CLASE`: the review workbook, or the one to correct."""
    company, proposal = request.company, request.company.proposal(number)
    if kind not in BOOK_KINDS or review_in(company.proposals.plan_data(number)) is None:
        raise Http404
    folder = places(company).of_proposal(company.settings, number)
    file = places(company).file(folder, BOOK_KINDS[kind])
    if file is not None:
        audit.note(request, "descarga", about=f"propuesta {number}", detail=kind)
        return attachment(file, XLSX)
    if folder.is_dir() or not uploads.has_file(company.proposals, number):
        raise Http404
    return preparing(request, f"/propuestas/{proposal.id}", _job(company, number), str(number))


def rows(request: Any, number: int) -> Any:
    """`/propuestas/ID/filas?problema=…&pagina=…`: every row of a cause, fifty a page."""
    company, proposal = request.company, request.company.proposal(number)
    if review_in(company.proposals.plan_data(number)) is None:
        raise Http404
    folder = places(company).of_proposal(company.settings, number)
    if not has_findings(folder):
        if not uploads.has_file(company.proposals, number):
            raise Http404
        return preparing(request, f"/propuestas/{number}", _job(company, number), str(number))
    code, asked = str(request.GET.get("problema", "")), str(request.GET.get("pagina", "1"))
    page = int(asked) if asked.isdecimal() and 0 < len(asked) < 7 else 1
    found, count, pages = read_findings(folder, code, page - 1)
    shown = {"found": found, "count": count, "page": page, "pages": pages, "code": code, "cause": title_of(code)}
    return render(request, "proposals/rows.html", {**head(proposal), **shown})


def _job(company: Company, number: int) -> str:
    """What writes the workbooks and the findings: a check that still goes on does, right after the review."""
    checking = readers().work(company.settings, CHECK, str(number))
    return CHECK if checking is not None and not checking.failed else BOOKS


def preparing(request: Any, back: str, job: str, *arguments: str) -> Any:
    """The page «Se está preparando», which asks again by itself; says why it could not be made."""
    settings = request.company.settings
    work = readers().work(settings, job, *arguments)
    if work is None or (work.failed and request.method == "POST"):
        readers().ask(settings, job, *arguments)
        work = readers().work(settings, job, *arguments)
    failed = work.failed if work is not None else ""
    return render(request, "preparing.html", {"back": back, "why": failed}, status=503 if failed else 202)


def conflict(request: Any, proposal: Proposal, refused: AnularError) -> Any:
    """Refusal of a step: nothing changed, and the page says why."""
    audit.note(request, "rechazo", ok=False, about=f"propuesta {proposal.id}", detail=refused.code)
    return trouble.page(request, 409, words.CHANGED_TITLE, on_screen(refused.message))


def head(proposal: Proposal) -> dict[str, Any]:
    """What every page about a proposal shows."""
    return {"proposal": proposal, "tone": TONES.get(proposal.state, "wait"), "now": site().now()}


def about(request: Any, proposal: Proposal) -> dict[str, Any]:
    """Everything about a proposal that was checked."""
    company, store = request.company, request.company.proposals
    kept, who = store.plan_data(proposal.id), request.user.username
    found, events = review_in(kept), store.events(proposal.id)
    people, batch = proposal.people, company.batch_of(proposal)
    names = named([*(one.who for one in events), people.prepared_by, people.submitted_by, people.approved_by])
    own = who in people.preparers
    waiting = proposal.state is ProposalState.WAITING
    mine = own and company.may(May.UPLOAD)
    return {
        **head(proposal),
        "env": ENV_WORDS[company.settings.env],
        "review": found,
        "content": proposal.content if proposal.canonical else {},
        "columns": _columns(found) if found is not None else [],
        "totals": totals(found) if found is not None else [],
        "dates": [date.fromisoformat(day) for day in found.dates] if found is not None else [],
        "time": _time(found.seconds) if found is not None else "",
        "kept": {"facts": kept.get("facts", ()), "problems": [on_screen(one) for one in kept.get("problems", ())]},
        "prepared": names.get(people.prepared_by),
        "submitted": names.get(people.submitted_by),
        "approved": names.get(people.approved_by),
        "may_submit": mine and proposal.state is ProposalState.DRAFT and proposal.to_send > 0,
        "may_discard": mine and proposal.state in (ProposalState.DRAFT, ProposalState.WAITING),
        "may_approve": waiting and company.may(May.APPROVE) and not (company.two and own),
        "approvers": approvers(company, people.preparers if company.two else ()) if waiting else "",
        "again_of": uploads.again_of(store, proposal.id) if proposal.source == FILE else None,
        "history": [_step(one, names) for one in events],
        "has_books": found is not None,
        "batch": batch,
        "going": _going(proposal, batch),
    }


def totals(found: Review) -> list[tuple[str, int]]:
    """Invoices by what becomes of them; each counts once, and together they are all."""
    figures = found.figures
    each = [
        (words.SEND, found.to_send),
        (words.REJECTED, figures["rejected"]),
        (words.DUPLICATES, figures["duplicates"]),
        (words.CONFLICTS, figures["conflicts"]),
        (words.HELD, figures["held"]),
    ]
    return [(word, count) for word, count in each if count or word == words.SEND]


def _columns(found: Review) -> list[tuple[Column, list[tuple[str, str]]]]:
    """Columns with their cells in the first rows, each with its place."""
    return [(one, list(zip(found.example_places, one.examples, strict=False))) for one in found.columns]


def _step(event: ProposalEvent, names: dict[str, str]) -> dict[str, Any]:
    said = words.STEPS.get(event.event, event.event)
    return {
        "at": event.at,
        "who": names.get(event.who, event.who),
        "what": said,
        "from": event.address if event.address != TERMINAL else "",
        "why": event.why,
    }


def _unusable(request: Any, proposal: Proposal) -> Any:
    store = request.company.proposals
    told = uploads.refusal_in(store, proposal.id)
    lines = [on_screen(str(told.get(name, ""))) for name in ("message", "remedy")]
    mine = request.company.may(May.UPLOAD)
    shown = {"where": told.get("where", ""), "message": lines[0], "remedy": lines[1], "code": told.get("code", "")}
    offered = _offered(request, proposal) if mine and uploads.has_file(store, proposal.id) else []
    choices = [on_screen(one) for one, _ in offered]
    found = {**head(proposal), "told": shown, "choices": choices, "mine": mine, "wrong": True}
    return render(request, "proposals/unusable.html", found)


def _offered(request: Any, proposal: Proposal) -> list[Any]:
    if proposal.state is not ProposalState.UNUSABLE:
        return []
    store = request.company.proposals
    return uploads.answers(uploads.refusal_in(store, proposal.id), uploads.choices_of(store, proposal.id))


def _time(seconds: float) -> str:
    return words.ABOUT.format(time=duration(seconds)) if round(seconds) else words.ABOUT_NONE
