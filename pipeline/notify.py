"""Notifications of how a run ended, by e-mail, webhook, or both: a summary and the workbook's path; the workbook itself
only where the settings say so. No CUFE, no secret.

One that cannot be delivered never fails the run: it is one line of warning.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import smtplib
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipeline.domain.visible import one_line
from pipeline.runtime.tls import client_context
from pipeline.settings.model import PROGRAM, VERSION, Settings
from pipeline.telemetry.events import SILENT, EventBus

if TYPE_CHECKING:
    from pipeline.office.database import Office

EACH_S = 20.0
"""Seconds for one answer of a server; for a channel as a whole twice as much."""
SIGNATURE = "X-Anular-Signature"
MEGABYTE = 1_048_576
MOST_ATTACHED = 5 * MEGABYTE
"""Bytes of all the workbooks of one mail: what mail servers take without asking."""
_XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")
_CODE = re.compile(r"FE[0-9]{2}[0-9A-Za-z-]{62}")
_CODE_WORDS = "(CUFE: vea el libro)"


@dataclass(frozen=True, slots=True)
class Notification:
    """Notification of a run, for a person and for a machine."""

    #: subject of the e-mail, one line
    subject: str
    #: text for a person
    lines: Sequence[str]
    #: the same for a machine; becomes JSON
    data: object
    #: results workbooks, which a mail carries where the settings say so
    workbooks: Sequence[Path] = ()


class _Undelivered(Exception):
    """Failure of a channel: its reason, as a Spanish phrase."""


def has_recipients(settings: Settings) -> bool:
    """Whether the settings name a recipient of notifications."""
    return bool((settings.mail_host and settings.mail_to) or settings.webhook_url)


def deliver(
    office: Office, settings: Settings, beginning: str, now: datetime, bus: EventBus = SILENT
) -> tuple[list[str], list[str]]:
    """Sends every message of the outbox whose key begins so, each once however many processes do this: the subjects of
    those sent, and a sentence for each failure. What no channel took waits for the next time."""
    from pipeline.office import outbox

    channels = bool(settings.mail_host and settings.mail_to) + bool(settings.webhook_url)
    sent: list[str] = []
    warnings: list[str] = []
    for message in outbox.waiting(office, settings.profile, beginning) if channels else []:
        if not outbox.claim(office, message, now):
            continue
        told = message.notification
        failed = send(settings, Notification(told["subject"], told["lines"], told["data"]), bus)
        warnings += failed
        if len(failed) == channels:
            outbox.give_back(office, message)
        else:
            sent.append(str(told["subject"]))
    return sent, warnings


def send(settings: Settings, notification: Notification, bus: EventBus = SILENT) -> list[str]:
    """Sends a notification by every configured channel; returns a Spanish sentence for each failure. Never raises."""
    subject = f"[{settings.company}] {notification.subject}" if settings.company else notification.subject
    lines = [_without_codes(settings.here.complete(one)) for one in notification.lines]
    notification = replace(notification, subject=_without_codes(subject), lines=lines)
    channels: list[tuple[str, str, Callable[[], None]]] = []
    if settings.mail_host and settings.mail_to:
        channels.append(("mail", "el correo", lambda: _mail(settings, notification)))
    if settings.webhook_url:
        channels.append(("webhook", "el webhook", lambda: _hook(settings, notification)))
    warnings = []
    for kind, name, deliver_by in channels:
        if (why := _within(2 * EACH_S, deliver_by)) is not None:
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
    attached, told = _attached(notification.workbooks) if settings.mail_attach == "on" else ([], [])
    lines = [*notification.lines, *told]
    message.set_content("\n".join(_printed(line) for line in lines) + "\n")
    for path, content in attached:
        kind, sort = _XLSX
        message.add_attachment(content, maintype=kind, subtype=sort, filename=one_line(path.name))
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


def _printed(line: str) -> str:
    """One line of a mail, with its indentation; no line of an input makes two."""
    start = len(line) - len(line.lstrip(" "))
    return " " * start + one_line(line)


def _without_codes(text: str) -> str:
    """``text`` without a CUFE: a mail is no place for one, and errors may name the document that they are about."""
    return _CODE.sub(_CODE_WORDS, text)


def _attached(workbooks: Sequence[Path]) -> tuple[list[tuple[Path, bytes]], list[str]]:
    """The workbooks that the mail carries, the smallest first while they fit, and a line for each one about it."""
    found, told, room = [], [], MOST_ATTACHED
    for path in sorted(workbooks, key=_size):
        try:
            size = path.stat().st_size
            content = path.read_bytes() if size <= room else None
        except OSError:
            told.append(f"No se pudo adjuntar {path.name}: está en {path.parent}.")
            continue
        if content is None:
            much = f"{size / MEGABYTE:.1f} MB; un correo lleva hasta {MOST_ATTACHED // MEGABYTE}"
            told.append(f"No va adjunto {path.name} ({much}): está en {path.parent}.")
            continue
        room -= size
        found.append((path, content))
        told.append(f"Adjunto: {path.name}")
    return found, told


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _hook(settings: Settings, notification: Notification) -> None:
    parts = urlsplit(settings.webhook_url)
    content = {"subject": notification.subject, "lines": [*notification.lines], "data": notification.data}
    body = _without_codes(json.dumps(content)).encode()
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
