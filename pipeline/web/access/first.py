"""What a link opens: the first password of an invited person, a new password, and the first administrator at set-up."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponseRedirect

from pipeline.domain.approved_by import is_name
from pipeline.settings.model import ENV_WORDS
from pipeline.web import audit, mail, trouble
from pipeline.web.access import limits, links, passwords, sessions
from pipeline.web.access.first_office import first_office, is_first_office
from pipeline.web.access.log_in import enter
from pipeline.web.models import LinkKind, Membership, Person, PersonState
from pipeline.web.pages import PageForm, render
from pipeline.web.roles import Role
from pipeline.web.site import site
from pipeline.web.texts import access as words
from pipeline.web.texts import mails

NEW = {"autocomplete": "new-password"}
USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")
MAIL = re.compile(r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+")


class NewPassword(PageForm):
    """A password, twice. ``about``: words that a guess would begin with."""

    nueva = forms.CharField(
        label=words.NEW_PASSWORD,
        help_text=words.PASSWORD_HINT,
        max_length=1000,
        strip=False,
        error_messages={"required": words.PASSWORD_MISSING},
        widget=forms.PasswordInput(attrs=NEW),
    )
    otra = forms.CharField(
        label=words.AGAIN,
        max_length=1000,
        strip=False,
        error_messages={"required": words.AGAIN_MISSING},
        widget=forms.PasswordInput(attrs=NEW),
    )

    def __init__(self, data: Any, about: list[str]) -> None:
        super().__init__(data)
        self._about = about

    def clean(self) -> Any:
        given = super().clean() or {}
        about = [*self._about, *(str(given.get(name, "")) for name in ("usuario", "nombre", "correo"))]
        if given.get("nueva") and (said := passwords.fault(given["nueva"], about)) is not None:
            self.add_error("nueva", said)
        elif given.get("nueva") and given.get("otra") and given["nueva"] != given["otra"]:
            self.add_error("otra", words.NOT_THE_SAME)
        return given


class Named(forms.Form):
    """Name and mail address of a person."""

    nombre = forms.CharField(
        label=words.YOUR_NAME,
        max_length=100,
        error_messages={"required": words.NAME_MISSING},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    correo = forms.CharField(
        label=words.YOUR_MAIL,
        max_length=254,
        error_messages={"required": words.MAIL_MISSING},
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def clean_correo(self) -> str:
        return mail_address(self.cleaned_data["correo"])


class Someone(Named):
    """Name, mail address and user name of a person."""

    usuario = forms.CharField(
        label=words.USER,
        help_text=words.USER_HINT,
        max_length=64,
        error_messages={"required": words.USER_MISSING},
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def clean_usuario(self) -> str:
        return user_name(self.cleaned_data["usuario"])


class SetUp(Someone, NewPassword):
    """The first administrator."""

    prepara = forms.BooleanField(label=words.PREPARE_HERE, required=False)
    aprueba = forms.BooleanField(label=words.APPROVE_HERE, required=False)
    field_order = ("nombre", "correo", "usuario", "nueva", "otra", "prepara", "aprueba")

    def __init__(self, data: Any, about: list[str]) -> None:
        super().__init__(data, about)
        self.fields["nueva"].label = words.PASSWORD


def mail_address(text: str) -> str:
    """A mail address as it is kept. Raises ``ValidationError``."""
    found = text.strip().casefold()
    if not MAIL.fullmatch(found) or not found.isprintable():
        raise forms.ValidationError(words.MAIL_WRONG)
    return found


def user_name(text: str) -> str:
    """A user name as it is kept: it stands in ledgers. Raises ``ValidationError``."""
    found = text.strip().casefold()
    if not USERNAME.fullmatch(found) or not is_name(found):
        raise forms.ValidationError(words.USER_WRONG)
    return found


def about(person: Person) -> list[str]:
    """Words that a guess of the person's password would begin with."""
    profiles = Membership.objects.filter(person=person).values_list("profile", flat=True)
    companies = [site().companies[one].company for one in profiles if one in site().companies]
    return [person.username, person.name, person.email, *companies]


def invitation(request: Any, code: str) -> Any:
    """`/entrar/invitacion/C`: the own password of an invited person, who is then logged in."""
    return _with_link(request, LinkKind.INVITATION, code)


def reset(request: Any, code: str) -> Any:
    """`/entrar/clave/C`: a new password; the second factor is still asked for, at the log-in that follows."""
    return _with_link(request, LinkKind.RESET, code)


def _with_link(request: Any, kind: LinkKind, code: str) -> Any:
    link = links.find(kind, code) if limits.by_address(request, "enlace") else None
    if link is None or link.person is None:
        return trouble.page(request, 410, words.DEAD_TITLE, words.DEAD_LINK)
    person: Person = link.person
    form = NewPassword(request.POST if request.method == "POST" else None, about(person))
    first = kind is LinkKind.INVITATION
    if form.is_bound and form.is_valid():
        if not links.use(link):
            return trouble.page(request, 410, words.DEAD_TITLE, words.DEAD_LINK)
        set_password(person, form.cleaned_data["nueva"])
        audit.note(request, "clave-nueva", who=person.username)
        sessions.end(request)
        if first:
            return enter(request, person, "/")
        return HttpResponseRedirect("/entrar?clave=1")
    return render(request, "access/new_password.html", {"form": form, "first": first, "for_whom": person})


def set_password(person: Person, password: str, but: str = "") -> None:
    """Sets the password of ``person``, who is active from now on; sessions end, except that with the key ``but``; a
    notice is mailed."""
    was_active, now = person.state == PersonState.ACTIVE, site().now()
    person.set_password(password)
    with transaction.atomic():
        # Only these columns, and not of who was suspended meanwhile.
        open_ones = Person.objects.filter(pk=person.pk).exclude(state=PersonState.SUSPENDED)
        open_ones.update(password=person.password, state=PersonState.ACTIVE, changed_at=now)
        person.refresh_from_db()
        sessions.end_all(person, but)
    if was_active:
        mail.send(person.email, mails.CHANGED, mails.CHANGED_TEXT, name=person.name, when=now)


def set_up(request: Any, code: str) -> Any:
    """`/inicio/C`: the first administrator, while there is no user."""
    link = links.find(LinkKind.SET_UP, code) if limits.by_address(request, "enlace") else None
    if link is None or Person.objects.exists():
        return trouble.page(request, 410, words.DEAD_TITLE, words.DEAD_SET_UP)
    here = site()
    if is_first_office(here):
        return first_office(request)
    names = [one.company for one in here.companies.values()]
    form = SetUp(request.POST if request.method == "POST" else None, names)
    if form.is_bound and form.is_valid():
        with transaction.atomic():
            if Person.objects.exists() or not links.use(link):
                return trouble.page(request, 410, words.DEAD_TITLE, words.DEAD_SET_UP)
            person = _first(form.cleaned_data)
        audit.note(request, "primera-vez", who=person.username)
        return enter(request, person, "/cuenta/segundo-factor")
    companies = [(one.company or one.profile, ENV_WORDS[one.env]) for one in here.companies.values()]
    return render(request, "access/set_up.html", {"form": form, "known": companies})


def _first(given: dict[str, Any]) -> Person:
    now = site().now()
    person = Person(username=given["usuario"], name=given["nombre"], email=given["correo"], state=PersonState.ACTIVE)
    person.made_at = person.changed_at = now
    person.set_password(given["nueva"])
    person.save()
    roles = [Role.ADMIN, *([Role.PREPARER] if given["prepara"] else []), *([Role.APPROVER] if given["aprueba"] else [])]
    for profile in site().companies:
        for role in roles:
            Membership.objects.create(person=person, profile=profile, role=role, given_by=person.username, given_at=now)
    return person


def is_taken(username: str, email: str) -> bool:
    """Whether a person has this user name or address."""
    return bool(Person.objects.filter(Q(username=username) | Q(email=email)).exists())
