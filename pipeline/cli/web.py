"""``anular web``: the page and the sender beside it, as two children of this process, or one of them alone."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.help import SpanishCommand, SpanishGroup
from pipeline.cli.options import Json, Ledger, Profile
from pipeline.domain.errors import WrongUsage

PAGES, SENDER = "pages", "sender"

web = typer.Typer(
    cls=SpanishGroup,
    help="La página en el navegador y, a su lado, el envío de lo aprobado, hasta que se detenga con Ctrl-C.",
)
users = typer.Typer(cls=SpanishGroup, help="Usuarios de la página, para cuando fallan el correo o la página.")
web.add_typer(users, name="users", cls=SpanishGroup)

User = Annotated[str, typer.Argument(metavar="USUARIO", help="Nombre de usuario en la página.")]


@web.callback(invoke_without_command=True)
def serve_web(
    context: typer.Context,
    only: Annotated[
        str, typer.Option("--only", metavar="PARTE", help="Solo esta parte: pages, la página, o sender, que envía.")
    ] = "",
    sample: Annotated[
        bool, typer.Option("--sample", help="Crea cuatro usuarios de ejemplo; solo en el sandbox y en este equipo.")
    ] = False,
    show: Annotated[
        bool,
        typer.Option("--open", help="La muestra en el navegador; si ya estaba abierta, no la abre otra vez."),
    ] = False,
    child: Annotated[bool, typer.Option("--child", hidden=True)] = False,
    again: Annotated[bool, typer.Option("--again", hidden=True)] = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Abre la página en el navegador y, a su lado, envía lo que se aprobó, hasta que se detenga con Ctrl-C."""
    if context.invoked_subcommand is not None:
        return 0
    if only == SENDER:
        from pipeline.cli.web_sender import serve_sender

        return serve_sender(profile, ledger, child=child)
    if only not in ("", PAGES):
        raise WrongUsage(f"No existe la parte «{only}».", code="web-only", remedy="Es pages o sender.")
    if profile or ledger:
        raise WrongUsage(
            "La página es de todas las empresas de este equipo: --profile y --ledger solo valen con --only sender.",
            code="web-one-page",
        )
    if only == PAGES:
        from pipeline.cli.web_pages import serve_pages

        return serve_pages(sample=sample, child=child, show=show, again=again)
    from pipeline.cli.web_parent import watch_both

    if show:
        from pipeline.cli import web_open
        from pipeline.settings.load import load_settings

        if web_open.is_open(load_settings("")):
            return web_open.show_again()
    return watch_both(sample=sample, show=show)


@users.command("list", cls=SpanishCommand)
def list_users(as_json: Json = False) -> int:
    """Muestra los usuarios, sus papeles y su estado."""
    from pipeline.cli import web_users

    return web_users.list_users(as_json=as_json)


@users.command("invite", cls=SpanishCommand)
def invite_user(
    user: User,
    name: Annotated[str, typer.Option("--name", metavar="NOMBRE", help="Nombre de la persona.")],
    mail: Annotated[str, typer.Option("--mail", metavar="CORREO", help="Correo de la persona.")],
    role: Annotated[
        list[str],
        typer.Option(
            "--role", metavar="PAPEL", help="preparador, aprobador, consulta o administrador; una o más veces."
        ),
    ],
    profile: Profile = "",
) -> int:
    """Invita a una persona a una empresa, y muestra el enlace una sola vez."""
    from pipeline.cli import web_users

    return web_users.invite_user(user, name, mail, role, profile)


@users.command("unlock", cls=SpanishCommand)
def unlock_user(user: User) -> int:
    """Olvida los intentos fallidos de un usuario: puede entrar otra vez sin esperar."""
    from pipeline.cli import web_users

    return web_users.unlock_user(user)


@users.command("end-sessions", cls=SpanishCommand)
def end_sessions(user: User) -> int:
    """Cierra todas las sesiones de un usuario."""
    from pipeline.cli import web_users

    return web_users.end_sessions(user)


@users.command("reset-link", cls=SpanishCommand)
def reset_link(user: User) -> int:
    """Muestra una sola vez un enlace con el que el usuario elige otra contraseña, o acepta su invitación."""
    from pipeline.cli import web_users

    return web_users.reset_link(user)


@users.command("reset-factor", cls=SpanishCommand)
def reset_factor(user: User) -> int:
    """Quita el segundo factor de un usuario que perdió su teléfono; se avisa a todos los administradores."""
    from pipeline.cli import web_users

    return web_users.reset_factor(user)


@users.command("link", cls=SpanishCommand)
def link_user(
    user: User,
    system_user: Annotated[
        str, typer.Argument(metavar="USUARIO_DEL_EQUIPO", help="Usuario del sistema operativo que es esa persona.")
    ],
) -> int:
    """Une un usuario de la página con el del sistema operativo: es una persona, y no dos."""
    from pipeline.cli import web_users

    return web_users.link_user(user, system_user)
