"""Certificates of the issuers: the list, one record with its log, and what a person notes (certificates.md)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django import forms
from django.http import Http404, HttpResponseRedirect
from pydantic import SecretStr

from pipeline.certificates.calendar import due_day
from pipeline.certificates.file import certificate_in
from pipeline.certificates.imports import import_table
from pipeline.certificates.issuers import without_record
from pipeline.certificates.registry import Dates, Registry
from pipeline.certificates.shown import what_now
from pipeline.domain.certificates import (
    AUTHORITY,
    Certificate,
    State,
    day_in,
    end_of,
    is_active,
    last_day,
    start_of,
    state_of,
)
from pipeline.domain.deadline import PANAMA
from pipeline.domain.errors import AnularError, InputRefused, WrongUsage
from pipeline.domain.ruc import bare
from pipeline.settings.model import Settings
from pipeline.web import audit
from pipeline.web.company import Company
from pipeline.web.pages import PageForm, render
from pipeline.web.roles import May
from pipeline.web.screens.shared import scanned
from pipeline.web.site import site
from pipeline.web.texts import certificates as words
from pipeline.web.texts.options import on_screen

_SIGNS = {
    State.COMPLETE: ("good", "✓"),
    State.IN_PROCESS: ("wait", "…"),
    State.ACCEPTED: ("wait", "…"),
    State.REJECTED: ("bad", "✗"),
    State.EXPIRED: ("bad", "⚠"),
}


class Day(forms.CharField):
    """A day as people write it; None for none."""

    def __init__(self, label: str, *, required: bool = False) -> None:
        errors = {"required": words.MISSING_FIELD}
        super().__init__(
            label=label, help_text=words.DATE_HINT, required=required, max_length=20, error_messages=errors
        )

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        found = day_in(text) if text else None
        if text and found is None:
            raise forms.ValidationError(words.DATE_WRONG)
        return found


def _text(label: str, most: int = 200, *, required: bool = False) -> Any:
    errors = {"required": words.MISSING_FIELD}
    return forms.CharField(label=label, required=required, max_length=most, error_messages=errors)


class Dated(PageForm):
    """Dates of a certificate, typed or read from its file; the file and its key are forgotten."""

    desde = Day(words.SINCE)
    hasta = Day(words.UNTIL)
    archivo = forms.FileField(label=words.FILE, required=False, allow_empty_file=True)
    clave = forms.CharField(
        label=words.PIN,
        required=False,
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    confirma = forms.BooleanField(label=words.CONFIRM_RUC, required=False)

    def dates(self, settings: Settings) -> tuple[Dates | None, dict[str, str]]:
        """The dates, and what a file says of holder and authority; None where nothing was given. Raises
        ``InputRefused``."""
        said = self.cleaned_data
        if said["archivo"] is not None:
            key = SecretStr(said["clave"])
            told = certificate_in(said["archivo"].name, scanned(settings, said["archivo"]), lambda: key)
            dates = Dates(told.valid_from, told.valid_until, told.serial, told.fingerprint, told.rucs, said["confirma"])
            return dates, {"holder": told.holder, "authority": told.authority}
        first, last = said["desde"], said["hasta"]
        if first is None and last is None:
            return None, {}
        begins, ends = start_of(first) if first else None, end_of(last) if last else None
        return Dates(begins, ends, confirmed=said["confirma"]), {}


class New(Dated):
    """A request, or a certificate that is there already."""

    field_order = ("ruc", "titular", "entidad", "solicitud", "dia", "correo", "desde", "hasta", "archivo", "clave")

    ruc = _text(words.ISSUER, 40, required=True)
    titular = _text(words.HOLDER)
    entidad = forms.CharField(label=words.AUTHORITY, required=False, max_length=200, initial=AUTHORITY)
    solicitud = _text(words.REQUEST, 60)
    dia = Day(words.REQUESTED_ON)
    correo = _text(words.MAIL, 100)


class Editing(Dated):
    """What is corrected of a certificate that is in use."""

    field_order = ("titular", "entidad", "solicitud", "correo", "desde", "hasta", "archivo", "clave", "confirma")

    titular = _text(words.HOLDER)
    entidad = _text(words.AUTHORITY)
    solicitud = _text(words.REQUEST, 60)
    correo = _text(words.MAIL, 100)


class Rejecting(PageForm):
    """What has to be corrected."""

    porque = _text(words.REJECT_WHY, 500, required=True)


class Ending(PageForm):
    """Why it is no longer good."""

    porque = _text(words.END_WHY, 500, required=True)


class Again(PageForm):
    """When the request was sent again."""

    dia = Day(words.REQUESTED_ON, required=True)


class Nothing(PageForm):
    """A step that needs no more words."""


class Csv(PageForm):
    """A table of certificates."""

    archivo = forms.FileField(
        label=words.CSV,
        help_text=words.CSV_HINT,
        allow_empty_file=True,
        error_messages={"required": words.CSV_MISSING},
        widget=forms.FileInput(attrs={"accept": ".csv"}),
    )


Step = Callable[[Registry, Certificate, Any, int], Certificate]
STEPS: dict[str, tuple[str, type[PageForm], frozenset[State]]] = {
    "aceptada": (words.ACCEPT, Nothing, frozenset({State.IN_PROCESS})),
    "listo": (words.COMPLETE, Dated, frozenset({State.IN_PROCESS, State.ACCEPTED})),
    "rechazada": (words.REJECT, Rejecting, frozenset({State.IN_PROCESS, State.ACCEPTED})),
    "otra-vez": (words.AGAIN, Again, frozenset({State.REJECTED})),
    "editar": (words.EDIT, Editing, frozenset({State.COMPLETE})),
    "fin": (words.END, Ending, frozenset({State.COMPLETE})),
}
"""What a person may note of a record: word, form, and the states in which it is offered."""


def registry(request: Any) -> Registry:
    """Records of the company, signed by the person."""
    return Registry(site().office, request.company.settings, f"web: {request.user.username}")


def certificates(request: Any) -> Any:
    """`/certificados`."""
    company, now = request.company, site().now()
    records = registry(request).all()
    done = str(request.GET.get("importado", "")).split("-")
    shown = {
        "records": [_shown(company, one, now) for one in records],
        "missing": without_record(_issuers(company), records),
        "may_edit": company.may(May.EDIT_CERTIFICATES),
        "imported": done if len(done) == 3 and all(part.isdecimal() for part in done) else None,
    }
    return render(request, "certificates/list.html", shown)


def _issuers(company: Company) -> list[str]:
    """RUCs of the company: those of the settings, and every one that its batches have."""
    with company.ledger() as views:
        seen = views.issuers() if views is not None else []
    return sorted({bare(ruc) for ruc in (*company.settings.issuers, *seen)})


def _shown(company: Company, one: Certificate, now: Any) -> dict[str, Any]:
    state = state_of(one, now)
    tone, sign = _SIGNS[state]
    settings = company.settings
    due = due_day(settings.cert_review_days, settings.cert_holidays)
    active = one.valid_until is not None and is_active(one, now)
    return {
        "id": one.id,
        "ruc": one.ruc,
        "holder": one.holder,
        "state": state.value,
        "tone": tone,
        "sign": sign,
        "rejected": state is State.REJECTED,
        "what": what_now(one, now, due),
        "since": f"{one.valid_from.astimezone(PANAMA):%d/%m/%Y}" if one.valid_from is not None else "",
        "until": f"{last_day(one.valid_until):%d/%m/%Y}" if one.valid_until is not None else "",
        "days": (one.valid_until - now).days if active and one.valid_until is not None else None,
    }


def certificate(request: Any, number: int) -> Any:
    """`/certificados/ID`."""
    now, one = site().now(), _one(request, number)
    may_edit = request.company.may(May.EDIT_CERTIFICATES)
    shown = {
        "one": one,
        "shown": _shown(request.company, one, now),
        "log": registry(request).log(number),
        "steps": _steps(one, now) if may_edit else [],
    }
    return render(request, "certificates/one.html", shown)


def _one(request: Any, number: int) -> Certificate:
    """The record with this number, if it is this company's. Raises ``Http404``."""
    try:
        return registry(request).one(number)
    except WrongUsage:
        raise Http404 from None


def _steps(one: Certificate, now: Any) -> list[tuple[str, str]]:
    state = state_of(one, now)
    return [(key, word) for key, (word, _, states) in STEPS.items() if state in states]


def add(request: Any) -> Any:
    """`/certificados/nuevo`."""
    given = {"ruc": str(request.GET.get("ruc", ""))[:40]}
    form = New(request.POST, request.FILES) if request.method == "POST" else New(initial=given)
    if form.is_bound and form.is_valid():
        said, now = form.cleaned_data, site().now()
        try:
            dates, told = form.dates(request.company.settings)
            today: date = now.astimezone(PANAMA).date()
            asked = Certificate(
                id=0,
                version=0,
                ruc=said["ruc"].strip(),
                state=State.IN_PROCESS,
                holder=said["titular"].strip() or told.get("holder", ""),
                authority=said["entidad"].strip() or told.get("authority", "") or AUTHORITY,
                request=said["solicitud"].strip(),
                requested_on=said["dia"] or (today if dates is None else None),
                mail=said["correo"].strip(),
            )
            book = registry(request)
            one = book.request(asked, now) if dates is None else book.register(asked, dates, now)
        except (InputRefused, WrongUsage) as refused:
            form.add_error(None, on_screen(refused.sentence))
        else:
            audit.note(request, "certificado", about=f"certificado {one.id}", detail="nuevo")
            return HttpResponseRedirect(f"/certificados/{one.id}")
    return render(request, "certificates/form.html", {"form": form, "heading": words.NEW, "action": request.path})


def change(request: Any, number: int, step: str) -> Any:
    """`/certificados/ID/PASO`: one thing that happened to a record."""
    one, now = _one(request, number), site().now()
    if step not in STEPS or step not in dict(_steps(one, now)):
        raise Http404
    word, made, _ = STEPS[step]
    values = {"titular": one.holder, "entidad": one.authority, "solicitud": one.request, "correo": one.mail}
    form = made(request.POST, request.FILES) if request.method == "POST" else made(initial=values)
    if form.is_bound and form.is_valid():
        version = str(request.POST.get("version", ""))
        try:
            _take(registry(request), one, step, form, int(version) if version.isdecimal() else 0)
        except AnularError as refused:
            form.add_error(None, on_screen(refused.sentence))
        else:
            audit.note(request, "certificado", about=f"certificado {number}", detail=step)
            return HttpResponseRedirect(f"/certificados/{number}")
    shown = {"form": form, "heading": word, "action": request.path, "one": one}
    return render(request, "certificates/form.html", shown)


def _take(book: Registry, one: Certificate, step: str, form: Any, version: int) -> None:
    """Raises ``WrongUsage``, ``InputRefused``."""
    now, said = site().now(), form.cleaned_data
    if step == "aceptada":
        book.accept(one.id, now, version)
    elif step == "rechazada":
        book.reject(one.id, said["porque"].strip(), now, version)
    elif step == "otra-vez":
        book.request_again(one.id, said["dia"], now, version)
    elif step == "fin":
        book.end(one.id, said["porque"].strip(), now, version)
    elif step == "listo":
        dates, _ = form.dates(book.settings)
        book.complete(one.id, dates or Dates(None, None), now, version)
    else:
        dates, _ = form.dates(book.settings)
        texts = {"holder": "titular", "authority": "entidad", "request": "solicitud", "mail": "correo"}
        values = {name: said[key].strip() for name, key in texts.items() if said[key].strip() != getattr(one, name)}
        book.edit(one.id, values, now, dates, version)


def import_csv(request: Any) -> Any:
    """`/certificados/importar`: all rows or none."""
    form, mistakes = Csv(request.POST, request.FILES) if request.method == "POST" else Csv(), list[str]()
    if form.is_bound and form.is_valid():
        given = form.cleaned_data["archivo"]
        try:
            done = import_table(registry(request), given.name, scanned(request.company.settings, given), site().now())
        except (InputRefused, WrongUsage) as refused:
            form.add_error("archivo", on_screen(refused.sentence))
        else:
            mistakes = [one.sentence for one in done.mistakes]
            if not mistakes:
                audit.note(request, "certificado", detail="importar")
                told = f"{len(done.new)}-{len(done.changed)}-{done.same}"
                return HttpResponseRedirect(f"/certificados?importado={told}")
    shown = {"form": form, "mistakes": mistakes, "wrong": bool(mistakes)}
    return render(request, "certificates/import.html", shown, status=422 if mistakes else 200)
