"""One batch: its sentence, its progress while it is sent, what to do now, totals, downloads, who did what."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from django import forms
from django.db import connection
from django.http import Http404, HttpResponseRedirect, StreamingHttpResponse
from django.utils.http import urlencode

from pipeline.approvals import decisions
from pipeline.approvals.asking import ask_about_proposal, stopped_by
from pipeline.approvals.downloads import KINDS, PENDING, ready
from pipeline.approvals.held_batch import draft_of_batch
from pipeline.approvals.orders import Order
from pipeline.approvals.pending import AT_ONCE, Summary, read_summary, summary_of
from pipeline.approvals.readers import DOWNLOAD
from pipeline.approvals.store import FILE, PROGRAM, Proposal
from pipeline.approvals.uploads import has_file
from pipeline.domain.approved_by import digest_of, people
from pipeline.domain.errors import AnularError, NotApproved
from pipeline.domain.lifecycle import HELD_ON_ARRIVAL
from pipeline.domain.orders import OPEN, Kind
from pipeline.domain.outcomes import Outcome
from pipeline.domain.proposals import ProposalState
from pipeline.domain.records import COLUMNS, COMPANY, BatchInfo
from pipeline.domain.visible import duration, thousands
from pipeline.report.labels import count
from pipeline.run.figures import counts_data, ordered
from pipeline.settings.model import ENV_WORDS
from pipeline.web import audit, trouble
from pipeline.web.access import sessions
from pipeline.web.access.confirm import check
from pipeline.web.company import companies_of
from pipeline.web.models import WebSession
from pipeline.web.pages import PageForm, render
from pipeline.web.roles import May
from pipeline.web.screens.review import TONES
from pipeline.web.screens.shared import named, places, readers
from pipeline.web.site import site
from pipeline.web.texts import access
from pipeline.web.texts import batch as words
from pipeline.web.texts.options import on_screen

if TYPE_CHECKING:
    from pipeline.web.company import Company

MOVING = frozenset({ProposalState.APPROVED, ProposalState.ON_HOLD, ProposalState.SENDING, ProposalState.FOLLOWING})
"""States in which the counts of a batch change by themselves."""
STREAM_S, EVERY_S, HEARTBEAT_S, STILL = 600, 1, 15, 5
"""How long one stream lasts before the browser asks again, and how often it looks and gives a sign of life;
at each fifth look also whether the person may still see it."""


class Ending(PageForm):
    """Why a stopped proposal is ended."""

    motivo = forms.CharField(
        label=words.END_WHY,
        help_text=words.END_HINT,
        min_length=decisions.WHY[0],
        max_length=decisions.WHY[1],
        error_messages=dict.fromkeys(("required", "min_length", "max_length"), words.END_WRONG),
    )


def batch(request: Any, batch: str) -> Any:
    """`/lotes/ID`."""
    return _page(request, batch, Ending())


class Continuing(PageForm):
    """The password of who continues what another person stopped, where who they are was not confirmed just now."""

    clave = forms.CharField(
        label=access.CONFIRM_PASSWORD,
        max_length=1000,
        strip=False,
        error_messages={"required": access.PASSWORD_MISSING},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def _page(request: Any, batch: str, ending: Ending, going_on: Continuing | None = None, *, status: int = 200) -> Any:
    company = request.company
    with company.pages() as pages:
        info = pages.one(batch) if pages is not None else None
    if info is None:
        raise Http404
    proposal = company.proposals.of_batch(batch)
    moving = proposal is not None and proposal.state in MOVING
    found = {
        **_facts(request, info, proposal),
        "info": info,
        "proposal": proposal,
        "tone": TONES.get(proposal.state, "wait") if proposal is not None else "",
        "figures": counts_data(info),
        "sentence": _sentence(info),
        "totals": _totals(info, moving=moving),
        "moving": moving,
        "live": _progress(company, info, proposal) if moving and proposal is not None else None,
        "ending": ending,
        "now": site().now(),
    }
    if found["asks_who"]:
        found["going_on"] = going_on or Continuing()
    for form in (ending, going_on):
        if form is not None and form.is_bound:
            found["form"] = form  # its errors stand above the page
    if not moving:
        found["summary"] = _summary(company, info)
        # What was asked for and is not done, or a list that is being made: the page looks again by itself.
        found["waits"] = not ending.is_bound and (found["open_orders"] or found["summary"] is None)
    return render(request, "batches/batch.html", found, status=status)


def _totals(info: BatchInfo, *, moving: bool) -> list[tuple[str, int]]:
    """Rows by outcome; while they change also the outcomes without rows, which the script shows when one gets some."""
    found = ordered(info.counts)
    return [(one.value, found.get(one.value, 0)) for one in Outcome if moving or one.value in found]


def _facts(request: Any, info: BatchInfo, proposal: Proposal | None) -> dict[str, Any]:
    company, store = request.company, request.company.proposals
    who = request.user.username
    own = proposal is not None and who in proposal.people.preparers
    orders = store.orders.of_proposal(proposal.id) if proposal is not None else []
    open_ = [one for one in orders if one.state in OPEN]
    state = proposal.state if proposal is not None else None
    by = stopped_by(store, proposal, who) if proposal is not None and state is ProposalState.STOPPED else ""
    idle = not open_
    may_continue = _may_continue(company, by, who, own=own) if state is ProposalState.STOPPED else False
    return {
        "env": ENV_WORDS[company.settings.env],
        "people": people(info.approved_by),
        "digest": digest_of(info.approved_by),
        "notes": [note for note in info.notes if not note.startswith((COMPANY, COLUMNS))],
        "kinds": [(name, kind.words) for name, kind in KINDS.items()],
        "may_evidence": company.may(May.EVIDENCE),
        "original": proposal is not None and proposal.source == FILE and has_file(store, proposal.id),
        "may_stop": idle and state is ProposalState.SENDING and company.may(May.STOP, own=own),
        "may_continue": idle and may_continue,
        "asks_who": idle and may_continue and by not in (PROGRAM, who) and not sessions.is_confirmed(request),
        "may_end": idle and state is ProposalState.STOPPED and company.may(May.APPROVE),
        "stopped_by": "" if by == PROGRAM else named([by]).get(by, by),
        "orders": [order_words(one) for one in orders],
        "open_orders": bool(open_),
        "held": bool(_held(company, info)) and company.may(May.UPLOAD) and (proposal is None),
    }


def _may_continue(company: Company, by: str, who: str, *, own: bool) -> bool:
    if by in (PROGRAM, who):
        return company.may(May.STOP, own=own)
    return company.may(May.CONTINUE_OTHERS)


def _held(company: Company, info: BatchInfo) -> int:
    """Rows that the drop folder held and that are not released."""
    if not info.counts.get(Outcome.HELD.value):
        return 0
    with company.ledger() as views:
        return len(views.waiting(info.id, HELD_ON_ARRIVAL)) if views is not None else 0


def order_words(order: Order) -> dict[str, Any]:
    """An order to the sender as its person reads it."""
    who = order.wish.who
    return {
        "what": words.ORDER_NAMES[order.wish.kind.value],
        "state": order.word,
        "answer": on_screen(order.answer),
        "who": named([who]).get(who, who),
        "at": order.asked,
        "why": order.wish.why,
        "open": order.state in OPEN,
        "proposal": order.wish.proposal if order.wish.kind is Kind.RESEND else None,
    }


def _summary(company: Company, info: BatchInfo) -> Summary | None:
    """What is to be done; None while a child finds out."""
    if info.rows <= AT_ONCE:
        with company.ledger() as views:
            return summary_of(views, info) if views is not None else None
    file = ready(company.settings, info, PENDING, places(company))
    if file is None:
        readers().ask(company.settings, DOWNLOAD, info.id, PENDING)
        file = ready(company.settings, info, PENDING, places(company))
    return read_summary(file) if file is not None else None


def summary(company: Company, info: BatchInfo) -> Summary | None:
    """The same for other screens."""
    return _summary(company, info)


# --- progress


def _progress(company: Company, info: BatchInfo, proposal: Proposal) -> dict[str, Any]:
    """How far a sending is: from the counts of the batch alone."""
    left = info.counts.get(Outcome.NOT_SENT.value, 0) + info.counts.get(Outcome.HELD.value, 0)
    done = max(0, proposal.to_send - left)
    rate = company.settings.rate
    sending = proposal.state is ProposalState.SENDING
    return {
        "state": proposal.word,
        "counts": ordered(info.counts),
        "done": done,
        "all": proposal.to_send,
        "rate": rate,
        "pace": f"{rate:g}",
        "left_s": round(left / rate) if sending else 0,
        "words": words.OF.format(done=thousands(done), all=thousands(proposal.to_send)),
        "left": words.LEFT.format(time=duration(left / rate)) if sending and left else "",
        "sentence": _sentence(info),
        "said": words.LIVE_EVERY.format(word=proposal.word, done=thousands(done), all=thousands(proposal.to_send)),
    }


def _sentence(info: BatchInfo) -> str:
    invoices = info.rows - info.counts.get(Outcome.NOT_APPLICABLE.value, 0)
    settled = sum(info.counts.get(one.value, 0) for one in (Outcome.CANCELLED, Outcome.ALREADY))
    return words.SENTENCE.format(done=thousands(settled), all=count(invoices, "factura", "facturas"))


def _now(company: Company, batch: str) -> tuple[dict[str, Any] | None, bool]:
    """Progress as of now, and whether it goes on."""
    proposal = company.proposals.of_batch(batch)
    with company.pages() as pages:
        info = pages.one(batch) if pages is not None else None
    if info is None or proposal is None:
        return None, False
    return _progress(company, info, proposal), proposal.state in MOVING


def _shared(company: Company, batch: str) -> tuple[dict[str, Any] | None, bool]:
    """The same, read once a second however many pages are open on it."""
    key = (company.profile, batch)  # whose batch it is was judged before
    return site().latest.get(key, lambda: _now(company, batch))


def progress(request: Any, batch: str) -> Any:
    """`/lotes/ID/avance`: what changes, as server-sent events; ends with the sending, and by itself after a while."""
    company = request.company
    with company.pages() as pages:
        if pages is None or pages.one(batch) is None:
            raise Http404
    key = sessions.key_of(request)
    answer = StreamingHttpResponse(_stream(company, batch, key), content_type="text/event-stream")
    answer["X-Accel-Buffering"] = "no"
    return answer


def _still(company: Company, key: str) -> bool:
    """Whether the session ``key`` has not ended, and its person may still see the company (S04)."""
    try:
        alive = WebSession.objects.filter(session_key=key, person=company.person).exists()
        here = [one for one in companies_of(company.person) if one.profile == company.profile]
        return alive and bool(here) and here[0].may(May.SEE)
    finally:
        connection.close()  # of this thread, which is none of a request


async def _stream(company: Company, batch: str, key: str) -> AsyncIterator[str]:
    before, quiet = "", 0
    for turn in range(STREAM_S // EVERY_S):
        if turn % STILL == STILL - 1 and not await asyncio.to_thread(_still, company, key):
            return  # the browser asks again, and is asked who it is
        try:
            found, moving = await asyncio.to_thread(_shared, company, batch)
        except AnularError:  # the ledger is being recovered: told when it can be read again
            found, moving = None, True
        told = json.dumps(found) if found is not None else before
        if told != before:
            yield f"event: avance\ndata: {told}\n\n"
            before, quiet = told, 0
        if not moving:
            yield "event: fin\ndata: {}\n\n"
            return
        quiet += EVERY_S
        if quiet >= HEARTBEAT_S:
            yield ": sigue\n\n"
            quiet = 0
        await asyncio.sleep(EVERY_S)


# --- what people ask for


def stop(request: Any, batch: str) -> Any:
    """`/lotes/ID/detener`."""
    return _ask(request, batch, Kind.STOP, words.STOP_WHY)


def go_on(request: Any, batch: str) -> Any:
    """`/lotes/ID/continuar`: what another person stopped needs a confirmation of who one is, which the same press may
    bring."""
    if request.POST.get("clave"):
        form = Continuing(request.POST)
        said = check(request, request.POST["clave"]) if form.is_valid() else None
        if said is not None:
            form.add_error("clave", said)
            return _page(request, batch, Ending(), form, status=429 if said == access.TOO_MANY else 422)
    return _ask(request, batch, Kind.CONTINUE, words.CONTINUE_WHY)


def end(request: Any, batch: str) -> Any:
    """`/lotes/ID/terminar`."""
    form = Ending(request.POST)
    if not form.is_valid():
        return _page(request, batch, form)
    return _ask(request, batch, Kind.END, form.cleaned_data["motivo"])


def _ask(request: Any, batch: str, kind: Kind, why: str) -> Any:
    company, store = request.company, request.company.proposals
    proposal = store.of_batch(_own(company, batch))
    if proposal is None:
        raise Http404
    who, own = request.user.username, request.user.username in proposal.people.preparers
    by = stopped_by(store, proposal, who)
    allowed = {
        Kind.STOP: company.may(May.STOP, own=own),
        Kind.CONTINUE: _may_continue(company, by, who, own=own),
        Kind.END: company.may(May.APPROVE),
    }
    if not allowed[kind]:
        audit.note(request, "sin-permiso", ok=False, about=f"lote {batch}", detail=kind.value)
        return trouble.refused(request)
    another = kind is Kind.CONTINUE and by not in (PROGRAM, who)
    if another and not sessions.is_confirmed(request):
        return HttpResponseRedirect(f"/entrar/confirmar?{urlencode({'siguiente': f'/lotes/{batch}'})}")
    address = audit.address_of(request)
    try:
        ask_about_proposal(store.orders, kind, proposal, site().now(), who=who, why=why, address=address)
    except AnularError as refused:
        return trouble.page(request, 409, words.NOT_DONE, on_screen(refused.message))
    audit.note(request, f"pide-{kind.value}", about=f"lote {batch}")
    return HttpResponseRedirect(f"/lotes/{batch}")


def propose(request: Any, batch: str) -> Any:
    """`/lotes/ID/proponer`: asks for the approval of what the drop folder held."""
    company, now = request.company, site().now()
    who, address = request.user.username, audit.address_of(request)
    with company.ledger() as views:
        info = company.batch(views, batch)
        shown = {"facts": _lines(info), "problems": [], "folder": info.folder}
        try:
            draft = draft_of_batch(info, views, company.settings, views.ledger_id(), now, shown)
            proposal, _ = decisions.propose(company.proposals, draft, now, who=who, address=address)
        except NotApproved as refused:
            return trouble.page(request, 409, words.NOT_DONE, on_screen(refused.message))
    audit.note(request, "pide-aprobacion", about=f"propuesta {proposal.id}")
    return HttpResponseRedirect(f"/propuestas/{proposal.id}")


def _lines(info: BatchInfo) -> list[list[str]]:
    return [
        [words.FILE, info.file],
        [words.TITLE, info.id],
        [words.COUNT, thousands(info.rows)],
        *([words.NOTES, note] for note in info.notes),
    ]


def _own(company: Company, batch: str) -> str:
    """``batch`` if it is this company's. Raises ``Http404``."""
    with company.ledger() as views:
        return str(company.batch(views, batch).id)
