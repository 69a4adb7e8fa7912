"""A CSV of certificates: all of it or none, and the same file twice changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline.certificates.imports import import_file
from pipeline.certificates.registry import Dates
from pipeline.certificates.table import COLUMNS
from pipeline.domain.certificates import Certificate, State, state_of
from pipeline.domain.errors import InputRefused

NOW = datetime(2026, 11, 29, 15, 0, tzinfo=UTC)
RUC, OTHER, THIRD = "155668001-2-2018", "8-123-456", "29-29-29"
DONE = f"{RUC},EMPRESA,,S-1,15/01/2026,Completado,20/01/2026,20/01/2027,a@e.com,"
ASKED = f"{OTHER},OTRA,,S-2,18/11/2026,En trámite,,,,"
REJECTED = f"{THIRD},TERCERA,,S-3,2026-11-02,Rechazado,,,,Falta la cédula"


@pytest.fixture
def load(registry, tmp_path):
    def load(*lines: str, now: datetime = NOW):
        path = tmp_path / "lista.csv"
        path.write_text("\n".join([",".join(COLUMNS), *lines]), "utf-8")
        return import_file(registry, path, now)

    return load


def states(registry) -> dict[str, str]:
    return {one.request: one.state.value for one in registry.all()}


def test_every_row_becomes_a_record_with_its_event(load, registry):
    done = load(DONE, ASKED, REJECTED)
    assert (len(done.new), done.mistakes) == (3, [])
    assert states(registry) == {"S-1": "Completado", "S-2": "En trámite", "S-3": "Rechazado"}
    first = registry.all()[0]
    assert first.valid_until == datetime(2027, 1, 21, 4, 59, 59, tzinfo=UTC)
    assert [(line.event, line.who) for line in registry.log(first.id)] == [("importada", "ana")]


def test_the_same_file_twice_changes_nothing(load, registry):
    load(DONE, ASKED, REJECTED)
    before = registry.all()
    again = load(DONE, ASKED, REJECTED)
    assert (again.new, again.changed, again.same) == ([], [], 3)
    assert registry.all() == before


def test_the_same_file_after_a_certificate_has_run_out_changes_nothing(load, registry):
    load(DONE)
    later = datetime(2027, 6, 1, tzinfo=UTC)
    registry.sweep(later)
    assert state_of(registry.all()[0], later) is State.EXPIRED
    assert load(DONE.replace("Completado", "Vencido"), now=later).same == 1


def test_one_mistake_and_nothing_is_imported(load, registry):
    done = load(DONE, ASKED.replace("18/11/2026", "pronto"), REJECTED)
    assert [one.line for one in done.mistakes] == [3]
    assert (done.new, registry.all()) == ([], [])


def test_a_mistake_of_the_rules_undoes_the_rows_before_it(load, registry):
    done = load(REJECTED, DONE.replace("20/01/2027", "20/02/2026"))
    assert [(one.line, one.column) for one in done.mistakes] == [(3, "estado")]
    assert "ya venció el 20/02/2026" in done.mistakes[0].sentence
    assert registry.all() == []


def test_two_requests_open_of_one_issuer_are_a_mistake(load, registry):
    done = load(ASKED, ASKED.replace("S-2", "S-9"))
    assert [one.line for one in done.mistakes] == [2, 3]
    assert registry.all() == []


def test_a_request_beside_a_certificate_that_is_new_is_a_mistake(load):
    done = load(DONE.replace("20/01/2026", "20/10/2026"), ASKED.replace(OTHER, RUC))
    assert "está vigente hasta" in done.mistakes[0].sentence


def test_a_row_moves_the_record_that_it_is_about(load, registry):
    load(ASKED, REJECTED)
    load(
        f"{OTHER},OTRA,,S-2,18/11/2026,Completado,25/11/2026,25/11/2027,,",
        REJECTED.replace("Rechazado", "En trámite").replace("2026-11-02", "27/11/2026").replace("Falta la cédula", ""),
    )
    assert states(registry) == {"S-2": "Completado", "S-3": "En trámite"}
    assert registry.all()[1].requested_on == date(2026, 11, 27)


def test_a_move_that_there_is_not_is_a_mistake(load):
    load(REJECTED)
    done = load(REJECTED.replace("Rechazado", "Aceptado"))
    assert "Rechazado" in done.mistakes[0].sentence
    assert "envíe la solicitud otra vez" in done.mistakes[0].sentence


def test_other_values_in_a_state_that_is_not_edited_are_a_mistake(load):
    load(ASKED)
    done = load(ASKED.replace("OTRA", "OTRO NOMBRE"))
    assert "«titular»" in done.mistakes[0].sentence


def test_other_values_of_an_active_certificate_are_an_edit(load, registry):
    load(DONE)
    done = load(DONE.replace("EMPRESA", "EMPRESA NUEVA").replace("20/01/2027", "20/02/2027"))
    assert [one.holder for one in done.changed] == ["EMPRESA NUEVA"]
    assert registry.log(1)[-1].event == "editada"


def test_a_certificate_that_ended_early_needs_a_reason(load, registry):
    load(DONE)
    ended = DONE.replace("Completado", "Vencido").replace("20/01/2027", "20/11/2026")
    assert "motivo" in load(ended).mistakes[0].sentence
    load(f"{ended}Revocado por pérdida")
    assert states(registry) == {"S-1": "Vencido"}


def test_a_day_does_not_change_the_moment_that_a_file_gave(load, registry):
    until = datetime(2027, 1, 20, 20, 0, tzinfo=UTC)
    asked = Certificate(0, 0, RUC, State.IN_PROCESS, "EMPRESA", request="S-1", requested_on=date(2026, 1, 15))
    registry.register(replace(asked, mail="a@e.com"), Dates(datetime(2026, 1, 20, 15, tzinfo=UTC), until), NOW)
    assert load(DONE).same == 1
    assert registry.all()[0].valid_until == until


def test_a_file_that_is_no_table_is_refused(registry, tmp_path):
    path = tmp_path / "lista.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputRefused, match=r"lista\.csv"):
        import_file(registry, path, NOW)
    with pytest.raises(InputRefused):
        import_file(registry, tmp_path / "otra.csv", NOW + timedelta(0))
