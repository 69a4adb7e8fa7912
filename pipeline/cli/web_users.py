"""``anular web users``: what an administrator can do from a terminal when mail or page fail.

Who has a shell with the office database's rights may do all of this; each is in the log of accesses, under the
operating system's user.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipeline.cli.context import Talk, local_time
from pipeline.cli.web_pages import without_secrets
from pipeline.domain.commands import order
from pipeline.domain.errors import WrongUsage

MAILS_S = 60.0
"""Seconds that a command waits for its mails."""

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.web.site import Site


@contextmanager
def _opened() -> Iterator[tuple[Site, Talk, str]]:
    """The site, and who is at the terminal."""
    without_secrets()
    from pipeline.approvals.identity import terminal_user
    from pipeline.web.opening import opened_site

    with opened_site(last_mails_s=MAILS_S) as site:
        yield site, Talk(False), f"terminal: {terminal_user()}"[:64]


def list_users(*, as_json: bool) -> int:
    with _opened() as (site, _, _who):
        from pipeline.web.models import Membership, Person

        talk = Talk(as_json)
        found = []
        for person in Person.objects.order_by("username"):
            roles = Membership.objects.filter(person=person).order_by("profile", "role")
            found.append(
                {
                    "user": person.username,
                    "name": person.name,
                    "state": person.state,
                    "system_user": person.system_user,
                    "roles": [{"profile": one.profile, "role": one.role, "waits": one.waits} for one in roles],
                }
            )
        talk.data({"users": found})
        for one in found:
            names = {profile: settings.company or profile for profile, settings in site.companies.items()}
            told = ", ".join(
                f"{role['role']} de {names.get(role['profile'], role['profile'])}" for role in one["roles"]
            )
            talk.out.print(f"{one['user']}  {one['name']} · {one['state']} · {told or 'sin papeles'}", markup=False)
        if not found:
            talk.out.print(f"Todavía no hay usuarios; {order('web')} muestra cómo crear el primero.", markup=False)
    return 0


def invite_user(user: str, name: str, mail: str, roles: Sequence[str], profile: str) -> int:
    with _opened() as (site, talk, who):
        from pipeline.web import audit
        from pipeline.web.access import people_rules
        from pipeline.web.access.first import is_taken
        from pipeline.web.roles import Role

        if profile not in site.companies:
            known = ", ".join(sorted(one or "(sin perfil)" for one in site.companies))
            raise WrongUsage(f"La página no tiene el perfil «{profile}».", code="profile", remedy=f"Perfiles: {known}.")
        unknown = [one for one in roles if one not in set(Role)]
        if unknown:
            raise WrongUsage(
                f"No existe el papel «{unknown[0]}».", code="web-role", remedy=f"Papeles: {', '.join(Role)}."
            )
        try:
            user, mail = people_rules.named(user, mail)
        except people_rules.NotAllowed as error:
            raise WrongUsage(str(error), code="web-user") from None
        if is_taken(user, mail):
            raise WrongUsage("Ese usuario o ese correo ya existe.", code="web-user")
        wanted = [Role(one) for one in roles]
        values: dict[str, Any] = {
            "username": user,
            "name": name.strip()[:100],
            "email": mail,
            "profile": profile,
            "roles": wanted,
        }
        _, address, ends = people_rules.invite(None, by=who, **values)
        audit.from_terminal("invitacion", who=who, about=user, detail=", ".join(wanted), profile=profile)
        _show(talk, address, ends)
    return 0


def unlock_user(user: str) -> int:
    with _opened() as (_, talk, who):
        from pipeline.web import audit
        from pipeline.web.access import limits

        person = _person(user)
        for kind in ("entrar-usuario", "factor", "confirmar"):
            limits.give_back(kind, person.username)
        audit.from_terminal("desbloqueo", who=who, about=person.username)
        talk.out.print(f"{person.username} puede entrar otra vez.", markup=False)
    return 0


def end_sessions(user: str) -> int:
    with _opened() as (_, talk, who):
        from pipeline.web import audit
        from pipeline.web.access import sessions

        person = _person(user)
        count = sessions.end_all(person)
        audit.from_terminal("sesiones-cerradas", who=who, about=person.username)
        talk.out.print(f"Sesiones cerradas de {person.username}: {count}.", markup=False)
    return 0


def reset_link(user: str) -> int:
    with _opened() as (_, talk, who):
        from pipeline.web import audit
        from pipeline.web.access import people_rules
        from pipeline.web.models import PersonState

        person = _person(user)
        if person.state == PersonState.SUSPENDED:
            raise WrongUsage(f"{person.username} está suspendido: actívelo antes en la página.", code="web-user")
        invited = person.state == PersonState.INVITED
        make = people_rules.invite_again if invited else people_rules.reset_link
        address, ends = make(person, by=who)
        audit.from_terminal("invitacion" if invited else "enlace", who=who, about=person.username)
        _show(talk, address, ends)
    return 0


def reset_factor(user: str) -> int:
    with _opened() as (site, talk, who):
        from pipeline.web import audit, mail
        from pipeline.web.access import factors, sessions
        from pipeline.web.models import Membership, PersonState
        from pipeline.web.roles import Role
        from pipeline.web.texts import mails

        person = _person(user)
        factors.remove_all(person)
        sessions.end_all(person)
        audit.from_terminal("factor-quitado", who=who, about=person.username)
        admins = Membership.objects.filter(role=Role.ADMIN, waits=False, person__state=PersonState.ACTIVE)
        told = {one.person.email for one in admins.select_related("person")} | {person.email}
        values = {"user": person.username, "when": site.now()}
        for address in sorted(told):
            mail.send(address, mails.FACTOR_RESET, mails.FACTOR_RESET_TEXT, **values)
        talk.out.print(f"{person.username} ya no tiene segundo factor; lo activa otra vez al entrar.", markup=False)
    return 0


def link_user(user: str, system_user: str) -> int:
    with _opened() as (_, talk, who):
        from pipeline.domain.approved_by import is_name
        from pipeline.web import audit
        from pipeline.web.models import Person

        person = _person(user)
        if not is_name(system_user):
            raise WrongUsage("Ese no es un usuario del sistema operativo.", code="web-link")
        other = Person.objects.filter(system_user=system_user).exclude(pk=person.pk).first()
        if other is not None:
            raise WrongUsage(
                f"El usuario {system_user} de este equipo ya es {other.username} en la página.", code="web-link"
            )
        Person.objects.filter(pk=person.pk).update(system_user=system_user)
        audit.from_terminal("vinculo", who=who, about=person.username, detail=system_user)
        talk.out.print(f"{system_user} en este equipo es {person.username} en la página.", markup=False)
    return 0


def _person(user: str) -> Any:
    from pipeline.web.models import Person

    found = Person.objects.filter(username=user.strip().casefold()).first()
    if found is None:
        raise WrongUsage(
            f"La página no tiene el usuario «{user}».", code="web-user", remedy=f"Vea {order('web', 'users', 'list')}."
        )
    return found


def _show(talk: Talk, address: str, ends: datetime | None) -> None:
    talk.out.print("Este enlace se muestra una sola vez; entréguelo por un medio seguro.", markup=False)
    if ends is not None:
        talk.out.print(f"Vence el {local_time(ends)}.", markup=False)
    talk.out.print(address, markup=False, soft_wrap=True)
