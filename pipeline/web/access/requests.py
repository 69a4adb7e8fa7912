"""Request for access: by a person without an account, answered by an administrator (web.md 6)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpResponseRedirect

from pipeline.domain.ruc import bare
from pipeline.web import audit, mail, trouble
from pipeline.web.access import limits, links
from pipeline.web.access.first import Named
from pipeline.web.models import AccessRequest, LinkKind, Membership, PersonState, RequestState
from pipeline.web.pages import PageForm, render
from pipeline.web.roles import Role
from pipeline.web.site import site
from pipeline.web.texts import access, mails
from pipeline.web.texts import people as words


class Ask(Named, PageForm):
    """Request, as it is typed."""

    field_order = ("ruc", "nombre", "correo", "papel")

    ruc = forms.CharField(
        label=access.RUC,
        help_text=access.RUC_EXAMPLE,
        max_length=40,
        error_messages={"required": access.RUC_MISSING},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    papel = forms.ChoiceField(
        label=words.ASK_ROLE,
        choices=list(words.ASK_ROLES.items()),
        error_messages={"required": words.ROLE_MISSING, "invalid_choice": words.ROLE_MISSING},
        widget=forms.RadioSelect,
    )


def hours() -> tuple[int, int]:
    """Usual and longest hours until an answer."""
    usual, longest = site().settings.web_access_hours
    return usual, longest


def ask(request: Any) -> Any:
    """`/entrar/solicitar`: for a RUC of no company the same, and no one sees it."""
    form, status = Ask(request.POST if request.method == "POST" else None), 200
    if form.is_bound and form.is_valid():
        if limits.by_address(request, "solicitud"):
            return HttpResponseRedirect(_take(request, form.cleaned_data))
        form.add_error(None, access.TOO_MANY)
        status = 429
    usual, longest = hours()
    return render(request, "access/ask.html", {"form": form, "usual": usual, "longest": longest}, status=status)


def _take(request: Any, given: dict[str, Any]) -> str:
    profile = site().company_of(given["ruc"])
    made = AccessRequest.objects.create(
        ruc=bare(given["ruc"])[:40],
        profile=profile,
        name=given["nombre"],
        email=given["correo"],
        role=given["papel"],
        at=site().now(),
    )
    audit.note(request, "solicitud", profile=profile, about=f"{given['nombre']}: {given['papel']}")
    address, _ = links.make(LinkKind.REQUEST, request=made)
    return address.removeprefix(site().url)


def state(request: Any, code: str) -> Any:
    """`/entrar/solicitud/C`: how far it is, for who has the private link."""
    link = links.find(LinkKind.REQUEST, code) if limits.by_address(request, "enlace") else None
    if link is None or link.request is None:
        return trouble.page(request, 404, access.DEAD_TITLE, access.DEAD_LINK)
    asked, (usual, longest) = link.request, hours()
    about = {
        "asked": asked,
        "usual": asked.at + timedelta(hours=usual),
        "usual_hours": usual,
        "latest": asked.at + timedelta(hours=longest),
        "longest_hours": longest,
        "late": asked.state == RequestState.RECEIVED and site().now() > asked.at + timedelta(hours=longest),
    }
    return render(request, "access/asked.html", about)


def waiting(profile: str) -> list[AccessRequest]:
    """Unanswered requests of a company, oldest first."""
    return list(AccessRequest.objects.filter(profile=profile, state=RequestState.RECEIVED).order_by("at"))


def remind(now: datetime) -> int:
    """Reminds the administrators of each company, once, of requests that are past the usual time; returns how many
    requests. Any process may do it."""
    usual, _ = hours()
    due = AccessRequest.objects.filter(
        state=RequestState.RECEIVED, reminded_at__isnull=True, at__lte=now - timedelta(hours=usual)
    ).exclude(profile=None)
    told: dict[str, int] = {}
    for one in due:
        mine = AccessRequest.objects.filter(pk=one.pk, reminded_at__isnull=True).update(reminded_at=now)
        told[one.profile] = told.get(one.profile, 0) + mine
    for profile, count in told.items():
        for person in admins(profile) if count else ():
            company = site().companies[profile].company if profile in site().companies else profile
            values = {"n": count, "company": company, "hours": usual, "link": f"{site().url}/usuarios"}
            mail.send(person.email, mails.REMINDER, mails.REMINDER_TEXT, **values)
    return sum(told.values())


def admins(profile: str) -> list[Any]:
    """Active administrators of a company."""
    found = Membership.objects.filter(profile=profile, role=Role.ADMIN, waits=False, person__state=PersonState.ACTIVE)
    return [one.person for one in found.select_related("person").order_by("pk")]
