"""`anular reconcile`: what was changed behind our back is found, nothing is sent, nothing is changed."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest
from openpyxl import load_workbook

from tests.support import ledgers


@pytest.fixture
def elsewhere(place, end_group) -> Iterator[str]:
    """Another eDoc, in which the same documents are what a test says they are."""
    server = place.start("sandbox", "--port", "0", "--journal", place.folder / "elsewhere.jsonl")
    assert server.stdout is not None
    yield server.stdout.readline().strip()
    end_group(server)


def tell(base: str, **documents: list[str]) -> None:
    """Makes the sandbox at ``base`` know documents: ``alive=[…]``, ``cancelled=[…]``."""
    told = [{"cufe": cufe, "status": status} for status, cufes in documents.items() for cufe in cufes]
    root = base.partition("/EdocPanama")[0]
    request = urllib.request.Request(
        f"{root}/_sandbox/documents", json.dumps(told).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["registered"] == len(told)


def compared(path: str) -> list[dict[str, object]]:
    head, *rest = load_workbook(path)["Comparación"].iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in rest]


def test_exactly_the_twenty_that_were_changed_behind_our_back_are_found(lab, elsewhere, cufe):
    assert lab.anular("run", lab.batch(["000"] * 60), "--yes", "--only", "40").code == 1  # the others are unsent
    ours, unsent = [cufe(n) for n in range(1, 41)], [cufe(n) for n in range(41, 61)]
    tell(elsewhere, cancelled=ours[10:] + unsent[:10], alive=ours[:10] + unsent[10:])
    posts, before = lab.posts(), ledgers.lines(lab.env["ANULAR_LEDGER"], "SELECT * FROM event")

    done = lab.anular("reconcile", _batch(lab), "--json", ANULAR_BASE_URL=elsewhere)

    (found,) = done.data
    assert done.code == 1
    assert {one["cufe"]: one["conclusion"] for one in found["differences"]} == {
        **dict.fromkeys(ours[:10], "alive"),
        **dict.fromkeys(unsent[:10], "cancelled-elsewhere"),
    }
    assert found["conclusions"] == {"agrees": 40, "alive": 10, "cancelled-elsewhere": 10}
    assert lab.posts() == posts
    assert ledgers.lines(lab.env["ANULAR_LEDGER"], "SELECT * FROM event") == before
    rows = compared(found["workbook"])
    assert [row["CUFE"] for row in rows] == ours + unsent
    assert rows[0]["Conclusión"] == "Aquí consta anulada; en eDoc sigue vigente"
    assert rows[0]["Aquí consta"] == "ANULADA"
    assert rows[40]["Qué hacer"] == "No la envíe: ya está anulada. Retírela con el comando withdraw."
    assert rows[59]["Qué hacer"] == "Nada"


def test_a_file_that_was_never_taken_in_is_compared_as_it_is(lab, elsewhere, cufe):
    assert lab.anular("run", lab.batch(["000"] * 2, "enviado.xlsx"), "--yes").code == 0
    tell(elsewhere, cancelled=[cufe(1), cufe(2), cufe(3)], alive=[cufe(4)])
    file = lab.batch(["000"] * 4, "otro.xlsx")

    done = lab.anular("reconcile", "--file", file, "--json", ANULAR_BASE_URL=elsewhere)

    (found,) = done.data
    assert [(one["cufe"], one["here"]) for one in found["differences"]] == [(cufe(3), "No consta")]
    assert found["batch"] is None
    sheet = load_workbook(found["workbook"])["Comparación"]
    footer = sheet.oddFooter
    assert footer is not None
    assert footer.left.text == "Comparación con eDoc"  # on paper: there is no batch to name
    assert len(ledgers.lines(lab.env["ANULAR_LEDGER"], "SELECT * FROM batch")) == 1


def test_an_answer_that_says_nothing_is_no_difference_and_no_agreement(lab, elsewhere, cufe):
    assert lab.anular("run", lab.batch(["000"] * 2), "--yes").code == 0
    tell(elsewhere, cancelled=[cufe(1), cufe(2)])
    root = elsewhere.partition("/EdocPanama")[0]
    fault = json.dumps({"kind": "html", "next": 2, "routes": ["query"], "processed": False}).encode()
    urllib.request.urlopen(
        urllib.request.Request(f"{root}/_sandbox/fault", fault, {"Content-Type": "application/json"})
    ).close()

    done = lab.anular("reconcile", _batch(lab), "--json", ANULAR_BASE_URL=elsewhere)

    assert done.code == 4
    assert done.data[0]["conclusions"] == {"unknown": 2}
    assert done.data[0]["differences"] == []


def test_what_a_user_types_wrong_is_said(place):
    assert "Indique uno o más lotes, o un archivo" in place.anular("reconcile").words
    both = place.anular("reconcile", "20261120-abcdef12", "--file", place.batch(["000"]))
    assert (both.code, "Indique uno o más lotes, o un archivo" in both.words) == (2, True)
    unknown = place.anular("reconcile", "20261120-abcdef12")
    assert (unknown.code, "No existe el lote" in unknown.words) == (2, True)
    assert place.anular("reconcile", "--file", place.folder / "no.xlsx").code == 3


def _batch(place) -> str:
    (line,) = ledgers.lines(place.env["ANULAR_LEDGER"], "SELECT id FROM batch")
    return str(line["id"])
