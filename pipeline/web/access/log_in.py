"""Log-in and log-out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.hashers import check_password, make_password
from django.db.models import Q
from django.http import HttpResponseRedirect

from pipeline.web import audit
from pipeline.web.access import sessions
from pipeline.web.models import Person
from pipeline.web.pages import PageForm, inside, render
from pipeline.web.texts import access as words


class LogIn(PageForm):
    """User and password."""

    usuario = forms.CharField(
        label=words.USER,
        max_length=254,
        strip=True,
        error_messages={"required": words.USER_MISSING},
        widget=forms.TextInput(
            attrs={"autocomplete": "username webauthn", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    clave = forms.CharField(
        label=words.PASSWORD,
        max_length=1000,
        strip=False,
        error_messages={"required": words.PASSWORD_MISSING},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def log_in(request: Any) -> Any:
    """`/entrar`."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(inside(request))
    form = LogIn(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        person = person_named(form.cleaned_data["usuario"])
        if right(person, form.cleaned_data["clave"]) and person is not None:
            sessions.begin(request, person)
            audit.note(request, "entrada", who=person.username)
            return HttpResponseRedirect(inside(request))
        audit.note(request, "entrada", ok=False, who=person.username if person is not None else "")
        form.add_error(None, words.WRONG)
    return render(request, "access/log_in.html", {"form": form, "next": inside(request), "ended": "fin" in request.GET})


def log_out(request: Any) -> Any:
    """`/salir`."""
    if request.user.is_authenticated:
        audit.note(request, "salida")
    sessions.end(request)
    return HttpResponseRedirect("/entrar")


def person_named(text: str) -> Person | None:
    """Person with this user name or mail address."""
    wanted = text.strip().casefold()
    found: Person | None = Person.objects.filter(Q(username=wanted) | Q(email=wanted)).first()
    return found


def right(person: Person | None, password: str) -> bool:
    """Whether ``password`` is that of ``person`` and the account is active; the same work for nobody."""
    if person is None or not person.has_usable_password():
        make_password(password)
        return False
    return bool(check_password(password, person.password)) and person.is_active
