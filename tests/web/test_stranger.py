"""What a stranger tried on the running page and found a fault in; each is mended."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pipeline.domain.proposals import ProposalState
from pipeline.web.headers import answer_headers
from tests.support.pages import House
from tests.web.test_batches import approved, stopped
from tests.web.test_factors import set_up
from tests.web.test_log_in import text_of
from tests.web.test_people import ask, invite
from tests.web.test_proposals import consent, cufe, hand_in, number_of, table, waiting

BEYOND = (2**31, 2**63, 10**30)
"""Numbers that no database of ours has a row for."""
_WHOLE = b"GET /entrar HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("number", BEYOND)
def test_s29_a_number_that_no_row_can_have_is_not_there(house: House, number: int):
    clients = {name: house.client(name) for name in ("ana", "luis", "admin")}
    paths = {
        "ana": [f"propuestas/{number}{step}" for step in ("", "/estado", "/libros/revision")]
        + [f"lotes/x/filas/{number}", f"certificados/{number}"],
        "luis": [f"propuestas/{number}/aprobar", f"propuestas/{number}/no-aprobar"],
        "admin": [f"usuarios/{number}", f"usuarios/solicitudes/{number}"],
    }
    for name, wanted in paths.items():
        assert {path: clients[name].get(f"/{path}").status_code for path in wanted} == dict.fromkeys(wanted, 404)
    posted = [f"propuestas/{number}/{step}" for step in ("enviar", "descartar", "otra-vez")]
    assert [clients["ana"].post(f"/{path}").status_code for path in posted] == [404] * 3
    assert [event for event, _ in house.lines if event == "web_error"] == []


def test_s29_an_answer_of_a_key_that_is_nested_without_end_opens_nothing(house: House):
    answer = house.client().post("/entrar/llave", {"respuesta": "[" * 19_000})
    assert answer.status_code == 403
    assert house.lines == []


def test_s29_what_is_no_path_leads_nowhere(house: House):
    """A raw request may ask for ``@evil.example``: no browser does, and no answer makes an address of it."""
    from django.test import RequestFactory

    from pipeline.web.middleware import Outermost

    request: Any = RequestFactory(HTTP_HOST="127.0.0.1:8420").get("/")
    request.path = request.path_info = "@evil.example/"
    request.company = None
    assert Outermost(lambda _: pytest.fail("not reached"))(request).status_code == 400


def test_s26_a_link_stands_in_no_line_about_a_forged_form_or_an_error(house: House, admin, monkeypatch):
    link = invite(house, admin)
    code = link.rpartition("/")[2]
    assert house.client(csrf=True).post(link, {"nueva": "x", "otra": "x"}).status_code == 403
    from pipeline.web.access import limits

    monkeypatch.setattr(limits, "by_address", lambda *_: 1 / 0)
    assert house.client().get(link).status_code == 500
    assert [event for event, _ in house.lines] == ["web_refused", "web_error"]
    assert [line["path"] for _, line in house.lines] == ["/entrar/invitacion/<str:code>"] * 2
    assert code not in str(house.lines)


def test_s25_an_error_before_any_view_has_a_number_too(house: House, ana, monkeypatch):
    from pipeline.web.access import sessions

    monkeypatch.setattr(sessions, "end_if_over", lambda _: 1 / 0)
    answer = ana.get("/cuenta")
    assert answer.status_code == 500
    ((event, line),) = house.lines
    assert (event, line["kind"]) == ("web_error", "ZeroDivisionError")
    assert line["number"] in text_of(answer)
    assert "ZeroDivision" not in text_of(answer)


@pytest.mark.parametrize("state", [ProposalState.APPROVED, ProposalState.ON_HOLD])
def test_s18_who_prepared_it_does_not_end_what_another_person_approved(house: House, state: ProposalState):
    one = approved(house)
    if state is ProposalState.ON_HOLD:
        from pipeline.domain.proposals import Step

        one = house.desk.store.take(one, Step.BUSY, house.clock.now())
    answer = house.client("ana").post(f"/propuestas/{one.id}/descartar")
    assert answer.status_code == 409
    assert house.desk.store.get(one.id) == one


def test_s18_the_posted_digest_is_the_whole_one(house: House):
    one = waiting(house)
    answer = house.client("luis").post(f"/propuestas/{one.id}/aprobar", consent(one, huella=one.digest[:16]))
    assert answer.status_code == 409
    assert house.desk.store.get(one.id).state is ProposalState.WAITING


@pytest.mark.parametrize("how", ["", "sessions", "role"])
def test_s04_an_open_stream_ends_with_the_session_or_the_role(house: House, monkeypatch, how: str):
    from pipeline.web.access import sessions
    from pipeline.web.models import Membership
    from pipeline.web.screens import batch as screen

    one, marta = stopped(house), house.person("marta")
    monkeypatch.setattr(screen, "MOVING", frozenset(ProposalState))
    monkeypatch.setattr(screen, "STILL", 1)
    answer = house.client("marta").get(f"/lotes/{one.batch}/avance")
    if how == "role":
        Membership.objects.filter(person=marta).delete()
    if how == "sessions":
        sessions.end_all(marta)

    async def first() -> str:
        async for part in answer.streaming_content:
            return str(part.decode())
        return ""

    told = asyncio.run(first())
    assert told.startswith("event: avance") if not how else told == "", "and no end: the sending goes on"


def test_s15_the_first_factor_ends_the_sessions_that_began_without_one(house: House):
    thief, ana = house.client("ana"), house.client("ana")
    assert thief.get("/cuenta").status_code == 200
    set_up(ana)
    assert thief.get("/cuenta").status_code == 302
    assert ana.get("/cuenta").status_code == 200


def test_s22_the_log_as_a_file_is_in_a_sandbox_like_every_download(house: House, admin):
    answer = admin.get("/bitacora.csv")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_s24_a_code_or_an_address_that_somebody_typed_as_a_name_is_not_whole_in_the_log(house: House):
    code = cufe(7)
    number_of(hand_in(house.client("ana"), table(cufe(8)), f"{code}.csv"))
    ask(house, nombre="rita@empresa.example")
    told = str([(one.about, one.detail) for one in house.audit()])
    assert code not in told
    assert code[-8:] in told, "its end says which one it was"
    assert "rita@empresa.example" not in told


def _answers(said: bytes, *, https: bool = False) -> bytes:
    """What a connection gets for these bytes until the server closes it."""
    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from pipeline.web.serve import Impatient

    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    class Quick(Impatient):
        patience = 0.1

    Quick.https = https

    async def whole() -> bytes:
        config = Config(answer, lifespan="off", log_config=None, timeout_keep_alive=1)
        config.load()
        loop = asyncio.get_running_loop()
        state = ServerState()
        serving = await loop.create_server(lambda: Quick(config, state, {}), "127.0.0.1", 0)
        async with serving, asyncio.timeout(20):
            reading, writing = await asyncio.open_connection(*serving.sockets[0].getsockname())
            writing.write(said)
            found = await reading.read()  # until the other side closes it
            writing.close()
            return found

    return asyncio.run(whole())


@pytest.mark.parametrize("said", [b"", b"GET /entrar HTTP/1.1\r\nHost: loc", _WHOLE + b"GET /entr"])
def test_s19_who_does_not_say_a_whole_request_is_not_waited_for(said: bytes):
    assert _answers(said).count(b"204 No Content") == said.count(b"\r\n\r\n")


def test_s18_who_prepared_it_on_the_page_does_not_approve_it_at_the_terminal(house: House, monkeypatch):
    """Where nothing is set, a page asks for two people and a terminal for one: the page's word counts."""
    from contextlib import nullcontext

    from pipeline.approvals import sender
    from pipeline.cli import proposals
    from pipeline.domain.errors import NotApproved
    from pipeline.wiring import rules

    desk, one = house.desk, waiting(house)
    monkeypatch.setattr(proposals, "settings_for", lambda *_: desk.settings)
    monkeypatch.setattr(proposals, "person_here", lambda _: "ana")
    monkeypatch.setattr(proposals, "opened_proposals", lambda *_: nullcontext(desk.store))
    monkeypatch.setattr(rules, "make_clock", lambda _: house.clock)
    with pytest.raises(NotApproved) as refused:
        proposals.approve_proposal(one.id, confirm=one.to_send)
    assert refused.value.code == "approval-own"
    assert desk.store.get(one.id) == one
    desk.two = False
    alone = desk.approve(one, "ana")  # as it was possible before
    (done,) = sender.carry_all(desk.store, desk.settings, house.clock)
    assert done.trouble is not None
    assert done.trouble.code == "approval-alone"
    assert desk.store.get(alone.id) == alone
    assert not desk.posts


def test_s25_a_certificate_that_would_end_with_the_calendar_is_refused_in_words(house: House, ana):
    given = {"ruc": "155999991-2-2026", "titular": "X", "entidad": "Y", "desde": "01/01/2026", "hasta": "31/12/9999"}
    answer = ana.post("/certificados/nuevo", given)
    assert answer.status_code == 422
    assert "Escriba una fecha como 12/11/2026." in text_of(answer)


@pytest.mark.parametrize("https", [False, True])
@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01 no es http\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_s10_what_is_no_request_is_answered_with_the_headers_of_every_answer(said: bytes, https: bool):
    head, _, body = _answers(said, https=https).partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    assert first == "HTTP/1.1 400 Bad Request"
    told = dict(line.split(": ", 1) for line in lines)
    assert told.items() >= answer_headers(https=https).items()
    assert "Server" not in told
    assert told["Connection"] == "close"
    assert (len(body), body.decode()) == (int(told["Content-Length"]), "Lo que se envió no se entiende.\n")


def test_s10_what_is_no_request_after_one_that_was_gets_its_own_answer():
    found = _answers(_WHOLE + b"\x00\x00\x00\r\n\r\n")
    assert found.count(b"204 No Content") == 1
    assert found.count(b"400 Bad Request") == 1
