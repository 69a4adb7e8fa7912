"""The fault matrix, token and query side: F33 to F38 of reliability.md 3. The common checks follow every test."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any

import pytest

from pipeline.domain.errors import CredentialsRefused, ServiceRefused
from pipeline.domain.lifecycle import State
from tests.faults.actions import Action, asked, http, says, sends, state
from tests.faults.bench import Bench

CANCELLED, UNKNOWN, READY, REVIEW = State.CANCELLED, State.UNKNOWN, State.READY, State.REVIEW
HANG = sends(end="hang")
LOST = sends(end="reset")
LOST_BUT_APPLIED = sends(end="reset", apply="now")


def token(value: Any, **more: Any) -> Action:
    return says(token=value, expedido="2026-11-20T09:00:00-05:00", expira="2026-11-20T10:00:00-05:00", **more)


# ------------------------------------------------------------------------------------------- tokens: F33, F34


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("action", "tries", "kind"),
    [
        pytest.param(says(500, mensajeRespuesta="Llame a soporte"), 3, ServiceRefused, id="F33-500"),
        pytest.param(says(503), 3, ServiceRefused, id="F33-503"),
        pytest.param(HANG, 3, ServiceRefused, id="F33-time-out"),
        pytest.param(sends(end="reset"), 3, ServiceRefused, id="F33-reset"),
        pytest.param(says(raw="<html>Mantenimiento</html>"), 1, ServiceRefused, id="F33-html"),
        pytest.param(says(codigoError=None), 1, ServiceRefused, id="F33-missing"),
        pytest.param(token(""), 1, ServiceRefused, id="F33-empty"),
        pytest.param(token("", codigoError="E1", mensajeRespuesta="Vencida"), 1, CredentialsRefused, id="F33-refused"),
        pytest.param(token("abc\r\nX-Injected: 1"), 1, ServiceRefused, id="F33-crlf"),
        pytest.param(token("a" * 1_000_000), 1, ServiceRefused, id="F33-one-megabyte"),
        pytest.param(token("a" * 20_000), 1, ServiceRefused, id="F33-20-kilobytes"),
        pytest.param(token(12345), 1, ServiceRefused, id="F33-number"),
        pytest.param(says(401), 1, CredentialsRefused, id="F33-401"),
        pytest.param(says(403), 1, CredentialsRefused, id="F33-403"),
        pytest.param(sends(http(307, "", Location="http://127.0.0.1:9/")), 1, ServiceRefused, id="F33-redirect"),
    ],
)
def test_f33_without_a_token_nothing_is_claimed_and_nothing_is_sent(
    bench: Bench, action: Action, tries: int, kind: type[Exception]
) -> None:
    bench.batch(3)
    bench.script("token", action)
    bench.run(read_s=0.3 if action == HANG else 5.0)
    assert bench.states == [READY] * 3
    assert bench.outcomes == ["NO ENVIADA"] * 3
    assert not bench.posts
    assert len(bench.server.entries(service="token")) == tries
    assert type(bench.reason) is kind
    assert bench.exit_code == 5


@pytest.mark.parametrize("trouble", [says(500), LOST], ids=["F33-500-once", "F33-reset-once"])
def test_f33_a_token_that_fails_once_is_asked_for_again(bench: Bench, trouble: Action) -> None:
    bench.batch(3)
    bench.script("token", trouble, {})
    bench.run()
    assert bench.states == [CANCELLED] * 3
    assert bench.tokens(16) == 2
    assert bench.exit_code == 0


def test_f33_without_a_token_for_queries_what_was_sent_stays_unknown(bench: Bench) -> None:
    bench.batch(3)
    bench.script("cancel", LOST_BUT_APPLIED, row=2)
    bench.server.script("token", says(500), cufe="3")
    bench.run()
    assert bench.states == [CANCELLED, UNKNOWN, CANCELLED]
    assert bench.tokens(3) == 3
    assert bench.exit_code == 5
    assert bench.queries(2) == 0


def test_f34_a_token_that_lives_one_second_is_renewed_as_often_as_it_takes(bench: Bench) -> None:
    """Every pause that eDoc asks for is longer than the token lives."""
    bench.batch(12, lifetime=1.0)
    wait = sends(http(429, "{}", Retry_After="2"))
    bench.script("cancel", {}, wait, {}, {}, wait, {}, {}, wait, {})
    bench.run(concurrency=2)
    assert bench.states == [CANCELLED] * 12
    assert sum(bench.posts.values()) == 12 + 3
    assert bench.tokens(16) >= 4
    assert bench.exit_code == 0


@pytest.mark.parametrize("lifetime", [-3600.0, 0.0], ids=["F34-expired-when-issued", "F34-no-lifetime"])
def test_f34_a_token_that_says_it_has_expired_is_used_until_the_server_refuses_it(
    bench: Bench, lifetime: float
) -> None:
    bench.batch(5, lifetime=lifetime)
    bench.run()
    assert bench.states == [CANCELLED] * 5
    assert bench.tokens(16) == 1


@pytest.mark.parametrize("days", [-1, 1, 3650], ids=lambda d: f"F34-clock-{d:+}-days")
def test_f34_a_wrong_clock_causes_no_renewal_and_no_refusal(bench: Bench, days: int) -> None:
    bench.batch(5)
    bench.clock.skip(timedelta(days=days))
    bench.script("cancel", {}, state(5, apply="now"), {})
    bench.run()
    assert bench.states == [CANCELLED] * 5
    assert (bench.tokens(16), bench.tokens(3)) == (1, 1)


def test_f34_a_token_that_is_revoked_while_polling_is_renewed_and_that_query_made_once_more(bench: Bench) -> None:
    bench.batch(3)
    bench.script("cancel", state(5, apply="now"))
    bench.script("query", {"revoke": True}, {})
    bench.run()
    assert bench.states == [CANCELLED] * 3
    assert bench.tokens(3) == 2
    assert set(bench.posts.values()) == {1}


def test_f34_a_query_token_that_is_always_refused_stops_the_run(bench: Bench) -> None:
    bench.batch(2)
    bench.script("cancel", state(5))
    bench.script("query", says(401))
    bench.run(lasting=10.0)
    assert bench.states == [State.PENDING] * 2
    assert bench.exit_code == 5
    assert "401" in bench.said
    assert bench.tokens(3) <= 3


# ------------------------------------------------------------------------------------------- queries: F35 - F38


@pytest.mark.parametrize(
    ("answers", "asked_for"),
    [
        pytest.param([asked(11), asked(5), asked(18), asked(2)], 1, id="F35-11-5-18-2"),
        pytest.param([asked(5), asked(18), asked(11), asked(2)], 3, id="F35-5-18-11-2"),
        pytest.param([asked(2), asked(5), asked(11), asked(18)], 3, id="F35-2-5-11-18"),
    ],
)
def test_f35_once_a_query_says_cancelled_nothing_that_comes_later_is_heard(
    bench: Bench, answers: list[Action], asked_for: int
) -> None:
    """A final row is not queried any more, so that a later contradiction has nobody to speak to."""
    bench.batch(2)
    bench.script("cancel", LOST_BUT_APPLIED, row=2)
    bench.script("query", *answers, row=2)
    bench.run(lasting=60.0)
    for _ in range(2):
        bench.run("poll", now=True)
    assert bench.states == [CANCELLED] * 2
    assert bench.queries(2) == asked_for
    assert bench.posts == {1: 1, 2: 1}


def test_f36_a_query_that_says_alive_is_no_proof_and_ends_with_a_person(bench: Bench) -> None:
    bench.batch(3)
    bench.script("cancel", LOST, row=2)
    bench.run()
    assert bench.states == [CANCELLED, UNKNOWN, CANCELLED]
    assert bench.outcomes[1] == "SIGUE AUTORIZADA"
    bench.settle()
    assert bench.states == [CANCELLED, REVIEW, CANCELLED]
    assert bench.outcomes[1] == "SIGUE AUTORIZADA"
    assert bench.exit_code == 4
    assert bench.posts == {1: 1, 2: 1, 3: 1}


@pytest.mark.parametrize("number", [5, 7, 10, 20], ids=lambda n: f"F37-{n}")
def test_f37_what_is_pending_for_ever_is_handed_to_a_person_after_three_days(bench: Bench, number: int) -> None:
    bench.batch(2)
    bench.script("cancel", state(number), row=2)
    bench.script("query", asked(number), row=2)
    bench.run()
    during = bench.queries(2)
    # 5 s of polling every second, jittered by a tenth: this many and no more.
    assert 1 <= during <= 6
    assert bench.states == [CANCELLED, State.PENDING]
    bench.settle(hours=71.0, times=4)
    assert bench.states == [CANCELLED, State.PENDING]
    bench.settle(hours=2.0, times=1)
    assert bench.states == [CANCELLED, REVIEW]
    assert bench.queries(2) <= during + 5
    assert bench.posts == {1: 1, 2: 1}
    assert bench.exit_code == 4
    before = bench.queries(2)
    bench.run("poll", now=True)
    assert bench.queries(2) == before


DOWN: dict[str, Action | None] = {
    "closed-port": None,
    "500": says(500),
    "html": says(raw="<html>"),
    "hang": HANG,
    "other-document": asked(11, "FE" + "0" * 64),
}


@pytest.mark.long
@pytest.mark.parametrize("how", DOWN, ids=lambda how: f"F38-{how}")
def test_f38_while_queries_fail_a_row_stays_unknown_and_ends_with_a_person(bench: Bench, how: str) -> None:
    bench.batch(2)
    bench.script("cancel", LOST_BUT_APPLIED, row=2)
    if (action := DOWN[how]) is None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            bench.urls["query"] = free.getsockname()[1]
    else:
        bench.script("query", action, row=2)
    patience = 0.5 if action == HANG else 5.0
    bench.run(read_s=patience)
    assert bench.states == [CANCELLED, UNKNOWN]
    assert bench.exit_code == (5 if how == "other-document" else 4)
    assert bench.outcomes[1] == "RESULTADO DESCONOCIDO"
    for _ in range(2):
        bench.clock.skip(timedelta(hours=40))
        bench.run("poll", now=True, lasting=0.5, read_s=patience)
    assert bench.states == [CANCELLED, REVIEW]
    assert bench.posts == {1: 1, 2: 1}


def test_f38_when_the_query_service_comes_back_the_row_is_found(bench: Bench) -> None:
    bench.batch(2)
    bench.script("cancel", LOST_BUT_APPLIED, row=2)
    bench.script("query", says(503), says(500), {})
    bench.run(lasting=30.0)
    assert bench.states == [CANCELLED] * 2
    assert bench.exit_code == 0
