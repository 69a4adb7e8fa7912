"""``anular certs``: the digital certificates of the issuers, from the terminal; the rules are ``certificates/``.

What is looked at is here, what a person records in ``certs_change.py``, what both share in ``certs_office.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.certs_change import add_certificate, edit_certificate
from pipeline.cli.certs_office import (
    Id,
    due_days,
    known,
    named,
    now_of,
    opened_registry,
    registry_of,
    show,
    tell,
    there_is_one,
)
from pipeline.cli.context import Talk, local_time, observation_of, settings_for
from pipeline.cli.help import SpanishCommand, SpanishGroup
from pipeline.cli.options import Json, Ledger, Profile
from pipeline.domain.commands import order
from pipeline.domain.errors import InputRefused

certs = typer.Typer(
    cls=SpanishGroup,
    no_args_is_help=True,
    help="Los certificados digitales de los emisores: solicitud, vigencia y avisos. No guarda archivo, llave ni PIN.",
)


@certs.command("list", cls=SpanishCommand)
def list_certificates(as_json: Json = False, profile: Profile = "", ledger: Ledger = "") -> int:
    """Muestra el certificado de cada emisor de la empresa, y los emisores que todavía no tienen uno."""
    from pipeline.certificates.issuers import issuers_of, without_record
    from pipeline.certificates.shown import record_data, what_now
    from pipeline.cli import console
    from pipeline.domain.certificates import state_of

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    now, due = now_of(settings), due_days(settings)
    records = known(settings)
    missing = without_record(issuers_of(settings), records)
    talk.data({"certificates": [record_data(one, now, due) for one in records], "unregistered": missing})
    facts = [
        (f"{one.id}  {one.ruc}", " · ".join([str(state_of(one, now)), what_now(one, now, due), *named(one)]))
        for one in records
    ]
    if facts:
        console.facts(talk.out, "Certificados digitales", facts)
    lines = [
        f"Aún no registró el certificado de {ruc}: agréguelo con {order('certs', 'add', '--ruc', ruc)}"
        for ruc in missing
    ]
    console.listing(talk.out, "Sin registrar", lines, most=20)
    if not facts and not lines:
        talk.out.print(f"No hay certificados registrados. Agregue uno: {order('certs', 'add', '--help')}", markup=False)
    return 0


@certs.command("show", cls=SpanishCommand)
def show_certificate(certificate: Id, as_json: Json = False, profile: Profile = "") -> int:
    """Muestra un certificado y todo lo que se anotó de él."""
    from pipeline.certificates.shown import log_data, record_data
    from pipeline.cli import console

    settings, talk = settings_for(profile, ""), Talk(as_json)
    now, due = now_of(settings), due_days(settings)
    with registry_of(settings, certificate) as registry:
        one, log = registry.one(certificate), registry.log(certificate)
    talk.data({**record_data(one, now, due), "log": log_data(log)})
    show(talk, one, now, due)
    console.listing(
        talk.out,
        "Qué pasó",
        [f"{local_time(line.at)} · {line.event} · {line.who}{f' · {line.why}' if line.why else ''}" for line in log],
        most=50,
    )
    return 0


certs.command("add", cls=SpanishCommand)(add_certificate)
certs.command("edit", cls=SpanishCommand)(edit_certificate)


@certs.command("import", cls=SpanishCommand)
def import_certificates(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="ARCHIVO", help="Un CSV con un certificado o solicitud por línea.")],
    as_json: Json = False,
    profile: Profile = "",
) -> int:
    """Importa un CSV de certificados: todo o nada. El mismo archivo dos veces no cambia nada.

    Columnas: ruc, titular, entidad, solicitud, fecha_solicitud, estado, desde, hasta, correo, observaciones.
    """
    from pipeline.certificates.imports import import_file
    from pipeline.cli import console

    settings, talk = settings_for(profile, ""), Talk(as_json)
    now = now_of(settings)
    with opened_registry(settings) as registry:
        done = import_file(registry, file, now)
        if not done.mistakes:
            tell(registry, talk, context, now)
    told = [{"line": one.line, "column": one.column or None, "message": one.words} for one in done.mistakes]
    counts = {"new": len(done.new), "changed": len(done.changed), "same": done.same}
    talk.data({"file": str(file), **counts, "problems": told})
    if done.mistakes:
        console.listing(talk.out, "Qué corregir", [one.sentence for one in done.mistakes], most=50)
        number = len(done.mistakes)
        raise InputRefused(
            f"El archivo tiene {'un error' if number == 1 else f'{number} errores'}. No se importó nada.",
            code="certificados-csv",
            where=file.name,
            remedy="Corríjalos e impórtelo otra vez.",
        )
    talk.out.print(f"Nuevos: {len(done.new)} · cambiados: {len(done.changed)} · sin cambios: {done.same}", markup=False)
    return 0


@certs.command("check", cls=SpanishCommand)
def check_certificates(as_json: Json = False, profile: Profile = "", ledger: Ledger = "") -> int:
    """Revisa si el certificado de cada emisor se puede usar ahora. Termina con 1 si alguno no."""
    from pipeline.certificates.issuers import issuers_of
    from pipeline.cli import console
    from pipeline.domain.certificates import findings
    from pipeline.domain.ruc import bare

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    now, records = now_of(settings), known(settings)
    issuers = sorted({*issuers_of(settings), *(bare(one.ruc) for one in records)})
    found = findings(issuers, records, now, now)
    told = [{"issuer": one.issuer, "code": one.code, "message": one.words} for one in found]
    talk.data({"issuers": issuers, "findings": told})
    console.listing(talk.out, "Certificados digitales", [f"{one.words} [{one.code}]" for one in found], most=50)
    if not records:
        talk.out.print(f"No hay certificados registrados. Agregue uno: {order('certs', 'add', '--help')}", markup=False)
    elif not found:
        talk.out.print("✓ El certificado de cada emisor está vigente.", markup=False)
    return 1 if any(one.blocks for one in found) else 0


@certs.command("remind", cls=SpanishCommand)
def remind_certificates(context: typer.Context, as_json: Json = False, profile: Profile = "") -> int:
    """Avisa por correo, una sola vez cada uno, los vencimientos y solicitudes que lo necesitan. Para un cron diario."""
    from pipeline.certificates.reminders import message_of, remind
    from pipeline.cli import console
    from pipeline.notify import has_recipients

    settings, talk = settings_for(profile, ""), Talk(as_json)
    now = now_of(settings)
    if not there_is_one(settings):
        talk.data({"due": [], "sent": []})
        talk.out.print("No hay certificados registrados.")
        return 0
    with opened_registry(settings) as registry:
        done = remind(registry, now, observation_of(context).bus(settings, "certs"))
    due = [str(message_of(one, now, settings.cert_renew_months)["subject"]) for one in done.due]
    talk.data({"due": due, "sent": done.sent})
    console.listing(talk.out, "Hoy", due, most=50)
    talk.out.print(f"Avisos enviados: {len(done.sent)}", markup=False)
    for warning in done.warnings:
        talk.progress.warn(warning)
    if due and not has_recipients(settings):
        talk.progress.warn("no hay a quién avisar: faltan ANULAR_MAIL_HOST y ANULAR_MAIL_TO.")
        return 1
    return 1 if done.warnings else 0
