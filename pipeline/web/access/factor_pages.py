"""Pages of the second factor: application of codes, passkeys, recovery codes."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseRedirect
from django.utils.safestring import mark_safe

from pipeline.web import audit, mail
from pipeline.web.access import factors, limits, sessions
from pipeline.web.access.adapter import FactorAdapter
from pipeline.web.access.log_in import Code
from pipeline.web.pages import render
from pipeline.web.site import site
from pipeline.web.texts import access as words
from pipeline.web.texts import mails

SECRET = "secreto"  # noqa: S105 - a name in the session
CODES = "codigos"
"""Names in the session of an application's secret that is being set up, and of codes that are shown once."""


def second_factor(request: Any) -> Any:
    """`/cuenta/segundo-factor`: what there is, and an application of codes to set up."""
    person = request.user
    form, status = Code(request.POST if request.method == "POST" else None), 200
    if not sessions.kept(request, SECRET):
        sessions.keep(request, SECRET, factors.new_secret())
    secret = sessions.kept(request, SECRET)
    if form.is_bound and form.is_valid():
        first = not factors.kinds(person)
        if not limits.take("factor", person.username):
            form.add_error(None, words.TOO_MANY)
            status = 429
        elif factors.activate(person, secret, form.cleaned_data["codigo"]):
            del request.session[SECRET]
            limits.give_back("factor", person.username)
            return HttpResponseRedirect(noted(request, first=first))
        else:
            form.add_error("codigo", words.CODE_WRONG)
    adapter, kinds = FactorAdapter(), factors.kinds(person)
    about = {
        "form": form,
        "needed": factors.needs(person) and not kinds,
        "has_app": "totp" in kinds,
        "keys": [{"id": one.pk, "name": one.wrap().name, "at": one.created_at} for one in factors.keys(person)],
        "left": factors.codes_left(person),
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "picture": _picture(adapter.build_totp_svg(adapter.build_totp_url(person, secret))),
        "done": request.GET.get("hecho", ""),
    }
    return render(request, "access/factors.html", about, status=status)


def _picture(svg: str) -> str:
    """The element alone, without the head of a file."""
    return str(mark_safe(svg[svg.index("<svg") :]))  # noqa: S308  # nosec - made by us of squares


def noted(request: Any, *, first: bool) -> str:
    """Notes that a factor was added, for the log and the person; where to go next: with the first one, new recovery
    codes are shown."""
    audit.note(request, "factor-activo")
    tell(request.user)
    if first:
        sessions.end_all(request.user, sessions.key_of(request))  # they began with a password alone
        sessions.keep(request, CODES, factors.new_codes(request.user))
        return "/cuenta/codigos"
    return f"{factors.SET_UP}?hecho=1"


def removed(request: Any, number: int | None) -> Any:
    """Removes a passkey, or the application of codes (None)."""
    if not factors.remove(request.user, number):
        return render(request, "trouble.html", {"title": words.FACTOR, "text": words.CANNOT_REMOVE}, status=409)
    audit.note(request, "factor-quitado")
    tell(request.user)
    return HttpResponseRedirect(f"{factors.SET_UP}?hecho=2")


def remove_app(request: Any) -> Any:
    """`/cuenta/segundo-factor/quitar`."""
    return removed(request, None)


def codes(request: Any) -> Any:
    """`/cuenta/codigos`: recovery codes that were just made, once; new ones with POST."""
    if request.method == "POST":
        if not factors.kinds(request.user):
            return HttpResponseRedirect(factors.SET_UP)
        sessions.keep(request, CODES, factors.new_codes(request.user))
        audit.note(request, "codigos")
        tell(request.user)
        return HttpResponseRedirect("/cuenta/codigos")
    found = sessions.kept(request, CODES, once=True)
    if not found:
        return HttpResponseRedirect(factors.SET_UP)
    return render(request, "access/codes.html", {"codes": found})


def tell(person: Any) -> None:
    """Notice to a person that their factors changed."""
    mail.send(person.email, mails.FACTOR_CHANGED, mails.FACTOR_CHANGED_TEXT, name=person.name, when=site().now())
