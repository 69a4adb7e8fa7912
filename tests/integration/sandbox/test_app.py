"""The local eDoc over a real connection: the documented paths, every scenario, the control routes."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pipeline.domain.cufe import Cufe
from pipeline.sandbox.answers import Cut
from pipeline.sandbox.scenarios import SCENARIOS

MakeCufe = Callable[..., Cufe]
LOST = {Cut.CLOSE: httpx.RemoteProtocolError, Cut.RESET: httpx.ReadError, Cut.TRUNCATE: httpx.RemoteProtocolError}
SLOW = {code for code, s in SCENARIOS.items() if s.answer.hold or s.answer.drip}


def test_a_cancellation_by_the_book(sandbox: Any, make_cufe: MakeCufe) -> None:
    cufe = make_cufe()
    assert sandbox.query(cufe).json()["estadoEdoc"] == 18
    answer = sandbox.cancel(cufe)
    assert (answer.status_code, answer.json()["codigoRespuestaDGI"]) == (200, "0600")
    asked = sandbox.query(cufe).json()
    assert (asked["estadoEdoc"], asked["cufe"]) == (11, cufe.text)


@pytest.mark.parametrize("code", sorted(set(SCENARIOS) - SLOW))
def test_a_scenario_over_the_wire(code: str, sandbox: Any, make_cufe: MakeCufe) -> None:
    scenario, cufe = SCENARIOS[code], make_cufe(code)
    if scenario.answer.cut is not None:
        with pytest.raises(LOST[scenario.answer.cut]):
            sandbox.cancel(cufe)
    else:
        answer = sandbox.cancel(cufe)
        assert answer.status_code == scenario.answer.status
        assert ("retry-after" in answer.headers) is (scenario.answer.retry_after is not None)
        assert "date" in answer.headers
    entry = sandbox.look("journal").json()[-1]
    assert (entry["cufe"], entry["scenario"]) == (cufe.text, code)
    assert entry["processed"] is (scenario.arrives is not None)


@pytest.mark.parametrize("code", sorted(SLOW))
def test_a_slow_answer_outlasts_an_impatient_client_and_is_processed(
    code: str, sandbox: Any, make_cufe: MakeCufe
) -> None:
    cufe = make_cufe(code)
    with pytest.raises(httpx.ReadTimeout):
        sandbox.cancel(cufe, timeout=0.2)
    assert sandbox.query(cufe).json()["estadoEdoc"] == 11


def test_a_delayed_state_is_settled_once_the_time_has_passed(sandbox: Any, make_cufe: MakeCufe) -> None:
    cufe = make_cufe("905")
    sandbox.cancel(cufe)
    assert sandbox.query(cufe).json()["estadoEdoc"] == "5"
    sandbox.control("advance", {"seconds": 2})
    assert sandbox.query(cufe).json()["estadoEdoc"] == 11


def test_a_connection_survives_an_ordinary_answer(sandbox: Any, make_cufe: MakeCufe) -> None:
    headers = sandbox.token("16")
    streams = {id(sandbox.cancel(make_cufe(), headers).extensions["network_stream"]) for _ in range(5)}
    assert len(streams) == 1


def test_half_a_request_never_happened(sandbox: Any) -> None:
    """The journal is the judge of what was fully received (reliability.md 1)."""
    before = len(sandbox.look("journal").json())
    port = int(sandbox.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as half:
        path = b"/EdocPanama/4.0/Emision/Eventos/API/Anulacion"
        half.sendall(b"POST " + path + b' HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400\r\n\r\n{"cufe": ')
        half.shutdown(socket.SHUT_WR)
        assert half.recv(1) == b""
    assert len(sandbox.look("journal").json()) == before


def test_an_unknown_address_is_404_and_noted(sandbox: Any) -> None:
    assert sandbox.http.get("Emision/Eventos/API/Otra").status_code == 404
    assert sandbox.look("journal").json()[-1]["route"] == "other"
    assert sandbox.http.get("Emision/Eventos/API/Anulacion").status_code == 405


def test_registered_documents_answer_before_any_post(sandbox: Any, make_cufe: MakeCufe) -> None:
    alive, gone = make_cufe(), make_cufe()
    given = [{"cufe": alive.text, "status": "alive"}, {"cufe": gone.text, "status": "cancelled"}]
    assert sandbox.control("documents", given).json()["registered"] == 2
    assert sandbox.query(alive).json()["estadoEdoc"] == "2"
    assert sandbox.query(gone).json()["estadoEdoc"] == 11
    assert sandbox.cancel(gone).json()["codigoRespuestaDGI"] == "0622"


def test_a_scenario_can_be_set_for_a_code(sandbox: Any, make_cufe: MakeCufe) -> None:
    cufe = make_cufe()
    assert sandbox.control("scenario", {"cufe": cufe.text, "code": "904"}).json() == {"ok": True}
    assert sandbox.cancel(cufe).json()["estado"] == "4"


def test_a_fault_hits_the_next_requests_and_ends(sandbox: Any, make_cufe: MakeCufe) -> None:
    headers = sandbox.token("16")
    sandbox.control("fault", {"kind": "500", "next": 2, "routes": ["cancel"]})
    statuses = [sandbox.cancel(make_cufe(), headers).status_code for _ in range(3)]
    assert statuses == [500, 500, 200]
    sandbox.control("fault", {"kind": "html", "next": 9, "routes": ["token", "query"]})
    assert "html" in sandbox.http.get("Autenticacion/Api/ServicioEDOC?Id=3").headers["content-type"]
    sandbox.control("fault", {"kind": None})
    assert sandbox.query(make_cufe()).json()["estadoEdoc"] == 18


def test_revoked_tokens_are_refused(sandbox: Any, make_cufe: MakeCufe) -> None:
    headers = sandbox.token("16")
    assert sandbox.control("tokens/revoke", {"service": "16"}).json()["revoked"] >= 1
    assert sandbox.cancel(make_cufe(), headers).status_code == 401


def test_the_rate_limit_really_refuses(sandbox: Any, make_cufe: MakeCufe) -> None:
    headers = sandbox.token("16")
    sandbox.control("rate", {"per_second": 3})
    answers = [sandbox.cancel(make_cufe(), headers) for _ in range(5)]
    sandbox.control("rate", {"per_second": None})
    assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["retry-after"] == "1"


def test_the_state_tells_the_truth_about_each_document(sandbox: Any, make_cufe: MakeCufe) -> None:
    cufe = make_cufe("986")
    sandbox.cancel(cufe)
    sandbox.cancel(cufe)
    state = sandbox.look("state").json()
    document = next(d for d in state["documents"] if d["cufe"] == cufe.text)
    assert (document["posts"], document["taken"], document["repeated"], document["cancelled"]) == (2, 1, 1, False)
    assert state["received"]["cancel 200"] > 0


def test_the_table_of_scenarios_can_be_read(sandbox: Any) -> None:
    assert {s["code"] for s in sandbox.look("scenarios").json()} == set(SCENARIOS)


def test_latency_can_be_set(sandbox: Any, make_cufe: MakeCufe) -> None:
    sandbox.control("latency", {"ms": 30})
    slow = sandbox.query(make_cufe()).elapsed.total_seconds()
    sandbox.control("latency", {"ms": 0})
    assert slow >= 0.03


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("scenario", {"cufe": "FE01", "code": "904"}),
        ("scenario", {"code": "904"}),
        ("fault", {"kind": "earthquake"}),
        ("fault", {"kind": "500", "routes": ["nowhere"]}),
        ("documents", [{"cufe": "FE01", "status": "alive"}]),
        ("rate", []),
        ("advance", {"seconds": "soon"}),
        ("advance", {"seconds": 1e300}),
    ],
)
def test_a_wrong_control_request_is_explained(name: str, given: object, sandbox: Any) -> None:
    answer = sandbox.control(name, given)
    assert answer.status_code == 400
    assert answer.json()["error"]
