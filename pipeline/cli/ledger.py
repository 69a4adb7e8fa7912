"""``anular adopt`` and ``anular ledger copy``: the ledger's owner and place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.context import Talk, settings_for
from pipeline.cli.options import Json, Ledger, Profile, Restored, Who, Why
from pipeline.domain.commands import order
from pipeline.domain.errors import WrongUsage

if TYPE_CHECKING:
    from pipeline.office.copying import Moved


def adopt(by: Who, reason: Why, restored: Restored = False, profile: Profile = "", ledger: Ledger = "") -> int:
    """Declara que el historial de envíos se movió a este equipo o se restauró (--restored). No envía nada."""
    from pipeline import decide
    from pipeline.ledger.storage.location import location_of
    from pipeline.wiring.ledger import adopt_ledger

    settings = settings_for(profile, ledger)
    who, why = decide.signed(by, reason)
    adopt_ledger(settings, who=who, why=why, restored=restored)
    talk = Talk(False)
    if restored:
        place = location_of(settings.ledger).place
        talk.out.print(f"Desde ahora vale este historial de envíos, en todos los equipos: {place}", markup=False)
        talk.out.print("Lo que pudo haberse enviado antes se consulta en eDoc antes de anularlo.")
        return 0
    place = location_of(settings.ledger).place
    talk.out.print(f"Desde ahora este historial de envíos es de este equipo: {place}", markup=False)
    talk.out.print("No use la copia anterior: dos copias enviarían lo mismo dos veces.")
    return 0


def ledger_command(
    action: Annotated[str, typer.Argument(metavar="copy", help="copy: lleva el historial entero a otro lugar.")],
    source: Annotated[
        str,
        typer.Option("--from", metavar="URL", help="El historial: sqlite:////ruta/completa o postgresql+psycopg://…"),
    ],
    target: Annotated[str, typer.Option("--to", metavar="URL", help="El lugar nuevo, vacío.")],
    office: Annotated[
        bool, typer.Option("--office", help="Lleva la base de datos de la oficina en vez del historial de envíos.")
    ] = False,
    as_json: Json = False,
    profile: Profile = "",
) -> int:
    """Lleva el historial de envíos a otro lugar, de archivo a PostgreSQL o al revés; con el anterior ya no se envía."""
    from pipeline.cli.render import moved_data, moved_words
    from pipeline.wiring.ledger import move_ledger
    from pipeline.wiring.office import move_office
    from pipeline.wiring.rules import make_clock

    if action != "copy":
        raise WrongUsage(f"No existe «ledger {action}».", remedy=f"Vea {order('ledger', '--help')}")
    settings, talk = settings_for(profile, ""), Talk(as_json)
    if office:
        gone = move_office(source, target, make_clock(settings).now(), _make_accounts)
        talk.data({"from": gone.source, "to": gone.target, "copied": gone.counts})
        for line in _office_words(gone):
            talk.out.print(line, markup=False)
        return 0
    moved = move_ledger(source, target, make_clock(settings).now())
    talk.data(moved_data(moved))
    for line in moved_words(moved):
        talk.out.print(line, markup=False)
    return 0


def _make_accounts(url: str) -> None:
    from pipeline.web.migrate import make_tables

    make_tables(url)


def _office_words(found: Moved) -> list[str]:
    """Text of the answer about the office database."""
    proposals, certificates = found.counts["proposal"], found.counts["certificate"]
    return [
        f"✓ Base de datos de la oficina copiada y comparada: {proposals} propuestas y {certificates} certificados, "
        f"de {found.source} a {found.target}.",
        *(
            [
                f"✓ Cuentas de la página, con sus papeles, segundos factores y bitácora: {people} personas. Cada una "
                "entra otra vez.",
                "Lleve también la clave de la página (ANULAR_WEB_SECRET_FILE): sin ella no vale ningún segundo factor.",
            ]
            if (people := found.counts.get("web_person", 0))
            else []
        ),
        "Desde ahora vale solo la del lugar nuevo (ANULAR_OFFICE). La anterior ya no se usa.",
    ]
