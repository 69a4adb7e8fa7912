"""Settings of a profile, read from the environment and the TOML file; every mistake as a Spanish sentence."""

from __future__ import annotations

import os
import shlex
import stat
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from pipeline.domain.commands import order
from pipeline.domain.errors import WrongUsage
from pipeline.runtime.file_address import file_address
from pipeline.runtime.folders import config_folder, data_folder
from pipeline.settings import companies
from pipeline.settings.companies import PAIR, Pair
from pipeline.settings.model import PREFIX, Env, Settings, without_password


def config_path() -> Path:
    """Path of the TOML file: ``ANULAR_CONFIG``, or ``anular.toml`` in the user's configuration folder."""
    named = os.environ.get(f"{PREFIX}CONFIG")
    return Path(named) if named else config_folder() / "anular.toml"


def default_ledger() -> str:
    """Address of the default ledger, in the user's data folder."""
    return file_address(data_folder() / "anular.db")


def default_office(ledgers: Iterable[str]) -> str:
    """Address of the default office database: one per machine, in the user's data folder; on the server that has the
    ledger of every company (``ledgers``), where there is one."""
    common = {without_password(url) for url in set(ledgers)}
    if len(common) == 1 and (url := common.pop()).startswith("postgres"):
        return url
    return file_address(data_folder() / "anular-office.db")


def load_settings(profile: str = "", ledger: str = "", file: Path | None = None) -> Settings:
    """Settings of ``profile`` (a ``[profile.NAME]`` table of the TOML file, or of ``file``, over its top level).

    Raises ``WrongUsage`` with one line per mistake, never with a secret.
    """
    path = file or config_path()
    base, profiles = _read_file(path)
    values = _merged(profile, base, profiles, path)
    _refuse_unknown_names()
    _check_rucs(_file(path), tuple(_from_variables(("issuers", "env")).items()))
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise WrongUsage("\n".join(_mistakes(error)), code="settings") from None
    changes: dict[str, Any] = {
        "profile": profile,
        "ledger": ledger or settings.ledger or default_ledger(),
        "home": str(values.get("ledger") or default_ledger()),
        "office": settings.office or default_office(_ledgers(base, profiles)),
        "company": settings.company or profile,
        **_pairs(profile, base, profiles.get(profile, {})),
    }
    if settings.mail_password_file is not None:
        secret = secret_file(settings.mail_password_file, "ANULAR_MAIL_PASSWORD_FILE")
        changes["mail_password"] = SecretStr(secret)
    return settings.model_copy(update=changes)


def _ledgers(base: dict[str, Any], profiles: dict[str, dict[str, Any]]) -> list[str]:
    """Address of each company's ledger: the variable stands above the file, whose top level all have in common."""
    variable = _from_variables(("ledger",))
    return [str({**base, **own, **variable}.get("ledger") or default_ledger()) for own in (profiles.values() or [{}])]


def _pairs(profile: str, base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """User and password, from one place (eyes.md 2): with a profile its own table, and ``spare`` those of the settings
    without one, for when its keyring entry is missing too; without a profile the variables, else the file's.

    The user is read, a password file is not: most commands never need it (``wiring/credentials.py``).
    """
    variables = {name: f"{PREFIX}{name.upper()}" for name in PAIR}
    if profile:
        found = companies.pair_in(own, f"[profile.{profile}]")
        spare = companies.pair_in(base, "Los ajustes sin perfil") if found is None else None
    else:
        found = companies.pair_in(_from_variables(PAIR), "Las variables de entorno", variables)
        found = found or companies.pair_in(base, "El archivo de configuración")
        spare = None
    pair = _with_user(found) if found is not None else Pair()
    return {
        "user": pair.user,
        "password": SecretStr(pair.password),
        "user_file": Path(pair.user_file) if pair.user_file else None,
        "password_file": Path(pair.password_file) if pair.password_file else None,
        "half": pair.half,
        "spare": _with_user(spare) if spare is not None else None,
    }


def _with_user(pair: Pair) -> Pair:
    if pair.user:
        return pair
    return replace(pair, user=filled(_text_of(Path(pair.user_file), "user_file"), pair.user_file))


def filled(text: str, file: str) -> str:
    """``text`` of ``file``, one half of a pair. Raises ``WrongUsage`` for an empty file: nothing else may fill it."""
    if not text:
        words = "El archivo está vacío; debe contener el usuario o la contraseña."
        raise WrongUsage(words, code="settings", where=file)
    return text


def _from_variables(names: Iterable[str]) -> dict[str, str]:
    """Those of the settings ``names`` that the environment's variables give; an empty one gives nothing."""
    found = {name: os.environ.get(f"{PREFIX}{name.upper()}", "") for name in names}
    return {name: value for name, value in found.items() if value}


def profile_names() -> list[str]:
    """Names of the profiles in the TOML file. Raises ``WrongUsage`` when it cannot be read."""
    return sorted(_read_file(config_path())[1])


def named_places() -> dict[str, tuple[str, str]]:
    """Environment and ledger of every profile, and of the settings without one (""), as they are written and not
    examined: to pass over those of hundreds of companies that are of no interest. Raises ``WrongUsage`` when the file
    cannot be read."""
    base, profiles = _read_file(config_path())
    variables = _from_variables(("ledger", "env"))
    told = {name: {**base, **profiles.get(name, {}), **variables} for name in ("", *sorted(profiles))}
    return {
        name: (str(one.get("env") or Env.SANDBOX), str(one.get("ledger") or default_ledger()))
        for name, one in told.items()
    }


def _read_file(path: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The top level of the TOML file, and its profiles. Both are shared: not to be changed."""
    return _parsed(_file(path))


@lru_cache(maxsize=2)
def _parsed(content: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Parsed once as long as the file says the same: with hundreds of companies it takes longer than all else."""
    values = tomllib.loads(content)
    profiles: dict[str, dict[str, Any]] = values.pop("profile", {})
    return values, profiles


@lru_cache(maxsize=2)
def _check_rucs(content: str, everywhere: tuple[tuple[str, str], ...]) -> None:
    """``check_no_ruc_twice`` of a file's content, once for each."""
    companies.check_no_ruc_twice(*_parsed(content), dict(everywhere))


def _file(path: Path) -> str:
    """The content of the TOML file, which can be parsed; "" for none."""
    try:
        content = path.read_text("utf-8")
        _parsed(content)
    except FileNotFoundError:
        if os.environ.get(f"{PREFIX}CONFIG"):
            raise WrongUsage("No existe el archivo de configuración.", code="config", where=str(path)) from None
        return ""
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise WrongUsage(
            "No se puede leer el archivo de configuración.",
            code="config",
            where=str(path),
            remedy="Revise que sea TOML válido y que tenga permiso de lectura.",
        ) from None
    return content


def _merged(profile: str, values: dict[str, Any], profiles: dict[str, dict[str, Any]], path: Path) -> dict[str, Any]:
    if profile and profile not in profiles:
        known = ", ".join(sorted(profiles)) or "ninguno"
        raise WrongUsage(
            f"No existe el perfil «{profile}».", code="profile", where=str(path), remedy=f"Perfiles: {known}."
        )
    merged = {**values, **profiles.get(profile, {})}
    if {"password", "mail_password"} & merged.keys():
        raise WrongUsage(
            "La contraseña no se escribe en el archivo de configuración.",
            code="password-in-file",
            where=str(path),
            remedy=f"Use {order('login')}, o password_file: un archivo que solo usted pueda leer.",
        )
    return merged


def _refuse_unknown_names() -> None:
    """Refuses unknown variables: a misspelt one may be the one that names the environment."""
    names = Settings.model_fields.keys() - {"profile", "spare", "half", "home"}
    known = {f"{PREFIX}{name.upper()}" for name in names} | {f"{PREFIX}CONFIG"}
    others = sorted(
        n for n in os.environ if n.startswith(PREFIX) and n not in known and not n.startswith("ANULAR_TEST")
    )
    if others:
        raise WrongUsage(
            f"Variable desconocida: {', '.join(others)}.", code="settings", remedy="Revise cómo se escribe."
        )


def _mistakes(error: ValidationError) -> list[str]:
    lines = []
    for mistake in error.errors(include_input=False, include_url=False):
        name = str(mistake["loc"][0]) if mistake["loc"] else ""
        label = f"{PREFIX}{name.upper()}: " if name else ""
        lines.append(f"{label}{_spanish(mistake['type'], mistake['msg'], mistake.get('ctx', {}))}.")
    return lines


def _spanish(kind: str, words: str, context: dict[str, Any]) -> str:
    """pydantic's own mistakes in Spanish; ours are Spanish already (``value_error``)."""
    table = {
        "greater_than": "debe ser mayor que {gt}",
        "greater_than_equal": "debe ser {ge} o más",
        "less_than_equal": "debe ser {le} o menos",
        "int_parsing": "debe ser un número entero",
        "int_from_float": "debe ser un número entero",
        "float_parsing": "debe ser un número",
        "bool_parsing": "debe ser true o false",
        "enum": "debe ser {expected}",
        "literal_error": "debe ser {expected}",
        "string_too_long": "admite {max_length} caracteres como máximo",
        "datetime_from_date_parsing": "debe ser una fecha con hora",
        "datetime_parsing": "debe ser una fecha con hora",
        "extra_forbidden": "no se conoce esta opción",
    }
    if kind == "value_error":
        return words.removeprefix("Value error, ")
    return table.get(kind, "valor no válido").format(**context).replace(" or ", " o ")


def secret_file(path: Path, name: str) -> str:
    """Secret in a file that only its owner (and a group that he chose) can read. Raises ``WrongUsage``."""
    try:
        mode = path.stat().st_mode
    except OSError:
        mode = 0
    if os.name != "nt" and mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise WrongUsage(
            f"{name}: otros usuarios de este equipo pueden leer o cambiar el archivo. No se usó.",
            code="password-file-open",
            where=str(path),
            remedy=f"Quite el permiso: chmod 600 {shlex.quote(str(path))}",
        )
    return _text_of(path, name)


def _text_of(path: Path, name: str) -> str:
    try:
        return path.read_text("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise WrongUsage(f"{name}: no se puede leer el archivo.", code="settings", where=str(path)) from None
