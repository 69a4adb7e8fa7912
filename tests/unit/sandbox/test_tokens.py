"""Tokens: one service each, a lifetime, revocation."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta

import pytest

from pipeline.sandbox.tokens import CANCELLATION, QUERY, TokenIssuer, Verdict

LIFETIME = timedelta(minutes=10)


@pytest.fixture
def desk() -> TokenIssuer:
    return TokenIssuer("ana", "cañón:1", LIFETIME)


def test_the_right_user_is_admitted(desk: TokenIssuer) -> None:
    assert desk.admit(_basic("ana:cañón:1")) is Verdict.VALID


def test_names_that_go_on_with_a_hyphen_are_credentials_of_their_own(desk: TokenIssuer, now: datetime) -> None:
    assert desk.admit(_basic("ana-2:cañón:1")) is Verdict.VALID
    assert desk.user(_basic("ana-2:cañón:1")) == "ana-2"
    token = "Bearer " + str(json.loads(desk.issue(QUERY, now, "ana-2").body)["token"])
    assert desk.user(token) == "ana-2"


@pytest.mark.parametrize("given", ["ana:otra", "otra:cañón:1", ":", "ana", "ana2:cañón:1", "ana-2:otra"])
def test_wrong_credentials_are_unknown(given: str, desk: TokenIssuer) -> None:
    assert desk.admit(_basic(given)) is Verdict.UNKNOWN


@pytest.mark.parametrize("header", ["Basic", "Basic ***", "Bearer YQ==", "Basic ñ"])
def test_a_header_that_is_no_basic_header_is_unknown(header: str, desk: TokenIssuer) -> None:
    assert desk.admit(header) is Verdict.UNKNOWN


def test_no_header_is_missing(desk: TokenIssuer, now: datetime) -> None:
    assert desk.admit(None) is Verdict.MISSING
    assert desk.check(None, CANCELLATION, now) is Verdict.MISSING


def test_a_token_is_for_its_service_only(desk: TokenIssuer, now: datetime) -> None:
    token = _token(desk, CANCELLATION, now)
    assert desk.check(token, CANCELLATION, now) is Verdict.VALID
    assert desk.check(token, QUERY, now) is Verdict.OTHER_SERVICE


def test_a_token_ends_with_its_lifetime(desk: TokenIssuer, now: datetime) -> None:
    token = _token(desk, QUERY, now)
    assert desk.check(token, QUERY, now + LIFETIME - timedelta(microseconds=1)) is Verdict.VALID
    assert desk.check(token, QUERY, now + LIFETIME) is Verdict.EXPIRED


def test_revoking_a_service_leaves_the_other(desk: TokenIssuer, now: datetime) -> None:
    cancel, query = _token(desk, CANCELLATION, now), _token(desk, QUERY, now)
    assert desk.revoke(CANCELLATION) == 1
    assert desk.check(cancel, CANCELLATION, now) is Verdict.REVOKED
    assert desk.check(query, QUERY, now) is Verdict.VALID
    assert desk.revoke() == 1


def test_a_token_that_was_never_handed_out_is_unknown(desk: TokenIssuer, now: datetime) -> None:
    assert desk.check("Bearer eyJ", CANCELLATION, now) is Verdict.UNKNOWN


def test_every_second_token_has_no_offset(desk: TokenIssuer, now: datetime) -> None:
    expiries = [json.loads(desk.issue(CANCELLATION, now).body)["expira"] for _ in range(4)]
    assert [expiry.endswith("-05:00") for expiry in expiries] == [True, False, True, False]
    assert {expiry.removesuffix("-05:00") for expiry in expiries} == {"2026-11-20T09:40:00.2500000"}


def test_an_unknown_service_is_refused_with_200_and_an_empty_token(desk: TokenIssuer, now: datetime) -> None:
    reply = desk.issue("99", now)
    body = json.loads(reply.body)
    assert (reply.status, body["token"]) == (200, "")
    assert body["codigoError"]


def _basic(credentials: str) -> str:
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def _token(desk: TokenIssuer, service: str, now: datetime) -> str:
    return "Bearer " + str(json.loads(desk.issue(service, now).body)["token"])
