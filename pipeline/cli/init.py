"""``anular init``: the first settings of an office, by questions or from a file of answers."""

from __future__ import annotations

import os
import sys
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
SAMPLE_NOW, SAMPLE_ISSUERS = "2026-11-20T10:00:00-05:00", "155999991-2-2026,155999992-2-2026"
"""Day of the sample batch, which carries fixed dates, and who issued its invoices."""


def init(
    answers: Annotated[
        Path | None,
        typer.Option("--respuestas", metavar="ARCHIVO", help="Toma las respuestas de un archivo TOML y no pregunta."),
    ] = None,
) -> int:
    """Prepara la configuración de su empresa, o de las empresas de su firma, con unas preguntas.

    No borra nada: lo que había se guarda al lado, y el historial de envíos de una empresa no cambia de lugar.
    """
    from pipeline.settings import first_settings as first
    from pipeline.settings.load import config_path
    from pipeline.wiring.first_office import companies_of_file, made, planned

    talk, path = Talk(False), config_path()
    asked: dict[str, tuple[str, str]] = {}
    if answers is not None:
        office = first.answers_in(_text(answers), lambda file: companies_of_file(answers.parent / file))
    else:
        if not sys.stdin.isatty():
            raise WrongUsage(
                "init hace preguntas en una terminal.",
                code="init-terminal",
                remedy="Sin terminal, escriba las respuestas en un archivo y use --respuestas.",
            )
        office, asked = dialogue(_ask, _secret, lambda words: talk.out.print(words, markup=False))
    office, values, settings = planned(office)
    for warning in warnings(office):
        talk.progress.warn(warning)
    if office.env == "produccion":
        check_production(office, settings, asked)
    kept = made(office, values)
    for name, (user, password) in asked.items():
        _remember(first.ENVIRONMENTS[office.env], name, user, password)
    for line in told(office, path, kept, values, asked):
        talk.out.print(line, markup=False, soft_wrap=True)
    if answers is None:
        _install_tasks(office, talk)
        _offer_sample(office, talk)
    return 0


def _install_tasks(office: Office, talk: Talk) -> None:
    """Has the system start what the person said yes to; where it does not take it, says how."""
    from pipeline.cli.schedule import described
    from pipeline.runtime.folders import data_folder
    from pipeline.wiring.schedule import install, installing, this_system

    for what, folder in scheduled(office):
        job, kind, place = described(what, folder, 12, 30, 0, ""), this_system(), data_folder() / "tareas"
        if install(job, kind, place):
            talk.out.print(f"✓ Programado: {job.words}", markup=False)
        else:
            talk.progress.warn(f"no se pudo programar sola: {job.words}.")
            talk.out.print(f"Para instalarla: {installing(job, kind, place)}", markup=False, soft_wrap=True)


def scheduled(office: Office) -> list[tuple[str, Path | None]]:
    """What the system starts by itself: each command of ``schedule``, with its folder."""
    found: list[tuple[str, Path | None]] = []
    if office.copies is not None:
        found.append(("backup", office.copies))
    if office.unattended:
        found.append(("watch", office.folder))
    if office.page:
        found.append(("web", None))
    return found


def _offer_sample(office: Office, talk: Talk) -> None:
    """Runs the sample batch against the sandbox where the person wants to see it: with a ledger of its own, so that
    nothing of it stands among the office's."""
    import subprocess  # nosec B404 - our own program

    from pipeline.runtime.file_address import file_address
    from pipeline.runtime.own_process import own_module, own_sample, with_our_code

    sample = own_sample()
    if office.env != "probar" or sample is None:
        return
    if not _ask("¿Probar ahora con un lote de ejemplo de 120 filas? (s/n)", "s").casefold().startswith("s"):
        return
    place = office.folder / "ejemplo"
    own = {"ANULAR_LEDGER": file_address(place / "ejemplo.db"), "ANULAR_SANDBOX_NOW": SAMPLE_NOW}
    own |= {"ANULAR_OUT": str(place), "ANULAR_RATE": "40", "ANULAR_POLL_EVERY": "1", "ANULAR_POLL_FOR": "12"}
    own |= {"ANULAR_ISSUERS": SAMPLE_ISSUERS, "ANULAR_CONFIG": str(place / "ninguna.toml")}
    bare = {name: value for name, value in os.environ.items() if not name.startswith("ANULAR_")}
    subprocess.run(  # noqa: S603  # nosec B603 - our own interpreter and module
        own_module("pipeline", "run", str(sample), "--yes"), env=with_our_code({**bare, **own}), check=False
    )
    talk.out.print(f"El ejemplo está en {place}: nada de él cuenta para su empresa.", markup=False)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = os_words(error) if isinstance(error, OSError) else "no es texto UTF-8"
        raise WrongUsage(f"No se pueden leer las respuestas ({why}).", code="init-answers", where=str(path)) from None


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
    page = ask("¿Abrir la página cada vez que inicia sesión en este equipo? (s/n)", "n").casefold().startswith("s")
    office = first.checked(first.Office(env, folder, companies, None, people, unattended, place, page))
    return office, _passwords(office, secret, say) if env != "probar" else {}


def _documents() -> Path:
    from pipeline.runtime.folders import documents_folder

    return documents_folder()


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
    """Companies of a table in a file, or one after the other until there is no other."""
    from pipeline.settings.first_settings import company_faults
    from pipeline.wiring.first_office import companies_of_file

    while True:
        file = ask("Archivo Excel o CSV con empresa, RUC y usuario (vacío: se preguntan una a una)", "").strip('"')
        if not file:
            break
        try:
            found = companies_of_file(Path(file).expanduser())
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
    names = {"backup": "Copia diaria", "watch": "La carpeta, sola", "web": "La página, al iniciar sesión"}
    lines += [
        f"{names[what]}: {order('schedule', what, *([folder] if folder else []), '--out', office.folder)}"
        for what, folder in scheduled(office)
    ]
    begin = order("template", office.folder / "plantilla.xlsx", *_own(office.profiles[0]))
    return [*lines, f"Para empezar: {begin} y {order('check', 'ARCHIVO', *_own(office.profiles[0]))}"]


def _own(profile: str) -> list[str]:
    return ["--profile", profile] if profile else []
