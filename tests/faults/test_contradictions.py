"""The fault matrix, F71 to F74 (eyes.md 3): answers that speak for and against the same thing prove nothing.

The server keeps its own journal: a row is POSTed once, and what the ledger says of it is what a query found.
"""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.domain.edoc_states import QueryDescribes
from pipeline.domain.lifecycle import State
from tests.faults.actions import Action, asked, http, says, sends, state
from tests.faults.bench import Bench

CANCELLED, UNKNOWN = State.CANCELLED, State.UNKNOWN
OTHER = "FE01200000000000029-29-29-5676322018101525982740639300126729580548"


@pytest.mark.one_in(3)
@pytest.mark.parametrize("truth", ["now", "never"], ids=["applied", "not-applied"])
@pytest.mark.parametrize("status", [401, 429])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"estado": 2, "codigoRespuestaDGI": "0600"}, id="F71-cancelled"),
        pytest.param({"estado": "11"}, id="F71-state-11"),
        pytest.param({"estado": 5}, id="F71-in-progress"),
        pytest.param({"codigoRespuestaDGI": "0622"}, id="F71-code-alone"),
        pytest.param({"estado": 77}, id="F71-state-nobody-knows"),
    ],
)
def test_f71_not_applied_says_the_status_and_the_body_says_otherwise(
    bench: Bench, body: dict[str, Any], status: int, truth: str
) -> None:
    bench.batch(3)
    bench.script("cancel", {**says(status, **body), "apply": truth}, row=2)
    bench.run(lasting=2.0)
    assert bench.posts == {1: 1, 2: 1, 3: 1}
    assert bench.states == [CANCELLED, CANCELLED if truth == "now" else UNKNOWN, CANCELLED]


@pytest.mark.parametrize("truth", ["now", "never"], ids=["applied", "not-applied"])
@pytest.mark.parametrize(
    "action",
    [
        pytest.param(state(2, CodigoError="E-17"), id="F72-authorised-beside-an-error"),
        pytest.param(state(2, CodigoError=500), id="F72-authorised-beside-a-number"),
        pytest.param(state(11, status=400), id="F72-400-with-11"),
        pytest.param(state(2, status=422), id="F72-422-with-2"),
    ],
)
def test_f72_success_beside_what_speaks_against_it_is_unknown_until_a_query_tells(
    bench: Bench, action: Action, truth: str
) -> None:
    bench.batch(3)
    bench.script("cancel", {**action, "apply": truth}, row=2)
    bench.run("send")
    assert bench.states == [CANCELLED, UNKNOWN, CANCELLED]
    bench.run("poll", now=True, lasting=2.0)
    assert bench.states == [CANCELLED, CANCELLED if truth == "now" else UNKNOWN, CANCELLED]
    assert bench.posts == {1: 1, 2: 1, 3: 1}


@pytest.mark.parametrize(
    "names",
    [
        pytest.param({"numDocumento": "0000000999"}, id="F73-number"),
        pytest.param({"urlCodeQR": f"https://edoc.example/FacturasPorQR?chFE={OTHER}"}, id="F73-qr"),
        pytest.param({"documento": {"codigo": OTHER}}, id="F73-any-field"),
    ],
)
def test_f73_a_querys_11_that_names_another_document_is_no_proof_of_ours(bench: Bench, names: dict[str, Any]) -> None:
    bench.batch(2)
    bench.script("cancel", sends(http(500, "")), row=2)
    bench.script("query", says(estadoEdoc=11, **names), row=2)
    bench.run(lasting=2.0)
    assert bench.states == [CANCELLED, UNKNOWN]
    assert bench.queries(2) >= 1


@pytest.mark.parametrize(
    ("first", "after"),
    [
        pytest.param(sends(end="reset"), UNKNOWN, id="F74-never-answered"),
        pytest.param(state(5, apply="now"), CANCELLED, id="F74-answered"),
    ],
)
def test_f74_a_querys_2_speaks_of_a_cancellation_only_if_that_was_answered(
    bench: Bench, first: Action, after: State
) -> None:
    """Under ``query_describes=cancellation``, also in a later run, when a query has been the last to answer."""
    bench.batch(2)
    bench.script("cancel", first, row=2)
    bench.script("query", asked(5), asked(2), row=2)
    for _ in range(2):
        bench.run(describes=QueryDescribes.CANCELLATION, lasting=0.0)
    bench.run("poll", now=True, describes=QueryDescribes.CANCELLATION, lasting=2.0)
    expected = after if after is CANCELLED else State.PENDING
    assert bench.states == [CANCELLED, expected]
    assert bench.posts == {1: 1, 2: 1}
