"""``anular backup``: a finished, verified copy of the ledger, with its seal in a note beside it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.context import Talk, local_time, settings_for
from pipeline.cli.options import Json, Ledger, Profile
from pipeline.domain.commands import order
from pipeline.domain.errors import StorageTrouble, WrongUsage
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
    from pipeline.wiring.ledger import backup_ledger, check_idle, settings_of_every_ledger
    from pipeline.wiring.office import back_up_office
    from pipeline.wiring.rules import make_clock

    base, talk = settings_for(profile, ledger), Talk(as_json)
    if every and (profile or ledger):
        raise WrongUsage("--all es de todas las empresas: no lleva --profile ni --ledger.", code="backup-all")
    if not folder.strip():
        raise WrongUsage("Falta la carpeta donde se guarda la copia.", code="backup-folder")
    place = Path(folder).expanduser().absolute()
    found = settings_of_every_ledger() if every else [base]
    for settings in found if alone else ():
        check_idle(settings)
    told = []
    for settings in found:
        made = backup_ledger(settings, place)
        seal = _write_note(made, settings, make_clock(settings).now())
        told.append(_data(made, seal))
        _tell(made, seal, talk)
    office = back_up_office(base, place)
    if office is not None:
        talk.out.print(f"✓ Base de datos de la oficina: {office}", markup=False)
    if not found:
        talk.out.print("Todavía no hay historial de envíos: no hay nada que copiar.")
    of_office = {"office": str(office) if office is not None else None}
    talk.data({"backups": told, **of_office} if every else {**told[0], **of_office})
    if any(Path(one["ledger"]).parent == place for one in told):
        talk.progress.warn(
            "la copia quedó en la misma carpeta que el historial de envíos: un disco dañado se lleva los dos."
        )
    return 0


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
