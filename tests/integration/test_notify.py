"""People are told by a real mail server and a real web server, both on this machine; failing to tell fails nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import ssl
import threading
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from pydantic import SecretStr

from pipeline.notify import SIGNATURE, Notification, send
from pipeline.settings.model import Settings

SECRET = "clave-del-correo-77"
LETTER = Notification("1 retenida\r\nBcc: otro@example.com", ["Libro: /r/lote.xlsx", "", "ñandú"], [{"batch": "b-1"}])


class Box:
    """Keeps what a mail server was given."""

    def __init__(self):
        self.mails = []
        self.logins = []

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802 - the name that aiosmtpd calls
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"

    def authenticate(self, _server, _session, _envelope, mechanism, data):
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password.decode() == SECRET, handled=False)


@pytest.fixture
def box():
    return Box()


@pytest.fixture
def mail_server(box, monkeypatch, tmp_path):
    """``mail_server(**options)`` starts one on a free port of this machine and gives the port."""
    started = []
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def start(*, trusted=True, **options):
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        if options.pop("starttls", False):
            options |= {"tls_context": context, "require_starttls": True}
        server = Controller(box, hostname="127.0.0.1", port=port, **options)
        server.start()
        started.append(server)
        return port

    yield start
    for server in started:
        server.stop()


def settings(**more: Any) -> Settings:
    values: dict[str, Any] = {"mail_to": "ana@example.com,luis@example.com", "mail_from": "anular@example.com", **more}
    return Settings(**values)


def test_a_mail_goes_to_everybody_with_the_summary_and_without_new_headers(mail_server, box):
    port = mail_server()
    assert send(settings(mail_host="127.0.0.1", mail_port=port, mail_security="none"), LETTER) == []
    ((to, mail),) = box.mails
    assert sorted(to) == ["ana@example.com", "luis@example.com"]
    assert mail["Bcc"] is None
    assert mail["Subject"] == "1 retenida Bcc: otro@example.com"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().split() == ["Libro:", "/r/lote.xlsx", "ñandú"]


def test_a_mail_says_whose_it_is(mail_server, box):
    port = mail_server()
    given = settings(mail_host="127.0.0.1", mail_port=port, mail_security="none", company="Comercial Norte, S.A.")
    assert send(given, LETTER) == []
    assert box.mails[0][1]["Subject"].startswith("[Comercial Norte, S.A.] 1 retenida")


CUFE = "FE0120000155999991-2-2026-070000202611180000000099001012000000000" + "1"


def test_no_code_leaves_by_mail_or_webhook_whatever_an_error_says(mail_server, box, hook):
    notification = Notification("1 problema", [f"✗ El documento {CUFE} no consta."], [{"why": f"El documento {CUFE}."}])
    port = mail_server()
    given = settings(mail_host="127.0.0.1", mail_port=port, mail_security="none", webhook_url=hook.url)

    assert send(given, notification) == []
    mail, (_, _, body) = box.mails[0][1], hook.got[0]
    assert "El documento (CUFE: vea el libro) no consta." in mail.get_content()
    assert CUFE not in mail.as_string() + body.decode()
    assert json.loads(body)["data"] == [{"why": "El documento (CUFE: vea el libro)."}]


def test_a_command_that_is_suggested_leads_to_the_same_company(mail_server, box):
    given = settings(mail_host="127.0.0.1", mail_port=mail_server(), mail_security="none", profile="norte")

    assert send(given, Notification("s", ["Ejecute «anular poll 2026».", "«anular poll --profile sur»"], [])) == []
    assert box.mails[0][1].get_content().splitlines() == [
        "Ejecute «anular poll 2026 --profile norte».",
        "«anular poll --profile sur»",
    ]


@pytest.fixture
def books(tmp_path: Path) -> list[Path]:
    """Two workbooks, of 4 MB and of a few bytes, and the name of one that is not there."""
    made = [tmp_path / "noviembre.xlsx", tmp_path / "año.xlsx", tmp_path / "perdido.xlsx"]
    made[0].write_bytes(b"n" * 4 * 1_048_576)
    made[1].write_bytes(b"PK")
    return made


def attached(box: Box) -> dict[str, bytes]:
    return {part.get_filename(): part.get_content() for part in box.mails[0][1].iter_attachments()}


def test_the_workbook_is_attached_only_where_the_office_wants_it(mail_server, box, books):
    port = mail_server()
    notification = Notification("22 anuladas", ["Libro: a"], [], books[1:2])
    given = settings(mail_host="127.0.0.1", mail_port=port, mail_security="none")
    assert send(given, notification) == []
    assert attached(box) == {}
    box.mails.clear()

    assert send(given.model_copy(update={"mail_attach": "on"}), notification) == []
    assert attached(box) == {"año.xlsx": b"PK"}
    assert box.mails[0][1].get_body().get_content().splitlines() == ["Libro: a", "Adjunto: año.xlsx"]


def test_what_does_not_fit_or_is_not_there_is_said_with_its_place(mail_server, box, books, tmp_path):
    large = tmp_path / "diciembre.xlsx"
    large.write_bytes(b"d" * (2 * 1_048_576))
    given = settings(mail_host="127.0.0.1", mail_port=mail_server(data_size_limit=20_000_000), mail_security="none")

    assert send(given.model_copy(update={"mail_attach": "on"}), Notification("s", [], [], [*books, large])) == []
    assert list(attached(box)) == ["año.xlsx", "diciembre.xlsx"]
    said = box.mails[0][1].get_body().get_content()
    assert f"No va adjunto noviembre.xlsx (4.0 MB; un correo lleva hasta 5): está en {tmp_path}." in said
    assert f"No se pudo adjuntar perdido.xlsx: está en {tmp_path}." in said


def test_with_starttls_the_password_goes_only_through_the_tunnel(mail_server, box):
    port = mail_server(starttls=True, authenticator=box.authenticate, auth_required=True)
    given = settings(mail_host="127.0.0.1", mail_port=port, mail_user="yo", mail_password=SecretStr(SECRET))
    assert send(given, LETTER) == []
    assert box.logins == [("yo", SECRET)]
    assert len(box.mails) == 1


def test_a_refused_password_is_one_sentence_without_the_password(mail_server, box):
    port = mail_server(starttls=True, authenticator=box.authenticate, auth_required=True)
    given = settings(mail_host="127.0.0.1", mail_port=port, mail_user="yo", mail_password=SecretStr("otra-clave"))
    (warning,) = send(given, LETTER)
    assert warning.startswith("No se pudo avisar por el correo: el servidor respondió 535")
    assert "otra-clave" not in warning
    assert box.mails == []


def test_a_password_that_mail_cannot_carry_is_told_as_such(mail_server, box):
    port = mail_server(starttls=True, authenticator=box.authenticate, auth_required=True)
    given = settings(mail_host="127.0.0.1", mail_port=port, mail_user="yo", mail_password=SecretStr("cláve"))
    (warning,) = send(given, LETTER)
    assert "solo puede tener letras sin acento" in warning


def test_a_server_without_encryption_or_with_a_strange_certificate_gets_no_mail(mail_server, box):
    plain = mail_server(trusted=False)
    assert len(send(settings(mail_host="127.0.0.1", mail_port=plain), LETTER)) == 1
    strange = mail_server(starttls=True, trusted=False)
    (warning,) = send(settings(mail_host="127.0.0.1", mail_port=strange), LETTER)
    assert "certificado" in warning
    assert box.mails == []


def test_a_server_that_is_not_there_is_one_sentence():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (warning,) = send(settings(mail_host="127.0.0.1", mail_port=port), LETTER)
    assert warning == "No se pudo avisar por el correo: ConnectionRefusedError. Lo procesado no cambia."


def test_nobody_is_told_when_nobody_is_configured():
    assert send(settings(), LETTER) == []


@pytest.fixture
def hook():
    """A web server that keeps what it is given and answers ``hook.status``."""
    got = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(server.status)
            self.send_header("Location", "/otra")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server: Any = HTTPServer(("127.0.0.1", 0), Answers)
    server.status, server.got, server.url = 204, got, f"http://127.0.0.1:{server.server_port}/aviso?de=anular"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_webhook_gets_the_summary_signed(hook, tmp_path):
    (tmp_path / "clave").write_text("una clave compartida\n")
    given = settings(webhook_url=hook.url, webhook_key_file=tmp_path / "clave")
    assert send(given, LETTER) == []
    ((path, headers, body),) = hook.got
    assert path == "/aviso?de=anular"
    assert json.loads(body)["data"] == [{"batch": "b-1"}]
    expected = hmac.new(b"una clave compartida", body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == f"sha256={expected}"


@pytest.mark.parametrize("status", [302, 401, 500])
def test_a_webhook_that_refuses_or_points_elsewhere_is_one_sentence(hook, status):
    hook.status = status
    (warning,) = send(settings(webhook_url=hook.url), LETTER)
    assert f"HTTP {status}" in warning
    assert len(hook.got) == 1, "no redirect is followed and nothing is tried again"


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://127.0.0.1/x", "https://yo:clave@example.com/"])
def test_a_webhook_that_is_not_safe_is_refused_at_the_start(url):
    with pytest.raises(ValueError, match="webhook_url"):
        settings(webhook_url=url)


def test_mail_without_encryption_leaves_this_machine_never():
    with pytest.raises(ValueError, match="MAIL_SECURITY"):
        settings(mail_host="mail.example.com", mail_security="none")
