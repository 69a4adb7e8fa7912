"""Lines that are no invoice are kept and not counted; what may have been meant as one stays visible (eyes.md 1)."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import make_cufe

REASON = "Factura emitida con el monto equivocado"
OTHERS = [
    [None, None, None, None, 300.5],
    ["TOTAL", None, 3, None, 300.5],
    ["Preparado por A. Ruiz", None, None, None, None],
]


@pytest.fixture
def file(place):
    """Three invoices, and below them a sum, a total with a count among the codes, and a signature."""
    rows = [[n, f"Cliente {n}", make_cufe(n), REASON, 100] for n in range(1, 4)]
    return place.file([*rows, *OTHERS])


def test_they_are_in_the_results_with_nothing_to_do_and_do_not_count(place, file):
    checked = place.anular("check", file)
    assert checked.code == 0
    told = " ".join(checked.words.split())
    assert "Facturas 3 Renglones 3 que no son facturas: Hoja1, fila 5 «300.5»; Hoja1, fila 6 «TOTAL 3 300.5»;" in told

    done = place.anular("run", file, "--yes", "--json")
    assert (done.code, done.data[0]["outcomes"]) == (0, {"ANULADA": 3, "NO APLICA": 3})
    rows = [row for row in place.rows() if row["resultado"] == "NO APLICA"]
    assert [row["No."] for row in rows] == [None, "TOTAL", "Preparado por A. Ruiz"]
    assert sum(place.posts().values()) == 3

    status = " ".join(place.anular("status").words.split())
    assert "Facturas 3 Renglones 3 que no son facturas" in status


@pytest.mark.parametrize(
    ("code", "reason"),
    [(None, REASON), ("FE0120000155", None), (make_cufe(9)[:-1], None), ("#N/A", None), ("2026-11-20", "")],
)
def test_a_line_that_may_have_been_meant_as_an_invoice_is_rejected_and_stands_in_the_plan(place, code, reason):
    rows = [[1, "a", make_cufe(1), REASON, 1], [2, "b", code, reason, 2]]
    checked = place.anular("check", place.file(rows), "--json")
    assert (checked.code, checked.data[0]["rejected"], checked.data[0]["not_applicable"]) == (1, 1, 0)
