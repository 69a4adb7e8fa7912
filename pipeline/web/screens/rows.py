"""Rows of a batch, fifty a page, and one row with its life line and what a person may decide about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.http import Http404, HttpResponseRedirect
from django.utils.http import urlencode

from pipeline import decide
from pipeline.approvals.asking import ask_about_row
from pipeline.approvals.decisions import WHY
from pipeline.approvals.downloads import INDEX, index_ready
from pipeline.approvals.pending import AT_ONCE
from pipeline.approvals.readers import DOWNLOAD
from pipeline.approvals.row_index import RowIndex, index_of, read_index, title_of
from pipeline.domain.approved_by import people
from pipeline.domain.cufe import Cufe
from pipeline.domain.errors import AnularError, CufeInvalid, WrongUsage
from pipeline.domain.orders import OPEN, Kind
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import BatchInfo, Correction, EventLine, ResultLine
from pipeline.ledger.decisions import RowStatus
from pipeline.ledger.pages import ROWS
from pipeline.ledger.search import FoundRow, Hit
from pipeline.report.labels import EVENT_WORDS, TONES
from pipeline.report.lines import row_of
from pipeline.report.model import Tone, local
from pipeline.report.printed import answered_time
from pipeline.run.figures import ordered
from pipeline.web import audit, trouble
from pipeline.web.pages import PageForm, render
from pipeline.web.roles import May
from pipeline.web.screens.batch import order_words, summary
from pipeline.web.screens.review import preparing
from pipeline.web.screens.shared import places, readers
from pipeline.web.site import site
from pipeline.web.texts import batch as words
from pipeline.web.texts.options import on_screen

if TYPE_CHECKING:
    from pipeline.ledger.pages import Pages
    from pipeline.web.company import Company

ROW_TONES = {Tone.DONE: "good", Tone.WAITS: "wait", Tone.PERSON: "wait", Tone.REFUSED: "bad", Tone.QUIET: ""}


def rows(request: Any, batch: str) -> Any:
    """`/lotes/ID/filas`."""
    company = request.company
    wanted, rule = str(request.GET.get("resultado", "")), str(request.GET.get("pendiente", ""))
    problem, issuer = str(request.GET.get("problema", "")), str(request.GET.get("emisor", ""))
    after = str(request.GET.get("desde", ""))
    begin = int(after) if after.isdecimal() and len(after) < 10 else 0
    outcome = next((one for one in Outcome if one.value == wanted), None)
    with company.pages() as pages:
        info = pages.one(batch) if pages is not None else None
        if pages is None or info is None:
            raise Http404
        title, index = "", _index(company, pages, info)
        if (problem or issuer) and index is None:
            return preparing(request, f"/lotes/{batch}/filas", DOWNLOAD, batch, INDEX)
        if (problem or issuer) and index is not None:
            title = " · ".join(one for one in (title_of(problem) if problem else "", issuer) if one)
            page = pages.among(batch, _alike(index, problem, issuer), after=begin, outcome=outcome)
            lines, more = (page.lines, page.following) if page is not None else ((), None)
        elif rule:
            found = summary(company, info)
            group = next((one for one in found.pending if one.rule == rule), None) if found is not None else None
            at = group.places if group is not None else ()
            title = group.title if group is not None else ""
            lines, following = pages.these(batch, at[begin : begin + ROWS]), begin + ROWS
            more = following if following < len(at) else None
        else:
            page = pages.rows(batch, after=begin, outcome=outcome)
            lines, more = (page.lines, page.following) if page is not None else ((), None)
    shown = {
        "info": info,
        "rows": [_line(info, line) for line in lines],
        "filters": list(ordered(info.counts).items()),
        "problems": [(code, title_of(code), one.rows) for code, one in index.problems.items()] if index else [],
        "issuers": [(ruc, one.rows) for ruc, one in index.issuers.items()] if index else [],
        "wanted": outcome.value if outcome is not None else "",
        "problem": problem,
        "issuer": issuer,
        "asked": _asked(resultado=wanted, problema=problem, emisor=issuer, pendiente=rule),
        "rule": rule,
        "title": title,
        "more": more,
        "begin": begin,
        "now": site().now(),
    }
    return render(request, "batches/rows.html", shown)


def _asked(**filters: str) -> str:
    """The filters of a page of rows, for the address of the next one."""
    return str(urlencode({name: value for name, value in filters.items() if value}))


def _index(company: Company, pages: Pages, info: BatchInfo) -> RowIndex | None:
    """Rows by problem and issuer; None while a child finds them, which is asked for it."""
    file = index_ready(company.settings, info.id, places(company))
    if file is not None:
        return read_index(file)
    if info.rows <= AT_ONCE:
        return index_of(pages, info)
    readers().ask(company.settings, DOWNLOAD, info.id, INDEX)
    file = index_ready(company.settings, info.id, places(company))
    return read_index(file) if file is not None else None


def _alike(index: RowIndex, problem: str, issuer: str) -> list[int]:
    """Positions of the rows with this problem and this issuer; either may be empty."""
    sides = [(index.problems, problem), (index.issuers, issuer)]
    found = [side[name].places if name in side else [] for side, name in sides if name]
    if len(found) == 1:
        return found[0]
    also = frozenset(found[1])
    return [pos for pos in found[0] if pos in also]


def _line(info: BatchInfo, line: ResultLine) -> dict[str, Any]:
    row = row_of(line, hours=info.deadline_hours)
    return {
        "line": line.position.line,
        "place": str(line.position),
        "cufe": line.cufe or "",
        "outcome": row.added.resultado,
        "tone": ROW_TONES[row.tone],
        "todo": on_screen(row.todo),
        "reason": line.reason or "",
        "sent": line.sent_at,
    }


class Deciding(PageForm):
    """Why, and the end of the code that is meant."""

    motivo = forms.CharField(
        label=words.WHY,
        help_text=words.WHY_HINT,
        min_length=WHY[0],
        max_length=WHY[1],
        error_messages=dict.fromkeys(("required", "min_length", "max_length"), words.WHY_WRONG),
    )
    final = forms.CharField(
        label=words.LAST_EIGHT,
        max_length=decide.CODE_LENGTH,
        error_messages=dict.fromkeys(("required", "max_length"), words.LAST_EIGHT_WRONG),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class Resolving(Deciding):
    """The same, and what became of the document."""

    como = forms.ChoiceField(
        label=words.RESOLVE_AS,
        choices=[
            (decide.Decision.CANCELLED.value, words.CANCELLED),
            (decide.Decision.NOT_CANCELLED.value, words.NOT_CANCELLED),
        ],
        error_messages=dict.fromkeys(("required", "invalid_choice"), words.AS_MISSING),
        widget=forms.RadioSelect,
    )


class Resending(Deciding):
    """A resend of the row as it is."""


class Correcting(Deciding):
    """The same, and what eDoc is sent instead of the texts that it gave back: as they are now unless changed."""

    nuevo_motivo = forms.CharField(label=words.NEW_REASON, help_text=words.NEW_REASON_HINT, max_length=1000)
    nuevo_correo = forms.CharField(label=words.NEW_MAIL, max_length=1000, required=False)
    field_order = ("nuevo_motivo", "nuevo_correo", "motivo", "final")

    def __init__(self, data: Any, row: RowStatus) -> None:
        super().__init__(data, initial={"nuevo_motivo": row.reason, "nuevo_correo": row.email or ""})
        self.fields["nuevo_motivo"].error_messages["required"] = words.NEW_REASON_MISSING
        self._row = row

    def correction(self) -> Correction | None:
        """What is sent instead; None for the same texts."""
        reason, email = self.cleaned_data["nuevo_motivo"], self.cleaned_data["nuevo_correo"]
        same = (None if reason == self._row.reason else reason, None if email == (self._row.email or "") else email)
        return decide.correction_of(self._row, *same)

    def clean(self) -> Any:
        given = super().clean() or {}
        if {"nuevo_motivo", "nuevo_correo"} <= given.keys():
            try:
                self.correction()
            except WrongUsage as wrong:
                option, _, said = wrong.message.partition(": ")
                field = {"--new-reason": "nuevo_motivo", "--new-email": "nuevo_correo"}.get(option)
                self.add_error(field, said if field is not None else on_screen(wrong.message))
        return given


KINDS: dict[str, tuple[Kind, type[Deciding] | None]] = {
    "retirar": (Kind.WITHDRAW, Deciding),
    "resolver": (Kind.RESOLVE, Resolving),
    "reenviar": (Kind.RESEND, Resending),
    "consultar": (Kind.ASK, None),
}
ALLOWED = {
    Kind.WITHDRAW: May.WITHDRAW,
    Kind.RESOLVE: May.RESOLVE,
    Kind.RESEND: May.ASK_RESEND,
    Kind.ASK: May.WITHDRAW,
}


def row(request: Any, batch: str, line: int) -> Any:
    """`/lotes/ID/filas/N`: N is the line of the file, as people see it."""
    return _page(request, batch, line)


def withdraw(request: Any, batch: str, line: int) -> Any:
    return _decide(request, batch, line, "retirar")


def resolve(request: Any, batch: str, line: int) -> Any:
    return _decide(request, batch, line, "resolver")


def resend(request: Any, batch: str, line: int) -> Any:
    return _decide(request, batch, line, "reenviar")


def ask(request: Any, batch: str, line: int) -> Any:
    return _decide(request, batch, line, "consultar")


def _decide(request: Any, batch: str, line: int, name: str) -> Any:
    """GET: the page with one form; POST: an order to the sender, who checks all of it once more."""
    company, (kind, made) = request.company, KINDS[name]
    if kind not in _offered(request, batch, line):
        found = _found(request, batch, line)
        if request.method == "GET" or found is None:
            return trouble.page(request, 409, words.NOT_DONE, words.NOTHING_TO_DECIDE)
        return trouble.page(request, 409, words.NOT_DONE, words.NOTHING_TO_DECIDE)
    form = _form(request, batch, line, made)
    if request.method == "GET" or (form is not None and not form.is_valid()):
        return _page(request, batch, line, form, name)
    said = form.cleaned_data if form is not None else {}
    who, address = request.user.username, audit.address_of(request)
    decision = decide.Decision(said["como"]) if kind is Kind.RESOLVE else None
    try:
        with company.ledger() as views:
            info = company.batch(views, batch)
            standing = views.standing(info, line)
            ask_about_row(
                company.proposals.orders,
                kind,
                info,
                standing,
                site().now(),
                who=who,
                address=address,
                two=company.two,
                why=said.get("motivo", ""),
                confirm=said.get("final", ""),
                decision=decision,
                correction=form.correction() if isinstance(form, Correcting) else None,
            )
    except WrongUsage as wrong:
        if form is None or wrong.code != "wrong-confirmation":
            return trouble.page(request, 409, words.NOT_DONE, on_screen(wrong.message))
        form.add_error("final", words.LAST_EIGHT_WRONG)
        return _page(request, batch, line, form, name)
    except AnularError as refused:
        audit.note(request, f"pide-{kind.value}", ok=False, about=f"lote {batch} fila {line}", detail=refused.code)
        return trouble.page(request, 409, words.NOT_DONE, on_screen(refused.message))
    audit.note(request, f"pide-{kind.value}", about=f"lote {batch} fila {line}")
    return HttpResponseRedirect(f"/lotes/{batch}/filas/{line}")


def _form(request: Any, batch: str, line: int, made: type[Deciding] | None) -> Any:
    """The form of a decision; a resend of a row that was given back asks for its texts too."""
    data = request.POST if request.method == "POST" else None
    if made is not Resending:
        return made(data) if made is not None else None
    with request.company.ledger() as views:
        found = views.standing(request.company.batch(views, batch), line)
    return Correcting(data, found) if decide.is_correctable(found) else Resending(data)


def _found(request: Any, batch: str, line: int) -> FoundRow | None:
    company = request.company
    with company.pages() as pages:
        pos = pages.place_of(batch, line) if pages is not None else None
    if pos is None:
        return None
    with company.ledger() as views:
        info = company.batch(views, batch)
        found: FoundRow = views.search().row(Hit(info.id, pos, info.env))
        return found


def _offered(request: Any, batch: str, line: int) -> list[Kind]:
    """What the person may ask for about this row, as it is now."""
    company = request.company
    proposal = company.proposals.of_batch(batch)
    own = proposal is not None and request.user.username in proposal.people.preparers
    with company.ledger() as views:
        info = company.batch(views, batch)
        try:
            standing = views.standing(info, line)
        except WrongUsage:  # it was not to be sent itself
            return []
    orders = company.proposals.orders.of_row(batch, line)
    waits = {one.wish.kind for one in orders if one.state in OPEN}
    checks = {
        Kind.WITHDRAW: decide.check_withdrawable,
        Kind.RESOLVE: decide.check_resolvable,
        Kind.RESEND: decide.check_resendable,
        Kind.ASK: decide.check_resolvable,
    }
    found = []
    for kind, check in checks.items():
        if kind in waits or not company.may(ALLOWED[kind], own=own):
            continue
        try:
            check(standing)
        except WrongUsage:
            continue
        found.append(kind)
    return found


def _page(request: Any, batch: str, line: int, form: Any = None, name: str = "") -> Any:
    company = request.company
    found = _found(request, batch, line)
    if found is None:
        raise Http404
    info, at = found.batch, found.line
    made = row_of(at, hours=info.deadline_hours)
    orders = company.proposals.orders.of_row(batch, line)
    offered = _offered(request, batch, line)
    shown = {
        "info": info,
        "at": at,
        "line": line,
        "place": str(at.position),
        "added": made.added,
        "authorised": _authorised(made.added.fecha_autorizacion or ""),
        "todo": on_screen(made.todo),
        "tone": ROW_TONES[TONES[next(one for one in Outcome if one.value == made.added.resultado)]],
        "cufe": _cufe(at.cufe),
        "received": _received(at),
        "cells": list(zip(info.headings, at.cells, strict=False)),
        "remarks": [on_screen(one) for one in (made.added.observaciones or "").split("\n") if one],
        "events": [_event(one) for one in found.log],
        "orders": [order_words(one) for one in orders],
        "waiting": any(one.state in OPEN for one in orders),
        "offered": [key for key, (kind, _) in KINDS.items() if kind in offered],
        "form": form,
        "chosen": name,
        "now": site().now(),
    }
    return render(request, "batches/row.html", shown)


def state(request: Any, batch: str, line: int) -> Any:
    """`/lotes/ID/filas/N/estado`: whether an order about the row still waits, for the page's script."""
    from django.http import JsonResponse

    company = request.company
    if _found(request, batch, line) is None:
        raise Http404
    waits = [one for one in company.proposals.orders.of_row(batch, line) if one.state in OPEN]
    told = order_words(waits[0]) if waits else None
    said = words.ORDER.format(what=told["what"], state=told["state"], answer=told["answer"]) if told else ""
    return JsonResponse({"done": not waits, "words": said})


def _cufe(text: str | None) -> Cufe | None:
    try:
        return Cufe.parse(text or "", allow_bad_check_digit=True)
    except CufeInvalid:
        return None


def _authorised(text: str) -> str:
    """eDoc's time as people write it here; what is no time as it was answered."""
    found = answered_time(text)
    try:
        return local(found, seconds=False) if found is not None else text
    except OverflowError:
        return text


def _received(line: ResultLine) -> str:
    """The code as it was written in the file, where that is another text."""
    return next((one.received for one in line.repairs), "")


def _event(event: EventLine) -> dict[str, str]:
    worded = " " in event.note
    told = [event.message or "", event.note if worded else ""]
    marks = [f"estado {event.estado}" if event.estado is not None else ""]
    return {
        "at": local(event.at),
        "what": EVENT_WORDS[event.event],
        "answer": on_screen(" · ".join(part for part in (*marks, *told) if part)),
        "who": people(event.who),
    }
