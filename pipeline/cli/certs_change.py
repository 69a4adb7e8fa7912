"""``anular certs add`` and ``edit``: what a person records about a request or a certificate."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.certs_office import Id, day_of, done_with, now_of, opened_registry, registry_of, tell
from pipeline.cli.context import Talk, settings_for
from pipeline.cli.options import Json, Profile
from pipeline.domain.errors import WrongUsage

if TYPE_CHECKING:
    from pydantic import SecretStr

    from pipeline.certificates.registry import Dates
    from pipeline.domain.certificates import State

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
    now = now_of(settings)
    dates, said = _dates(file, pin_file, since, until, confirm_ruc)
    asked_on = _day(requested_on, "--requested-on")
    if asked_on is None and dates is None:
        asked_on = day_of(now)
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
    with opened_registry(settings) as registry:
        one = registry.request(asked, now) if dates is None else registry.register(asked, dates, now)
    return done_with(talk, one, settings, now)


def edit_certificate(
    context: typer.Context,
    certificate: Id,
    state: Annotated[
        str,
        typer.Option(
            "--state",
            metavar="ESTADO",
            help="En qué quedó: aceptado, rechazado, completado, vencido (revocado o reemplazado), o en-tramite (una "
            "solicitud rechazada que se envió otra vez). Sin esto corrige los datos de un certificado vigente o de "
            "una solicitud en curso.",
        ),
    ] = "",
    observations: Annotated[
        str, typer.Option("--observations", metavar="TEXTO", help="Lo que se debe corregir, cuando se rechazó.")
    ] = "",
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXTO", help="Por qué dejó de valer antes de su fecha.")
    ] = "",
    ruc: Annotated[str, typer.Option("--ruc", metavar="RUC", help="El RUC correcto, de una solicitud en curso.")] = "",
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
    """Anota en qué quedó una solicitud, o corrige una en curso o un certificado vigente. Lo anterior queda anotado."""
    from pipeline.domain.certificates import State

    settings, talk = settings_for(profile, ""), Talk(as_json)
    now, wanted = now_of(settings), _state(state)
    texts = {"holder": holder, "authority": authority, "request": request, "mail": mail, "ruc": ruc}
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
    with registry_of(settings, certificate) as registry:
        if wanted is State.IN_PROCESS:
            one = registry.request_again(certificate, asked_on or day_of(now), now)
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
            elif not values and dates is None and asked_on is None:
                raise WrongUsage("Falta qué corregir.", code="certificado-nada", remedy="Vea la ayuda con --help.")
            else:
                if asked_on is not None:
                    values["requested_on"] = asked_on
                one = registry.edit(certificate, values, now, dates)
        if wanted is State.REJECTED:
            tell(registry, talk, context, now)
    return done_with(talk, one, settings, now)


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
_TEXTS = frozenset({"--holder", "--authority", "--request", "--mail", "--ruc", "--requested-on"})


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
