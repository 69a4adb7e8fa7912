"""Sample people of `make web`: in the sandbox and on this machine alone, with passwords that are new at each start."""

from __future__ import annotations

import secrets

from pipeline.domain.errors import WrongUsage
from pipeline.web.access import sessions
from pipeline.web.models import Membership, Person, PersonState
from pipeline.web.roles import Role
from pipeline.web.site import Site

DOMAIN = "@sandbox.invalid"
PEOPLE: dict[str, tuple[str, tuple[Role, ...]]] = {
    "ana": ("Ana Pérez", (Role.PREPARER,)),
    "luis": ("Luis Gómez", (Role.APPROVER,)),
    "marta": ("Marta Ríos", (Role.READER,)),
    "admin": ("Elena Paz", (Role.ADMIN,)),
}
_SYLLABLES = [one + two for one in "bcdfgjklmnprstv" for two in "aeiou"]


def make(site: Site) -> dict[str, str]:
    """Makes the four, or gives them new passwords; returns the passwords by user name. Raises ``WrongUsage`` outside
    the sandbox, and where others can reach the page."""
    if not site.sandbox or site.https or site.settings.web_url:
        raise WrongUsage(
            "Los usuarios de ejemplo solo existen en el sandbox y en este equipo.",
            code="web-sample",
            remedy="Quite --sample: el primer usuario se crea con la dirección que entonces se muestra.",
        )
    found = {}
    for user, (name, roles) in PEOPLE.items():
        now, password = site.now(), _password()
        person = Person.objects.filter(username=user).first()
        if person is not None and person.email != user + DOMAIN:
            continue  # somebody of flesh and blood has that name
        if person is None:
            person = Person(username=user, email=user + DOMAIN, made_at=now)
        person.name, person.state, person.changed_at = name, PersonState.ACTIVE, now
        person.set_password(password)
        person.save()
        sessions.end_all(person)
        for profile in site.companies:
            for role in roles:
                values = {"given_by": user, "given_at": now}
                Membership.objects.get_or_create(person=person, profile=profile, role=role, defaults=values)
        found[user] = password
    return found


def suspend(site: Site) -> int:
    """Suspends sample people that the office database still has, where not every company is in the sandbox or others
    can reach the page; returns how many."""
    if site.sandbox and not site.https:
        return 0
    known = Person.objects.filter(email__endswith=DOMAIN).exclude(state=PersonState.SUSPENDED)
    for person in list(known):
        sessions.end_all(person)
    return int(known.update(state=PersonState.SUSPENDED, changed_at=site.now()))


def _password() -> str:
    """Four made-up words of two syllables, and a number."""
    words = ["".join(secrets.choice(_SYLLABLES) for _ in range(2)) for _ in range(4)]
    return "-".join([*words, str(secrets.randbelow(90) + 10)])
