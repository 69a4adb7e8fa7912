"""Rules of who may change whose account and roles (web.md 3, 6), and the changes: for the page and the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from pipeline.settings.model import Env
from pipeline.web import mail
from pipeline.web.access import links, sessions
from pipeline.web.access.requests import admins
from pipeline.web.models import LinkKind, Membership, Person, PersonState
from pipeline.web.roles import Role
from pipeline.web.site import site
from pipeline.web.texts import mails
from pipeline.web.texts import people as words


class NotAllowed(Exception):
    """A change that is refused, as a Spanish sentence."""


def named(username: str, email: str) -> tuple[str, str]:
    """User name and address as they are kept. Raises ``NotAllowed`` for what cannot be one."""
    from django.core.exceptions import ValidationError

    from pipeline.web.access.first import mail_address, user_name

    try:
        return user_name(username), mail_address(email)
    except ValidationError as error:
        raise NotAllowed(" ".join(error.messages)) from None


def administers_all(admin: Any, person: Any) -> bool:
    """Whether ``admin`` administers every company in which ``person`` has a role."""
    theirs = set(Membership.objects.filter(person=person).values_list("profile", flat=True))
    mine = set(Membership.objects.filter(person=admin, role=Role.ADMIN, waits=False).values_list("profile", flat=True))
    return theirs <= mine


def set_roles(admin: Any, person: Person, profile: str, roles: Iterable[Role]) -> list[tuple[str, Role]]:
    """Gives ``person`` exactly ``roles`` in a company; returns what changed (event of the log, role).

    Outside the sandbox the role of Aprobador waits for another administrator, where there is one. Raises
    ``NotAllowed``.
    """
    if person.pk == admin.pk:
        raise NotAllowed(words.NOT_OWN_ROLES)
    wanted, changes = set(roles), list[tuple[str, Role]]()
    with transaction.atomic():
        mine = Membership.objects.select_for_update().filter(person=person, profile=profile)
        has = {Role(one.role) for one in mine}
        if Role.ADMIN in has - wanted:
            _check_not_last(person, profile)
        for role in sorted(has - wanted):
            mine.filter(role=role).delete()
            changes.append(("papel-quitado", role))
        for role in sorted(wanted - has):
            waits = role is Role.APPROVER and needs_second(admin, profile)
            _give(person, profile, role, by=admin.username, waits=waits)
            changes.append(("papel-dado", role))
    return changes


def needs_second(admin: Any, profile: str) -> bool:
    """Whether another administrator has to confirm that a person may approve."""
    company = site().companies[profile]
    return company.env is not Env.SANDBOX and any(one.pk != admin.pk for one in admins(profile))


def confirm_role(admin: Any, person: Person, profile: str, role: Role) -> None:
    """Another administrator's word for a role that waits. Raises ``NotAllowed`` for who gave it, or for one's own."""
    one = Membership.objects.filter(person=person, profile=profile, role=role, waits=True).first()
    if one is None:
        return
    if one.given_by == admin.username or person.pk == admin.pk:
        raise NotAllowed(words.NOT_YOUR_OWN_GRANT)
    Membership.objects.filter(pk=one.pk, waits=True).update(waits=False)


def _give(person: Person, profile: str, role: Role, *, by: str, waits: bool = False) -> None:
    values = {"given_by": by, "given_at": site().now(), "waits": waits}
    Membership.objects.get_or_create(person=person, profile=profile, role=role, defaults=values)


def invite(
    admin: Any, *, username: str, name: str, email: str, profile: str, roles: Iterable[Role], by: str
) -> tuple[Person, str, datetime | None]:
    """A new person with roles in a company, and the link of their invitation. ``admin`` None: at the terminal."""
    now = site().now()
    with transaction.atomic():
        person = Person(
            username=username, name=name, email=email, state=PersonState.INVITED, made_at=now, changed_at=now
        )
        person.set_unusable_password()
        person.save()
        for role in sorted(set(roles)):
            waits = admin is not None and role is Role.APPROVER and needs_second(admin, profile)
            _give(person, profile, role, by=by, waits=waits)
        address, ends = invite_again(person, by=by)
    return person, address, ends


def invite_again(person: Person, *, by: str) -> tuple[str, datetime | None]:
    """A new link for an invited person; earlier ones end. It is mailed where mail is set up."""
    address, ends = links.make(LinkKind.INVITATION, person=person, by=by)
    values = {"name": person.name, "by": by, "user": person.username, "link": address, "when": ends}
    mail.send(person.email, mails.INVITATION, mails.INVITATION_TEXT, **values)
    return address, ends


def reset_link(person: Person, *, by: str) -> tuple[str, datetime | None]:
    """A link with which ``person`` chooses a new password; no one else sees it."""
    address, ends = links.make(LinkKind.RESET, person=person, by=by)
    mail.send(person.email, mails.RESET, mails.RESET_TEXT, name=person.name, link=address, when=ends)
    return address, ends


def suspend(admin: Any, person: Person) -> None:
    """Suspends an account and ends its sessions. Raises ``NotAllowed``."""
    if person.pk == admin.pk:
        raise NotAllowed(words.NOT_SELF)
    _check_all(admin, person)
    with transaction.atomic():
        for one in Membership.objects.filter(person=person, role=Role.ADMIN, waits=False):
            _check_not_last(person, one.profile)
        Person.objects.filter(pk=person.pk).update(state=PersonState.SUSPENDED, changed_at=site().now())
        _shut_out(person)


def resume(admin: Any, person: Person) -> None:
    """Makes a suspended account active again. Raises ``NotAllowed``."""
    _check_all(admin, person)
    state = PersonState.ACTIVE if person.has_usable_password() else PersonState.INVITED
    Person.objects.filter(pk=person.pk, state=PersonState.SUSPENDED).update(state=state, changed_at=site().now())


def end_sessions(admin: Any, person: Person) -> None:
    """Ends every session of ``person``, and what was asked for in one. Raises ``NotAllowed``."""
    _check_all(admin, person)
    with transaction.atomic():
        _shut_out(person)


def _shut_out(person: Person) -> None:
    """Ends every session of ``person``, and the links that were asked for in one."""
    sessions.end_all(person)
    for kind in (LinkKind.MAIL, LinkKind.RESET):
        links.end(kind, person)


def check_link(admin: Any, person: Person) -> None:
    """Raises ``NotAllowed`` where a link for another company's person is asked for."""
    _check_all(admin, person)


def _check_all(admin: Any, person: Person) -> None:
    if not administers_all(admin, person):
        raise NotAllowed(words.NOT_ALL)


def _check_not_last(person: Person, profile: str) -> None:
    """Raises ``NotAllowed`` where ``person`` is the only active administrator of a company."""
    if [one.pk for one in admins(profile)] == [person.pk]:
        raise NotAllowed(words.LAST_ADMIN)
