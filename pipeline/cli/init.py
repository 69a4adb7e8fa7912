"""``anular init``: the first settings of an office, by questions or from a file of answers."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.context import Talk
from pipeline.domain.commands import order
from pipeline.domain.errors import WrongUsage
from pipeline.runtime.os_error import os_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.settings.first_settings import Company, Office
    from pipeline.settings.model import Settings

CHOICES = {"1": "probar", "2": "laboratorio", "3": "produccion"}
TYPED = "PRODUCCIÓN"


def init(
    answers: Annotated[
        Path | None,
        typer.Option("--respuestas", metavar="ARCHIVO", help="Toma las respuestas de un archivo TOML y no pregunta."),
    ] = None,
) -> int:
    """Prepara la configuración de su empresa, o de las empresas de su firma, con unas preguntas.

    No borra nada: lo que había se guarda al lado, y el historial de envíos de una empresa no cambia de lugar.
    """
    from pipeline.runtime.folders import data_folder
    from pipeline.settings import first_settings as first
    from pipeline.settings.load import config_path, default_ledger
    from pipeline.wiring.first_office import make_folders, tried

    talk, path = Talk(False), config_path()
    asked: dict[str, tuple[str, str]] = {}
    if answers is not None:
        office = first.answers_in(_text(answers))
    else:
        if not sys.stdin.isatty():
            raise WrongUsage(
                "init hace preguntas en una terminal.",
                code="init-terminal",
                remedy="Sin terminal, escriba las respuestas en un archivo y use --respuestas.",
            )
        office, asked = dialogue(_ask, _secret, lambda words: talk.out.print(words, markup=False))
    office = replace(office, before=first.settings_before(path))
    values = first.settings_of(office, data_folder() / "registro", _in_use(default_ledger()))
    for warning in warnings(office):
        talk.progress.warn(warning)
    settings = tried(office, values)
    if office.env == "produccion":
        check_production(office, settings, asked)
    make_folders(office)
    kept = first.write_settings(path, values)
    for name, (user, password) in asked.items():
        _remember(first.ENVIRONMENTS[office.env], name, user, password)
    for line in told(office, path, kept, values, asked):
        talk.out.print(line, markup=False, soft_wrap=True)
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = os_words(error) if isinstance(error, OSError) else "no es texto UTF-8"
        raise WrongUsage(f"No se pueden leer las respuestas ({why}).", code="init-answers", where=str(path)) from None


def _in_use(default: str) -> str:
    """Address of the usual ledger, if there is one: whatever is written now must lead to it."""
    from pipeline.ledger.storage.location import location_of

    return default if location_of(default).exists() else ""


def _ask(words: str, default: str) -> str:
    return str(typer.prompt(words, default=default, show_default=bool(default))).strip()


def _secret(words: str) -> str:
    return str(typer.prompt(words, hide_input=True, default="", show_default=False))


def dialogue(
    ask: Callable[[str, str], str], secret: Callable[[str], str], say: Callable[[str], None]
) -> tuple[Office, dict[str, tuple[str, str]]]:
    """Office as a person describes it, one question at a time, and user and password by profile.

    ``ask`` gets the words and what Enter means. An answer that cannot be is asked for again, with the reason.
    """
    from pipeline.settings import first_settings as first

    several = _one_of(ask, say, "¿Para quién es? 1 mi empresa · 2 firma con varias empresas", "1", ("1", "2")) == "2"
    words = "¿Qué quiere hacer? 1 probar en este equipo · 2 laboratorio de eDoc · 3 producción"
    env = CHOICES[_one_of(ask, say, words, "1", tuple(CHOICES))]
    if env == "produccion" and ask(f"Lo que se anula en producción no se puede deshacer. Escriba {TYPED}", "") != TYPED:
        raise WrongUsage("No se escribió PRODUCCIÓN: no se cambió nada.", code="init-production")
    folder = Path(ask("Carpeta de trabajo", str(_documents() / "Anular"))).expanduser()
    companies = _several(ask, say) if several else (_company(ask, say, 1),)
    words = "¿Cuántas personas? 2 una prepara y otra aprueba · 1 una sola (siempre se verá)"
    people = int(_one_of(ask, say, words, "2", ("1", "2")))
    unattended = 0
    if people == 1:
        words = "¿Cuántas facturas por archivo puede enviar sola la carpeta, sin que nadie mire? 0 ninguna"
        unattended = int(_until(ask, say, words, "0", lambda text: "" if _counts(text) else "Escriba un número."))
    copies = ask("¿En qué carpeta se guarda cada día una copia del historial? (otro disco; vacío: ninguna)", "")
    place = Path(copies).expanduser() if copies else None
    office = first.checked(first.Office(env, folder, companies, None, people, unattended, place))
    return office, _passwords(office, secret, say) if env != "probar" else {}


def _documents() -> Path:
    from platformdirs import user_documents_path

    return user_documents_path()


def _counts(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 7


def _one_of(
    ask: Callable[[str, str], str], say: Callable[[str], None], words: str, default: str, known: tuple[str, ...]
) -> str:
    return _until(ask, say, words, default, lambda text: "" if text in known else f"Escriba {' o '.join(known)}.")


def _until(
    ask: Callable[[str, str], str],
    say: Callable[[str], None],
    words: str,
    default: str,
    fault: Callable[[str], str],
) -> str:
    while why := fault(answer := ask(words, default)):
        say(f"✗ {why}")
    return answer


def _company(ask: Callable[[str, str], str], say: Callable[[str], None], number: int) -> Company:
    from pipeline.settings.first_settings import Company, company_faults

    while True:
        one = Company(
            ask("Nombre corto de la empresa (letras y números)", f"empresa{number}").casefold(),
            ask("RUC, con su dígito verificador si lo sabe (155596713-2-2015 DV 59)", ""),
            ask("Usuario de eDoc", ""),
            ask("Correo para los avisos (vacío: ninguno)", ""),
        )
        found = company_faults(one)
        if not found:
            return one
        for fault in found:
            say(f"✗ {fault}")


def _several(ask: Callable[[str, str], str], say: Callable[[str], None]) -> tuple[Company, ...]:
    """Companies of a CSV file, or one after the other until an empty answer."""
    from pipeline.settings.first_settings import companies_in, company_faults

    while True:
        file = ask("Archivo CSV con empresa;RUC;usuario (vacío: se preguntan una a una)", "").strip('"')
        if not file:
            break
        try:
            found = companies_in(_text(Path(file).expanduser()))
        except WrongUsage as error:
            say(f"✗ {error.sentence}")
            continue
        wrong = [f"{one.name}: {fault}" for one in found for fault in company_faults(one)]
        for one in found:
            say(f"  {one.name} · {one.number} · {one.user or 'sin usuario'}")
        if not wrong:
            return found
        for fault in wrong:
            say(f"✗ {fault}")
    every: list[Company] = []
    while not every or ask("¿Otra empresa? (s/n)", "s").casefold().startswith("s"):
        every.append(_company(ask, say, len(every) + 1))
    return tuple(every)


def _passwords(office: Office, secret: Callable[[str], str], say: Callable[[str], None]) -> dict[str, tuple[str, str]]:
    found = {}
    for one, profile in zip(office.companies, office.profiles, strict=True):
        if not one.user:
            continue
        password = secret(f"Contraseña de eDoc de {one.name}, usuario {one.user} (vacío: saltar)")
        if password:
            found[profile] = (one.user, password)
        else:
            say(f"  {one.name}: se guarda después con {order('login', *_own(profile))}.")
    return found


def _remember(env: str, profile: str, user: str, password: str) -> None:
    from pydantic import SecretStr

    from pipeline.wiring import keyring_store

    keyring_store.keep(env, profile, user, SecretStr(password))


def check_production(office: Office, settings: list[Settings], asked: dict[str, tuple[str, str]]) -> None:
    """Raises ``WrongUsage`` unless eDoc's production knows every company's user and password. Cancels nothing."""
    import asyncio

    from pydantic import SecretStr

    from pipeline import doctor
    from pipeline.wiring.rules import make_clock

    for one, profile, own in zip(office.companies, office.profiles, settings, strict=True):
        user, password = asked.get(profile, ("", ""))
        given = own.model_copy(update={"user": user, "password": SecretStr(password), "half": ()}) if user else own
        found = asyncio.run(doctor.examine(given, make_clock(given), ""))
        bad = "; ".join(f"{finding.name}: {finding.words}" for finding in found if not finding.good)
        if bad:
            raise WrongUsage(
                f"Producción no queda lista para {one.name}: {bad} No se cambió nada.",
                code="init-production",
                remedy="Pruebe antes con laboratorio, o repita con el usuario y la contraseña de producción.",
            )


def warnings(office: Office) -> list[str]:
    """What a person should know before anything is written."""
    from pipeline.settings.first_settings import LONG_FOLDER, shared_users

    found = [f"{words}. Si es la misma credencial, envían por turno." for words in shared_users(office)]
    if os.name == "nt" and len(str(office.folder)) > LONG_FOLDER:
        found.append(
            f"la carpeta de trabajo pasa de {LONG_FOLDER} caracteres: los nombres de los libros se acortan para Excel."
        )
    return found


def told(office: Office, path: Path, kept: Path | None, values: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    """What was made and what comes next."""
    own = [values.get("profile", {}).get(profile, values) for profile in office.profiles]
    lines = [f"✓ Configuración: {path}" + (f" (la de antes: {kept})" if kept else "")]
    lines.append(f"✓ Carpeta de trabajo: {office.folder} (lo que se deja en inbox se revisa)")
    lines += [
        f"✓ {one.name}: RUC {one.number}, historial de envíos {settings['ledger']}"
        for one, settings in zip(office.companies, own, strict=True)
    ]
    if office.env != "probar":
        lines += [
            f"Falta la contraseña de {one.name}: {order('login', *_own(profile))}"
            for one, profile in zip(office.companies, office.profiles, strict=True)
            if profile not in asked
        ]
    if office.copies is not None:
        lines += [
            f"Copia diaria: {order('schedule', 'backup', office.copies, '--out', office.folder, *_own(profile))}"
            for profile in office.profiles
        ]
    if office.unattended:
        lines.append(f"La carpeta, sola: {order('schedule', 'watch', office.folder, '--out', office.folder)}")
    begin = order("template", office.folder / "plantilla.xlsx", *_own(office.profiles[0]))
    return [*lines, f"Para empezar: {begin} y {order('check', 'ARCHIVO', *_own(office.profiles[0]))}"]


def _own(profile: str) -> list[str]:
    return ["--profile", profile] if profile else []
