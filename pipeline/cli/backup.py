"""``anular backup``: a finished, verified copy of the ledger, with its seal in a note beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.context import ExitCodes, Talk, local_time, settings_for
from pipeline.cli.options import Json, Ledger, Profile
from pipeline.domain.commands import order
from pipeline.domain.errors import AnularError, StorageTrouble, WrongUsage
from pipeline.runtime.file_address import file_address

if TYPE_CHECKING:
    from pipeline.ledger.backup import Backup
    from pipeline.settings.model import Settings


def backup(
    folder: Annotated[
        str, typer.Argument(metavar="CARPETA", help="Dónde se guarda la copia: mejor en otro disco o en otro equipo.")
    ],
    every: Annotated[
        bool, typer.Option("--all", help="El de cada empresa de este equipo; donde no hay ninguno, no falla.")
    ] = False,
    alone: Annotated[
        bool, typer.Option("--idle", help="Solo si nada los está usando, por ejemplo antes de actualizar el programa.")
    ] = False,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Guarda una copia comprobada del historial de envíos, con su fecha y su sello. No detiene nada.

    También de la base de datos de la oficina, si la hay. Por ejemplo: anular backup /media/respaldo.
    Para volver a usar una copia: anular adopt --restored.
    """
    talk = Talk(as_json)
    if every and (profile or ledger):
        raise WrongUsage("--all es de todas las empresas: no lleva --profile ni --ledger.", code="backup-all")
    if not folder.strip():
        raise WrongUsage("Falta la carpeta donde se guarda la copia.", code="backup-folder")
    place = Path(folder).expanduser().absolute()
    if every:
        return _back_up_all(place, talk, alone=alone)
    from pipeline.wiring.ledger import check_idle
    from pipeline.wiring.office import back_up_office

    settings = settings_for(profile, ledger)
    if alone:
        check_idle(settings)
    told = _copied(settings, place, talk)
    office = back_up_office(settings, place)
    talk.data({**told, **_tell_office(office, talk)})
    _warn_beside([told], place, talk)
    return 0


def _back_up_all(place: Path, talk: Talk, *, alone: bool) -> int:
    """Copies of every company's ledger and of the office database. Trouble of one is said with its name and does not
    stop the others; with ``alone`` nothing is copied unless all can be."""
    from pipeline.cli import console
    from pipeline.ledger.backup import check_folder
    from pipeline.wiring.ledger import check_idle, everyone
    from pipeline.wiring.office import back_up_office

    found, answer = everyone(), ExitCodes()
    for name, trouble in found.troubles if alone else ():
        raise _of(name, name, trouble)
    for settings in found.ledgers if alone else ():
        with _named(settings):
            check_idle(settings)
    if found.ledgers:
        check_folder(place)  # once, not for each

    def say(trouble: AnularError) -> None:
        answer.codes.append(trouble.exit_code)
        console.say_error(talk.err, trouble)

    for name, trouble in found.troubles:
        say(_of(name, name, trouble))
    told: list[dict[str, Any]] = []
    for settings in found.ledgers:
        try:
            with _named(settings):
                told.append(_copied(settings, place, talk))
        except AnularError as trouble:
            say(trouble)
    office = None
    try:
        office = back_up_office(found.common, place)
    except AnularError as trouble:
        say(trouble)
    of_office = _tell_office(office, talk)
    if not (found.ledgers or found.troubles):
        talk.out.print("Todavía no hay historial de envíos: no hay nada que copiar.")
    talk.data({"backups": told, **of_office})
    _warn_beside(told, place, talk)
    return answer.code


@contextmanager
def _named(settings: Settings) -> Iterator[None]:
    """Whatever goes wrong with one of many companies has its name; a bug too, which does not stop the others."""
    from pipeline.runtime.internal_error import internal

    try:
        yield
    except AnularError as trouble:
        raise _of(settings.company, settings.profile, trouble) from trouble.__cause__
    except Exception as error:
        raise _of(settings.company, settings.profile, internal(error)) from error


def _of(company: str, profile: str, trouble: AnularError) -> AnularError:
    """The trouble with the name of its company, and the commands in it for that company."""
    from pipeline.settings.model import whose

    if company and trouble.where:
        trouble.where = f"[{company}] {trouble.where}"
    elif company:
        trouble.message = f"[{company}] {trouble.message}"
    return whose(profile, "").complete_error(trouble)


def _copied(settings: Settings, place: Path, talk: Talk) -> dict[str, Any]:
    """One company's ledger, copied, with its note, and said; what ``--json`` says of it."""
    from pipeline.wiring.ledger import backup_ledger
    from pipeline.wiring.rules import make_clock

    made = backup_ledger(settings, place)
    seal = _write_note(made, settings, make_clock(settings).now())
    _tell(made, seal, talk)
    return _data(made, seal)


def _tell_office(office: Path | None, talk: Talk) -> dict[str, Any]:
    if office is not None:
        talk.out.print(f"✓ Base de datos de la oficina: {office}", markup=False)
    return {"office": str(office) if office is not None else None}


def _warn_beside(told: list[dict[str, Any]], place: Path, talk: Talk) -> None:
    if any(Path(one["ledger"]).parent == place for one in told):
        talk.progress.warn(
            "la copia quedó en la misma carpeta que el historial de envíos: un disco dañado se lleva los dos."
        )


def _tell(made: Backup, seal: Path, talk: Talk) -> None:
    from pipeline.domain.visible import thousands

    counted = f"{thousands(made.events)} eventos y {thousands(made.rows)} filas comprobados"
    talk.out.print(f"✓ Copia guardada: {made.path} ({counted}).", markup=False)
    talk.out.print(f"Su sello, y cómo volver a usarla: {seal}", markup=False)


def _data(made: Backup, seal: Path) -> dict[str, Any]:
    return {
        "backup": str(made.path),
        "seal": str(seal),
        "ledger": made.place,
        "events": made.events,
        "rows": made.rows,
        "head": made.head,
        "sha256": made.sha256,
        "reserves": [str(path) for path in made.reserves],
    }


def _write_note(made: Backup, settings: Settings, now: datetime) -> Path:
    """The seal of the copy and how to use it, in a text file beside it."""
    from pipeline.runtime.atomic_file import replace_file
    from pipeline.runtime.os_error import os_words

    path = made.path.with_suffix(".sello.txt")
    text = settings.here.complete("\n".join(_note(made, settings, now)) + "\n")
    try:
        replace_file(path, text.encode(), sync=True)
    except OSError as error:
        raise StorageTrouble(
            f"La copia está guardada y comprobada, pero no se pudo escribir su sello ({os_words(error)}).",
            code="backup-seal",
            where=str(path),
            remedy=f"Anote el sello que imprime {order('verify', made.path)}",
        ) from error
    return path


def _note(made: Backup, settings: Settings, now: datetime) -> list[str]:
    again = order("adopt", "--restored", "--by", "SU NOMBRE", "--reason", "POR QUÉ")
    server = "://" in made.place
    back = [
        "2. Ponga esta copia en el lugar del historial, con el mismo nombre de archivo. Lo que estaba ahí,",
        "   también lo que termine en -journal, -wal o -shm, guárdelo aparte: es evidencia, y junto a la copia",
        "   la dañaría.",
        *(f"   También {one.name}, con el nombre que tenía junto al historial." for one in made.reserves),
    ]
    if server:
        home = order("ledger", "copy", "--from", file_address(made.path), "--to", "postgresql+psycopg://…")
        back = [f"2. Llévela a una base de datos nueva y vacía: {home}"]
    return [
        "Copia del historial de envíos de anular",
        "",
        f"Copia:      {made.path.name}",
        f"Hecha:      {local_time(now)} (hora de Panamá)",
        f"Historial:  {made.place}",
        f"Número:     {made.ident}",
        *([f"Empresa:    {settings.company}"] if settings.company else []),
        f"Contiene:   {made.events} eventos y {made.rows} filas, comprobados después de copiar",
        f"Sello del último evento: {made.head}",
        f"Código de verificación del archivo (SHA-256): {made.sha256}",
        "",
        "Guarde este sello también fuera del equipo. Para comprobar la copia en cualquier momento:",
        f"  {order('verify', made.path)}",
        "",
        "Para volver a usarla, solo si el historial de envíos se perdió o se dañó:",
        "1. Detenga todo lo que lo use.",
        *back,
        f"3. Dígalo una vez: {again}",
        "Desde entonces se consulta en eDoc, antes de anular, lo que pudo haberse enviado después de esta copia.",
    ]
