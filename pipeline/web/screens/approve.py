"""Approval of a proposal: exactly what is shown, by another person, who types how many (approvals.md 2)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponseRedirect

from pipeline.approvals import decisions
from pipeline.approvals.decisions import WHY, Consent
from pipeline.approvals.store import Proposal
from pipeline.domain.certificates import Finding
from pipeline.domain.errors import NotApproved, WrongUsage
from pipeline.domain.proposals import ProposalState
from pipeline.web import audit, trouble
from pipeline.web.access import factors, sessions
from pipeline.web.access.confirm import check
from pipeline.web.pages import PageForm, render
from pipeline.web.screens.review import about, conflict, head
from pipeline.web.screens.shared import approvers
from pipeline.web.site import site
from pipeline.web.texts import access
from pipeline.web.texts import review as words
from pipeline.web.texts.options import on_screen


class Approval(PageForm):
    """What a person ticks and types who approves; each part shows that they saw it."""

    emisores = forms.MultipleChoiceField(
        label=words.CONFIRM_ISSUERS, required=False, widget=forms.CheckboxSelectMultiple
    )
    ocultas = forms.CharField(label=words.TYPE_HIDDEN, required=False, max_length=20)
    certificados = forms.BooleanField(label=words.CERTIFICATE_SEEN, required=False)
    cantidad = forms.CharField(
        label=words.TYPE_COUNT,
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    clave = forms.CharField(
        label=words.PASSWORD,
        required=False,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, proposal: Proposal, findings: list[Finding], fresh: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        content = proposal.content
        self._proposal, self._hidden = proposal, int(content["hidden"])
        self._issuers: list[str] = content["issuers"]
        if len(self._issuers) > 1:
            self.fields["emisores"].choices = [(ruc, ruc) for ruc in self._issuers]
        else:
            del self.fields["emisores"]
        for name, needed in (("ocultas", self._hidden), ("certificados", findings), ("clave", not fresh)):
            if not needed:
                del self.fields[name]

    def clean_emisores(self) -> list[str]:
        found: list[str] = self.cleaned_data["emisores"]
        if set(found) != set(self._issuers):
            raise forms.ValidationError(words.CONFIRM_ISSUERS_MISSING)
        return found

    def clean_ocultas(self) -> int:
        if _number(self.cleaned_data["ocultas"]) != self._hidden:
            raise forms.ValidationError(words.TYPE_HIDDEN_WRONG)
        return self._hidden

    def clean_certificados(self) -> bool:
        if not self.cleaned_data["certificados"]:
            raise forms.ValidationError(words.CERTIFICATE_SEEN_MISSING)
        return True

    def clean_cantidad(self) -> int:
        if _number(self.cleaned_data["cantidad"]) != self._proposal.to_send:
            raise forms.ValidationError(words.TYPE_COUNT_WRONG)
        return self._proposal.to_send

    def clean_clave(self) -> str:
        found: str = self.cleaned_data["clave"]
        if not found:
            raise forms.ValidationError(words.PASSWORD_MISSING)
        return found

    def consent(self, digest: str, version: int | None) -> Consent:
        """What was said, for the use case, which judges all of it once more."""
        said = self.cleaned_data
        return Consent(said["cantidad"], digest, said.get("emisores", ()), said.get("ocultas", 0), version)


class Declining(PageForm):
    """Why a proposal is not approved."""

    motivo = forms.CharField(
        label=words.DECLINE_WHY,
        help_text=words.DECLINE_HINT,
        min_length=WHY[0],
        max_length=WHY[1],
        error_messages=dict.fromkeys(("required", "min_length", "max_length"), words.DECLINE_WRONG),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def approve(request: Any, number: int) -> Any:
    """`/propuestas/ID/aprobar`."""
    company, proposal = request.company, request.company.proposal(number)
    who, now, store = request.user.username, site().now(), company.proposals
    try:
        findings = decisions.check_approvable(store, proposal, now, company.settings, who=who, two=company.two)
    except NotApproved as refused:
        return _refusal(request, proposal, refused)
    fresh = sessions.is_confirmed(request)
    if request.method == "POST":
        if not _is_this(request, proposal):
            return _changed(request, proposal)
        form = Approval(request.POST, proposal=proposal, findings=findings, fresh=fresh)
        if _is_right(request, form):
            consent = form.consent(proposal.digest, _number(str(request.POST.get("version", ""))))
            address = audit.address_of(request)
            try:
                decisions.approve(
                    store, proposal, consent, now, company.settings, who=who, two=company.two, address=address
                )
            except NotApproved as refused:
                return _refusal(request, proposal, refused)
            audit.note(request, "aprueba", about=f"propuesta {number}", detail=proposal.digest[:16])
            return HttpResponseRedirect(f"/propuestas/{number}")
        audit.note(request, "aprueba", ok=False, about=f"propuesta {number}", detail=" ".join(form.errors))
    else:
        form = Approval(proposal=proposal, findings=findings, fresh=fresh)
    shown = about(request, proposal)
    issuers = dict(shown["review"].issuers) if shown["review"] is not None else {}
    found = {
        **shown,
        "form": form,
        "findings": [one.words for one in findings],
        "issuers": [(ruc, issuers.get(ruc)) for ruc in proposal.content["issuers"]],
        "ticked": request.POST.getlist("emisores"),
        "binding": words.ENVIRONMENTS[company.settings.env.value],
        "other_proof": bool(set(factors.kinds(request.user)) & {"totp", "webauthn"}),
    }
    return render(request, "proposals/approve.html", found)


def decline(request: Any, number: int) -> Any:
    """`/propuestas/ID/no-aprobar`."""
    company, proposal = request.company, request.company.proposal(number)
    form = Declining(request.POST if request.method == "POST" else None)
    who, address = request.user.username, audit.address_of(request)
    if proposal.state is not ProposalState.WAITING:
        return _closed(request, proposal)
    if form.is_bound and form.is_valid():
        why, now = form.cleaned_data["motivo"], site().now()
        try:
            if company.two and who in proposal.people.preparers:
                raise NotApproved(_own(request, proposal), code="approval-own")
            decisions.decline(company.proposals, proposal, now, who=who, why=why, two=company.two, address=address)
        except NotApproved as refused:
            return _refusal(request, proposal, refused)
        except WrongUsage:
            form.add_error("motivo", words.DECLINE_WRONG)
        else:
            audit.note(request, "no-aprueba", about=f"propuesta {number}")
            return HttpResponseRedirect(f"/propuestas/{number}")
    return render(request, "proposals/decline.html", {**head(proposal), "form": form})


def _number(text: str) -> int | None:
    """A count as people type it: with or without the separator of thousands."""
    plain = text.strip().replace(",", "").replace(" ", "")
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None


def _is_this(request: Any, proposal: Proposal) -> bool:
    """Whether the posted digest and version are those of the proposal as it is now."""
    wanted = (proposal.digest, str(proposal.version))  # whole: its short form is for who types it
    return bool(proposal.digest) and (request.POST.get("huella"), request.POST.get("version")) == wanted


def _is_right(request: Any, form: Approval) -> bool:
    """Whether all of the form is right, with the password where it was asked for."""
    good = bool(form.is_valid())
    if "clave" in form.fields and form.cleaned_data.get("clave"):
        wrong = check(request, form.cleaned_data["clave"])
        if wrong is not None:
            form.add_error("clave", wrong if wrong == access.TOO_MANY else words.PASSWORD_WRONG)
            return False
    return good


def _refusal(request: Any, proposal: Proposal, refused: NotApproved) -> Any:
    audit.note(request, "aprueba", ok=False, about=f"propuesta {proposal.id}", detail=refused.code)
    if refused.code == "approval-own":
        return trouble.page(request, 403, words.APPROVE_TITLE, _own(request, proposal))
    if refused.code in ("approval-changed", "approval-digest"):
        return _changed(request, proposal, noted=True)
    if refused.code == "approval-state":
        return _closed(request, proposal)
    if refused.code == "approval-certificate":
        what = on_screen(refused.message)
        return trouble.page(request, 409, words.APPROVE_TITLE, words.NO_CERTIFICATE.format(what=what))
    return conflict(request, proposal, refused)


def _own(request: Any, proposal: Proposal) -> str:
    names = approvers(request.company, proposal.people.preparers)
    return words.OWN.format(names=names) if names else words.OWN_NONE


def _closed(request: Any, proposal: Proposal) -> Any:
    return trouble.page(request, 409, words.APPROVE_TITLE, words.CLOSED.format(word=proposal.word))


def _changed(request: Any, proposal: Proposal, *, noted: bool = False) -> Any:
    """409: what was approved on screen is not what is there now."""
    if not noted:
        audit.note(request, "aprueba", ok=False, about=f"propuesta {proposal.id}", detail="approval-digest")
    return render(request, "proposals/changed.html", {**head(proposal), "wrong": True}, status=409)
