"""A request in, a journal line, a reply out: authorization, faults, memory, and what never gets written down."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from pipeline.domain.cufe import Cufe
from pipeline.sandbox.answers import Reply
from pipeline.sandbox.documents import Registered, key_of
from pipeline.sandbox.faults import Fault, Route
from pipeline.sandbox.request_log import RequestLog, busiest_second, posts_by_cufe, processed_by_cufe
from pipeline.sandbox.service import Incoming, Sandbox

MakeCufe = Callable[..., Cufe]
REASON = "Error en el monto facturado"
PASSWORD = "clave-que-nadie-debe-ver"


class Client:
    """Sends what a well-behaved client would send."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.tokens: dict[str, str] = {}

    def token(self, service: str, password: str = PASSWORD) -> Reply:
        basic = "Basic " + base64.b64encode(f"sandbox:{password}".encode()).decode()
        reply = self.sandbox.handle(
            Incoming(Route.TOKEN, "GET", "/ServicioEDOC", query=f"Id={service}", authorization=basic)
        )
        if reply.status == 200:
            self.tokens[service] = json.loads(reply.body)["token"]
        return reply

    def cancel(self, cufe: Cufe, service: str = "16") -> Reply:
        body = json.dumps({"cufe": cufe.text, "motivoAnulacion": REASON}).encode()
        bearer = f"Bearer {self.tokens.get(service)}"
        return self.sandbox.handle(Incoming(Route.CANCEL, "POST", "/Anulacion", "", bearer, "application/json", body))

    def query(self, cufe: Cufe) -> Reply:
        ruc, idoc, sucem, ptofacdf, ndf = key_of(cufe)
        text = f"RucEmisor={ruc}&iDoc={idoc}&dSucEm={sucem}&dPtoFacDF={ptofacdf}&dNroDF={ndf}"
        bearer = f"Bearer {self.tokens.get('3')}"
        return self.sandbox.handle(Incoming(Route.QUERY, "POST", "/Consulta", text, bearer))


@pytest.fixture
def journal() -> RequestLog:
    return RequestLog(None)


@pytest.fixture
def sandbox(clock: Any, journal: RequestLog) -> Sandbox:
    return Sandbox(clock, journal, password=PASSWORD, token_lifetime=timedelta(minutes=10))


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    client = Client(sandbox)
    client.token("16")
    client.token("3")
    return client


def test_a_cancellation_needs_the_token_of_its_service(client: Client, make_cufe: MakeCufe) -> None:
    refused = client.cancel(make_cufe(), service="3")
    assert (refused.status, refused.processed) == (401, False)
    assert client.cancel(make_cufe()).processed


def test_an_expired_token_is_refused_and_changes_nothing(client: Client, make_cufe: MakeCufe) -> None:
    client.sandbox.advance(timedelta(minutes=10))
    assert client.cancel(make_cufe()).status == 401
    assert client.query(make_cufe()).status == 401
    assert list(client.sandbox.book) == []


def test_wrong_credentials_get_no_token(client: Client) -> None:
    assert client.token("16", password="otra").status == 401


def test_a_revoking_scenario_spoils_the_token_until_it_is_renewed(client: Client, make_cufe: MakeCufe) -> None:
    revoking, ordinary = make_cufe("941", number=1), make_cufe(number=2)
    assert client.cancel(revoking).status == 401
    assert client.cancel(ordinary).status == 401
    client.token("16")
    assert client.cancel(revoking).processed
    assert client.cancel(ordinary).processed
    assert client.sandbox.request_log.entries()[-5]["auth"] == "valid"  # what it was when it came


def test_a_query_that_revokes_leaves_the_cancellation_token(client: Client, make_cufe: MakeCufe) -> None:
    cufe = make_cufe("996")
    client.cancel(cufe)
    assert client.query(cufe).status == 401
    assert client.query(cufe).status == 401
    client.token("3")
    assert json.loads(client.query(cufe).body)["estadoEdoc"] == 11
    assert client.cancel(make_cufe(number=2)).processed


def test_every_request_is_a_journal_line_with_what_became_of_it(client: Client, make_cufe: MakeCufe) -> None:
    lost = make_cufe("970")
    client.cancel(lost)
    client.query(lost)
    client.sandbox.handle(Incoming(Route.OTHER, "GET", "/favicon.ico"))
    *_, post, query, other = client.sandbox.request_log.entries()
    assert post["seq"] == 2
    assert (post["cufe"], post["payload"]["motivoAnulacion"]) == (lost.text, REASON)
    assert (post["processed"], post["status"], post["cut"], post["answer"]) == (True, None, "close", None)
    assert (query["key"], query["status"], query["service"]) == (key_of_list(lost), 200, "3")
    assert '"estadoEdoc": 11' in query["answer"]
    assert (other["path"], other["status"]) == ("/favicon.ico", 404)


def test_no_secret_gets_into_the_journal(client: Client, make_cufe: MakeCufe) -> None:
    client.cancel(make_cufe())
    client.token("16", password="otra-clave")
    text = json.dumps(client.sandbox.request_log.entries())
    basic = base64.b64encode(f"sandbox:{PASSWORD}".encode()).decode()
    for secret in (PASSWORD, "otra-clave", basic, "Bearer", "Basic", *client.tokens.values()):
        assert secret not in text


def test_a_wrong_method_is_refused(client: Client) -> None:
    assert client.sandbox.handle(Incoming(Route.CANCEL, "GET", "/Anulacion")).status == 405


def test_a_request_that_is_not_as_documented_is_refused_and_noted(client: Client) -> None:
    bearer = f"Bearer {client.tokens['16']}"
    reply = client.sandbox.handle(
        Incoming(Route.CANCEL, "POST", "/Anulacion", "", bearer, "application/json", b'{"cufe": "FE01"}')
    )
    assert reply.status == 400
    assert client.sandbox.request_log.entries()[-1]["cufe"] == "FE01"
    assert client.sandbox.request_log.entries()[-1]["reached"] is False


@pytest.mark.parametrize("kind", ["401", "403", "404", "429", "500", "503", "html", "drop", "unknown-state"])
def test_a_fault_before_processing_changes_nothing(kind: str, client: Client, make_cufe: MakeCufe) -> None:
    client.sandbox.gate.set_fault(Fault(kind, 1, frozenset(Route), processed=False, seconds=0))
    assert not client.cancel(make_cufe()).processed
    assert list(client.sandbox.book) == []
    assert client.sandbox.request_log.entries()[-1]["fault"] == kind


@pytest.mark.parametrize("kind", ["500", "html", "drop", "broken-json"])
def test_a_fault_after_processing_spoils_only_the_answer(kind: str, client: Client, make_cufe: MakeCufe) -> None:
    client.sandbox.gate.set_fault(Fault(kind, 1, frozenset({Route.CANCEL}), processed=True, seconds=0))
    assert client.cancel(make_cufe()).processed
    assert json.loads(client.query(make_cufe()).body)["estadoEdoc"] == 11


def test_a_pause_holds_the_right_answer_back(client: Client, make_cufe: MakeCufe) -> None:
    client.sandbox.gate.set_fault(Fault("pause", 1, frozenset({Route.CANCEL}), processed=True, seconds=7))
    reply = client.cancel(make_cufe())
    assert (reply.hold, json.loads(reply.body)["estado"]) == (7, "2")


def test_a_global_429_says_how_long_to_wait(client: Client, make_cufe: MakeCufe) -> None:
    client.sandbox.gate.set_fault(Fault("429", 1, frozenset({Route.CANCEL}), processed=False, seconds=9))
    assert dict(client.cancel(make_cufe()).headers)["retry-after"] == "9"


def test_beyond_the_rate_nothing_is_processed(client: Client, make_cufe: MakeCufe) -> None:
    client.sandbox.gate.set_rate(2)
    replies = [client.cancel(make_cufe(number=n)) for n in range(1, 5)]
    assert [r.status for r in replies] == [200, 200, 429, 429]
    assert len(list(client.sandbox.book)) == 2


def test_latency_is_added_to_every_answer(client: Client, make_cufe: MakeCufe) -> None:
    client.sandbox.latency = timedelta(milliseconds=50)
    assert client.query(make_cufe()).hold == pytest.approx(0.05)


def test_every_answer_carries_the_sandboxs_own_date(client: Client, make_cufe: MakeCufe) -> None:
    client.sandbox.advance(timedelta(days=400))
    client.token("3")
    date = parsedate_to_datetime(dict(client.query(make_cufe()).headers)["date"])
    assert date == client.sandbox.now().replace(microsecond=0)


def test_a_restart_knows_what_was_received(
    client: Client, clock: Any, journal: RequestLog, make_cufe: MakeCufe
) -> None:
    late, lost, flapping = (make_cufe(code, number=n) for n, code in enumerate(("973", "972", "953"), start=1))
    alive, chosen = make_cufe(number=8), make_cufe(number=9)
    client.sandbox.register(alive, Registered.ALIVE)
    client.sandbox.choose(chosen, "904")
    for cufe in (late, lost, flapping, chosen):
        client.cancel(cufe)
    client.query(flapping)
    clock.tick(3)  # the late delivery falls due while nobody is there
    again = Client(Sandbox(clock, journal, password=PASSWORD))
    again.token("3")
    states = [json.loads(again.query(c).body)["estadoEdoc"] for c in (late, lost, flapping, alive, chosen)]
    assert states == [11, 18, 18, "2", "4"]
    assert [(d.posts, d.taken) for d in again.sandbox.book] == [(d.posts, d.taken) for d in client.sandbox.book]


def test_time_does_not_run_backwards_over_a_restart(client: Client, clock: Any, journal: RequestLog) -> None:
    client.sandbox.advance(timedelta(hours=2))
    client.token("3")
    before = client.sandbox.now()
    clock.tick(-60)
    assert Sandbox(clock, journal).now() >= before


def test_a_token_does_not_outlive_the_process(
    client: Client, clock: Any, journal: RequestLog, make_cufe: MakeCufe
) -> None:
    after = Client(Sandbox(clock, journal, password=PASSWORD))
    after.tokens = client.tokens
    assert after.cancel(make_cufe()).status == 401


def test_a_broken_journal_stops_all_processing(
    client: Client, monkeypatch: pytest.MonkeyPatch, make_cufe: MakeCufe
) -> None:
    def full(entry: object) -> None:
        client.sandbox.request_log.broken = True
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(client.sandbox.request_log, "append", full)
    assert client.cancel(make_cufe(number=1)).status == 500
    assert client.cancel(make_cufe(number=2)).status == 500
    assert client.sandbox.book.find(make_cufe(number=2).text) is None


def test_a_bug_is_answered_with_500_and_still_noted(
    client: Client, monkeypatch: pytest.MonkeyPatch, make_cufe: MakeCufe
) -> None:
    def broken(*args: object) -> Reply:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(client.sandbox.book, "cancel", broken)
    assert client.cancel(make_cufe()).status == 500
    last = client.sandbox.request_log.entries()[-1]
    assert (last["cufe"], last["reached"]) == (make_cufe().text, False)
    assert "a bug" in last["bug"]


def test_the_judge_counts_posts_and_what_was_processed(client: Client, clock: Any, make_cufe: MakeCufe) -> None:
    limited, twice = make_cufe("949", number=1), make_cufe(number=2)
    for cufe in (limited, limited, twice, twice):
        client.cancel(cufe)
    entries = client.sandbox.request_log.entries()
    assert posts_by_cufe(entries) == {limited.text: 2, twice.text: 2}
    assert processed_by_cufe(entries) == {limited.text: 1, twice.text: 1}


def test_the_judge_finds_the_busiest_second(client: Client, clock: Any, make_cufe: MakeCufe) -> None:
    clock.tick(5)
    for gap in (0.0, 0.4, 0.4, 0.4, 0.1, 3.0):
        clock.tick(gap)
        client.query(make_cufe())
    client.sandbox.register(make_cufe(), Registered.ALIVE)
    assert busiest_second(client.sandbox.request_log.entries()) == 4


def key_of_list(cufe: Cufe) -> list[str]:
    return list(key_of(cufe))
