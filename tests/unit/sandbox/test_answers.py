"""Answers on the wire: dates, headers, and nothing that the documentation does not have."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from pipeline.domain.cufe import Cufe
from pipeline.sandbox.answers import Answer, for_cancellation, for_query, other_than, panama_time

MakeCufe = Callable[..., Cufe]


def test_times_are_panamas_with_seven_fraction_digits() -> None:
    moment = datetime(2026, 11, 20, 14, 0, 0, 123_456, tzinfo=UTC)
    assert panama_time(moment) == "2026-11-20T09:00:00.1234560-05:00"


def test_a_cancellation_answers_with_the_documented_keys(make_cufe: MakeCufe, now: datetime) -> None:
    body = json.loads(for_cancellation(Answer("2", dgi="0600"), make_cufe(), now, now).body)
    assert set(body) == {
        "estado",
        "FechaAutorizacion",
        "codigoRespuestaDGI",
        "MensajeRespuesta",
        "EstadoEmisionEDOC",
        "CodigoError",
    }
    assert body["FechaAutorizacion"].startswith("2026-11-20T09:30:00")


def test_no_date_is_the_year_one(make_cufe: MakeCufe, now: datetime) -> None:
    assert json.loads(for_query(Answer(5), make_cufe(), now, None).body)["fechaAutorizacion"] == "0001-01-01T00:00:00"


def test_a_query_answers_with_the_documented_keys(make_cufe: MakeCufe, now: datetime) -> None:
    cufe = make_cufe(number=77)
    body = json.loads(for_query(Answer(11), cufe, now, now).body)
    assert set(body) == {
        "codigoRespuesta",
        "cufe",
        "urlCodeQR",
        "fechaAutorizacion",
        "numDocumento",
        "estadoEdoc",
        "errorEDOC",
        "codigoError",
        "numAutorizacion",
        "secuencialERP",
        "tipoDocumento",
    }
    assert (body["cufe"], body["numDocumento"], body["tipoDocumento"]) == (cufe.text, "0000000077", "01")


def test_retry_after_is_seconds_or_a_date_that_is_not_too_early(make_cufe: MakeCufe, now: datetime) -> None:
    wait = Answer(status=429, retry_after=2)
    assert dict(for_cancellation(wait, make_cufe(), now, None).headers) == {"retry-after": "2"}
    dated = Answer(status=429, retry_after=2, retry_as_date=True)
    date = parsedate_to_datetime(dict(for_cancellation(dated, make_cufe(), now, None).headers)["retry-after"])
    assert timedelta(seconds=2) <= date - now < timedelta(seconds=3)


def test_another_code_is_valid_whatever_the_number(make_cufe: MakeCufe) -> None:
    for number in range(1, 21):
        cufe = make_cufe(number=number)
        assert Cufe.parse(other_than(cufe).strip()).text != cufe.text
