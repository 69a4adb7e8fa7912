"""First settings of an office: what a person answers, what is wrong with it, and the settings file made of it.

The questions themselves are asked elsewhere, at a terminal or on a page. No answer is a secret: eDoc's password goes to
the keyring and never through here.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.domain.ruc import bare, dv, has_known_shape
from pipeline.runtime.atomic_file import replace_file
from pipeline.runtime.file_address import file_address
from pipeline.runtime.os_error import os_words
from pipeline.settings.companies import rucs

ENVIRONMENTS = {"probar": "sandbox", "laboratorio": "lab", "produccion": "production"}
LONG_FOLDER = 60
"""Characters of the working folder from which on names of results have to be cut on Windows."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]|default")
_MAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")
_DV = re.compile(r"(.*?)\s*(?:,|-)?\s*D\.?V\.?:?\s*([0-9]{1,2})", re.IGNORECASE | re.DOTALL)
_OF_A_COMPANY = ("issuers", "company", "ledger", "mail_to", "watch_env", "watch_issuers", "watch_max_rows")
_TITLE = "# Escrito por el comando init. Puede cambiarlo a mano: si repite init, se conserva lo que agregó.\n"


@dataclass(frozen=True, slots=True)
class Company:
    """A company whose invoices the office cancels."""

    #: name of its profile: lower case, short
    name: str
    #: RUC, with its check digits or without
    ruc: str
    #: user of eDoc
    user: str = ""
    #: addresses that get its notifications, separated by commas
    mail: str = ""

    @property
    def number(self) -> str:
        """RUC without its check digits."""
        found = _DV.fullmatch(self.ruc.strip())
        return bare(found[1] if found else self.ruc)


@dataclass(frozen=True, slots=True)
class Office:
    """Answers for the whole office."""

    #: ``probar``, ``laboratorio`` or ``produccion``
    env: str
    #: working folder, which is the drop folder too
    folder: Path
    companies: tuple[Company, ...]
    #: folder of the ledgers; None for the usual one
    ledgers: Path | None = None
    #: 2: one prepares, another approves; 1: one does both
    people: int = 2
    #: most invoices of a file that the drop folder sends by itself; 0: it sends none by itself
    unattended: int = 0
    #: folder of the daily copies; None for none
    copies: Path | None = None
    #: whether the page opens when the person logs on
    page: bool = False
    #: settings that were there before and stay
    before: Mapping[str, Any] = field(default_factory=dict)

    @property
    def profiles(self) -> tuple[str, ...]:
        """Profile of each company; one company alone needs none."""
        return ("",) if len(self.companies) == 1 else tuple(one.name for one in self.companies)


def answers_in(text: str, table: Callable[[str], tuple[Company, ...]] = lambda _file: ()) -> Office:
    """Answers as a TOML file has them; ``table`` reads the companies of a file that it names. Raises ``WrongUsage``
    with one line per fault."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WrongUsage(f"Las respuestas no son TOML válido: {error}.", code="init-answers") from None
    known = {"ambiente", "carpeta", "historial", "personas", "sin_atender", "copias", "pagina", "tabla", "empresa"}
    companies = values.get("empresa", [])
    strange = sorted(values.keys() - known)
    if not isinstance(companies, list) or not all(isinstance(one, dict) for one in companies):
        strange, companies = [*strange, "empresa (se escribe [[empresa]])"], []
    for one in companies:
        strange += sorted(one.keys() - {"nombre", "ruc", "usuario", "correo"})
    if strange:
        raise WrongUsage(f"Respuestas que no se conocen: {', '.join(strange)}.", code="init-answers")
    office = Office(
        env=str(values.get("ambiente", "probar")),
        folder=Path(str(values.get("carpeta", ""))).expanduser(),
        companies=(
            *(table(str(values["tabla"])) if "tabla" in values else ()),
            *(
                Company(*(str(one.get(key, "")).strip() for key in ("nombre", "ruc", "usuario", "correo")))
                for one in companies
            ),
        ),
        ledgers=_folder(values.get("historial")),
        people=values.get("personas", 2),
        unattended=values.get("sin_atender", 0),
        copies=_folder(values.get("copias")),
        page=values.get("pagina", False),
    )
    return checked(office)


def _folder(value: object) -> Path | None:
    return Path(str(value)).expanduser() if value else None


def companies_in(text: str) -> tuple[Company, ...]:
    """Companies of a table ``empresa;RUC;usuario``, as pasted or from a CSV file. Raises like ``companies_of``."""
    lines = [line for line in text.replace("\ufeff", "").splitlines() if line.strip()]
    sign = max(";\t,", key=lines[0].count) if lines else ";"
    return companies_of(csv.reader(io.StringIO("\n".join(lines)), delimiter=sign))


def companies_of(rows: Iterable[Sequence[str]]) -> tuple[Company, ...]:
    """Companies of the rows of a table, with its titles or without: name, RUC, user of eDoc, mail.

    Raises ``WrongUsage`` for a row that has fewer cells, and for a table without any.
    """
    found = []
    for number, cells in enumerate(rows, start=1):
        told = [cell.strip() for cell in cells]
        if not any(told):
            continue
        if len(told) < 2 or not all(told[:2]):
            raise WrongUsage(
                f"La línea {number} de la tabla no tiene empresa y RUC.",
                code="init-table",
                remedy="Escriba una línea por empresa: empresa;RUC;usuario",
            )
        if number == 1 and "ruc" in told[1].casefold():
            continue
        found.append(Company(told[0].casefold(), told[1], *told[2:4]))
    if not found:
        raise WrongUsage("La tabla no tiene empresas.", code="init-table")
    return tuple(found)


def checked(office: Office) -> Office:
    """``office`` with names in lower case. Raises ``WrongUsage`` with one line per fault."""
    office = replace(office, companies=tuple(replace(one, name=one.name.casefold()) for one in office.companies))
    if found := faults(office):
        raise WrongUsage("\n".join(found), code="init-answers")
    return office


def faults(office: Office) -> list[str]:
    """What is wrong with the answers, in Spanish."""
    found = []
    if office.env not in ENVIRONMENTS:
        found.append(f"ambiente: «{office.env}» no es probar, laboratorio ni produccion.")
    if not office.folder.is_absolute():
        found.append("carpeta: escriba la ruta completa de la carpeta de trabajo.")
    for name, place in (("historial", office.ledgers), ("copias", office.copies)):
        if place is not None and not place.is_absolute():
            found.append(f"{name}: escriba la ruta completa de la carpeta.")
    if office.ledgers is not None and office.ledgers.is_relative_to(office.folder):
        found.append("historial: no puede estar dentro de la carpeta de trabajo, que se copia y se comparte.")
    if type(office.people) is not int or office.people not in (1, 2):
        found.append("personas: escriba 2 (una prepara y otra aprueba) o 1 (una sola).")
    if office.page not in (True, False):
        found.append("pagina: escriba true (se abre al iniciar sesión) o false.")
    if type(office.unattended) is not int or office.unattended < 0:
        found.append("sin_atender: escriba cuántas facturas por archivo, como máximo; 0 para ninguna.")
    elif office.unattended and office.people == 2:
        found.append("sin_atender: con dos personas nada sale sin que otra lo apruebe; escriba 0.")
    if not office.companies:
        found.append("empresa: falta al menos una.")
    for number, one in enumerate(office.companies, start=1):
        found += [f"empresa {number} ({one.name or 'sin nombre'}): {fault}" for fault in company_faults(one)]
    return found + list(_twice(office.companies))


def company_faults(one: Company) -> list[str]:
    """What is wrong with a company's answers, in Spanish."""
    return list(_of_company(one))


def _of_company(one: Company) -> Iterable[str]:
    if not _NAME.fullmatch(one.name) or _RESERVED.fullmatch(one.name):
        yield (
            "el nombre corto lleva de 1 a 40 letras minúsculas sin acento, números, «-» o «_», y no es uno que Windows "
            "reserva (con, nul …)."
        )
    if not has_known_shape(one.number):
        yield f"«{one.ruc}» no tiene la forma de un RUC, por ejemplo 155596713-2-2015."
    elif (given := _DV.fullmatch(one.ruc.strip())) and (right := dv(one.number)) and right != given[2].zfill(2):
        yield f"el dígito verificador del RUC {one.number} no es {given[2]}: revise los dos."
    if any(part.strip() and not _MAIL.fullmatch(part.strip()) for part in one.mail.split(",")):
        yield f"«{one.mail}» no es un correo."


def _twice(companies: Iterable[Company]) -> Iterable[str]:
    names: dict[str, int] = {}
    numbers: dict[str, str] = {}
    for number, one in enumerate(companies, start=1):
        if one.name in names:
            yield f"empresa {number}: el nombre «{one.name}» ya lo tiene la empresa {names[one.name]}."
        if one.number in numbers:
            yield f"empresa {number} ({one.name}): el RUC {one.number} ya lo tiene «{numbers[one.number]}»."
        names.setdefault(one.name, number)
        numbers.setdefault(one.number, one.name)


def shared_users(office: Office) -> list[str]:
    """Users of eDoc that two companies name: perhaps the same credential, which then sends for one at a time."""
    by_user: dict[str, list[str]] = {}
    for one in office.companies:
        by_user.setdefault(one.user, []).append(one.name)
    return [f"{' y '.join(names)}: el mismo usuario de eDoc, «{user}»" for user, names in by_user.items()
            if user and len(names) > 1]  # fmt: skip


def settings_of(office: Office, usual: Path, kept: str = "") -> dict[str, Any]:
    """Settings file of ``office`` as values: its answers over what was there ``before``.

    ``usual`` is the folder of ledgers that were not asked for. The address of a ledger that is there already is never
    changed: what was sent would be forgotten. ``kept`` is that of one in use without being written anywhere.
    """
    values: dict[str, Any] = dict(office.before)
    profiles = {name: dict(own) for name, own in dict(values.pop("profile", {})).items()}
    env = ENVIRONMENTS[office.env]
    if office.profiles != ("",):
        _give_to_its_profile(office, values, profiles, kept)
    values |= {"env": env, "approval": "two" if office.people == 2 else "none"}
    for one, profile in zip(office.companies, office.profiles, strict=True):
        own = values if not profile else profiles.setdefault(profile, {})
        own["issuers"] = one.number
        own["company"] = own.get("company") or one.name
        place = file_address((office.ledgers or usual) / f"{one.name}.db")
        own["ledger"] = own.get("ledger") or ("" if profile else kept) or place
        if one.mail:
            own["mail_to"] = one.mail
        if office.unattended:
            own |= {"watch_env": env, "watch_issuers": one.number, "watch_max_rows": office.unattended}
        else:
            for name in ("watch_env", "watch_issuers"):
                own.pop(name, None)
    return values | ({"profile": profiles} if profiles else {})


def _give_to_its_profile(
    office: Office, values: dict[str, Any], profiles: dict[str, dict[str, Any]], kept: str
) -> None:
    """Moves what the company that was alone had to the profile that it has now, its ledger first of all."""
    alone = {bare(one) for one in rucs(values.get("issuers", ""))}
    if not alone:
        return
    heir = next((one for one in office.companies if {one.number} == alone), None)
    if heir is None:
        raise WrongUsage(
            f"La configuración que ya existe tiene otra empresa sin perfil (RUC {', '.join(sorted(alone))}).",
            code="init-alone",
            remedy="Inclúyala entre las empresas: conserva su historial de envíos.",
        )
    own = {name: values.pop(name) for name in _OF_A_COMPANY if name in values}
    if kept:
        own.setdefault("ledger", kept)
    profiles[heir.name] = {**own, **profiles.get(heir.name, {})}


def toml_of(values: Mapping[str, Any]) -> str:
    """Settings file with ``values``: the top level, then a table for each profile."""
    profiles: Mapping[str, Mapping[str, Any]] = values.get("profile", {})
    lines = [_TITLE, *(f"{name} = {_toml(value)}\n" for name, value in values.items() if name != "profile")]
    for profile, own in profiles.items():
        lines += [f"\n[profile.{_key(profile)}]\n", *(f"{name} = {_toml(value)}\n" for name, value in own.items())]
    text = "".join(lines)
    assert tomllib.loads(text) == dict(values), "what is written is what was meant"
    return text


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(name)} = {_toml(one)}" for name, one in value.items()) + " }"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def settings_before(path: Path) -> dict[str, Any]:
    """Values of the settings file; empty where there is none. Raises ``WrongUsage`` for one that is no TOML."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise WrongUsage(
            "El archivo de configuración que ya existe no se puede leer: no se cambió.",
            code="config",
            where=str(path),
            remedy="Corríjalo o póngalo en otro lugar, y repita el comando.",
        ) from None


def write_settings(path: Path, values: Mapping[str, Any]) -> Path | None:
    """Writes the settings file, whole or not at all; nothing when it says this already. The path where the one of
    before is kept, if there was one. Raises ``StorageTrouble``."""
    before = settings_before(path)
    if before == dict(values):
        return None
    try:
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        kept = None
        if path.exists():
            kept = next(one for n in range(1, 10_000) if not (one := path.with_name(f"{path.name}.{n}")).exists())
            replace_file(kept, path.read_bytes(), sync=True)
        replace_file(path, toml_of(values).encode(), sync=True)
    except OSError as error:
        raise StorageTrouble(
            f"No se pudo guardar la configuración ({os_words(error)}).", code="init-write", where=str(path)
        ) from error
    return kept
