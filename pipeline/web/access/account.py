"""One's own account: what it is, password, sessions, last log-ins."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse, HttpResponseRedirect

from pipeline.web import audit
from pipeline.web.access import factors, limits, sessions
from pipeline.web.access.first import NewPassword, about, set_password
from pipeline.web.access.log_in import right
from pipeline.web.models import AuditEvent, WebSession
from pipeline.web.pages import render
from pipeline.web.texts import access as words

LAST = 10
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


class Change(NewPassword):
    """A new password, and the present one."""

    actual = forms.CharField(
        label=words.PRESENT_PASSWORD,
        max_length=1000,
        strip=False,
        error_messages={"required": words.PASSWORD_MISSING},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("actual", "nueva", "otra")


def account(request: Any) -> Any:
    """`/cuenta`."""
    person, own = request.user, sessions.key_of(request)
    found = WebSession.objects.filter(person=person).order_by("-last")
    told = [
        {"mark": mark_of(one), "own": one.session_key == own, "address": one.address, "agent": browser(one.agent)}
        | {"began": one.began, "last": one.last}
        for one in found
    ]
    tries = AuditEvent.objects.filter(who=person.username, event__in=("entrada", "entrada-llave")).order_by("-id")
    about = {
        "sessions": told,
        "tries": tries[:LAST],
        "kinds": factors.kinds(person),
        "left": factors.codes_left(person),
        "done": request.GET.get("hecho", ""),
    }
    return render(request, "access/account.html", about)


def change_password(request: Any) -> Any:
    """`/cuenta/clave`: asks for the present one; other sessions end."""
    person = request.user
    form, status = Change(request.POST if request.method == "POST" else None, about(person)), 200
    if form.is_bound and form.is_valid():
        if not limits.take("confirmar", person.username):
            form.add_error(None, words.TOO_MANY)
            status = 429
        elif not right(person, form.cleaned_data["actual"]):
            audit.note(request, "clave-nueva", ok=False)
            form.add_error("actual", words.PRESENT_WRONG)
        else:
            limits.give_back("confirmar", person.username)
            set_password(person, form.cleaned_data["nueva"], sessions.key_of(request))
            update_session_auth_hash(request, person)
            sessions.confirm(request)
            audit.note(request, "clave-nueva")
            return HttpResponseRedirect("/cuenta?hecho=clave")
    return render(request, "access/change_password.html", {"form": form}, status=status)


def end_sessions(request: Any) -> Any:
    """`/cuenta/sesiones`: ends one other session of one's own, or all others."""
    mark, own = str(request.POST.get("sesion", "")), sessions.key_of(request)
    for one in WebSession.objects.filter(person=request.user).exclude(session_key=own):
        if mark in ("todas", mark_of(one)):
            one.delete()
    audit.note(request, "sesiones-cerradas")
    return HttpResponseRedirect("/cuenta?hecho=sesiones")


def stay(request: Any) -> Any:
    """`/sesion`: a person said that they are still here; the use is noted by who stands before (``sessions.used``)."""
    del request
    return HttpResponse(status=204)


def mark_of(session: Any) -> str:
    """Name of a session on a page: its id never leaves the cookie."""
    return limits.mark("sesion", session.session_key)[:24]


def browser(agent: str) -> str:
    """Browser and system of a session, in two words."""
    name = next((word for sign, word in BROWSERS if sign in agent), "")
    system = next((word for sign, word in SYSTEMS if re.search(sign, agent)), "")
    return " · ".join(one for one in (name, system) if one) or words.OTHER_BROWSER
