"""Site of a process: settings of every company, office database, signing key, mail, technical log."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from pipeline.approvals.readers import Readers
from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.ledger.scope import credential_mark
from pipeline.ledger.storage.location import location_of
from pipeline.runtime.atomic_file import sync_file, sync_folder
from pipeline.runtime.patience import replace, unlink
from pipeline.settings.load import load_settings, secret_file
from pipeline.settings.model import HOME, PROGRAM, Env, Settings
from pipeline.web.mail import post_of
from pipeline.web.site import AT_ONCE, Site, company_settings
from pipeline.wiring.credentials import user_of
from pipeline.wiring.many import Ledgers
from pipeline.wiring.office import opened_office
from pipeline.wiring.rules import make_clock

KEY_BYTES = 48
SHORTEST_KEY = 50
"""Signs of a key that a person wrote."""


@contextmanager
def opened_site(settings: Settings | None = None, *, last_mails_s: float = 5.0) -> Iterator[Site]:
    """The site, with its tables up to date and Django configured: once in a process. At its end mails that wait get
    ``last_mails_s`` seconds.

    Raises ``WrongUsage``, ``StorageTrouble``, ``AnotherRun``.
    """
    base = settings or load_settings("")
    check_place(base)
    companies = company_settings()
    check_apart(companies)
    with opened_office(base) as office, _log_of(base) as log, Ledgers(AT_ONCE) as ledgers:
        url = base.web_url or f"http://localhost:{base.web_port}"
        post = post_of(base, log)
        clock = make_clock(base)
        readers = Readers(clock)
        site = Site(base, companies, clock, keys_of(base), url, office, post, log, readers, ledgers)
        from pipeline.web.conf import configure

        configure(site)
        from pipeline.web.migrate import bring_up_to_date

        bring_up_to_date()
        from pipeline.web.screens.shared import check_left_over

        try:
            check_left_over(site)
            yield site
        finally:
            readers.close()
            if post is not None:
                post.close(last_mails_s)


def check_place(settings: Settings) -> None:
    """Raises ``WrongUsage`` for a page that others could reach without https (web.md 1)."""
    at_home = settings.web_host in HOME
    tls = settings.web_tls_cert is not None and settings.web_tls_key is not None
    if (settings.web_tls_cert is None) != (settings.web_tls_key is None):
        raise WrongUsage("Falta ANULAR_WEB_TLS_CERT o ANULAR_WEB_TLS_KEY: van los dos.", code="web-tls")
    if not settings.web_url:
        if not at_home:
            raise WrongUsage(
                f"La página no atiende en {settings.web_host} sin ANULAR_WEB_URL: otros equipos la verían sin https.",
                code="web-host",
                remedy="Defina ANULAR_WEB_URL (https://…) y el certificado, o el proxy que lo tiene.",
            )
        if tls or settings.web_proxy:
            raise WrongUsage(
                "Con un certificado o un proxy hace falta ANULAR_WEB_URL, la dirección que escriben las personas.",
                code="web-url",
            )
        return
    if not tls and not settings.web_proxy:
        raise WrongUsage(
            "ANULAR_WEB_URL es https y faltan ANULAR_WEB_TLS_CERT y ANULAR_WEB_TLS_KEY, o ANULAR_WEB_PROXY.",
            code="web-https",
            remedy="Defina el certificado y su clave, o la dirección del proxy que los tiene.",
        )


def check_apart(companies: Mapping[str, Settings]) -> None:
    """Raises ``WrongUsage`` for two companies of one credential and one ledger (decision 0122).

    A ledger knows credentials, not profiles: the people of one would see the batches of the other. In the sandbox all
    have the same user.
    """
    known: dict[tuple[bytes, str], str] = {}
    for name, one in companies.items():
        if one.env is Env.SANDBOX:
            continue
        try:
            shared = location_of(one.ledger).key, credential_mark(one.env, user_of(one, keyring=False))
        except WrongUsage:  # nothing is sent with it, and nothing shown
            continue
        other = known.setdefault(shared, name)
        if other != name:
            raise WrongUsage(
                f"Los perfiles {other or '(sin nombre)'} y {name} usan el mismo usuario de eDoc y el mismo historial "
                "de envíos: en la página, quien ve una empresa vería también los lotes de la otra.",
                code="web-companies",
                remedy="Dé a cada perfil su propio historial (ledger) o su propio usuario de eDoc.",
            )


def keys_of(settings: Settings) -> tuple[str, ...]:
    """Signing keys: made at the first start, in a file of its owner; a second line is the old key, still accepted.

    Raises ``StorageTrouble``, ``WrongUsage`` for a file that others can read, or a key that is too short.
    """
    path = settings.web_secret_file or user_data_path(PROGRAM) / "anular-web.key"
    if not path.exists() and settings.web_secret_file is None:
        _make(path)
    found = tuple(line.strip() for line in secret_file(path, "ANULAR_WEB_SECRET_FILE").splitlines() if line.strip())
    if not found or any(len(one) < SHORTEST_KEY for one in found):
        raise WrongUsage(
            "La clave de la página es muy corta o el archivo está vacío.",
            code="web-key",
            where=str(path),
            remedy=f"Escriba por lo menos {SHORTEST_KEY} caracteres al azar en una línea.",
        )
    return found[:2]


def _make(path: Path) -> None:
    """Makes the file with a new key; one of several processes does."""
    try:
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}.nuevo")
        handle = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(secrets.token_urlsafe(KEY_BYTES) + "\n")
            out.flush()
            sync_file(out.fileno())
        if not path.exists():
            replace(fresh, path)
        unlink(fresh)
        sync_folder(path.parent)
    except OSError as error:
        raise StorageTrouble(
            "No se pudo guardar la clave de la página.", code="web-key", where=str(path), remedy="Revise los permisos."
        ) from error


@contextmanager
def _log_of(settings: Settings) -> Iterator[Callable[[str, Mapping[str, Any]], None]]:
    """Technical log: the file that the settings name, else standard error."""
    if settings.log is None:
        yield lambda event, facts: print(json.dumps({"event": event, **facts}, default=repr), file=sys.stderr)  # noqa: T201
        return
    from pipeline.telemetry.json_log import JsonLog

    log = JsonLog(settings.log, make_clock(settings))
    try:
        yield log.on_event
    finally:
        log.close()
