"""Generated requests that mean no good (S29): nothing breaks, nobody is let in or led out."""

from __future__ import annotations

import random
import re

import pytest

from tests.support.pages import House

PATHS = (
    "/",
    "/entrar",
    "/cuenta",
    "/usuarios",
    "/usuarios/1",
    "/bitacora",
    "/salud",
    "/empresa",
    "/nada",
    "/estatico/x/anular.css",
)
BITS = (
    *(
        "..",
        "../../etc/passwd",
        "%2e%2e%2f",
        "\\..\\",
        "//evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
    ),
    *("\x00", "\r\nSet-Cookie: a=b", "<script>alert(1)</script>", "' OR 1=1 --", "{{7*7}}", "\u202e", "9" * 400, "-1"),
    *("%00", "%0d%0a", "localhost:8420", "𝕏", "/entrar", "?", "#", "a" * 3000),
)
HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_FORWARDED", "HTTP_REFERER")
MORE = ("HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_ORIGIN", "HTTP_USER_AGENT", "HTTP_ACCEPT", "HTTP_COOKIE")
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD")
FIELDS = (
    "siguiente",
    "usuario",
    "clave",
    "codigo",
    "ruc",
    "empresa",
    "hacer",
    "_method",
    "quien",
    "antes",
    "solicitud",
)
KNOWN = {200, 301, 302, 400, 403, 404, 405, 410, 413, 422, 429, 503}


def as_served(value: str) -> str:
    """A header's value as a server hands it on: its bytes, one sign each, in one line."""
    return value.replace("\r\n", " ").encode().decode("latin-1")


@pytest.mark.parametrize(
    ("name", "seed", "count"),
    [
        ("", 1, 50),
        ("marta", 2, 50),
        *(
            pytest.param(*one, marks=[pytest.mark.long, pytest.mark.sqlite])
            for one in (("", 3, 1000), ("marta", 4, 1000))
        ),
    ],
)
def test_s29_generated_requests_break_nothing_and_open_nothing(house: House, name, seed, count):
    draw = random.Random(seed)
    stranger, seen = not name, set()
    for _ in range(count):
        client = house.client(name)
        path = draw.choice(PATHS) + draw.choice(["", "", "/", *BITS[:4]])
        headers = {draw.choice(HEADERS + MORE): as_served(draw.choice(BITS)) for _ in range(draw.randint(0, 3))}
        if draw.random() < 0.1:
            headers["HTTP_HOST"] = draw.choice(
                ["evil.example", "localhost:8420@evil.example", "localhost:9", "", "a b"]
            )
        if stranger or draw.random() < 0.9:
            headers.pop("HTTP_COOKIE", None)
        fields = {draw.choice(FIELDS): draw.choice(BITS) for _ in range(draw.randint(0, 3))}
        method = draw.choice(METHODS)
        data = fields if method in ("GET", "POST") else ""
        answer = getattr(client, method.lower())(path, data, **headers)
        seen.add(answer.status_code)
        told = (method, path[:80], headers, fields)
        assert answer.status_code in KNOWN, told
        assert "Content-Security-Policy" in answer.headers, told
        where = answer.headers.get("Location", "")
        assert re.fullmatch(r"(|/(?![/\\]).*|http://localhost:8420/.*)", where, re.DOTALL), (told, where)
        body = answer.content.decode("utf-8", "replace")
        assert "<script>alert" not in body, told
        assert "Traceback" not in body, told
        if stranger:
            assert "Ana Pérez" not in body, told
            assert "_auth_user_id" not in dict(client.session), told
        house.later(seconds=1)
    assert house.audit("papel-dado") == []
    assert {event for event, _ in house.lines} <= {"web_refused", "web_alert"}
    assert len(seen) > 4
    assert house.person("ana").state == "activa"


def test_s29_an_address_that_a_client_claims_is_not_believed(house: House):
    client = house.client()
    client.post("/entrar", {"usuario": "ana", "clave": "x"}, HTTP_X_FORWARDED_FOR="10.9.9.9", REMOTE_ADDR="192.0.2.7")
    assert house.audit("entrada")[-1].address == "192.0.2.7"


def test_s29_a_method_that_a_form_claims_is_not_believed(house: House, admin):
    number = house.person("ana").pk
    admin.get(f"/usuarios/{number}", {"hacer": "suspender", "_method": "POST"}, HTTP_X_HTTP_METHOD_OVERRIDE="POST")
    assert house.person("ana").state == "activa"
