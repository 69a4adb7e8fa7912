"""Forgotten user and forgotten password: a stranger gets the same answer, in the same words and with the same work."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from django import forms

from pipeline.domain.ruc import bare
from pipeline.web import audit, mail
from pipeline.web.access import limits, links
from pipeline.web.access.log_in import person_named
from pipeline.web.models import LinkKind, Membership, Person, PersonState
from pipeline.web.pages import PageForm, render
from pipeline.web.roles import Role
from pipeline.web.site import site
from pipeline.web.texts import access as words
from pipeline.web.texts import mails

ENDINGS = ("pa", "com", "net", "org", "co")
LETTERS = "abcdefghijlmnoprstv"


class Ruc(PageForm):
    """RUC of a company."""

    ruc = forms.CharField(
        label=words.RUC,
        help_text=words.RUC_EXAMPLE,
        max_length=40,
        error_messages={"required": words.RUC_MISSING},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class User(PageForm):
    """User name or mail address."""

    usuario = forms.CharField(
        label=words.USER,
        max_length=254,
        error_messages={"required": words.USER_MISSING},
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )


def forgotten_user(request: Any) -> Any:
    """`/entrar/olvide-usuario`."""
    form = Ruc(request.POST if request.method == "POST" else None)
    about: dict[str, Any] = {"form": form}
    if form.is_bound and form.is_valid():
        if not limits.by_address(request, "olvido"):
            form.add_error(None, words.TOO_MANY)
            return render(request, "access/forgotten_user.html", about, status=429)
        about |= {"done": True, "mailed": site().send is not None, **_hint(request, form.cleaned_data["ruc"])}
    return render(request, "access/forgotten_user.html", about)


def _hint(request: Any, ruc: str) -> dict[str, Any]:
    """Hint for ``ruc``, which for a stranger's is invented; the administrator of a company of ours gets the mail."""
    here, profile = site(), site().company_of(ruc)
    admin = first_admin(profile)
    users = list(_users(profile))
    audit.note(request, "usuario-olvidado", ok=admin is not None, profile=profile)
    invented = invented_hint(here.keys[0], ruc)
    shown = masked(admin.email) if admin is not None else invented
    if admin is not None and profile is not None:
        company = here.companies[profile].company or profile
        mail.send(admin.email, mails.USERS, mails.USERS_TEXT, company=company, users="\n".join(users))
    return {"hint": shown if here.settings.web_user_hint == "masked" else ""}


def first_admin(profile: str | None) -> Person | None:
    """First active administrator of a company."""
    wanted = {"role": Role.ADMIN, "person__state": PersonState.ACTIVE, "waits": False}
    found = Membership.objects.filter(profile=profile, **wanted).select_related("person").order_by("pk").first()
    return found.person if found is not None else None


def _users(profile: str | None) -> list[str]:
    people = (
        Person.objects.filter(memberships__profile=profile, state=PersonState.ACTIVE).distinct().order_by("username")
    )
    return [f"{one.username} ({one.name})" for one in people]


def masked(address: str) -> str:
    """First letter, four dots, first letter, four dots, last label: never the whole address, nor its length."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}••••@{domain[:1]}••••.{domain.rpartition('.')[2]}"


def invented_hint(key: str, ruc: str) -> str:
    """Hint for a RUC that is no company of ours: always the same one for it."""
    drawn = hmac.new(key.encode(), f"hint\n{bare(ruc)}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    letters = [LETTERS[one % len(LETTERS)] for one in drawn[:2]]
    return f"{letters[0]}••••@{letters[1]}••••.{ENDINGS[drawn[2] % len(ENDINGS)]}"


def forgotten_password(request: Any) -> Any:
    """`/entrar/olvide-clave`."""
    form = User(request.POST if request.method == "POST" else None)
    about: dict[str, Any] = {"form": form}
    if form.is_bound and form.is_valid():
        if not limits.by_address(request, "olvido"):
            form.add_error(None, words.TOO_MANY)
            return render(request, "access/forgotten_password.html", about, status=429)
        person = person_named(form.cleaned_data["usuario"])
        active = person if person is not None and person.state == PersonState.ACTIVE else None
        audit.note(request, "clave-pedida", ok=active is not None, who=active.username if active is not None else "")
        if active is None or site().send is None:
            links.dead(LinkKind.RESET, by="")
        else:
            address, ends = links.make(LinkKind.RESET, person=active, by=active.username)
            mail.send(active.email, mails.RESET, mails.RESET_TEXT, name=active.name, link=address, when=ends)
        about["done"], about["mailed"] = True, site().send is not None
    return render(request, "access/forgotten_password.html", about)
