"""Pages of people: users of a company with their roles, requests for access, invitations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.http import Http404, HttpResponseRedirect

from pipeline.web import audit, mail
from pipeline.web.access import factors, people_rules, requests, sessions
from pipeline.web.access.first import Someone, is_taken
from pipeline.web.access.people_rules import NotAllowed
from pipeline.web.models import AccessRequest, AuditEvent, Link, LinkKind, Membership, Person, PersonState, RequestState
from pipeline.web.pages import PageForm, render
from pipeline.web.roles import Role
from pipeline.web.site import site
from pipeline.web.texts import access, frame
from pipeline.web.texts import people as words

LINK = "enlace"
"""Name in the session of a link that is shown once."""


class Roles(PageForm):
    """Roles of a person in this company."""

    papeles = forms.MultipleChoiceField(
        label=words.ROLES,
        choices=[(role.value, frame.ROLES[role]) for role in Role],
        required=False,
        error_messages={"invalid_choice": words.ROLES_MISSING},
        widget=forms.CheckboxSelectMultiple,
    )


class Invite(Someone, Roles):
    """A new person."""

    field_order = ("nombre", "correo", "usuario", "papeles")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["nombre"].label, self.fields["correo"].label = words.NAME, access.MAIL
        self.fields["papeles"].required = True
        self.fields["papeles"].error_messages["required"] = words.ROLES_MISSING
        for name in ("nombre", "correo", "usuario"):
            self.fields[name].widget.attrs["autocomplete"] = "off"


def people(request: Any) -> Any:
    """`/usuarios`."""
    profile, now = request.company.profile, site().now()
    usual, longest = requests.hours()
    asked = [
        {
            "one": one,
            "hours": int((now - one.at).total_seconds() // 3600),
            "asks": words.ASK_ROLES.get(one.role, one.role),
        }
        | {"late": now - one.at > timedelta(hours=usual), "too_late": now - one.at > timedelta(hours=longest)}
        for one in requests.waiting(profile)
    ]
    found = Person.objects.filter(memberships__profile=profile).distinct().order_by("username")
    about = {"asked": asked, "users": [_line(one, profile) for one in found], "done": "hecho" in request.GET}
    return render(request, "access/people.html", about)


def _line(person: Person, profile: str) -> dict[str, Any]:
    """What the page shows of one person."""
    mine = Membership.objects.filter(person=person, profile=profile)
    roles = [
        words.WAITS.format(role=frame.ROLES[Role(one.role)]) if one.waits else frame.ROLES[Role(one.role)]
        for one in mine
    ]
    entered = AuditEvent.objects.filter(who=person.username, event__in=("entrada", "entrada-llave"), ok=True)
    last = entered.order_by("-id").first()
    kinds = ", ".join(words.FACTORS[one] for one in sorted(factors.kinds(person))) or words.NO_FACTOR
    return {
        "person": person,
        "roles": ", ".join(roles),
        "state": words.STATES[_state(person)],
        "good": person.state == PersonState.ACTIVE,
        "factor": kinds,
        "last": last.at if last is not None else None,
    }


def _state(person: Person) -> str:
    """State on screen: an invitation whose link has ended is another one."""
    if person.state != PersonState.INVITED:
        return str(person.state)
    open_links = Link.objects.filter(person=person, kind=LinkKind.INVITATION, used_at__isnull=True)
    return "invitada" if open_links.filter(expires_at__gt=site().now()).exists() else "vencida"


def invite(request: Any) -> Any:
    """`/usuarios/invitar`; for a request (``?solicitud=N``) with what was asked for filled in."""
    asked = _asked(request)
    start = {"nombre": asked.name, "correo": asked.email, "papeles": [asked.role]} if asked is not None else None
    form = Invite(request.POST if request.method == "POST" else None, initial=start)
    if form.is_bound and form.is_valid():
        given, roles = form.cleaned_data, [Role(one) for one in form.cleaned_data["papeles"]]
        known = Person.objects.filter(email=given["correo"]).first()
        if known is not None:
            answer = _give(request, form, known, roles)
        elif is_taken(given["usuario"], given["correo"]):
            answer = form.add_error("usuario", access.USER_TAKEN)
        else:
            person, link, ends = people_rules.invite(
                request.user,
                username=given["usuario"],
                name=given["nombre"],
                email=given["correo"],
                profile=request.company.profile,
                roles=roles,
                by=request.user.username,
            )
            audit.note(request, "invitacion", about=person.username, detail=", ".join(roles))
            answer = _show_link(request, person, link, ends)
        if answer is not None:
            if asked is not None:
                _decide(request, asked, RequestState.INVITED, "")
            return answer
    return render(request, "access/invite.html", {"form": form, "asked": asked})


def _give(request: Any, form: Any, person: Person, roles: list[Role]) -> Any:
    """Roles in this company for a person who has an account; None with the form's error where it is refused."""
    profile = request.company.profile
    has = {
        Role(one) for one in Membership.objects.filter(person=person, profile=profile).values_list("role", flat=True)
    }
    try:
        _change(request, person, has | set(roles))
    except NotAllowed as refused:
        form.add_error(None, str(refused))
        return None
    return HttpResponseRedirect(f"/usuarios/{person.pk}?hecho=1")


def _change(request: Any, person: Person, roles: set[Role]) -> None:
    for event, role in people_rules.set_roles(request.user, person, request.company.profile, roles):
        audit.note(request, event, about=person.username, detail=role.value)


def person_page(request: Any, number: int) -> Any:
    """`/usuarios/N`: roles in this company, state, sessions, links."""
    person, profile = _mine(request, number), request.company.profile
    mine = Membership.objects.filter(person=person, profile=profile)
    form = Roles(None, initial={"papeles": [one.role for one in mine]})
    refused, status = "", 200
    if request.method == "POST":
        try:
            answer = _do(request, person, str(request.POST.get("hacer", "")))
        except NotAllowed as error:
            refused, status = str(error), 409
        else:
            return answer
    shown = sessions.kept(request, LINK, once=True)
    about = {
        "form": form,
        "line": _line(person, profile),
        "someone": person,
        "self": person.pk == request.user.pk,
        "all": people_rules.administers_all(request.user, person),
        "waiting": [(one.role, frame.ROLES[Role(one.role)]) for one in mine if one.waits],
        "refused": refused,
        "wrong": bool(refused),
        "done": "hecho" in request.GET,
        "link": shown if shown and shown["who"] == person.pk else None,
        "needs_second": people_rules.needs_second(request.user, profile),
    }
    return render(request, "access/person.html", about, status=status)


def _do(request: Any, person: Person, what: str) -> Any:
    """One action on a person. Raises ``NotAllowed``."""
    admin, name = request.user, person.username
    if what == "papeles":
        form = Roles(request.POST)
        if form.is_valid():
            _change(request, person, {Role(one) for one in form.cleaned_data["papeles"]})
    elif what.startswith("confirmar-") and what.removeprefix("confirmar-") in set(Role):
        role = Role(what.removeprefix("confirmar-"))
        people_rules.confirm_role(admin, person, request.company.profile, role)
        audit.note(request, "papel-confirmado", about=name, detail=role.value)
    elif what == "suspender":
        people_rules.suspend(admin, person)
        audit.note(request, "suspension", about=name)
    elif what == "activar":
        people_rules.resume(admin, person)
        audit.note(request, "reactivacion", about=name)
    elif what == "sesiones":
        people_rules.end_sessions(admin, person)
        audit.note(request, "sesiones-cerradas", about=name)
    elif what == "enlace":
        people_rules.check_link(admin, person)
        invited = person.state == PersonState.INVITED
        make = people_rules.invite_again if invited else people_rules.reset_link
        link, ends = make(person, by=admin.username)
        audit.note(request, "invitacion" if invited else "enlace", about=name)
        return _show_link(request, person, link, ends)
    else:
        raise Http404
    return HttpResponseRedirect(f"/usuarios/{person.pk}?hecho=1")


def _show_link(request: Any, person: Person, link: str, ends: Any) -> Any:
    """Keeps a link for the one time that it is shown."""
    mailed = site().send is not None
    sessions.keep(request, LINK, {"who": person.pk, "link": link, "ends": mail.when(ends), "mailed": mailed})
    return HttpResponseRedirect(f"/usuarios/{person.pk}")


def _mine(request: Any, number: int) -> Person:
    """A person with a role in the company that is chosen; anybody else is not there."""
    found: Person | None = Person.objects.filter(pk=number, memberships__profile=request.company.profile).first()
    if found is None:
        raise Http404
    return found


def _asked(request: Any) -> AccessRequest | None:
    """The open request of this company that an invitation answers. Raises ``Http404`` for any other number."""
    number = str(request.GET.get("solicitud") or request.POST.get("solicitud") or "")
    if not number:
        return None
    state, profile = RequestState.RECEIVED, request.company.profile
    known = number.isascii() and number.isdigit() and len(number) < 12
    mine = AccessRequest.objects.filter(profile=profile, state=state)
    found: AccessRequest | None = mine.filter(pk=int(number)).first() if known else None
    if found is None:
        raise Http404
    return found


class Refuse(PageForm):
    """Why a request is refused."""

    motivo = forms.CharField(
        label=words.WHY,
        min_length=5,
        max_length=500,
        error_messages=dict.fromkeys(("required", "min_length", "max_length"), words.WHY_WRONG),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def refuse(request: Any, number: int) -> Any:
    """`/usuarios/solicitudes/N`: a request, refused with a reason."""
    asked = AccessRequest.objects.filter(pk=number, profile=request.company.profile).first()
    if asked is None or asked.state != RequestState.RECEIVED:
        raise Http404
    form = Refuse(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        _decide(request, asked, RequestState.REFUSED, form.cleaned_data["motivo"])
        return HttpResponseRedirect("/usuarios?hecho=1")
    about = {"form": form, "asked": asked, "asks": words.ASK_ROLES.get(asked.role, asked.role)}
    return render(request, "access/refuse.html", about)


def _decide(request: Any, asked: AccessRequest, state: RequestState, why: str) -> None:
    """Ends a request, once."""
    values = {"state": state, "why": why, "decided_by": request.user.username, "decided_at": site().now()}
    open_ones = AccessRequest.objects.filter(pk=asked.pk, state=RequestState.RECEIVED)
    if open_ones.update(**values):
        event = "solicitud-aceptada" if state is RequestState.INVITED else "solicitud-rechazada"
        audit.note(request, event, about=asked.name)
