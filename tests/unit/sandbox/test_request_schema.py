"""What the sandbox takes for a proper request, by its own reading of the documentation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.domain.cufe import Cufe
from pipeline.sandbox import request_schema

MakeCufe = Callable[..., Cufe]
REASON = "Error en el monto facturado"
KEY = "RucEmisor=155668001-2-2018&iDoc=01&dSucEm=0789&dPtoFacDF=006&dNroDF=0000000205"


def test_the_documented_request_is_taken(make_cufe: MakeCufe) -> None:
    payload = {
        "cufe": make_cufe().text,
        "motivoAnulacion": REASON,
        "correoNotificacion": "ana@example.com",
        "nombreIntegracion": "anular 1",
    }
    assert request_schema.cancellation(payload, "application/json; charset=utf-8") == make_cufe()


@pytest.mark.parametrize(
    "change",
    [
        {"motivoAnulacion": "corto"},
        {"motivoAnulacion": "x" * 1001},
        {"motivoAnulacion": None},
        {"motivoAnulacion": f"{REASON}\n"},
        {"correoNotificacion": ""},
        {"correoNotificacion": None},
        {"correoNotificacion": "nadie"},
        {"nombreIntegracion": "x" * 101},
        {"cufe": "FE01"},
        {"cufe": 5},
        {"motivo": REASON},
    ],
)
def test_a_field_out_of_its_bounds_is_refused(change: dict[str, object], make_cufe: MakeCufe) -> None:
    payload = {"cufe": make_cufe().text, "motivoAnulacion": REASON, **change}
    with pytest.raises(request_schema.BadForm):
        request_schema.cancellation(payload, "application/json")


def test_a_request_without_a_reason_or_as_another_type_is_refused(make_cufe: MakeCufe) -> None:
    with pytest.raises(request_schema.BadForm):
        request_schema.cancellation({"cufe": make_cufe().text}, "application/json")
    with pytest.raises(request_schema.BadForm):
        request_schema.cancellation({"cufe": make_cufe().text, "motivoAnulacion": REASON}, "text/plain")
    with pytest.raises(request_schema.BadForm):
        request_schema.cancellation(None, "application/json")


def test_a_repeated_key_makes_the_body_unreadable() -> None:
    assert request_schema.json_object(b'{"cufe": "a", "cufe": "b"}') is None
    assert request_schema.json_object(b'{"cufe": "a"}') == {"cufe": "a"}


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b"\xff\xfe{}", b"[" * 200_000, b'{"a": ' + b"9" * 5000 + b"}"]
)
def test_bytes_that_are_no_object_are_none(body: bytes) -> None:
    assert request_schema.json_object(body) is None


def test_the_documented_query_is_taken() -> None:
    assert request_schema.query(KEY, b"") == ("155668001-2-2018", "01", "0789", "006", "0000000205")


@pytest.mark.parametrize(
    "query",
    ["", KEY + "&otro=1", KEY + "&iDoc=01", KEY.replace("iDoc=01", "iDoc="), KEY.replace("iDoc", "idoc")],
)
def test_a_query_with_other_parameters_is_refused(query: str) -> None:
    with pytest.raises(request_schema.BadForm):
        request_schema.query(query, b"")


def test_a_query_with_a_body_is_refused() -> None:
    with pytest.raises(request_schema.BadForm):
        request_schema.query(KEY, b"{}")


@pytest.mark.parametrize(("query", "service"), [("Id=16", "16"), ("", ""), ("id=16", ""), ("Id=16&Id=3", "")])
def test_the_service_is_the_only_parameter(query: str, service: str) -> None:
    assert request_schema.service(query) == service
