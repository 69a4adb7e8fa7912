"""``anular schedule``: the task, cron line or units that start a command by itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.cli.context import Talk, settings_for
from pipeline.cli.options import Profile
from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.runtime.os_error import os_words
from pipeline.wiring.schedule import EVERY, Job, System, arguments_of, files_of, installing, this_system, time_of

WORDS = {
    "watch": "anular: la carpeta vigilada",
    "poll": "anular: consulta de lo pendiente",
    "backup": "anular: copia del historial de envíos",
    "web": "anular: la página",
}


def schedule(
    what: Annotated[
        Literal["watch", "poll", "backup", "web"],
        typer.Argument(
            metavar="QUÉ",
            help="watch (la carpeta vigilada), poll (lo pendiente), backup (una copia de cada historial) o web (la "
            "página y lo que envía, al iniciar sesión).",
        ),
    ],
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="CARPETA", help="La carpeta vigilada, o la de las copias; poll y web no llevan ninguna."
        ),
    ] = None,
    at: Annotated[str, typer.Option("--at", metavar="HH:MM", help="A qué hora de cada día.")] = "02:05",
    every: Annotated[
        int, typer.Option("--every", metavar="MINUTOS", help="Cada cuántos minutos: 5, 10, 15, 20, 30 o 60.")
    ] = 0,
    system: Annotated[
        System | None,
        typer.Option("--for", metavar="SISTEMA", help="windows, cron o systemd; por defecto, el de este equipo."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="CARPETA", help="Guarda los archivos ahí en vez de mostrarlos.")
    ] = None,
    profile: Profile = "",
) -> int:
    """Prepara la tarea que ejecuta un comando cada día, o la página al iniciar sesión. No la instala: dice cómo.

    Por ejemplo: anular schedule poll --at 04:35 --out Tareas.
    """
    hour, minute = time_of(at)
    if every and every not in EVERY:
        raise WrongUsage(
            f"{every} no es un intervalo que todos los sistemas sepan.",
            code="schedule-every",
            remedy=f"Escriba uno de estos: {', '.join(map(str, EVERY))}.",
        )
    if what == "web" and every:
        raise WrongUsage("La página empieza al iniciar sesión y sigue: no lleva --every.", code="schedule-web")
    settings_for(profile, "")  # a profile that does not exist would fail every night
    kind, talk = system or this_system(), Talk(False)
    job = described(what, folder.absolute() if folder is not None else None, hour, minute, every, profile)
    files = files_of(job, kind)
    if out is None:
        for name, data in files.items():
            talk.out.print(f"# {name}", markup=False, style="dim")
            talk.out.file.write(data.decode("utf-16" if kind is System.WINDOWS else "utf-8"))
        return 0
    place = out.absolute()
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (place / name).write_bytes(data)
    except OSError as error:
        raise StorageTrouble(
            f"No se pudo guardar la tarea ({os_words(error)}).", code="schedule-out", where=str(place)
        ) from error
    talk.out.print(f"✓ Guardado: {', '.join(str(place / name) for name in files)}", markup=False)
    talk.out.print(f"Para instalarlo: {installing(job, kind, place)}", markup=False, soft_wrap=True)
    return 0


def described(what: str, folder: Path | None, hour: int, minute: int, every: int, profile: str) -> Job:
    """Job of a command of this installation, with the settings file that this session uses."""
    from getpass import getuser

    from pipeline.runtime.own_process import own_program

    names = ("ANULAR_CONFIG", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")
    variables = tuple((name, os.environ[name]) for name in names if os.environ.get(name))
    domain = os.environ.get("USERDOMAIN", "")
    return Job(
        name=f"anular-{what}{f'-{profile}' if profile else ''}",
        words=f"{WORDS[what]}{f' de {profile}' if profile else ''}",
        command=(*own_program(), *arguments_of(what, folder, profile)),
        hour=hour,
        minute=minute,
        every=every,
        at_log_on=what == "web",
        network=what not in ("backup", "web"),
        user=f"{domain}\\{getuser()}" if domain else getuser(),
        home=str(Path.home()),
        variables=variables,
    )
