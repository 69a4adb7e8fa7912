"""``anular certs``: the digital certificates of the issuers, from the terminal; the rules are ``certificates/``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.context import Talk, local_time, observation_of, settings_for
from pipeline.cli.help import SpanishCommand, SpanishGroup
from pipeline.cli.options import Json, Ledger, Profile
from pipeline.domain.commands import order
from pipeline.domain.errors import InputRefused, WrongUsage

if TYPE_CHECKING:
    from pydantic import SecretStr

    from pipeline.certificates.registry import Dates, Registry
    from pipeline.certificates.shown import Due
    from pipeline.domain.certificates import Certificate, State
    from pipeline.settings.model import Settings

certs = typer.Typer(
    cls=SpanishGroup,
    no_args_is_help=True,
    help="Los certificados digitales de los emisores: solicitud, vigencia y avisos. No guarda archivo, llave ni PIN.",
)

Id = Annotated[int, typer.Argument(metavar="NÚMERO", help="El certificado, con el número que muestra «certs list».")]
Holder = Annotated[str, typer.Option("--holder", metavar="NOMBRE", help="Titular del certificado.")]
Authority = Annotated[str, typer.Option("--authority", metavar="NOMBRE", help="Entidad que lo emite.")]
Request = Annotated[str, typer.Option("--request", metavar="NÚMERO", help="Número de la solicitud.")]
RequestedOn = Annotated[
    str, typer.Option("--requested-on", metavar="FECHA", help="Día de la solicitud, día/mes/año; por defecto, hoy.")
]
Mail = Annotated[str, typer.Option("--mail", metavar="CORREO", help="Correo de la solicitud.")]
CertificateFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="ARCHIVO",
        help="El certificado (.p12, .pfx, .cer, .crt, .pem, .der): se leen sus fechas y se olvida.",
    ),
]
PinFile = Annotated[
    Path | None,
    typer.Option(
        "--pin-file",
        metavar="ARCHIVO",
        help="Archivo que contiene el PIN del .p12, que solo usted pueda leer; - es la entrada estándar.",
    ),
]
From = Annotated[str, typer.Option("--from", metavar="FECHA", help="Primer día de vigencia, día/mes/año.")]
Until = Annotated[str, typer.Option("--until", metavar="FECHA", help="Último día de vigencia, día/mes/año.")]
ConfirmRuc = Annotated[
    bool, typer.Option("--confirm-ruc", help="El RUC que dice el certificado es correcto, aunque sea otro.")
]


@certs.command("list", cls=SpanishCommand)
def list_certificates(as_json: Json = False, profile: Profile = "", ledger: Ledger = "") -> int:
    """Muestra el certificado de cada emisor de la empresa, y los emisores que todavía no tienen uno."""
    from pipeline.certificates.issuers import issuers_of, without_record
    from pipeline.certificates.shown import record_data, what_now
    from pipeline.cli import console
    from pipeline.domain.certificates import state_of

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    now, due = _now(settings), _due(settings)
    records = _known(settings)
    missing = without_record(issuers_of(settings), records)
    talk.data({"certificates": [record_data(one, now, due) for one in records], "unregistered": missing})
    facts = [
        (f"{one.id}  {one.ruc}", " · ".join([str(state_of(one, now)), what_now(one, now, due), *_named(one)]))
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
    now, due = _now(settings), _due(settings)
    with _existing(settings, certificate) as registry:
        one, log = registry.one(certificate), registry.log(certificate)
    talk.data({**record_data(one, now, due), "log": log_data(log)})
    _show(talk, one, now, due)
    console.listing(
        talk.out,
        "Qué pasó",
        [f"{local_time(line.at)} · {line.event} · {line.who}{f' · {line.why}' if line.why else ''}" for line in log],
        most=50,
    )
    return 0


@certs.command("add", cls=SpanishCommand)
def add_certificate(
    ruc: Annotated[str, typer.Option("--ruc", metavar="RUC", help="RUC del emisor.")],
    holder: Holder = "",
    authority: Authority = "",
    request: Request = "",
    requested_on: RequestedOn = "",
    mail: Mail = "",
    file: CertificateFile = None,
    pin_file: PinFile = None,
    since: From = "",
    until: Until = "",
    confirm_ruc: ConfirmRuc = False,
    as_json: Json = False,
    profile: Profile = "",
) -> int:
    """Anota una solicitud de certificado o, con --file o con --from y --until, un certificado que ya está listo."""
    from pipeline.domain.certificates import AUTHORITY, Certificate, State

    settings, talk = settings_for(profile, ""), Talk(as_json)
    now = _now(settings)
    dates, said = _dates(file, pin_file, since, until, confirm_ruc)
    asked_on = _day(requested_on, "--requested-on")
    if asked_on is None and dates is None:
        asked_on = _today(now)
    asked = Certificate(
        id=0,
        version=0,
        ruc=ruc.strip(),
        state=State.IN_PROCESS,
        holder=holder or said.get("holder", ""),
        authority=authority or said.get("authority", "") or AUTHORITY,
        request=request.strip(),
        requested_on=asked_on,
        mail=mail.strip(),
    )
    with _registry(settings) as registry:
        one = registry.request(asked, now) if dates is None else registry.register(asked, dates, now)
    return _done(talk, one, settings, now)


@certs.command("edit", cls=SpanishCommand)
def edit_certificate(
    context: typer.Context,
    certificate: Id,
    state: Annotated[
        str,
        typer.Option(
            "--state",
            metavar="ESTADO",
            help="En qué quedó: aceptado, rechazado, completado, vencido (revocado o reemplazado), o en-tramite (una "
            "solicitud rechazada que se envió otra vez). Sin esto corrige los datos de un certificado vigente.",
        ),
    ] = "",
    observations: Annotated[
        str, typer.Option("--observations", metavar="TEXTO", help="Lo que se debe corregir, cuando se rechazó.")
    ] = "",
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXTO", help="Por qué dejó de valer antes de su fecha.")
    ] = "",
    holder: Holder = "",
    authority: Authority = "",
    request: Request = "",
    requested_on: RequestedOn = "",
    mail: Mail = "",
    file: CertificateFile = None,
    pin_file: PinFile = None,
    since: From = "",
    until: Until = "",
    confirm_ruc: ConfirmRuc = False,
    as_json: Json = False,
    profile: Profile = "",
) -> int:
    """Anota en qué quedó una solicitud, o corrige un certificado mientras está vigente. Lo anterior queda anotado."""
    from pipeline.domain.certificates import State

    settings, talk = settings_for(profile, ""), Talk(as_json)
    now, wanted = _now(settings), _state(state)
    texts = {"holder": holder, "authority": authority, "request": request, "mail": mail}
    values: dict[str, Any] = {name: text.strip() for name, text in texts.items() if text.strip()}
    asked_on = _day(requested_on, "--requested-on")
    given = {
        "--observations": bool(observations),
        "--reason": bool(reason),
        "--requested-on": asked_on is not None,
        "--file": file is not None,
        "--from": bool(since),
        "--until": bool(until),
        **{f"--{name}": name in values for name in texts},
    }
    _refuse_unused(wanted, {name for name, there in given.items() if there})
    with _existing(settings, certificate) as registry:
        if wanted is State.IN_PROCESS:
            one = registry.request_again(certificate, asked_on or _today(now), now)
        elif wanted is State.ACCEPTED:
            one = registry.accept(certificate, now)
        elif wanted is State.REJECTED:
            one = registry.reject(certificate, observations.strip(), now)
        elif wanted is State.EXPIRED:
            one = registry.end(certificate, reason.strip(), now)
        else:
            registry.one(certificate)  # before anybody is asked for a PIN
            dates, _ = _dates(file, pin_file, since, until, confirm_ruc, both=wanted is State.COMPLETE)
            if wanted is State.COMPLETE:
                from pipeline.certificates.registry import Dates

                one = registry.complete(certificate, dates or Dates(None, None), now)
            elif not values and dates is None:
                raise WrongUsage("Falta qué corregir.", code="certificado-nada", remedy="Vea la ayuda con --help.")
            else:
                one = registry.edit(certificate, values, now, dates)
        if wanted is State.REJECTED:
            _tell(registry, talk, context, now)
    return _done(talk, one, settings, now)


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
    now = _now(settings)
    with _registry(settings) as registry:
        done = import_file(registry, file, now)
        if not done.mistakes:
            _tell(registry, talk, context, now)
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
    now, records = _now(settings), _known(settings)
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
    now = _now(settings)
    if not _there(settings):
        talk.data({"due": [], "sent": []})
        talk.out.print("No hay certificados registrados.")
        return 0
    with _registry(settings) as registry:
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


# --- what they share


def _now(settings: Settings) -> datetime:
    from pipeline.wiring.rules import make_clock

    return make_clock(settings).now()


def _today(now: datetime) -> date:
    from pipeline.domain.deadline import PANAMA

    return now.astimezone(PANAMA).date()


def _due(settings: Settings) -> Due:
    from pipeline.certificates.calendar import due_day

    return due_day(settings.cert_review_days, settings.cert_holidays)


@contextmanager
def _registry(settings: Settings) -> Iterator[Registry]:
    from pipeline.certificates.registry import Registry
    from pipeline.ledger.ownership import who_am_i
    from pipeline.wiring.office import opened_office

    with opened_office(settings) as office:
        yield Registry(office, settings, who_am_i())


def _existing(settings: Settings, certificate: int) -> AbstractContextManager[Registry]:
    """The same for a record that there should be: without an office database there is none."""
    from pipeline.certificates.registry import missing

    if not _there(settings):
        raise missing(certificate)
    return _registry(settings)


def _there(settings: Settings) -> bool:
    from pipeline.wiring.office import office_exists

    return office_exists(settings)


def _known(settings: Settings) -> list[Certificate]:
    """Every record; none where there is no office database, which is not made for a look."""
    if not _there(settings):
        return []
    with _registry(settings) as registry:
        return registry.all()


def _tell(registry: Registry, talk: Talk, context: typer.Context, now: datetime) -> None:
    """Sends at once what was just put into the outbox."""
    from pipeline.certificates.reminders import deliver
    from pipeline.notify import has_recipients

    if has_recipients(registry.settings):
        for warning in deliver(registry, now, observation_of(context).bus(registry.settings, "certs"))[1]:
            talk.progress.warn(warning)


def _done(talk: Talk, one: Certificate, settings: Settings, now: datetime) -> int:
    from pipeline.certificates.shown import record_data

    due = _due(settings)
    talk.data(record_data(one, now, due))
    _show(talk, one, now, due)
    return 0


def _show(talk: Talk, one: Certificate, now: datetime, due: Due) -> None:
    from pipeline.certificates.shown import what_now
    from pipeline.cli import console
    from pipeline.domain.certificates import state_of

    asked = f"{one.requested_on:%d/%m/%Y}" if one.requested_on is not None else ""
    facts = [
        ("Emisor", one.ruc),
        ("Estado", f"{state_of(one, now)} · {what_now(one, now, due)}"),
        ("Titular", one.holder),
        ("Entidad", one.authority),
        ("Solicitud", " del ".join(part for part in (one.request, asked) if part)),
        ("Correo", one.mail),
        ("Vigente desde", local_time(one.valid_from) if one.valid_from is not None else ""),
        ("Vigente hasta", local_time(one.valid_until) if one.valid_until is not None else ""),
        ("Observaciones", one.observations),
        ("Número de serie", one.serial),
    ]
    console.facts(talk.out, f"Certificado {one.id}", [(name, value) for name, value in facts if value])


def _named(one: Certificate) -> list[str]:
    return [one.holder] if one.holder else []


def _day(text: str, option: str) -> date | None:
    from pipeline.domain.certificates import day_in

    found = day_in(text)
    if text and found is None:
        raise WrongUsage(
            f"«{text[:40]}» no es una fecha.",
            code="certificado-fecha",
            where=option,
            remedy="Escríbala como día/mes/año: 12/11/2026.",
        )
    return found


def _state(text: str) -> State | None:
    from pipeline.domain.certificates import State
    from pipeline.domain.columns import key_of

    if not text:
        return None
    found = {key_of(one.value): one for one in State}.get(key_of(text))
    if found is None:
        raise WrongUsage(
            f"No existe el estado «{text[:40]}».",
            code="certificado-estado-nombre",
            remedy="Escriba en-tramite, aceptado, rechazado, completado o vencido.",
        )
    return found


_DATES = frozenset({"--file", "--from", "--until"})
_TEXTS = frozenset({"--holder", "--authority", "--request", "--mail"})


def _refuse_unused(wanted: State | None, given: set[str]) -> None:
    """Raises ``WrongUsage`` for an option that this change would not use."""
    from pipeline.domain.certificates import State

    used: dict[State | None, frozenset[str]] = {
        None: _DATES | _TEXTS,
        State.IN_PROCESS: frozenset({"--requested-on"}),
        State.ACCEPTED: frozenset(),
        State.REJECTED: frozenset({"--observations"}),
        State.COMPLETE: _DATES,
        State.EXPIRED: frozenset({"--reason"}),
    }
    if unused := sorted(given - used[wanted]):
        what = f"con --state {wanted}" if wanted is not None else "sin --state"
        raise WrongUsage(f"{', '.join(unused)} no se usa {what}.", code="certificado-opcion")


def _dates(
    file: Path | None, pin_file: Path | None, since: str, until: str, confirmed: bool, *, both: bool = True
) -> tuple[Dates | None, dict[str, str]]:
    """Dates that were given, and what a file says of holder and authority; None where nothing was given."""
    from pipeline.certificates.registry import Dates
    from pipeline.domain.certificates import end_of, start_of

    if file is not None:
        if since or until:
            raise WrongUsage(
                "Con --file no hacen falta --from ni --until: el archivo las trae.", code="certificado-opcion"
            )
        from pipeline.certificates.file import read_certificate

        told = read_certificate(file, _pin(file, pin_file))
        dates = Dates(told.valid_from, told.valid_until, told.serial, told.fingerprint, told.rucs, confirmed)
        return dates, {"holder": told.holder, "authority": told.authority}
    first, last = _day(since, "--from"), _day(until, "--until")
    if first is None and last is None:
        return None, {}
    if both and (first is None or last is None):
        raise WrongUsage("Indique las dos fechas: --from y --until.", code="certificado-fechas")
    begins = start_of(first) if first is not None else None
    return Dates(begins, end_of(last) if last is not None else None), {}


def _pin(file: Path, pin_file: Path | None) -> Callable[[], SecretStr]:
    """The PIN of ``file``, when it is needed: from a file, standard input, or a person. Never from the command line."""
    from pydantic import SecretStr

    def ask() -> SecretStr:
        if pin_file is not None and str(pin_file) != "-":
            from pipeline.settings.load import secret_file

            return SecretStr(secret_file(pin_file, "--pin-file"))
        if pin_file is not None:
            return SecretStr(sys.stdin.readline().rstrip("\r\n"))
        if not sys.stdin.isatty():
            raise WrongUsage(
                "Sin una terminal no se puede pedir el PIN.",
                code="certificado-sin-pin",
                remedy="Agregue --pin-file con un archivo que solo usted pueda leer, o - para la entrada estándar.",
            )
        return SecretStr(typer.prompt(f"PIN de {file.name}", default="", show_default=False, hide_input=True))

    return ask
