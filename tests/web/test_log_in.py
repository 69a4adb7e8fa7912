"""Log-in, its limits, the second factor, and sessions (S05 to S09, S12, S13, S15)."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.support.pages import PASSWORD, House

WRONG = "Usuario o contraseña incorrectos."
TOO_MANY = "Demasiados intentos. Espere unos minutos."


def enter(client: Any, user: str, password: str = PASSWORD, **more: Any) -> Any:
    return client.post("/entrar", {"usuario": user, "clave": password, **more})


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def shape(answer: Any) -> str:
    """The page without what is another one each time."""
    return re.sub(r'value="[^"]*"', "", text_of(answer))


def test_who_knows_the_password_comes_in_and_goes_where_they_wanted(house: House):
    client = house.client()
    assert client.get("/cuenta").headers["Location"] == "/entrar?siguiente=%2Fcuenta"
    answer = enter(client, "ana", siguiente="/cuenta")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/cuenta")
    assert client.get("/cuenta").status_code == 200


def test_the_mail_address_is_taken_as_user_name_in_any_case(house: House):
    assert enter(house.client(), "Ana@Empresa.example").status_code == 302
    assert enter(house.client(), " LUIS ").status_code == 302


def test_s13_wrong_and_unknown_get_the_same_status_words_and_size(house: House):
    answers = [enter(house.client(), "ana", "no es esta"), enter(house.client(), "nobody", "no es esta")]
    assert [one.status_code for one in answers] == [422, 422]
    assert shape(answers[0]) == shape(answers[1])
    assert WRONG in text_of(answers[0])


def test_s13_the_same_work_is_done_for_nobody(house: House, monkeypatch):
    from pipeline.web.access import passwords

    done: list[str] = []
    encode, verify = passwords.Hasher.encode, passwords.Hasher.verify
    monkeypatch.setattr(passwords.Hasher, "encode", lambda *a: (done.append("hash"), encode(*a))[1])
    monkeypatch.setattr(passwords.Hasher, "verify", lambda *a: (done.append("hash"), verify(*a))[1])
    for user in ("ana", "nobody", "invitada"):
        done.clear()
        enter(house.client(), user, "no es esta")
        assert done == ["hash"], user


def test_s12_after_five_failures_even_the_right_password_is_refused_without_work_and_it_ends_by_itself(
    house: House, monkeypatch
):
    client = house.client()
    for _ in range(5):
        assert enter(client, "ana", "no es esta").status_code == 422
    from pipeline.web.access import log_in

    with monkeypatch.context() as patch:
        patch.setattr(log_in, "right", lambda *_: pytest.fail("a refused try does no work"))
        for password in ("no es esta", PASSWORD):
            answer = enter(client, "ana", password)
            assert answer.status_code == 429
            assert TOO_MANY in text_of(answer)
    assert enter(client, "ana@empresa.example").status_code == 429, "the address is the same person"
    assert enter(client, "luis").status_code == 302, "another person is not affected"
    house.later(minutes=5, seconds=1)
    assert enter(house.client(), "ana").status_code == 302


def test_s12_an_unknown_name_is_limited_like_a_known_one(house: House):
    answers = [enter(house.client(), "nobody", "no es esta").status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


def test_s12_ten_failures_a_minute_from_one_address_are_the_most(house: House):
    client = house.client()
    answers = [enter(client, f"nobody{number}", "no es esta").status_code for number in range(11)]
    assert answers == [422] * 10 + [429]
    house.later(minutes=1, seconds=1)
    assert enter(client, "ana").status_code == 302


def test_s12_a_right_log_in_between_gives_an_address_no_more_tries(house: House):
    client = house.client()
    answers = []
    for number in range(12):
        answers.append(enter(client, f"nobody{number}", "no es esta").status_code)
        if number == 8:
            assert enter(house.client(), "ana").status_code == 302
    assert answers == [422] * 10 + [429] * 2


def test_s12_many_failures_in_an_hour_are_told_once(house: House):
    for _ in range(5):
        for _ in range(5):
            enter(house.client(), "ana", "no es esta")
        house.later(minutes=6)
    assert len(house.audit("alerta")) == 1
    assert [event for event, _ in house.lines].count("web_alert") == 1


def test_s05_the_session_gets_a_new_id_of_at_least_128_bits_at_log_in(house: House):
    client = house.client()
    name = "anular-8420"
    enter(client, "ana")
    first = client.cookies[name].value
    client.post("/salir")
    enter(client, "ana")
    assert client.cookies[name].value != first
    assert re.fullmatch(r"[a-z0-9]{32}", first), "32 of 36 signs are 165 bits"


def test_s05_who_reads_the_database_enters_no_session(house: House, ana):
    """What lies there is the digest of what the cookie holds (decision 0121)."""
    from pipeline.web.models import WebSession

    cookie = ana.cookies["anular-8420"].value
    (line,) = WebSession.objects.filter(person=house.person("ana")).values()
    assert cookie not in str(line)
    thief = house.client()
    thief.cookies["anular-8420"] = line["session_key"]
    assert thief.get("/cuenta").status_code == 302
    assert ana.get("/cuenta").status_code == 200


def test_s05_a_session_that_somebody_planted_is_not_the_one_after_log_in(house: House):
    client = house.client()
    client.cookies["anular-8420"] = "a" * 32
    enter(client, "ana")
    assert client.cookies["anular-8420"].value != "a" * 32


def test_s05_confirming_who_one_is_changes_the_id(house: House, ana):
    before = ana.cookies["anular-8420"].value
    answer = ana.post("/entrar/confirmar", {"clave": PASSWORD, "siguiente": "/cuenta"})
    assert answer.headers["Location"] == "/cuenta"
    assert ana.cookies["anular-8420"].value != before
    assert ana.get("/cuenta").status_code == 200


def test_s06_a_session_ends_after_15_minutes_without_use_and_says_that_the_sending_goes_on(house: House, ana):
    house.later(minutes=15)
    assert ana.get("/").status_code == 200
    house.later(minutes=15, seconds=1)
    answer = ana.get("/")
    assert answer.headers["Location"] == "/entrar?fin=1"
    assert "Su sesión terminó; el envío sigue." in text_of(ana.get("/entrar?fin=1"))


def test_s06_a_session_ends_after_8_hours_in_any_case(house: House, ana):
    for _ in range(8 * 6):
        assert ana.get("/").status_code == 200
        house.later(minutes=10)
    house.later(seconds=1)
    assert ana.get("/").status_code == 302


def test_s06_what_a_page_asks_for_by_itself_is_no_use(house: House, ana, monkeypatch):
    from dataclasses import replace

    from pipeline.web import urls

    monkeypatch.setitem(urls.ROUTES, "account", replace(urls.ROUTES["account"], passive=True))
    for _ in range(3):
        house.later(minutes=5)
        assert ana.get("/cuenta").status_code == 200
    house.later(seconds=1)
    assert ana.get("/cuenta").status_code == 302


def test_s06_a_person_can_stay(house: House, ana):
    house.later(minutes=14)
    assert ana.post("/sesion").status_code == 204
    house.later(minutes=14)
    assert ana.get("/").status_code == 200


def test_a_session_from_a_clock_that_went_back_is_over(house: House, ana):
    house.later(hours=-2)
    assert ana.get("/").status_code == 302


def test_s07_after_log_out_nothing_of_the_session_is_left(house: House, ana):
    from pipeline.web.access.sessions import kept_key
    from pipeline.web.models import WebSession

    key = ana.cookies["anular-8420"].value
    assert WebSession.objects.filter(session_key=kept_key(key)).exists()
    assert "no-store" in ana.get("/").headers["Cache-Control"]
    ana.post("/salir")
    assert not WebSession.objects.filter(session_key=kept_key(key)).exists()
    ana.cookies["anular-8420"] = key
    assert ana.get("/").status_code == 302
    assert [one.event for one in house.audit()][-1] == "salida"


def test_s07_one_ends_ones_other_sessions(house: House):
    one, two = house.client("ana"), house.client("ana")
    assert two.get("/cuenta").status_code == 200
    marks = re.findall(r'name="sesion" value="(\w+)"', text_of(one.get("/cuenta")))
    assert len(marks) == 2
    one.post("/cuenta/sesiones", {"sesion": marks[0]})
    assert (one.get("/cuenta").status_code, two.get("/cuenta").status_code) == (200, 302)


def test_s28_a_person_has_four_sessions_at_most(house: House):
    clients = []
    for _ in range(5):
        client = house.client()
        enter(client, "ana")
        clients.append(client)
        house.later(seconds=1)
    assert [client.get("/").status_code for client in clients] == [302, 200, 200, 200, 200]


def test_s08_cookies_are_http_only_and_lax(house: House):
    client = house.client()
    client.get("/entrar")
    enter(client, "ana")
    assert len(client.cookies) == 2
    for cookie in client.cookies.values():
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")
        assert not cookie["max-age"], "it ends with the browser"


def test_s08_under_https_cookies_are_secure_and_bound_to_the_host(house: House):
    from dataclasses import replace

    from pipeline.web.conf import django_settings

    values = django_settings(replace(house.site, url="https://anular.empresa.example"))
    for kind in ("SESSION", "CSRF"):
        assert values[f"{kind}_COOKIE_NAME"].startswith("__Host-")
        assert values[f"{kind}_COOKIE_SECURE"] is True
        assert values[f"{kind}_COOKIE_HTTPONLY"] is True


def test_s09_every_form_needs_the_token_the_log_in_too(house: House):
    from pipeline.web.urls import ROUTES

    client = house.client("ana", csrf=True)
    seen = 0
    for route in ROUTES.values():
        if "POST" in route.methods:
            where = "/" + re.sub(r"<(\w+):\w+>", lambda found: "1" if found[1] == "int" else "x", route.path)
            assert client.post(where).status_code == 403, route.path
            seen += 1
    assert seen > 15


def test_s09_a_form_from_another_origin_is_refused(house: House):
    client = house.client(csrf=True)
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', text_of(client.get("/entrar")))
    assert token
    given = {"usuario": "ana", "clave": PASSWORD, "csrfmiddlewaretoken": token[1]}
    assert client.post("/entrar", given, HTTP_ORIGIN="https://evil.example").status_code == 403
    assert client.post("/entrar", given, HTTP_ORIGIN="null").status_code == 403
    assert client.post("/entrar", given, HTTP_ORIGIN="http://localhost:8420").status_code == 302


@pytest.mark.parametrize(
    "where",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\x0d\x0aX: y", "http:/x"],
)
def test_s11_s29_after_log_in_one_stays_inside(house: House, where):
    assert enter(house.client(), "ana", siguiente=where).headers["Location"] == "/"


def test_s04_a_suspended_person_is_out_at_the_next_request(house: House, ana, admin):
    assert ana.get("/").status_code == 200
    admin.post(f"/usuarios/{house.person('ana').pk}", {"hacer": "suspender"})
    assert ana.get("/").status_code == 302
    answer = enter(house.client(), "ana")
    assert (answer.status_code, WRONG in text_of(answer)) == (422, True)


def test_s04_a_role_taken_away_counts_from_the_next_request(house: House, ana, admin):
    from pipeline.web.company import company_for
    from pipeline.web.roles import May

    assert company_for(house.person("ana"), "istmo").may(May.UPLOAD)
    admin.post(f"/usuarios/{house.person('ana').pk}", {"hacer": "papeles", "papeles": ["consulta"]})
    assert not company_for(house.person("ana"), "istmo").may(May.UPLOAD)
    assert "Consulta" in text_of(ana.get("/"))


def test_passwords_are_kept_with_argon2id_as_the_contract_says(house: House):
    assert house.person("ana").password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_empty_form_says_what_is_missing_with_links_to_the_fields(house: House):
    answer = enter(house.client(), "", "")
    text = text_of(answer)
    assert answer.status_code == 422
    assert "<title>Error: Iniciar sesión" in text
    assert '<a href="#usuario">Escriba su usuario.</a>' in text
    assert 'aria-describedby="usuario-error"' in text


def test_s24_who_tried_is_in_the_log_and_what_was_typed_is_not(house: House):
    enter(house.client(), "ana", "mi secreto de prueba")
    enter(house.client(), "mi secreto de prueba", "x")
    from pipeline.web.models import Attempt, AuditEvent

    lines = [str(one.__dict__) for one in [*AuditEvent.objects.all(), *Attempt.objects.all()]]
    assert not any("mi secreto" in line for line in lines)
    assert house.audit("entrada")[0].who == "ana"
    assert hashlib.sha256(b"mi secreto de prueba").hexdigest() not in str(lines)


def test_s28_a_person_has_a_limit_and_many_may_work_behind_one_address(house: House, monkeypatch):
    """Searches and uploads: one person too many waits, the others in the office do not; the address has a limit too."""
    from pipeline.web.access import limits

    monkeypatch.setitem(limits.LIMITS, "buscar", limits.Limit(2, timedelta(minutes=1)))
    people = [f"p{number}" for number in range(limits.PEOPLE)]
    assert [bool(limits.take("buscar", people[0], "10.0.0.7")) for _ in range(4)] == [True, True, False, False]
    assert all(limits.take("buscar", one, "10.0.0.7") for one in people[1:] * 2)
    assert not limits.take("buscar", "another", "10.0.0.7")
    assert limits.take("buscar", "another", "10.0.0.8"), "what was refused counts for nobody"
    assert limits.take("buscar", "another", "10.0.0.8")
    assert not limits.take("buscar", "another", "10.0.0.9")
