"""Companies: user, password and RUCs of a profile, each taken whole from one place.

The values are those of the settings file and the environment; nothing is read here (eyes.md 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.domain.errors import WrongUsage
from pipeline.domain.ruc import bare

PAIR = ("user", "user_file", "password", "password_file")
"""The settings that make a pair; each half is written itself or as the file that holds it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """User and password of one place. ``user_file`` and ``password_file`` are files that hold them instead.

    Who looks or hands in needs the user alone, so neither file is opened here, and a missing password is no fault yet.
    """

    user: str = ""
    user_file: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""
    #: where the password is missing: the place, what is there, and what is not, for a person; () for a whole pair
    half: tuple[str, ...] = ()

    def check_whole(self) -> None:
        """Raises ``WrongUsage`` when the password is missing: nothing else may complete the pair."""
        if self.half:
            raise _half(*self.half)


def pair_in(values: Mapping[str, Any], place: str, names: Mapping[str, str] | None = None) -> Pair | None:
    """Pair that ``values`` have; None when they have neither part.

    ``place`` says to a person where they stand, ``names`` how each setting is called there. A half is never completed
    from elsewhere: the other half would be another company's. Raises ``WrongUsage`` for a password without a user; a
    user without a password is a pair for those who do not send.
    """
    found = {name: str(values[name]) for name in PAIR if values.get(name)}
    has_user, has_password = found.keys() & {"user", "user_file"}, found.keys() & {"password", "password_file"}
    if not has_user and not has_password:
        return None
    called = {**{name: name for name in PAIR}, **(names or {})}
    user, user_file, password, password_file = (found.get(name, "") for name in PAIR)
    pair = Pair(user, user_file, password, password_file)
    if has_user and has_password:
        return pair
    missing = PAIR[2:] if has_user else PAIR[:2]
    offered = [called[name] for name in missing if name != "password" or names]
    half = place, called[min(found)], " o ".join(offered)
    if not has_user:
        raise _half(*half)
    return replace(pair, half=half)


def _half(place: str, there: str, missing: str) -> WrongUsage:
    return WrongUsage(
        f"{place}: hay {there} y falta {missing}.",
        code="credentials-half",
        remedy="Los dos se toman de un mismo lugar: escriba ahí los dos, o quite el que hay.",
    )


def check_no_ruc_twice(
    base: Mapping[str, Any], profiles: Mapping[str, Mapping[str, Any]], everywhere: Mapping[str, Any]
) -> None:
    """Raises ``WrongUsage`` when two profiles of one environment name the same RUC: then a document has two companies.

    ``base`` are the values that profiles have in common, which are a profile of their own; ``everywhere`` those of the
    environment's variables, which stand above all.
    """
    owner: dict[tuple[str, str], str] = {}
    for name in ("", *sorted(profiles)):
        values = {**base, **profiles.get(name, {}), **everywhere}
        for ruc in rucs(values.get("issuers", "")):
            key = str(values.get("env") or "sandbox"), bare(ruc)
            if key in owner:
                where = (
                    "Quite la variable ANULAR_ISSUERS, que vale para todos, y escriba los RUC de cada empresa en su "
                    "perfil del archivo de configuración."
                    if "issuers" in everywhere
                    else "Deje cada RUC en un solo perfil; si comparten los ajustes sin perfil, escriba en cada uno "
                    "sus propios issuers."
                )
                raise WrongUsage(
                    f"El RUC {ruc} está en dos empresas: {_named(owner[key])} y {_named(name)}.",
                    code="ruc-twice",
                    remedy=where,
                )
            owner[key] = name


def rucs(value: object) -> frozenset[str]:
    """RUCs of a setting: a list, or a text with commas."""
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list | frozenset | tuple) else ()
    return frozenset(str(part).strip() for part in parts if str(part).strip())


def _named(profile: str) -> str:
    return f"el perfil «{profile}»" if profile else "los ajustes sin perfil"
