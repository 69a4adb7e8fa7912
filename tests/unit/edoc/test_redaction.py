"""What a server gives back of a secret is struck out, however it is written."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.edoc.redaction import STRUCK, WITHHELD, Redaction

PASSWORD = "cláve+secreta/77== &<ñ>"
BODY = '{"estado":6,"MensajeRespuesta":"no vale: %s."}'

FORMS: dict[str, Callable[[str], bytes]] = {
    "as-sent": lambda s: s.encode(),
    "latin-1": lambda s: s.encode("latin-1"),
    "base64": lambda s: base64.b64encode(s.encode()),
    "base64-without-padding": lambda s: base64.b64encode(s.encode()).rstrip(b"="),
    "base64-of-latin-1": lambda s: base64.b64encode(s.encode("latin-1")),
    "base64-for-addresses": lambda s: base64.urlsafe_b64encode(s.encode()),
    "basic": lambda s: base64.b64encode(f"usuario:{s}".encode()),
    "inside-a-longer-base64": lambda s: base64.b64encode(f"Authorization: {s}; y más".encode()),
    "address": lambda s: quote(s, safe="").encode(),
    "address-in-lower-case": lambda s: quote(s, safe="").lower().encode(),
    "form-field": lambda s: quote_plus(s).encode(),
    "address-of-latin-1": lambda s: quote(s.encode("latin-1"), safe="").encode(),
    "html": lambda s: html.escape(s).encode(),
    "html-numbers": lambda s: "".join(f"&#{ord(c)};" for c in s).encode(),
    "html-hex": lambda s: "".join(f"&#x{ord(c):X};" for c in s).encode(),
    "json": lambda s: json.dumps(s)[1:-1].encode(),
    "json-all-escaped": lambda s: "".join(f"\\u{ord(c):04X}" for c in s).encode(),
    "json-slashes": lambda s: s.replace("/", "\\/").encode(),
    "upper-case": lambda s: "".join(c.upper() if c.isascii() else c for c in s).encode(),
}


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_secret_is_struck_out_in_every_form(form: str) -> None:
    written = FORMS[form](PASSWORD)
    struck = Redaction([PASSWORD]).strike(BODY.encode().replace(b"%s", written))
    assert written not in struck
    assert STRUCK in struck
    assert struck.startswith(b'{"estado":6,"MensajeRespuesta":"no vale: ')


@pytest.mark.parametrize("form", [form for form in FORMS if form != "latin-1"], ids=str)
def test_a_secret_in_two_wrappings_takes_the_whole_answer_with_it_or_is_struck_out(form: str) -> None:
    once = FORMS[form](PASSWORD).decode()
    twice = html.escape(json.dumps(quote(once, safe=""))).encode()
    struck = Redaction([PASSWORD]).strike(b"{" + twice + b"}")
    assert STRUCK in struck or struck == WITHHELD


@pytest.mark.parametrize(
    "form", ["a/b+c==", "a%2Fb%2Bc%3D%3D", "a%2fb%2bc%3d%3d", "a\\/b+c==", "a\\u002Fb\\u002bc==", "a\\/b%2Bc\\u003D="]
)
def test_a_token_is_struck_out_with_its_letters_escaped(form: str) -> None:
    assert Redaction(["a/b+c=="]).strike(f"x {form} y".encode()) == b"x [secreto] y"


def test_an_answer_without_a_secret_stays_as_it_is() -> None:
    body = b'{"a":"x%41y","b":"\\u0041\\/%2B&amp;","estado":2}'
    assert Redaction(["zzzz", PASSWORD]).strike(body) is body


def test_a_secret_that_looks_escaped_itself_is_struck_out() -> None:
    assert Redaction(["x%41y"]).strike(b'{"a":"x%41y"}') == b'{"a":"[secreto]"}'


def test_a_secret_too_short_to_be_told_from_ordinary_text_leaves_the_answer_readable() -> None:
    assert Redaction(["2", "600", ""]).strike(b'{"estado":2,"codigoRespuestaDGI":"0600"}').startswith(b'{"estado":2')


@settings(deadline=None)
@given(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x17F), min_size=6, max_size=24),
    st.sampled_from(list(FORMS)),
)
def test_whatever_the_secret_is_it_is_not_there_afterwards(secret: str, form: str) -> None:
    try:
        written = FORMS[form](secret)
    except UnicodeEncodeError:
        return
    redaction = Redaction([secret])
    struck = redaction.strike(b'{"x":"' + written + b'"}')
    assert written not in struck
    assert secret.encode() not in struck
    assert redaction.strike(struck) == struck
