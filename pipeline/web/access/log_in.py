"""Log-in with user and password, the second factor after it, and log-out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.hashers import check_password, make_password
from django.db.models import Q
from django.http import HttpResponseRedirect

from pipeline.web import audit, mail
from pipeline.web.access import factors, limits, sessions
from pipeline.web.models import Person, PersonState
from pipeline.web.pages import PageForm, inside, render
from pipeline.web.site import site
from pipeline.web.texts import access as words
from pipeline.web.texts import mails

PENDING = "pendiente"
"""Name in a session of who gave the right password and has a second factor to show."""
PENDING_FOR = timedelta(minutes=5)


class LogIn(PageForm):
    """User and password."""

    usuario = forms.CharField(
        label=words.USER,
        max_length=254,
        error_messages={"required": words.USER_MISSING},
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    clave = forms.CharField(
        label=words.PASSWORD,
        max_length=1000,
        strip=False,
        error_messages={"required": words.PASSWORD_MISSING},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class Code(PageForm):
    """Code of an application, or a recovery code."""

    codigo = forms.CharField(
        label=words.CODE,
        max_length=40,
        error_messages={"required": words.CODE_MISSING},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


def log_in(request: Any) -> Any:
    """`/entrar`."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(inside(request))
    form, status = LogIn(request.POST if request.method == "POST" else None), 200
    if form.is_bound and form.is_valid():
        answer = _try(request, form)
        if answer is not None:
            return answer
        status = 429 if words.TOO_MANY in form.non_field_errors() else 422
    about = {"form": form, "next": inside(request), "ended": "fin" in request.GET, "set": "clave" in request.GET}
    return render(request, "access/log_in.html", about, status=status)


def _try(request: Any, form: Any) -> Any:
    """One try: where it leads, or None with the form's error set. A refused one does no work, right or not."""
    person = person_named(form.cleaned_data["usuario"])
    who = person.username if person is not None else form.cleaned_data["usuario"].strip().casefold()
    name = person.username if person is not None else ""
    from_here = limits.take("entrar-direccion", audit.address_of(request))
    if not from_here or not limits.take("entrar-usuario", who):
        audit.note(request, "limite", ok=False, who=name, about="entrar")
        form.add_error(None, words.TOO_MANY)
        return None
    if not right(person, form.cleaned_data["clave"]) or person is None:
        audit.note(request, "entrada", ok=False, who=name)
        _alert(request, person, who)
        form.add_error(None, words.WRONG)
        return None
    limits.give_back("entrar-usuario", who)
    limits.take_back(from_here)
    if factors.kinds(person):
        request.session.flush()
        request.session[PENDING] = {"id": person.pk, "at": site().now().isoformat(), "next": inside(request)}
        return HttpResponseRedirect("/entrar/segundo-factor")
    return enter(request, person, inside(request))


def enter(request: Any, person: Person, where: str, event: str = "entrada") -> Any:
    """Begins the session of ``person``, who showed all that is asked for."""
    request.session.pop(PENDING, None)
    sessions.begin(request, person)
    audit.note(request, event, who=person.username)
    return HttpResponseRedirect(where)


def _alert(request: Any, person: Person | None, who: str) -> None:
    """Alert to a person, once, about many tries with their name within an hour."""
    limits.count("fallos", who)
    if limits.in_an_hour("fallos", who) != limits.ALERT_AT:
        return
    audit.note(request, "alerta", ok=False, who=person.username if person is not None else "")
    site().log("web_alert", {"reason": "log-in", "user": person.username if person is not None else None})
    if person is not None:
        mail.send(person.email, mails.ALERT, mails.ALERT_TEXT, name=person.name)


def second_factor(request: Any) -> Any:
    """`/entrar/segundo-factor`: for who has just given the right password."""
    person, where = pending(request)
    if person is None:
        return HttpResponseRedirect("/entrar")
    form, status = Code(request.POST if request.method == "POST" else None), 200
    if form.is_bound and form.is_valid():
        if not limits.take("factor", person.username):
            audit.note(request, "limite", ok=False, who=person.username, about="factor")
            form.add_error(None, words.TOO_MANY)
            status = 429
        elif factors.right_code(person, form.cleaned_data["codigo"]):
            limits.give_back("factor", person.username)
            audit.note(request, "segundo-factor", who=person.username)
            return enter(request, person, where)
        else:
            audit.note(request, "segundo-factor", ok=False, who=person.username)
            form.add_error("codigo", words.CODE_WRONG)
    about = {"form": form, "has_key": bool(factors.keys(person)), "has_app": "totp" in factors.kinds(person)}
    return render(request, "access/second_factor.html", about, status=status)


def pending(request: Any) -> tuple[Person | None, str]:
    """Person who gave the right password within five minutes in this session, and where they wanted to go."""
    found = request.session.get(PENDING)
    if not isinstance(found, dict):
        return None, "/"
    age = site().now() - datetime.fromisoformat(found["at"])
    if not timedelta(0) <= age <= PENDING_FOR:
        return None, "/"
    return Person.objects.filter(pk=found["id"], state=PersonState.ACTIVE).first(), str(found["next"])


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
    """Whether ``password`` is that of ``person`` and the account is active; the same work for None."""
    if person is None or not person.has_usable_password():
        make_password(password)
        return False
    return bool(check_password(password, person.password)) and person.is_active
