"""``anular doctor``: what is configured, and whether everything that a run needs answers. Cancels nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from pipeline.domain.errors import AnularError, RequestFailed
from pipeline.edoc.transport import Transport
from pipeline.ledger.storage.location import location_of, shown
from pipeline.runtime.clock import Clock
from pipeline.settings.load import config_path
from pipeline.settings.model import ENV_WORDS, Settings
from pipeline.wiring.rules import without_issuers
from pipeline.wiring.service import Service, open_service

SKEW_S = 120.0
"""A clock that is off by more than this makes the recorded times hard to compare with the authority's."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check: its name, whether it is as it should be, and words."""

    name: str
    good: bool
    words: str


async def examine(settings: Settings, clock: Clock, base: str) -> list[CheckResult]:
    """All checks. One that fails does not keep the others from being made."""
    findings = [_ledger(settings), *_issuers(settings)]
    try:
        async with open_service(settings, clock, base) as service:
            for number, name in ((16, "Token de anulación"), (3, "Token de consulta")):
                findings.append(await _token(service, number, name))
            for url, name in ((service.urls.cancel, "Anulación"), (service.urls.query, "Consulta")):
                findings.extend(await _address(service.transport, url, name, clock))
    except AnularError as error:
        findings.append(CheckResult("Servicio", False, error.sentence))
    return findings


def configuration(settings: Settings) -> list[tuple[str, str]]:
    """Every setting with its value; secrets masked by their type."""
    rows = [("Configuración", str(config_path())), ("Ambiente", ENV_WORDS[settings.env])]
    for name, value in settings.model_dump().items():
        if name == "ledger":
            value = shown(str(value))
        elif name.endswith("_url") and value:
            value = masked(str(value))
        if name != "env":
            rows.append((f"ANULAR_{name.upper()}", _shown(value)))
    return rows


def as_data(settings: Settings, findings: list[CheckResult]) -> dict[str, Any]:
    """The ``--json`` answer."""
    return {"settings": dict(configuration(settings)), "checks": [asdict(finding) for finding in findings]}


def masked(url: str) -> str:
    """Scheme, host and port of ``url``; user, path and query may hold a secret (a webhook's often does)."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}" + ("/…" if parts.path.strip("/") or parts.query else "")


def _shown(value: object) -> str:
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "—"
    return str(value.value if isinstance(value, Enum) else "" if value is None else value) or "—"


def _ledger(settings: Settings) -> CheckResult:
    try:
        location = location_of(settings.ledger)
        if not location.exists():
            return CheckResult("Historial de envíos", True, f"aún no existe; se creará en {location.place}")
        database = location.open_to_read()
        try:
            faults = database.structure("quick_check")
        finally:
            database.close()
    except AnularError as error:
        return CheckResult("Historial de envíos", False, error.sentence)
    return CheckResult("Historial de envíos", not faults, f"{location.place}: {faults[0][1] if faults else 'íntegro'}")


def _issuers(settings: Settings) -> list[CheckResult]:
    missing = without_issuers(settings)
    return [CheckResult("RUC de la empresa", False, missing.sentence)] if missing is not None else []


async def _token(service: Service, number: int, name: str) -> CheckResult:
    try:
        await service.tokens.get(number)
    except AnularError as error:
        return CheckResult(name, False, error.sentence)
    return CheckResult(name, True, f"recibido (servicio {number})")


async def _address(transport: Transport, url: str, name: str, clock: Clock) -> list[CheckResult]:
    """Check by a GET without a token: any answer shows that a server is there, and a GET can cancel nothing."""
    try:
        reply = await transport.request("GET", url, headers={})
    except RequestFailed as failure:
        return [CheckResult(name, False, f"no responde ({failure.reason})")]
    findings = [CheckResult(name, reply.status < 500 and reply.status != 404, f"responde (HTTP {reply.status})")]
    try:
        server = parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        return findings
    skew = (clock.now() - server).total_seconds()
    findings.append(CheckResult(f"Reloj frente a {name}", abs(skew) <= SKEW_S, f"diferencia de {skew:.0f} s"))
    return findings
