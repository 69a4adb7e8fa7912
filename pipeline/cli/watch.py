"""``anular watch``: the drop folder, once or for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.context import ExitCodes, Talk, observation_of
from pipeline.cli.options import Json, Ledger, Profile
from pipeline.cli.output import send_notification
from pipeline.domain.errors import Interrupted, WrongUsage


def watch_folder(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="CARPETA", help="La carpeta vigilada; inbox está dentro de ella.")],
    once: Annotated[bool, typer.Option("--once", help="Una sola pasada, para cron, systemd o el Programador.")] = False,
    queue: Annotated[
        bool,
        typer.Option("--queue", help="No envía: entrega a la cola de los trabajadores lo que la política permite."),
    ] = False,
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over", help="La carpeta era de otro historial, que ya no se usa: consulta antes de anular."
        ),
    ] = False,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Vigila una carpeta y procesa lo que llega a inbox, sin preguntar, dentro de lo que permite la configuración."""
    from pipeline.cli import console
    from pipeline.watch import note
    from pipeline.watch.loop import keep_watch, look_once
    from pipeline.watch.scan import Pass

    talk, answer, seen = Talk(as_json), ExitCodes(), observation_of(context)
    if not folder.is_dir():
        raise WrongUsage("No existe esa carpeta.", code="watch-folder-missing", where=str(folder))
    if as_json and not once:
        raise WrongUsage("--json es para una sola pasada.", remedy="Agregue --once.")

    def say(result: Pass) -> None:
        for one in result.handled:
            if one.news or once:
                talk.out.print(note.line(one), markup=False)
        for trouble in result.troubles:
            console.say_error(talk.err, trouble)
        answer.codes = result.codes
        talk.data([note.data(one) for one in result.handled])
        people = {one.profile for one in result.handled} | set(result.concern)
        for name in sorted(people | ({profile} if result.troubles else set())):
            mine = [one for one in result.handled if one.profile == name and one.news]
            troubles = result.troubles if name == profile else result.concern.get(name, [])
            if mine or troubles:
                send_notification(talk, name, ledger, note.notification(mine, troubles), seen, "watch")

    if not once:
        keep_watch(folder.absolute(), profile, ledger, talk.progress, say, seen, queue=queue, take_over=take_over)
        return Interrupted.exit_code
    result = look_once(folder.absolute(), profile, ledger, talk.progress, seen, queue=queue, take_over=take_over)
    say(result)
    if not result.handled and not result.troubles:
        talk.out.print("No hay archivos completos que procesar.")
    if result.left:
        talk.out.print(f"Archivos que esperan en inbox: {result.left} (aún no completos, o para otra pasada).")
    return answer.code
