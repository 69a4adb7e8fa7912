"""Step 2: every row with its verdict, every problem of every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.domain.cufe import check_digit
from pipeline.domain.deadline import Window
from pipeline.domain.eligibility import Rules
from pipeline.domain.lifecycle import TAKES_DOCUMENT, State
from pipeline.domain.payload import payload_sha256
from pipeline.domain.records import CheckedRow, Leader, Position, Seen, Verdict
from pipeline.read.hidden import Hidden
from pipeline.read.sheet import Sheet
from pipeline.validate.check import Checked, check

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
REASON = "Error en el monto facturado"
HEADINGS = ("Factura", "CUFE", "Motivo de anulación", "Correo")


def cufe(number: int = 1, day: str = "20261118", env: str = "2", ruc: str = "155668001-2-2018") -> str:
    body = f"FE012{ruc.zfill(20)}-370789{day}{number:010d}00601{env}{number:09d}"
    return body + check_digit(body)


def row(code: str | None = None, reason: Any = REASON, email: Any = None) -> list[Any]:
    return ["F-1", cufe() if code is None else code, reason, email]


def sheet_of(*rows: list[Any], sheet: str | None = "Hoja1", lines: Sequence[int] | None = None, **more: Any) -> Sheet:
    index = pd.Index(list(lines or range(5, 5 + len(rows))))
    cells = pd.DataFrame(list(rows), dtype=object)
    cells.index = index
    text = {
        role: ["" if v is None else str(v) for v in cells[place]]
        for role, place in (("cufe", 1), ("reason", 2), ("email", 3))
    }
    return Sheet(
        path=Path("lote.xlsx"),
        name="lote.xlsx",
        sha256="0" * 64,
        size=1,
        sheet=sheet,
        header_line=4,
        headings=HEADINGS,
        roles={"cufe": 1, "reason": 2, "email": 3},
        columns=(0, 1, 2, 3),
        cells=cells,
        text=pd.DataFrame(text, index=index, dtype=object),
        **more,
    )


def nothing_seen(cufes: Sequence[str]) -> Mapping[str, Seen]:
    return {}


def checked(*rows: list[Any], rules: Rules = Rules(), seen: Any = nothing_seen, **more: Any) -> Checked:  # noqa: B008
    return check(sheet_of(*rows, **more), rules, NOW, seen)


def codes(one: CheckedRow) -> list[str]:
    return [problem.code for problem in one.problems]


def test_a_valid_row_is_accepted_with_its_canonical_texts() -> None:
    (one,) = checked(row(reason="  Error  en el\nmonto facturado ", email=" ana@x.pa ")).rows
    assert (one.verdict, one.cufe, one.reason, one.email) == (
        Verdict.ACCEPTED,
        cufe(),
        "Error en el monto facturado",
        "ana@x.pa",
    )
    assert (one.problems, one.repairs, one.warnings, one.leader) == ((), (), (), None)


def test_every_row_comes_back_once_in_order_with_its_position_and_cells() -> None:
    rows = [row(cufe(1)), row("basura"), row(cufe(1)), row(cufe(2), reason="corto")]
    result = checked(*rows, lines=[5, 6, 9, 12])
    assert [(one.pos, one.position, list(one.cells)) for one in result.rows] == [
        (pos, Position("Hoja1", line), cells)
        for pos, line, cells in zip((1, 2, 3, 4), (5, 6, 9, 12), rows, strict=True)
    ]
    assert sum(result.counts.values()) == 4


def test_cells_of_other_columns_keep_their_type() -> None:
    when = datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001 - as a workbook has it
    cells = [when, cufe(), REASON, None]
    assert checked(cells).rows[0].cells == tuple(cells)


def test_every_problem_of_a_row_is_reported_with_cell_heading_and_value() -> None:
    (one,) = checked(row("FE01", reason="corto", email="a@b")).rows
    assert one.verdict is Verdict.REJECTED
    assert [(p.code, p.cell, p.column, p.value) for p in one.problems] == [
        ("cufe-longitud", "Hoja1!B5", "CUFE", "FE01"),
        ("motivo-corto", "Hoja1!C5", "Motivo de anulación", "corto"),
        ("correo-invalido", "Hoja1!D5", "Correo", "a@b"),
    ]
    assert "tiene 4 caracteres y debe tener 66" in one.problems[0].message


def test_in_a_csv_a_cell_is_told_by_line_and_column() -> None:
    (one,) = checked(row("FE01"), sheet=None).rows
    assert one.problems[0].cell == "línea 5, columna 2"


def test_a_long_value_is_shortened_in_the_problem_only() -> None:
    (one,) = checked(row(reason="x" * 2000)).rows
    assert (len(one.problems[0].value), len(one.reason or "")) == (80, 2000)


def test_a_repair_shows_the_code_as_received_and_as_used() -> None:
    (one,) = checked(row(cufe().lower().replace("-", "–"))).rows
    assert one.verdict is Verdict.ACCEPTED
    (repair,) = one.repairs
    assert (repair.cell, repair.received, repair.used) == ("Hoja1!B5", cufe().lower().replace("-", "–"), cufe())
    assert repair.what == "se cambiaron rayas por guiones (U+2013); se pasó a mayúsculas"


def test_a_mended_code_needs_its_check_digit_even_where_it_is_waived() -> None:
    wrong = cufe()[:65] + str((int(cufe()[65]) + 1) % 10)
    waived = Rules(allow_bad_check_digit=True)
    assert checked(row(wrong), rules=waived).rows[0].verdict is Verdict.ACCEPTED
    for rules in (Rules(), waived):
        result = checked(row(wrong.lower()), rules=rules)
        assert codes(result.rows[0]) == ["cufe-reparado-dudoso"]
        assert result.rows[0].repairs == ()
        assert result.repaired == 0
    assert codes(checked(row(wrong)).rows[0]) == ["cufe-verificador"]


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        ("number", "celda-numero"),
        ("date", "celda-fecha"),
        ("boolean", "celda-logica"),
        ("error", "celda-error"),
        ("formula", "celda-formula"),
        ("formula-without-value", "celda-formula-vacia"),
    ],
)
def test_a_cell_that_is_no_text_is_the_problem_itself(odd: str, code: str) -> None:
    for place, value in ((1, cufe()), (2, REASON), (3, "ana@x.pa")):
        cells = [*row(email="ana@x.pa")]
        cells[place] = value
        (one,) = checked(cells, oddities={(5, place): odd}).rows
        assert (one.verdict, codes(one)) == (Verdict.REJECTED, [code])
    (one,) = checked(row("", reason=""), oddities={(5, 1): odd, (5, 2): odd}).rows
    assert codes(one) == [code, code]


@pytest.mark.parametrize("code", ["", "Total registros: 3", "Preparado por A. Ruiz", "12", "2026-11-2"])
def test_a_row_without_anything_like_a_code_and_without_a_reason_is_no_invoice(code: str) -> None:
    result = checked(row(), row(code, reason=" "))
    assert [one.verdict for one in result.rows] == [Verdict.ACCEPTED, Verdict.NOT_APPLICABLE]
    assert (result.rows[1].problems, result.rows[1].warnings, result.invoices) == ((), (), 1)


@pytest.mark.parametrize(
    ("code", "reason"), [("", REASON), ("2026-11-20", ""), ("fe01 2000 0155", ""), (cufe(), ""), ("FE0120000155", "")]
)
def test_a_row_with_a_reason_or_with_a_piece_of_a_code_is_an_invoice(code: str, reason: str) -> None:
    (one,) = checked(row(code, reason=reason)).rows
    assert one.verdict is Verdict.REJECTED
    assert one.problems


def test_a_number_is_no_invoice_and_an_error_may_be_one() -> None:
    for kind, value, verdict in (
        ("number", 3, Verdict.NOT_APPLICABLE),
        ("formula", 3, Verdict.NOT_APPLICABLE),
        ("error", "#N/A", Verdict.REJECTED),
        ("formula-without-value", "", Verdict.REJECTED),
    ):
        cells = row("x", reason="")
        cells[1] = value
        assert checked(cells, oddities={(5, 1): kind}).rows[0].verdict is verdict


def test_the_text_of_a_formula_is_taken_only_when_asked_for_and_then_flagged() -> None:
    good = sheet_of(row(), oddities={(5, 1): "formula", (5, 2): "formula"})
    refused_row = check(good, Rules(), NOW, nothing_seen).rows[0]
    assert [p.code for p in refused_row.problems] == ["celda-formula", "celda-formula"]
    taken = check(good, Rules(accept_formulas=True), NOW, nothing_seen).rows[0]
    assert (taken.verdict, taken.problems) == (Verdict.ACCEPTED, ())
    assert [(w.code, w.cell) for w in taken.warnings] == [
        ("formula-aceptada", "Hoja1!B5"),
        ("formula-aceptada", "Hoja1!C5"),
    ]


@pytest.mark.parametrize(
    ("value", "code"),
    [(12.5, "celda-numero"), (True, "celda-logica"), (date(2026, 11, 1), "celda-fecha")],
)
def test_an_accepted_formula_that_gives_no_text_is_refused_for_what_it_gives(value: Any, code: str) -> None:
    sheet = sheet_of(row(reason=value), oddities={(5, 2): "formula"})
    assert [p.code for p in check(sheet, Rules(accept_formulas=True), NOW, nothing_seen).rows[0].problems] == [code]


@pytest.mark.parametrize("kind", ["formula-without-value", "error", "number"])
def test_accepting_formulas_accepts_nothing_else(kind: str) -> None:
    sheet = sheet_of(row(), oddities={(5, 1): kind})
    assert check(sheet, Rules(accept_formulas=True), NOW, nothing_seen).rows[0].verdict is Verdict.REJECTED


def test_a_row_that_was_hidden_says_so() -> None:
    checked = check(sheet_of(row(), row(cufe(2)), hidden=Hidden(rows=(6,))), Rules(), NOW, nothing_seen)
    assert [[w.code for w in one.warnings] for one in checked.rows] == [[], ["fila-oculta"]]
    assert checked.rows[1].warnings[0].cell == "Hoja1, fila 6"


def test_a_code_of_the_other_environment_is_rejected_in_words() -> None:
    (one,) = checked(row(cufe(env="2")), rules=Rules(env_digit="1")).rows
    assert codes(one) == ["otro-ambiente"]
    assert "es de un documento de prueba y este ambiente es de producción" in one.problems[0].message
    assert checked(row(cufe(env="1")), rules=Rules(env_digit="1")).rows[0].verdict is Verdict.ACCEPTED
    assert checked(row(cufe(env="1"))).rows[0].verdict is Verdict.ACCEPTED


def test_an_issuer_outside_the_list_is_rejected() -> None:
    allowed = Rules(issuers=frozenset({" 0155668001-2-2018"}))
    assert checked(row(), rules=allowed).rows[0].verdict is Verdict.ACCEPTED
    other = Rules(issuers=frozenset({"8-PE-3824-523"}))
    (one,) = checked(row(), rules=other).rows
    assert (one.verdict, codes(one)) == (Verdict.REJECTED, ["emisor-no-permitido"])


def test_late_rows_follow_the_policy() -> None:
    late = row(cufe(day="20261101"))
    assert codes(checked(late, rules=Rules(late="reject")).rows[0]) == ["plazo-vencido"]
    (warned,) = checked(late).rows
    assert (warned.verdict, [w.code for w in warned.warnings]) == (Verdict.ACCEPTED, ["plazo-advertencia"])
    (ignored,) = checked(late, rules=Rules(late="ignore")).rows
    assert (ignored.verdict, ignored.warnings) == (Verdict.ACCEPTED, ())
    assert warned.deadline is not None
    assert warned.deadline.window is Window.LATE


def test_the_limit_day_is_a_warning() -> None:
    (one,) = checked(row(cufe(day="20261112")), rules=Rules(late="reject")).rows
    assert one.deadline is not None
    assert one.deadline.window is Window.LIMIT_DAY
    assert (one.verdict, [w.code for w in one.warnings]) == (Verdict.ACCEPTED, ["dia-limite"])


def test_a_date_in_the_future_a_wrong_dv_letters_in_the_branch_and_damaged_accents_are_warnings() -> None:
    body = "FE012" + "155668001-2-2018".zfill(20) + "-380N89" + "20261122" + "0000000001" + "006012" + "000000001"
    (one,) = checked(row(body + check_digit(body), reason="Error en la anulaciÃ³n")).rows
    assert one.verdict is Verdict.ACCEPTED
    assert [w.code for w in one.warnings] == ["cufe-revisar", "cufe-revisar", "fecha-futura", "texto-sospechoso"]
    assert "anulación" in one.warnings[-1].message


def test_equal_rows_mirror_the_first_and_contradicting_ones_are_conflicts() -> None:
    result = checked(row(cufe(1)), row(cufe(1).lower()), row(cufe(2)), row(cufe(2), reason="Cliente devolvió todo"))
    assert [one.verdict for one in result.rows] == [
        Verdict.ACCEPTED,
        Verdict.DUPLICATE,
        Verdict.CONFLICT,
        Verdict.CONFLICT,
    ]
    assert result.rows[1].leader == Leader(None, 1, Position("Hoja1", 5))
    assert "Hoja1, fila 8" in result.rows[2].problems[0].message
    assert "Hoja1, fila 7" in result.rows[3].problems[0].message


def test_a_conflict_of_many_names_five_and_counts_the_rest() -> None:
    rows = [row(cufe(1), reason=f"Motivo distinto número {n}") for n in range(9)]
    for one in checked(*rows).rows:
        assert one.problems[0].message.count("fila") == 5
        assert "y 3 más" in one.problems[0].message


def other_code(number: int = 1) -> str:
    """Another code of the document of ``cufe(number)``: issued a day later."""
    return cufe(number, day="20261119")


def test_one_document_under_two_codes_is_a_conflict_at_both_places() -> None:
    result = checked(row(cufe(1)), row(cufe(2)), row(other_code(1)), row(cufe(1)))
    assert [one.verdict for one in result.rows] == [
        Verdict.CONFLICT,
        Verdict.ACCEPTED,
        Verdict.CONFLICT,
        Verdict.CONFLICT,
    ]
    assert [codes(one) for one in result.rows[::2]] == [["documento-archivo"]] * 2
    assert "Hoja1, fila 7" in result.rows[0].problems[0].message
    assert "Hoja1, fila 5, Hoja1, fila 8" in result.rows[2].problems[0].message


def test_a_row_turned_away_for_its_reason_still_speaks_against_another_code_of_its_document() -> None:
    result = checked(row(cufe(1)), row(other_code(1), reason="corto"))
    assert [one.verdict for one in result.rows] == [Verdict.CONFLICT, Verdict.REJECTED]


@pytest.mark.parametrize("state", State)
def test_another_code_in_the_file_counts_unless_the_ledger_proves_it_wrong(state: State) -> None:
    def seen(cufes: Sequence[str]) -> Mapping[str, Seen]:
        sha = payload_sha256(cufe(1), REASON, None)
        return {cufe(1): Seen(cufe(1), "L-7", 3, Position("Datos", 8), sha, state)}

    harmless = state in (State.NOT_FOUND, State.RETURNED, State.NEEDS_CORRECTION)
    result = checked(row(cufe(1)), row(other_code(1)), seen=seen)
    if harmless or state in TAKES_DOCUMENT | {State.READY, State.HELD}:
        assert [one.verdict for one in result.rows] == [
            Verdict.DUPLICATE,
            Verdict.ACCEPTED if harmless else Verdict.CONFLICT,
        ]


def test_another_code_of_the_document_that_was_sent_is_a_conflict_with_its_place() -> None:
    def taken(cufes: Sequence[str]) -> Sequence[Seen]:
        assert list(cufes) == [cufe(1), cufe(2)]
        return [Seen(other_code(1), "L-7", 3, Position("Datos", 8), "", State.CANCELLED)]

    result = check(sheet_of(row(cufe(1)), row(cufe(2))), Rules(), NOW, nothing_seen, taken)
    assert [one.verdict for one in result.rows] == [Verdict.CONFLICT, Verdict.ACCEPTED]
    assert codes(result.rows[0]) == ["documento-lote"]
    assert "L-7 (Datos, fila 8)" in result.rows[0].problems[0].message


def test_what_the_ledger_knows_is_a_duplicate_or_a_conflict() -> None:
    asked: list[list[str]] = []

    def seen(cufes: Sequence[str]) -> Mapping[str, Seen]:
        asked.append(list(cufes))
        sha = payload_sha256(cufe(1), REASON, None)
        return {cufe(1): Seen(cufe(1), "L-7", 3, Position("Datos", 8), sha, State.CANCELLED)}

    result = checked(row(cufe(1)), row(cufe(2)), row("malo"), seen=seen)
    assert [one.verdict for one in result.rows] == [Verdict.DUPLICATE, Verdict.ACCEPTED, Verdict.REJECTED]
    assert result.rows[0].leader == Leader("L-7", 3, Position("Datos", 8))
    (other,) = checked(row(cufe(1), email="x@y.pa"), seen=seen).rows
    assert (other.verdict, codes(other)) == (Verdict.CONFLICT, ["conflicto-lote"])
    assert "L-7 (Datos, fila 8)" in other.problems[0].message
    assert asked == [[cufe(1), cufe(2)], [cufe(1)]]


def test_the_default_address_is_used_and_counts_as_part_of_what_is_sent() -> None:
    rules = Rules(notify_email=" avisos@x.pa")
    result = checked(row(cufe(1)), row(cufe(1), email="avisos@x.pa"), rules=rules)
    assert [one.email for one in result.rows] == ["avisos@x.pa"] * 2
    assert [one.verdict for one in result.rows] == [Verdict.ACCEPTED, Verdict.DUPLICATE]


def test_a_results_workbook_without_trace_in_this_ledger_waits_for_a_person() -> None:
    result = checked(row(cufe(1)), row(cufe(2)), row(cufe(3)), earlier={5: "ANULADA", 6: "RECHAZADA"})
    assert [one.verdict for one in result.rows] == [Verdict.HELD, Verdict.ACCEPTED, Verdict.ACCEPTED]
    (found,) = result.rows[0].problems
    assert (found.code, found.column, found.value) == ("sin-constancia", "resultado", "ANULADA")
    assert "no tiene constancia" in found.message


def test_the_totals_are_those_of_the_rows() -> None:
    result = checked(
        row(cufe(1, day="20261117")),
        row(cufe(2, day="20261101").lower()),
        row(cufe(3, ruc="8-442-445", day="20261118")),
        row(cufe(1, day="20261117")),
        row("x"),
    )
    assert result.counts == {
        Verdict.ACCEPTED: 3,
        Verdict.HELD: 0,
        Verdict.REJECTED: 1,
        Verdict.DUPLICATE: 1,
        Verdict.CONFLICT: 0,
        Verdict.NOT_APPLICABLE: 0,
    }
    assert (result.first_issue, result.last_issue) == (date(2026, 11, 1), date(2026, 11, 18))
    assert (result.issuers, result.late, result.repaired) == (("155668001-2-2018", "8-442-445"), 1, 1)


def test_a_file_with_nothing_to_send_has_no_dates_and_asks_the_ledger_nothing() -> None:
    def seen(cufes: Sequence[str]) -> Mapping[str, Seen]:
        raise AssertionError("asked for nothing")

    result = checked(row("x"), seen=seen)
    assert (result.first_issue, result.last_issue, result.issuers) == (None, None, ())
