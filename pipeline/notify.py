"""Notifications of how a run ended, by e-mail, webhook, or both: a summary and the workbook's path; no CUFE, no secret.

One that cannot be delivered never fails the run: it is one line of warning.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.domain.visible import one_line
from pipeline.runtime.tls import client_context
from pipeline.settings.model import PROGRAM, VERSION, Settings
from pipeline.telemetry.events import SILENT, EventBus

EACH_S = 20.0
"""Seconds for one answer of a server; for a channel as a whole twice as much."""
SIGNATURE = "X-Anular-Signature"


@dataclass(frozen=True, slots=True)
class Notification:
    """Notification of a run, for a person and for a machine."""

    #: subject of the e-mail, one line
    subject: str
    #: text for a person
    lines: Sequence[str]
    #: the same for a machine; becomes JSON
    data: object


class _Undelivered(Exception):
    """Failure of a channel: its reason, as a Spanish phrase."""


def send(settings: Settings, notification: Notification, bus: EventBus = SILENT) -> list[str]:
    """Sends a notification by every configured channel; returns a Spanish sentence for each failure. Never raises."""
    if settings.company:
        notification = replace(notification, subject=f"[{settings.company}] {notification.subject}")
    channels: list[tuple[str, str, Callable[[], None]]] = []
    if settings.mail_host and settings.mail_to:
        channels.append(("mail", "el correo", lambda: _mail(settings, notification)))
    if settings.webhook_url:
        channels.append(("webhook", "el webhook", lambda: _hook(settings, notification)))
    warnings = []
    for kind, name, deliver in channels:
        if (why := _within(2 * EACH_S, deliver)) is not None:
            bus.note("not_told", channel=kind, why=why)
            warnings.append(f"No se pudo avisar por {name}: {why}. Lo procesado no cambia.")
        else:
            bus.note("told", channel=kind)
    return warnings


def _within(seconds: float, send: Callable[[], None]) -> str | None:
    """Why ``send`` failed, in words that come from us alone; None when it did not. A server that dribbles is left."""
    said: list[str] = []
    done = threading.Event()

    def attempt() -> None:
        try:
            send()
        except _Undelivered as error:
            said.append(str(error))
        except Exception as error:
            said.append(_reason(error))
        finally:
            done.set()

    threading.Thread(target=attempt, name="avisos", daemon=True).start()
    if not done.wait(seconds):
        return f"no terminó en {seconds:g} segundos"
    return said[0] if said else None


def _reason(error: Exception) -> str:
    """Never what a server said: it might repeat a password."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"el servidor respondió {error.smtp_code} ({type(error).__name__})"
    if isinstance(error, TimeoutError):
        return "el servidor no respondió a tiempo"
    if isinstance(error, ssl.SSLError):
        return "el certificado del servidor no es de fiar"
    if isinstance(error, OSError | HTTPException | smtplib.SMTPException):
        return type(error).__name__
    return f"error interno ({type(error).__name__})"


def _mail(settings: Settings, notification: Notification) -> None:
    message = EmailMessage()
    message["Subject"] = one_line(notification.subject)[:200]
    message["From"] = settings.mail_from or settings.mail_user
    message["To"] = ", ".join(sorted(settings.mail_to))
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(domain=PROGRAM)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(one_line(line) if line else "" for line in notification.lines) + "\n")
    context = client_context()
    host, port = settings.mail_host, settings.mail_port
    server: Any = (
        smtplib.SMTP_SSL(host, port, timeout=EACH_S, context=context)
        if settings.mail_security == "tls"
        else smtplib.SMTP(host, port, timeout=EACH_S)
    )
    with server:
        if settings.mail_security == "starttls":
            server.starttls(context=context)
        if settings.mail_user and (password := settings.mail_password.get_secret_value()):
            if not (settings.mail_user + password).isascii():  # smtplib speaks ASCII there
                raise _Undelivered("el usuario o la contraseña del correo solo puede tener letras sin acento")
            server.login(settings.mail_user, password)
        if refused := server.send_message(message):
            raise _Undelivered(f"el servidor no aceptó {len(refused)} de los destinatarios")


def _hook(settings: Settings, notification: Notification) -> None:
    parts = urlsplit(settings.webhook_url)
    body = json.dumps(
        {"subject": notification.subject, "lines": [*notification.lines], "data": notification.data}
    ).encode()
    headers = {"Content-Type": "application/json", "User-Agent": f"{PROGRAM}/{VERSION}"}
    if (path := settings.webhook_key_file) is not None:
        headers[SIGNATURE] = f"sha256={hmac.new(_key(path), body, hashlib.sha256).hexdigest()}"
    host = parts.hostname or ""
    connection: HTTPConnection = (
        HTTPSConnection(host, parts.port, timeout=EACH_S, context=client_context())
        if parts.scheme == "https"
        else HTTPConnection(host, parts.port, timeout=EACH_S)
    )
    try:
        connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
        status = connection.getresponse().status  # redirects are not followed: the address is the one written down
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise _Undelivered(f"el servidor respondió HTTP {status}")


def _key(path: Path) -> bytes:
    try:
        return path.read_bytes().rstrip(b"\r\n")
    except OSError:
        raise _Undelivered("no se puede leer el archivo con la clave del webhook") from None
