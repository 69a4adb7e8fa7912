"""The case for eDoc's support desk: everything it needs, nothing that is not true, nothing secret, recorded once."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest

from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import Finding, Source
from pipeline.ledger.ledger_events import add_support_case, support_cases
from pipeline.ledger.search import Hit
from pipeline.ledger.storage.location import open_ledger
from pipeline.ledger.store import Store
from pipeline.ledger.verify import examine
from pipeline.ledger.views import Views
from pipeline.report.support_case import ANSWERS, TABLE, TEXT, Sender, make_case, publish_case
from tests.bench.material import batch, checked

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
ANA = Sender("Ana Pérez", "Café Ñandú, S.A.", "PRODUCCIÓN", "anular 0.1.0")
BODY = '{"estado":"4","MensajeRespuesta":"Error: acentuación"}'.encode("latin-1")


@pytest.fixture
def told(tmp_path):
    """A ledger with a batch of three, two of them in state 4: its parts, and the case about those two."""
    from pipeline.ledger.moves import Move

    database = open_ledger(f"sqlite:///{tmp_path / 'r' / 'registro.db'}")
    store, views = Store(database, "sandbox"), Views(database, "sandbox")
    store.begin_run(NOW)
    info = batch("20261120-caso", 3, tmp_path / "out", NOW)
    store.intake(info, checked(3))
    for row, message in zip(views.ready(info.id)[1:], ("=1+1", None), strict=True):
        answer = Finding(Source.CANCELLATION, Event.SUPPORT, http=200, estado=4, message=message, body=BODY)
        store.apply([Move(row.attempt, row.version, info.id, row.pos, State.READY, Event.CLAIMED, NOW)])
        end = Move(row.attempt, row.version + 1, info.id, row.pos, State.SENDING, Event.SUPPORT, NOW, answer)
        store.apply([end])
    yield database, views.search(), info
    database.close()


def case_of(told, places=(2, 3)):
    _, search, info = told
    hits = [Hit(info.id, pos, "sandbox") for pos in places]
    return make_case(info, [search.row(hit) for hit in hits], [search.answers(hit) for hit in hits], ANA, NOW)


def test_the_rows_of_state_4_are_those_of_the_case(told):
    _, search, info = told

    assert search.in_state(info.id, State.NEEDS_SUPPORT) == [2, 3]
    assert search.in_state(info.id, State.CANCELLED) == []


def test_the_text_names_who_asks_what_about_and_what_is_asked(told):
    text = case_of(told).text

    for words in (
        *(
            "Café Ñandú, S.A.",
            "RUC 29-29-29",
            "PRODUCCIÓN",
            "20261120-caso",
            "Ana Pérez",
            "2 anulaciones",
            "2 facturas",
        ),
        *("número 2, punto 939", "emitido el 18/11/2026", "Enviada: 20/11/2026 10:00:00", "HTTP 200; estado 4"),
        *("Mensaje: =1+1", "No hemos vuelto a enviar nada.", "hora"),
    ):
        assert words in text
    assert "cliente2@" not in text, "the customer's address is nobody's business"


def test_one_invoice_is_spoken_of_in_the_singular(told):
    text = case_of(told, (2,)).text

    assert "1 anulación sin resolver" in text
    assert "(1 factura)" in text


def test_that_nothing_was_sent_again_is_said_only_where_it_is_true(told):
    from dataclasses import replace

    _, search, info = told
    row = search.row(Hit(info.id, 2, "sandbox"))
    twice = replace(row, line=replace(row.line, attempts=2))

    text = make_case(info, [twice], [[]], ANA, NOW).text

    assert "No hemos vuelto a enviar" not in text
    assert "(envío n.º 2)" in text


def test_the_table_has_every_row_and_nothing_that_a_spreadsheet_would_run(told):
    lines = list(csv.DictReader(io.StringIO(case_of(told).table.decode("utf-8-sig")), delimiter=";"))

    assert [(line["Fila"], line["Documento"]) for line in lines] == [
        ("Hoja1, fila 3", "0000000002"),
        ("Hoja1, fila 4", "0000000003"),
    ]
    assert lines[0]["Mensaje de eDoc"] == "'=1+1"


def test_the_answers_are_the_bytes_that_came(told):
    answers = case_of(told).answers

    assert sorted(answers.values()) == [BODY, BODY]
    assert all(name.endswith("__http-200.txt") for name in answers)


def test_the_folder_is_private_whole_and_never_replaces_an_earlier_one(told, tmp_path):
    done: list[int] = []
    first = publish_case(case_of(told), tmp_path / "out", told[2], lambda: done.append(1))
    second = publish_case(case_of(told), tmp_path / "out", told[2], lambda: done.append(2))

    assert (first.name, second.name) == ("20261120-caso__20261120-caso__soporte", f"{first.name} (2)")
    assert sorted(path.name for path in first.iterdir()) == sorted([TEXT, TABLE, ANSWERS])
    assert (done, first.stat().st_mode & 0o777) == ([1, 2], 0o700)


def test_what_cannot_be_recorded_leaves_no_folder(told, tmp_path):
    def fails() -> None:
        raise RuntimeError("the ledger cannot be written")

    with pytest.raises(RuntimeError):
        publish_case(case_of(told), tmp_path / "out", told[2], fails)

    assert list((tmp_path / "out").iterdir()) == []


def test_the_event_is_part_of_the_chain_and_moves_no_row(told):
    database, search, info = told
    before = search.exactly([info.id])

    add_support_case(database, info.id, NOW, who="Ana Pérez", rows="fila 3", digest=b"x" * 32)

    (case,) = support_cases(database, info.id)
    found = examine(database)
    assert (case.who, case.rows, case.at) == ("Ana Pérez", "fila 3", NOW)
    assert (found.faults, found.batches[info.id].packed) == ([], 0)
    assert search.exactly([info.id]) == before, "the seal of the batch is that of its rows"
