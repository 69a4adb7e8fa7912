"""Change of one's own mail address: it counts once a link sent there is used; the old one is notified twice."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import IntegrityError, transaction

from pipeline.web import audit, mail, trouble
from pipeline.web.access import limits, links
from pipeline.web.access.first import is_taken, mail_address
from pipeline.web.access.forgotten import masked
from pipeline.web.models import LinkKind, Person, PersonState
from pipeline.web.pages import PageForm, render
from pipeline.web.site import site
from pipeline.web.texts import access as words
from pipeline.web.texts import mails


class NewMail(PageForm):
    """A mail address that is not the present one."""

    correo = forms.CharField(
        label=words.NEW_MAIL,
        max_length=254,
        error_messages={"required": words.MAIL_MISSING},
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def __init__(self, data: Any, present: str) -> None:
        super().__init__(data)
        self._present = present

    def clean_correo(self) -> str:
        found = mail_address(self.cleaned_data["correo"])
        if found == self._present:
            raise forms.ValidationError(words.MAIL_SAME)
        return found


def change_mail(request: Any) -> Any:
    """`/cuenta/correo`: sends the link. An address that is another person's gets none, in the same words."""
    person = request.user
    form, status = NewMail(request.POST if request.method == "POST" else None, person.email), 200
    about: dict[str, Any] = {"form": form, "can": site().send is not None}
    if about["can"] and form.is_bound and form.is_valid():
        if limits.take("correo", person.username):
            _send(request, person, form.cleaned_data["correo"])
            about["sent"] = form.cleaned_data["correo"]
        else:
            audit.note(request, "limite", ok=False, about="correo")
            form.add_error(None, words.TOO_MANY)
            status = 429
    return render(request, "access/new_mail.html", about, status=status)


def _send(request: Any, person: Person, wanted: str) -> None:
    taken = is_taken("", wanted)
    if taken:
        links.dead(LinkKind.MAIL, by=person.username)
    else:
        address, ends = links.make(LinkKind.MAIL, person=person, by=person.username, email=wanted)
        mail.send(wanted, mails.NEW_MAIL, mails.NEW_MAIL_TEXT, name=person.name, link=address, when=ends)
    told = {"name": person.name, "new": masked(wanted), "when": site().now()}
    mail.send(person.email, mails.MAIL_ASKED, mails.MAIL_ASKED_TEXT, **told)
    audit.note(request, "correo-pedido", ok=not taken)


def confirm_mail(request: Any, code: str) -> Any:
    """`/entrar/correo/C`: a confirmed address; POST makes it the person's."""
    link = links.find(LinkKind.MAIL, code) if limits.by_address(request, "enlace") else None
    if link is None or link.person is None:
        return _dead(request)
    person: Person = link.person
    if request.method != "POST":
        return render(request, "access/confirm_mail.html", {"for_whom": person, "email": link.email})
    before, now = person.email, site().now()
    try:
        with transaction.atomic():
            active = Person.objects.filter(pk=person.pk, state=PersonState.ACTIVE)
            if not links.use(link) or not active.update(email=link.email, changed_at=now):
                return _dead(request)
            links.end(LinkKind.RESET, person)  # what lies in the old box opens nothing any more
    except IntegrityError:  # it became another person's meanwhile
        return _dead(request)
    told = {"name": person.name, "new": masked(link.email), "when": now}
    mail.send(before, mails.MAIL_CHANGED, mails.MAIL_CHANGED_TEXT, **told)
    audit.note(request, "correo-nuevo", who=person.username)
    return render(request, "access/confirm_mail.html", {"done": True})


def _dead(request: Any) -> Any:
    return trouble.page(request, 410, words.DEAD_TITLE, words.DEAD_LINK)
