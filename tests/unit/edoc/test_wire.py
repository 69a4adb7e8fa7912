"""What is sent, and what an answer says: everything doubtful is uncertain, nothing escapes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.domain.edoc_states import QueryDescribes
from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Cancellation, Finding, Source
from pipeline.edoc.wire import (
    MESSAGE_LIMIT,
    NotUnderstood,
    UnknownEdocState,
    cancel_body,
    known_state,
    query_params,
    read_answer,
    read_token,
)

CUFE = "FE0120000155668001-2-2018-3707892023061300000002050060120035300326"
OTHER = "FE01200000000000029-29-29-5676322018101525982740639300126729580548"
PROOF = (Event.CANCELLED, Event.ALREADY)


def answered(body: Any, source: Source = Source.CANCELLATION, status: int = 200, **more: Any) -> Finding:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_answer(source, status, raw, asked_cufe=CUFE, **more)


# ------------------------------------------------------------------------------------------------ what is sent


def test_a_cancellation_carries_the_four_fields_in_utf_8(cancellation: Callable[..., Cancellation]) -> None:
    body = cancel_body(cancellation(reason="Anulación por error — ñ", email="a@b.pa"), "anular 0.1")
    assert "Anulación por error — ñ".encode() in body
    assert json.loads(body) == {
        "cufe": CUFE,
        "motivoAnulacion": "Anulación por error — ñ",
        "correoNotificacion": "a@b.pa",
        "nombreIntegracion": "anular 0.1",
    }


@pytest.mark.parametrize("email", [None, ""])
def test_optional_fields_are_left_out_when_empty(cancellation: Callable[..., Cancellation], email: str | None) -> None:
    assert set(json.loads(cancel_body(cancellation(email=email), ""))) == {"cufe", "motivoAnulacion"}


def test_a_lone_surrogate_in_a_reason_cannot_break_the_sending(cancellation: Callable[..., Cancellation]) -> None:
    body = cancel_body(cancellation(reason="motivo \ud800 largo de más"), "")
    assert json.loads(body)["motivoAnulacion"] == "motivo ? largo de más"


@pytest.mark.parametrize(
    ("cufe", "ruc"),
    [
        (CUFE, "155668001-2-2018"),
        ("FE011000008-PE-3824-00523-2800012017071500000151340010117450183432", "8-PE-3824-00523"),
    ],
)
def test_a_query_is_cut_out_of_the_cufe_with_the_ruc_unpadded(cufe: str, ruc: str) -> None:
    params = query_params(cufe)
    assert params["RucEmisor"] == ruc
    assert list(params) == ["RucEmisor", "iDoc", "dSucEm", "dPtoFacDF", "dNroDF"]
    assert [len(value) for value in list(params.values())[1:]] == [2, 4, 3, 10]


# ------------------------------------------------------------------------------------- states, and what they prove

CANCELLATION_STATES = {
    2: Event.CANCELLED,
    4: Event.SUPPORT,
    5: Event.IN_PROGRESS,
    6: Event.CORRECT,
    7: Event.IN_PROGRESS,
    10: Event.IN_PROGRESS,
    11: Event.CANCELLED,
    15: Event.RETURNED,
    18: Event.NOT_FOUND,
    20: Event.IN_PROGRESS,
}


@pytest.mark.parametrize(("estado", "event"), CANCELLATION_STATES.items())
@pytest.mark.parametrize("form", [int, str])
def test_each_state_of_a_cancellation_is_understood(estado: int, event: Event, form: Callable[[int], Any]) -> None:
    finding = answered({"estado": form(estado), "codigoRespuestaDGI": None})
    assert (finding.event, finding.estado, finding.understood, finding.http) == (event, estado, True, 200)


@pytest.mark.parametrize(("estado", "event"), {**CANCELLATION_STATES, 2: Event.ALIVE}.items())
def test_each_state_of_a_query_is_understood(estado: int, event: Event) -> None:
    finding = answered({"estadoEdoc": estado, "cufe": CUFE}, Source.QUERY)
    assert (finding.event, finding.estado, finding.understood) == (event, estado, True)


def test_a_query_may_be_set_to_describe_the_cancellation() -> None:
    finding = answered({"estadoEdoc": 2}, Source.QUERY, describes=QueryDescribes.CANCELLATION)
    assert finding.event is Event.CANCELLED


@pytest.mark.parametrize(
    "estado", [True, False, 2.0, None, [], [2], {"a": 2}, "", " 2", "2 ", "02", "+2", "２", "2.0", "dos", "1" * 50]
)
def test_a_state_that_is_not_plain_is_unknown(estado: Any) -> None:
    finding = answered({"estado": estado, "EstadoEmisionEDOC": "2"})
    assert (finding.event, finding.estado, finding.understood) == (Event.UNCLEAR, None, False)
    assert finding.note == "state-not-plain"


def test_a_number_too_long_for_any_state_is_not_converted() -> None:
    finding = answered(b'{"estado": ' + b"9" * 5000 + b"}")
    assert (finding.event, finding.note) == (Event.UNCLEAR, "state-not-plain")


@pytest.mark.parametrize("estado", [0, 1, 3, 99, -1, 123456789])
def test_a_state_nobody_knows_is_uncertain_and_kept(estado: int) -> None:
    finding = answered({"estado": estado})
    assert (finding.event, finding.estado, finding.understood) == (Event.UNCLEAR, estado, False)
    assert finding.note == f"unknown-state-{estado}"
    with pytest.raises(UnknownEdocState):
        known_state({"estado": estado})


def test_the_first_present_state_counts_and_case_does_not() -> None:
    assert answered({"EstadoEmisionEDOC": 2, "ESTADOANULACIONEDOC": 6, "estadoedoc": "5"}).estado == 5
    assert answered({"EstadoEmisionEDOC": 2, "EstadoAnulacionEdoc": 6}).estado == 6
    assert answered({"ESTADO": 18, "estadoEdoc": 2}).estado == 18


def test_an_answer_without_a_state_is_uncertain() -> None:
    finding = answered({"MensajeRespuesta": "Procesado"})
    assert (finding.event, finding.note, finding.message) == (Event.UNCLEAR, "no-state", "Procesado")


# ------------------------------------------------------------------------------------------- codes of the authority


@pytest.mark.parametrize("code", ["0600", 600])
@pytest.mark.parametrize("estado", [2, 5, 6, 99, None])
def test_0600_decides_over_the_state(code: Any, estado: Any) -> None:
    finding = answered({"estado": estado, "codigoRespuestaDGI": code})
    assert (finding.event, finding.dgi) == (Event.CANCELLED, "0600")


def test_0622_says_it_was_cancelled_before_even_with_a_400() -> None:
    assert answered({"estado": 6, "CodigoRespuestaDGI": "0622"}, status=400).event is Event.ALREADY


def test_a_query_carries_the_code_under_its_own_name() -> None:
    assert answered({"estadoEdoc": 5, "codigoRespuesta": 622}, Source.QUERY).event is Event.ALREADY
    assert answered({"codigoRespuesta": "0600", "codigoRespuestaDGI": "  "}, Source.QUERY).event is Event.CANCELLED


def test_a_query_may_carry_the_code_under_the_name_that_a_cancellation_has() -> None:
    finding = answered({"estadoEdoc": 5, "codigoRespuesta": 0, "codigoRespuestaDGI": "0600"}, Source.QUERY)
    assert (finding.event, finding.dgi) == (Event.CANCELLED, "0600")


@pytest.mark.parametrize("zero", [0, "0", "0000", " 0 ", None, ""])
def test_a_querys_answer_code_of_zero_is_no_code_of_the_authority(zero: Any) -> None:
    finding = answered({"estadoEdoc": 11, "codigoRespuesta": zero}, Source.QUERY)
    assert (finding.event, finding.dgi) == (Event.CANCELLED, None)


@pytest.mark.parametrize(
    "code", ["0", "600", "0600 ", " 0600", "06000", "OK", "٠٦٠٠", True, 600.0, -600, 10600, ["0600"]]
)
def test_what_stands_for_a_code_and_is_none_never_proves_anything(code: Any) -> None:
    finding = answered({"estado": 2, "codigoRespuestaDGI": code})
    assert (finding.event, finding.understood) == (Event.UNCLEAR, False)
    assert finding.dgi is not None
    assert finding.dgi.startswith("?")
    assert finding.note.startswith("unknown-dgi-")


@pytest.mark.parametrize(("code", "note"), [("1602", "contradiction-1602"), ("4444", "unknown-dgi-4444")])
def test_success_beside_a_code_that_speaks_against_it_is_uncertain(code: str, note: str) -> None:
    finding = answered({"estado": "2", "codigoRespuestaDGI": code})
    assert (finding.event, finding.note) == (Event.UNCLEAR, note)


# ---------------------------------------------------------------------------------------------------- statuses


@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_with_an_edoc_body_counts_by_its_state(status: int) -> None:
    assert answered({"estado": 6}, status=status).event is Event.CORRECT
    assert (
        answered({"estado": 18, "MensajeRespuesta": "Documento no encontrado."}, status=status).event is Event.NOT_FOUND
    )


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("estado", [2, "2", 11, "11"])
@pytest.mark.parametrize("source", Source)
def test_a_refusal_that_says_authorised_or_cancelled_proves_nothing(source: Source, estado: Any, status: int) -> None:
    finding = answered({"estado": estado}, source, status=status)
    assert (finding.event, finding.note) == (Event.UNCLEAR, f"contradiction-http-{status}")
    assert not finding.understood


def test_the_authoritys_own_word_decides_in_a_refusal_too() -> None:
    assert answered({"estado": 2, "codigoRespuestaDGI": "0600"}, status=422).event is Event.CANCELLED
    assert answered({"estado": 11, "codigoRespuestaDGI": "0622"}, status=400).event is Event.ALREADY


@pytest.mark.parametrize("code", ["E-17", "1", 500, "0100x", True])
def test_authorised_beside_an_error_code_proves_nothing(code: Any) -> None:
    finding = answered({"estado": 2, "CodigoError": code})
    assert (finding.event, finding.note, finding.understood) == (Event.UNCLEAR, "contradiction-error-code", False)
    assert answered({"estado": 2, "CodigoError": code, "codigoRespuestaDGI": "0600"}).event is Event.CANCELLED


@pytest.mark.parametrize("code", [None, "", "  ", "0", "000", 0, False])
def test_an_error_code_that_says_none_contradicts_nothing(code: Any) -> None:
    assert answered({"estado": 2, "CodigoError": code}).event is Event.CANCELLED


@pytest.mark.parametrize("status", [101, 201, 202, 204, 206, 302, 403, 404, 408, 409, 418, 429, 499, 500, 503, 522])
def test_no_other_status_is_read_for_a_state(status: int) -> None:
    finding = answered({"estado": 2, "codigoRespuestaDGI": "0600", "MensajeRespuesta": "Ocupado"}, status=status)
    assert (finding.event, finding.estado, finding.dgi) == (Event.UNCLEAR, None, None)
    assert (finding.message, finding.note, finding.understood) == ("Ocupado", f"http-{status}", False)


def test_an_unreadable_body_of_another_status_is_noted_by_its_status() -> None:
    assert answered(b"<html>", status=502).note == "http-502"


# ------------------------------------------------------------------------------------------------ broken answers


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"<!DOCTYPE html><html>Mantenimiento</html>", "html"),
        (b'{"estado": 2', "not-json"),
        (b"OK", "not-json"),
        (b'{"estado": 2} {"estado": 6}', "not-json"),
        (b'"2"', "not-an-object"),
        (b"2", "not-an-object"),
        (b'[{"estado": 2}]', "not-an-object"),
        (b'{"estado": NaN}', "not-a-number"),
        (b'{"estado": 2, "x": -Infinity}', "not-a-number"),
        (b'{"estado": 6, "estado": 2}', "duplicate-keys"),
        (b'{"estado": 6, "ESTADO": 2}', "duplicate-keys"),
        (b'{"estado": 2, "a": {"b": 1, "B": 1}}', "duplicate-keys"),
        (b"[" * 30000, "too-deep"),
        (b'{"a":' * 40 + b"2" + b"}" * 40, "too-deep"),
        ('{"estado": 2}'.encode("utf-16"), "not-utf8"),
        ('{"estado": 2}'.encode("utf-16-le"), "not-json"),
        (b'{"estado": 2, "m": "\xf1"}', "not-utf8"),
        (b'{"estado": 2, "m": "a\nb"}', "not-json"),
    ],
)
def test_a_body_that_is_not_strict_json_is_uncertain_and_kept(body: bytes, note: str) -> None:
    finding = answered(body)
    assert (finding.event, finding.understood, finding.note) == (Event.UNCLEAR, False, note)
    assert (finding.body, finding.http) == (body, 200)


def test_a_byte_order_mark_before_the_object_is_no_damage() -> None:
    assert answered(b'\xef\xbb\xbf{"estado": 2}').event is Event.CANCELLED
    assert answered(b"\xef\xbb\xbf<html>").note == "html"


def test_brackets_inside_texts_are_not_depth() -> None:
    assert answered({"estado": 2, "MensajeRespuesta": '[{"\\' * 50}).event is Event.CANCELLED


def test_a_body_that_was_cut_or_packed_is_not_read() -> None:
    assert answered({"estado": 2}, truncated=True).note == "too-long"
    assert answered({"estado": 2}, content_encoding="gzip").note == "content-encoding"
    assert answered({"estado": 2}, content_encoding=" Identity ").event is Event.CANCELLED


def test_an_answer_about_another_document_stops_the_run() -> None:
    for source in Source:
        finding = answered({"estado": 11, "estadoEdoc": 11, "CUFE": OTHER}, source)
        assert (finding.event, finding.note, finding.understood) == (Event.UNCLEAR, "crossed", False)
        assert finding.stop is not None
        assert "respuesta cruzada" in finding.stop


@pytest.mark.parametrize("echo", [None, "", CUFE, f" {CUFE.lower()} "])
def test_our_own_document_or_none_in_the_answer_is_fine(echo: str | None) -> None:
    assert answered({"estado": 11, "cufe": echo}).event is Event.CANCELLED


@pytest.mark.parametrize("echo", [7, [], False, {"a": 1}])
def test_an_echo_that_is_no_text_is_another_document(echo: Any) -> None:
    assert answered({"estado": 11, "cufe": echo}).note == "crossed"


@pytest.mark.parametrize(
    "names",
    [
        {"numDocumento": "0000000999"},
        {"numDocumento": "FE-999"},
        {"urlCodeQR": f"https://edoc.example/FacturasPorQR?chFE={OTHER}&iAmb=2"},
        {"urlCodeQR": f"https://edoc.example/x?a={OTHER.replace('-', '%2D').lower()}"},
        {"documento": {"datos": [{"codigo": OTHER}]}},
        {"cufe": CUFE, "urlCodeQR": OTHER},
    ],
    ids=str,
)
@pytest.mark.parametrize("estado", [2, 11, 5])
def test_an_answer_to_a_query_that_names_another_document_proves_nothing(names: dict[str, Any], estado: int) -> None:
    finding = answered({"estadoEdoc": estado, **names}, Source.QUERY)
    assert (finding.event, finding.note, finding.understood) == (Event.UNCLEAR, "other-document", False)


@pytest.mark.parametrize(
    "names",
    [
        {"numDocumento": "0000000205"},
        {"numDocumento": 205},
        {"numDocumento": "001-205"},
        {"numDocumento": None},
        {"numDocumento": "s/n"},
        {"urlCodeQR": f"https://edoc.example/FacturasPorQR?chFE={CUFE}"},
        {"errorEDOC": f"duplicado de {OTHER}"},
    ],
    ids=str,
)
def test_an_answer_to_a_query_that_names_our_document_or_none_is_read(names: dict[str, Any]) -> None:
    assert answered({"estadoEdoc": 11, **names}, Source.QUERY).event is Event.CANCELLED


# ------------------------------------------------------------------------------------------- messages and dates


def test_the_message_has_its_code_beside_it() -> None:
    body = {"estado": 4, "MensajeRespuesta": "Fallo interno", "CodigoError": "E-17"}
    assert answered(body).message == "Fallo interno (código E-17)"
    assert answered({"estadoEdoc": 4, "errorEDOC": "Sin firma"}, Source.QUERY).message == "Sin firma"
    assert answered({"estado": 2, "mensajeRespuesta": None, "CodigoError": ""}).message is None


def test_control_characters_and_lone_surrogates_do_not_reach_the_message_and_the_raw_body_stays() -> None:
    raw = b'{"estado": 6, "MensajeRespuesta": "a\\u0000\\u0007b\\ud800c\\r\\nd"}'
    finding = answered(raw)
    assert finding.message == "a b c d"
    assert finding.body == raw


def test_a_long_message_is_cut() -> None:
    message = answered({"estado": 6, "MensajeRespuesta": "x" * 9000}).message
    assert message is not None
    assert len(message) == MESSAGE_LIMIT


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("2026-11-20T09:00:00.1234567-05:00", "2026-11-20T09:00:00.1234567-05:00"),
        ("0001-01-01T00:00:00", None),
        (None, None),
        ("", None),
    ],
)
def test_the_date_of_authorisation_is_kept_as_answered_unless_it_means_none(value: Any, kept: str | None) -> None:
    assert answered({"estado": 2, "FechaAutorizacion": value}).authorised_at == kept


def test_a_return_because_of_credentials_stops_the_run() -> None:
    stopping = answered({"estado": 15, "MensajeRespuesta": "Credenciales inválidas"})
    assert stopping.event is Event.RETURNED
    assert stopping.stop is not None
    assert answered({"estado": 15, "MensajeRespuesta": "Documento duplicado"}).stop is None
    assert answered({"estado": 15, "errorEDOC": "Credenciales inválidas"}, Source.QUERY).stop is None


# --------------------------------------------------------------------------------------------------- properties

VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 30),
        st.integers(),
        st.floats(),
        st.sampled_from(["2", "11", "0600", "0622", "", "x", CUFE, OTHER]),
    ),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)
STATE_KEYS = ["estado", "Estado", "estadoEdoc", "EstadoEmisionEDOC"]
CODE_KEYS = ["codigoRespuestaDGI", "codigoRespuesta", "CodigoError"]
KEYS = st.sampled_from([*STATE_KEYS, *CODE_KEYS, "cufe", "errorEDOC", "MensajeRespuesta", "FechaAutorizacion"])


@settings(max_examples=60, deadline=None)
@given(
    body=st.one_of(
        st.binary(max_size=60),
        st.dictionaries(KEYS, VALUES, max_size=5).map(lambda d: json.dumps(d).encode()),
        st.lists(st.sampled_from([b'{"estado":', b"2", b'"2"', b"}", b"[", b"]", b",", b'"', b"\\", b"9" * 300])).map(
            b"".join
        ),
    ),
    status=st.sampled_from([200, 400, 404, 422, 429, 500]),
    source=st.sampled_from(Source),
)
@example(body=b'{"estado": 1e999}', status=200, source=Source.CANCELLATION)
def test_whatever_is_answered_reading_ends_in_a_finding_and_claims_only_what_is_proven(
    body: bytes, status: int, source: Source
) -> None:
    finding = answered(body, source, status)
    assert finding.body == body
    assert finding.understood is (finding.event is not Event.UNCLEAR)
    if finding.event in PROOF:
        assert status in (200, 400, 422)
        assert finding.estado in (2, 11) or finding.dgi in ("0600", "0622")
    (finding.message or "").encode("utf-8")


# ----------------------------------------------------------------------------------------------------- the token


def token_body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("issued", "expires", "seconds"),
    [
        ("2026-11-20T09:00:00.0000000-05:00", "2026-11-20T10:00:00.0000000-05:00", 3600.0),
        ("2026-11-20T09:00:00.0000000", "2026-11-20T10:00:00.0000000-05:00", 3600.0),
        ("2026-11-20T14:00:00Z", "2026-11-20T10:00:00", 3600.0),
        ("2026-11-20T09:00:00", "2026-11-20T09:00:00", None),
        ("2026-11-20T09:00:00", "2026-11-20T08:00:00", None),
        ("0001-01-01T00:00:00", "2026-11-20T08:00:00", None),
        ("ayer", "mañana", None),
        (None, 5, None),
    ],
)
def test_the_lifetime_is_the_difference_of_the_servers_own_times(
    issued: Any, expires: Any, seconds: float | None
) -> None:
    answer = read_token(token_body(Token="abc.def", Expedido=issued, EXPIRA=expires))
    assert (answer.token, answer.lifetime) == ("abc.def", seconds)


@pytest.mark.parametrize("token", ["a b", "a\r\nX-Evil: 1", "ñ", "a" * 16385, 7, ["a"], True, " abc", "abc\n"])
def test_a_token_that_could_break_a_header_is_refused(token: Any) -> None:
    with pytest.raises(NotUnderstood, match="token-not-plain"):
        read_token(token_body(token=token))


def test_an_empty_token_with_an_error_code_is_a_refusal() -> None:
    answer = read_token(token_body(token="", codigoError="401", mensajeRespuesta="Usuario inválido"))
    assert (answer.token, answer.code, answer.message) == (None, "401", "Usuario inválido")


@pytest.mark.parametrize("fields", [{}, {"token": None}, {"token": "", "codigoError": None}])
def test_an_empty_token_without_a_code_is_not_understood(fields: dict[str, Any]) -> None:
    with pytest.raises(NotUnderstood, match="no-token"):
        read_token(token_body(**fields))


def test_a_token_does_not_show_itself() -> None:
    assert "abc.def" not in repr(read_token(token_body(token="abc.def")))
