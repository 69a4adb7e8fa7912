"""Second factors (S15): who needs one, and that a code works once."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipeline.settings.model import Env
from tests.support.pages import COUNTER, PASSWORD, House
from tests.web.test_log_in import enter, text_of

OUTSIDE: dict[str, Any] = {"env": Env.LAB, "sandbox_now": None, "user": "empresa"}


def code_of(secret: str, ahead: int = 0) -> str:
    """The present code of an application with ``secret``, or a later one."""
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    return str(format_hotp_value(hotp_value(secret, COUNTER + ahead)))


def set_up(client: Any) -> tuple[str, list[str]]:
    """Secret of a new application, and the recovery codes that are shown with it."""
    page = text_of(client.get("/cuenta/segundo-factor"))
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert found, page
    secret = found[1].replace(" ", "")
    answer = client.post("/cuenta/segundo-factor", {"codigo": code_of(secret, -1)})
    assert answer.headers["Location"] == "/cuenta/codigos", text_of(answer)
    return secret, re.findall(r"<code>(\d+)</code>", text_of(client.get("/cuenta/codigos")))


def test_s15_after_the_password_the_code_is_asked_for_and_nothing_is_open_before(house: House, ana):
    secret, _ = set_up(ana)
    client = house.client()
    answer = enter(client, "ana", siguiente="/cuenta")
    assert answer.headers["Location"] == "/entrar/segundo-factor"
    assert client.get("/cuenta").status_code == 302
    assert client.post("/entrar/segundo-factor", {"codigo": "000000"}).status_code == 422
    answer = client.post("/entrar/segundo-factor", {"codigo": code_of(secret)})
    assert answer.headers["Location"] == "/cuenta"
    assert client.get("/cuenta").status_code == 200


def test_s15_a_code_works_once_in_any_session(house: House, ana):
    secret, _ = set_up(ana)
    code = code_of(secret)
    one, two = house.client(), house.client()
    enter(one, "ana")
    enter(two, "ana")
    assert one.post("/entrar/segundo-factor", {"codigo": code}).status_code == 302
    assert two.post("/entrar/segundo-factor", {"codigo": code}).status_code == 422
    assert two.post("/entrar/segundo-factor", {"codigo": code_of(secret, -1)}).status_code == 422, "an older one"


def test_s15_a_recovery_code_works_once(house: House, ana):
    _, codes = set_up(ana)
    assert len(codes) == 10
    for expected in (302, 422):
        client = house.client()
        enter(client, "ana")
        assert client.post("/entrar/segundo-factor", {"codigo": codes[3]}).status_code == expected


def test_recovery_codes_are_shown_once(house: House, ana):
    set_up(ana)
    assert ana.get("/cuenta/codigos").headers["Location"] == "/cuenta/segundo-factor"


def test_s12_codes_are_limited_too(house: House, ana):
    secret, _ = set_up(ana)
    client = house.client()
    enter(client, "ana")
    answers = [client.post("/entrar/segundo-factor", {"codigo": "000000"}).status_code for _ in range(5)]
    assert answers == [422] * 5
    assert client.post("/entrar/segundo-factor", {"codigo": code_of(secret)}).status_code == 429


def test_s15_a_password_that_was_right_is_good_for_five_minutes(house: House, ana):
    secret, _ = set_up(ana)
    client = house.client()
    enter(client, "ana")
    house.later(minutes=5, seconds=1)
    answer = client.post("/entrar/segundo-factor", {"codigo": code_of(secret)})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/entrar")


@pytest.mark.parametrize("house", [OUTSIDE], indirect=True)
def test_s15_outside_the_sandbox_who_approves_or_administers_sets_one_up_first(house: House):
    for name, needed in (("luis", True), ("admin", True), ("ana", False), ("marta", False)):
        client = house.client(name)
        answer = client.get("/")
        assert (answer.status_code == 302) is needed, name
        if needed:
            assert answer.headers["Location"] == "/cuenta/segundo-factor"
            assert client.get("/cuenta").headers["Location"] == "/cuenta/segundo-factor"
            set_up(client)
            assert client.get("/").status_code == 200


@pytest.mark.parametrize("house", [OUTSIDE], indirect=True)
def test_s15_the_only_factor_of_who_needs_one_stays(house: House, luis):
    set_up(luis)
    assert luis.post("/cuenta/segundo-factor/quitar").status_code == 409
    assert luis.get("/").status_code == 200


def test_without_the_need_a_factor_can_be_removed_with_its_codes(house: House, ana):
    _, codes = set_up(ana)
    assert ana.post("/cuenta/segundo-factor/quitar").status_code == 302
    client = house.client()
    assert enter(client, "ana").headers["Location"] == "/"
    assert client.post("/entrar/confirmar", {"codigo": codes[0]}).status_code == 422


def test_s17_a_factor_is_changed_only_after_who_one_is_was_confirmed(house: House, ana):
    house.later(minutes=5, seconds=1)
    answer = ana.get("/cuenta/segundo-factor")
    assert answer.headers["Location"] == "/entrar/confirmar?siguiente=%2Fcuenta%2Fsegundo-factor"
    for where in ("/cuenta/segundo-factor/quitar", "/cuenta/codigos", "/cuenta/llaves"):
        assert ana.post(where).headers["Location"].startswith("/entrar/confirmar"), where
    ana.post("/entrar/confirmar", {"clave": PASSWORD})
    assert ana.get("/cuenta/segundo-factor").status_code == 200


def test_the_secret_is_kept_so_that_the_database_alone_opens_nothing(house: House, ana):
    from allauth.mfa.models import Authenticator

    secret, _ = set_up(ana)
    kept = str([one.data for one in Authenticator.objects.all()])
    assert secret not in kept


def test_the_picture_is_an_element_without_style_or_script(house: House, ana):
    page = text_of(ana.get("/cuenta/segundo-factor"))
    picture = re.search(r"<svg.*?</svg>", page, re.DOTALL)
    assert picture
    assert "style" not in picture[0]
    assert "&lt;svg" not in page


def test_a_key_without_an_answer_opens_nothing(house: House):
    client = house.client()
    assert client.post("/entrar/llave/opciones").json()["publicKey"]["userVerification"] == "required"
    for answer in ("", "{}", "[]", "null", '{"response":{"userHandle":"AQ"}}', "x" * 30_000, '{"response":null}'):
        assert client.post("/entrar/llave", {"respuesta": answer}).status_code == 403, answer[:40]
