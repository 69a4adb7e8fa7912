"""The sample batches are what they say: rebuilt byte by byte, synthetic throughout, and harmless to a run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.domain.circuit_breaker import Advice, Caution
from pipeline.domain.cufe import Cufe
from pipeline.domain.deadline import Window
from pipeline.domain.eligibility import Rules
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.problems import KINDS
from pipeline.domain.records import Cancellation, CheckedRow, Finding, Position, Seen, Source, Verdict
from pipeline.edoc.wire import read_answer
from pipeline.sandbox.documents import Book, key_of
from pipeline.sandbox.scenarios import SCENARIOS
from pipeline.submit.submit import by_urgency
from pipeline.validate.check import Checked, check
from sample_data.build import FILES, build
from sample_data.codes import DISTRIBUTOR, HARDWARE, ISSUERS
from sample_data.mistakes import HEADER_ROW, cases
from tests.support.reading import read_sheet

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"
NOW = datetime.fromisoformat("2026-11-20T10:00:00-05:00")
"""The sandbox's clock in ``make run``."""

STOPPING = {"917", "943", "944", "947", "984", "992"}
"""Scenarios that end a run: refused credentials, wrong address or rights, answers about other documents."""
ELSEWHERE = {
    *("sin-constancia", "apartada-antes", "retenida-carpeta", "formula-aceptada", "fila-oculta"),
    *("texto-perdido", "cufe-invisible", "cufe-con-texto", "documento-archivo", "documento-lote"),
    *("fila-tachada", "fila-dice-no", "rechazada-antes"),
}
"""What only a workbook of our own, the drop folder, an option, or letters that some program lost for good can show."""


def checked(name: str, rules: Rules | None = None, seen: dict[str, Seen] | None = None) -> Checked:
    return check(read_sheet(SAMPLES / name), rules or Rules(), NOW, lambda _: seen or {})


def accepted(name: str) -> list[CheckedRow]:
    return [row for row in checked(name).rows if row.verdict is Verdict.ACCEPTED]


def scenario(row: CheckedRow) -> str:
    assert row.cufe is not None
    return row.cufe[62:65]


def in_sending_order(rows: list[CheckedRow]) -> list[CheckedRow]:
    by_pos = {row.pos: row for row in rows}
    sent = by_urgency(_cancellation(row) for row in rows)
    return [by_pos[one.pos] for one in sent]


def _cancellation(row: CheckedRow) -> Cancellation:
    assert row.cufe is not None
    assert row.reason is not None
    assert row.deadline is not None
    return Cancellation(
        attempt=row.pos,
        version=0,
        number=1,
        batch="lote",
        pos=row.pos,
        cufe=row.cufe,
        reason=row.reason,
        email=row.email,
        hours_left=row.deadline.hours_left,
        late=row.deadline.window is Window.LATE,
    )


def answered(book: Book, row: CheckedRow) -> Finding:
    """What the client makes of the sandbox's answer; a cut connection leaves nothing to read."""
    assert row.cufe is not None
    reply = book.cancel(Cufe.parse(row.cufe), NOW)
    if reply.cut is not None:
        return Finding(Source.CANCELLATION, Event.UNCLEAR, understood=False)
    finding = read_answer(Source.CANCELLATION, reply.status, reply.body, asked_cufe=row.cufe)
    proofs = {401: Event.UNAUTHORISED, 429: Event.THROTTLED}
    return Finding(finding.source, proofs.get(reply.status, finding.event), http=reply.status, stop=finding.stop)


@pytest.fixture(scope="module")
def monthly() -> list[CheckedRow]:
    """The rows of the monthly batch that are sent, as they are sent."""
    return in_sending_order(accepted("lote_mensual.xlsx"))


def test_the_committed_files_are_those_that_a_rebuild_makes(tmp_path: Path) -> None:
    build(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)
    for name in FILES:
        assert (SAMPLES / name).read_bytes() == (tmp_path / name).read_bytes(), f"{name}: run make sample-data"


@pytest.mark.parametrize("name", FILES)
def test_a_sample_file_is_small(name: str) -> None:
    assert (SAMPLES / name).stat().st_size < 150_000


@pytest.mark.parametrize("name", FILES)
def test_every_code_that_would_be_sent_is_a_test_document_of_a_fictional_company(name: str) -> None:
    fictional = {issuer.ruc for issuer in ISSUERS}
    rows = accepted(name)
    assert rows
    for row in rows:
        assert row.cufe is not None
        code = Cufe.parse(row.cufe)
        assert code.ruc in fictional
        assert code.environment == "2"


@pytest.mark.parametrize("name", FILES)
def test_every_ending_of_a_code_is_a_scenario_that_lets_the_run_go_on(name: str) -> None:
    endings = {scenario(row) for row in accepted(name)}
    assert endings <= SCENARIOS.keys()
    assert not endings & STOPPING


def test_no_two_documents_are_the_same_to_a_status_query() -> None:
    codes = [Cufe.parse(row.cufe) for name in FILES for row in accepted(name) if row.cufe is not None]
    shared = [code for code in codes if codes.count(code) > 1]
    assert len({key_of(code) for code in codes}) == len(set(codes))
    assert len(set(shared)) == 1, "only the row that shows a conflict with the monthly batch"


def test_the_monthly_batch_has_two_companies_and_every_kind_of_row() -> None:
    found = checked("lote_mensual.xlsx")
    assert 110 <= len(found.rows) <= 130
    assert found.issuers == (DISTRIBUTOR.ruc, HARDWARE.ruc)
    assert found.counts == {
        Verdict.ACCEPTED: 109,
        Verdict.REJECTED: 7,
        Verdict.DUPLICATE: 2,
        Verdict.CONFLICT: 2,
        Verdict.HELD: 0,
        Verdict.NOT_APPLICABLE: 0,
    }
    assert found.repaired == 6


def test_the_monthly_batch_has_rows_in_time_on_the_limit_day_and_late(monthly: list[CheckedRow]) -> None:
    windows = [row.deadline.window for row in monthly if row.deadline]
    assert windows.count(Window.LIMIT_DAY) == 5
    assert windows.count(Window.LATE) == 4
    assert windows[0] is Window.LIMIT_DAY
    assert windows[-4:] == [Window.LATE] * 4


def test_only_one_row_loses_its_token(monthly: list[CheckedRow]) -> None:
    assert [scenario(row) for row in monthly].count("941") == 1


def test_the_circuit_breaker_stays_closed_even_when_answers_overtake_each_other(monthly: list[CheckedRow]) -> None:
    book = Book()
    findings = [answered(book, row) for row in monthly]
    assert findings[0].event is Event.CANCELLED, "the canary is a good row"
    assert not [finding.stop for finding in findings if finding.stop]
    for order in (findings, list(_unclear_first(findings, 8))):
        caution = Caution(8)
        assert {caution.seen(finding) for finding in [findings[0], *order[1:]]} == {Advice.GO}
    unclear = [place for place, finding in enumerate(findings) if finding.event is Event.UNCLEAR]
    assert len(unclear) == 15
    assert min(later - sooner for sooner, later in pairwise(unclear)) >= 6


def _unclear_first(findings: list[Finding], in_flight: int) -> Iterator[Finding]:
    """The worst order for answers that arrive together: in each handful, what is not understood comes first."""
    for start in range(0, len(findings), in_flight):
        yield from sorted(findings[start : start + in_flight], key=lambda one: one.event is not Event.UNCLEAR)


def test_the_csv_is_as_excel_in_spanish_saves_it() -> None:
    data = (SAMPLES / "lote_mensual.csv").read_bytes()
    assert data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r") == 43
    with pytest.raises(UnicodeDecodeError):
        data.decode("utf-8")
    lines = list(csv.reader(io.StringIO(data.decode("cp1252"), newline=""), delimiter=";"))
    assert {len(line) for line in lines} == {9}
    assert all(re.fullmatch(r"[0-9]+,[0-9]{2}", line[4]) for line in lines[2:])


def test_each_row_of_the_batch_with_mistakes_shows_the_problem_that_it_names() -> None:
    permitted = Rules(env_digit="2", issuers=frozenset({DISTRIBUTOR.ruc}))
    rows = checked("lote_con_errores.xlsx", permitted, _as_if_the_monthly_batch_had_been_sent()).rows
    assert len(rows) == len(cases()) <= 60
    for row, case in zip(rows, cases(), strict=True):
        codes = {one.code for one in (*row.problems, *row.warnings)}
        assert (case.code in codes) if case.code else not codes, f"{row.position}: {case.shows}: {codes}"


def test_the_batch_with_mistakes_has_every_problem_that_a_row_of_a_workbook_can_have() -> None:
    strict = Rules(env_digit="1", issuers=frozenset({DISTRIBUTOR.ruc}), late="reject")
    shown = {
        one.code
        for rows in (
            checked("lote_con_errores.xlsx", Rules(), _as_if_the_monthly_batch_had_been_sent()).rows,
            checked("lote_con_errores.xlsx", strict).rows,
        )
        for row in rows
        for one in (*row.problems, *row.warnings)
    }
    assert shown == {code for code, kind in KINDS.items() if kind.scope == "fila"} - ELSEWHERE


def test_the_batch_with_mistakes_says_in_spanish_what_each_row_shows() -> None:
    sheet = read_sheet(SAMPLES / "lote_con_errores.xlsx")
    place = sheet.headings.index("Qué tiene de malo")
    assert sheet.header_line == HEADER_ROW
    assert sheet.cells[place].tolist() == [case.shows for case in cases()]


def _as_if_the_monthly_batch_had_been_sent() -> dict[str, Seen]:
    return {
        row.cufe: Seen(row.cufe, "20261120-lote", row.pos, Position(None, row.position.line), "sent", State.CANCELLED)
        for row in accepted("lote_mensual.xlsx")
        if row.cufe is not None
    }
