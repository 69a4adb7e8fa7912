"""An office of two at a terminal: one prepares, the other approves, and neither alone sends anything.

Each command runs in this process, as the user of the operating system that the test says; the numbers of real users are
tried in ``tests/integration/approvals/test_identity.py``.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from pipeline.approvals import identity
from pipeline.cli.main import run_command
from tests.e2e.conftest import Done, Place, make_cufe

As = Callable[..., Done]


@pytest.fixture
def office(place: Place, monkeypatch: pytest.MonkeyPatch) -> As:
    """Runs a command as somebody: ``office("ana", "propose", file)``; two people are asked for."""
    for name, value in {**place.env, "ANULAR_APPROVAL": "two", "ANULAR_WATCH_QUIET": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ANULAR_OFFICE", f"sqlite:///{place.folder / 'office' / 'anular-office.db'}")
    monkeypatch.chdir(place.folder)
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def run(who: str, *arguments: object) -> Done:
        monkeypatch.setattr(identity, "_name", lambda: who)
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            code = run_command([*map(str, arguments)])
        done = Done(code, out.getvalue(), err.getvalue())
        assert "Traceback" not in done.words, done.words
        return done

    return run


def proposed(office: As, file: Path, who: str = "ana", *more: object) -> dict[str, Any]:
    done = office(who, "propose", file, "--json", *more)
    assert done.code == 0, done.words
    return dict(done.data)


def test_a_file_goes_through_two_people_and_the_ledger_proves_it(office: As, place: Place):
    file = place.batch(["000", "000", "000"])
    one = proposed(office, file)
    assert (one["id"], one["to_send"], one["prepared_by"], one["word"]) == (1, 3, "ana", "Por aprobar")
    assert place.posts() == {}

    assert office("luis", "approve", 1, "--confirm", 3, "--digest", one["digest"]).code == 0
    assert place.posts() == {}, "an approval sends nothing"
    done = office("ana", "run", "--approved", 1, "--json")

    assert done.code == 0, done.words
    assert sorted(place.posts().values()) == [1, 1, 1]
    assert done.data[0]["batch"]
    assert office("eva", "verify").code == 0
    again = office("ana", "run", "--approved", 1)
    assert (again.code, sum(place.posts().values())) == (7, 3)
    assert "[approval-missing]" in again.err


@pytest.mark.parametrize("more", [[], ["--queue"]], ids=["run", "run --queue"])
def test_run_refuses_and_says_what_to_do(office: As, place: Place, more: list[str]):
    done = office("ana", "run", place.batch(["000"]), "--yes", *more)
    assert done.code == 7
    assert "[approval-two]" in done.err
    assert "anular propose" in done.err
    assert "anular approve" in done.err
    assert place.posts() == {}


def test_without_the_setting_run_needs_nobody_and_makes_no_office(office: As, place: Place, monkeypatch):
    monkeypatch.setenv("ANULAR_APPROVAL", "none")
    assert office("ana", "run", place.batch(["000"]), "--yes").code == 0
    assert not (place.folder / "office").exists()


@pytest.mark.parametrize(
    ("who", "more", "code"),
    [
        ("ana", ["--confirm", 2], "approval-own"),
        ("luis", ["--confirm", 3], "approval-count"),
        ("luis", [], "approval-count"),
        ("luis", ["--confirm", 2, "--digest", "0123-4567-89ab-cdef"], "approval-digest"),
        ("luis", ["--confirm", 2, "--hidden-count", 4], "approval-hidden"),
    ],
)
def test_every_refusal_of_an_approval_is_exit_code_7_with_its_own_code(office: As, place: Place, who, more, code):
    proposed(office, place.batch(["000", "000"]))
    done = office(who, "approve", 1, *more)
    assert done.code == 7
    assert f"[{code}]" in done.err
    assert office("ana", "run", "--approved", 1).code == 7
    assert place.posts() == {}


def test_what_is_not_approved_says_why_and_is_gone_from_the_list(office: As, place: Place):
    proposed(office, place.batch(["000"]))
    assert "Propuesta 1" in office("luis", "proposals").out
    assert office("luis", "reject", 1, "--reason", "Falta la nota del cliente").code == 0
    assert json.loads(office("luis", "proposals", "--json").out) == []
    assert "Falta la nota del cliente" in office("luis", "approve", 1, "--confirm", 1).err


def test_a_known_file_is_no_proposal(office: As, place: Place):
    file = place.batch(["000"])
    proposed(office, file)
    office("luis", "approve", 1, "--confirm", 1)
    office("ana", "run", "--approved", 1)
    done = office("ana", "propose", file)
    assert done.code == 3
    assert "[proposal-known]" in done.err
    assert "Preparó: ana · Aprobó: luis" in done.err


def test_hidden_rows_are_confirmed_by_both(office: As, place: Place):
    from openpyxl import load_workbook

    file = place.batch(["000", "000", "000"])
    book = load_workbook(file)
    book.worksheets[0].row_dimensions[3].hidden = True
    book.save(file)
    one = proposed(office, file, "ana", "--include-hidden", "--hidden-count", 1)
    assert one["to_send"] == 3
    assert "[approval-hidden]" in office("luis", "approve", 1, "--confirm", 3).err
    assert office("luis", "approve", 1, "--confirm", 3, "--hidden-count", 1).code == 0
    assert office("ana", "run", "--approved", 1).code == 0
    assert sum(place.posts().values()) == 3


def test_columns_that_were_named_are_read_the_same_again(office: As, place: Place):
    rows = [[make_cufe(1), "Factura emitida con el monto equivocado", "otra cosa"]]
    file = place.file(rows, headings=["A", "B", "C"])
    proposed(office, file, "ana", "--columns", "cufe=A,motivo=B")
    office("luis", "approve", 1, "--confirm", 1)
    assert office("ana", "run", "--approved", 1).code == 0
    assert sum(place.posts().values()) == 1


# --- the drop folder


def test_the_folder_hands_what_it_may_send_to_an_approval(office: As, place: Place):
    inbox = place.folder / "carpeta" / "inbox"
    inbox.mkdir(parents=True)
    place.batch(["000", "000"], name="carpeta/inbox/lote.xlsx")
    done = office("servicio", "watch", place.folder / "carpeta", "--once", "--json")
    assert done.code == 7, done.words
    assert place.posts() == {}
    (note,) = (place.folder / "carpeta").rglob("*.txt")
    assert "[politica-dos-personas]" in note.read_text()
    assert "anular propose --batch" in note.read_text()

    (held,) = json.loads(office("ana", "proposals", "--json").out)
    assert (held["word"], held["to_send"]) == ("Borrador", 2)
    assert office("ana", "release", held["batch"], "--yes").code == 7
    asked = office("ana", "propose", "--batch", held["batch"], "--json")
    assert asked.code == 0, asked.words
    assert "[approval-own]" in office("ana", "approve", 1, "--confirm", 2).err
    assert office("luis", "approve", 1, "--confirm", 2).code == 0
    assert office("ana", "run", "--approved", 1).code == 0
    assert sum(place.posts().values()) == 2


# --- one row


def sent(office: As, place: Place, scenarios: list[str]) -> str:
    proposed(office, place.batch(scenarios))
    office("luis", "approve", 1, "--confirm", len(scenarios))
    return str(office("ana", "run", "--approved", 1, "--json").data[0]["batch"])


def test_a_resend_is_a_request_that_another_person_approves(office: As, place: Place):
    batch = sent(office, place, ["915"])
    before = sum(place.posts().values())
    asked = ["resend", batch, "--row", 2, "--by", "Ana Pérez", "--reason", "Caso 4471"]
    done = office("ana", *asked, "--json")
    assert done.code == 0, done.words
    number = done.data["id"]
    assert (done.data["source"], done.data["new"]) == ("reenvio", True)
    assert sum(place.posts().values()) == before
    assert "[approval-own]" in office("ana", "approve", number, "--confirm", 1).err

    assert office("luis", "approve", number, "--confirm", 1).code == 0
    ended = office("ana", "run", "--approved", number)

    assert sum(place.posts().values()) == before + 1, ended.words
    assert office("eva", "verify").code == 0
    assert office("ana", "run", "--approved", number).code == 7
    assert sum(place.posts().values()) == before + 1


def test_who_prepared_a_batch_does_not_resolve_its_rows(office: As, place: Place):
    batch = sent(office, place, ["915"])
    from pipeline.decide import confirmation

    (cufe,) = place.posts()
    asked = ["resolve", batch, "--row", 2, "--as", "anulada", "--by", "X Y", "--reason", "Visto en el portal"]
    asked += ["--confirm", confirmation(cufe)]
    refused = office("ana", *asked)
    assert refused.code == 7
    assert "[approval-own-batch]" in refused.err
    assert office("luis", *asked).code == 0


def test_one_person_alone_withdraws_what_was_not_sent(office: As, place: Place):
    inbox = place.folder / "carpeta" / "inbox"
    inbox.mkdir(parents=True)
    place.batch(["000"], name="carpeta/inbox/lote.xlsx")
    office("servicio", "watch", place.folder / "carpeta", "--once")
    (held,) = json.loads(office("ana", "proposals", "--json").out)
    from pipeline.decide import confirmation

    more = ["--row", 2, "--by", "Ana Pérez", "--reason", "No hace falta", "--confirm", confirmation(make_cufe(1))]
    assert office("ana", "withdraw", held["batch"], *more).code == 0
    assert json.loads(office("ana", "proposals", "--json").out) == []


OF_A_FILE = [
    *(
        ["--sheet", "Hoja1"],
        ["--columns", "cufe=A"],
        ["--include-hidden"],
        ["--hidden-count", "3"],
        ["--far-rows", "2"],
    ),
    *(["--ignore-views"], ["--accept-formulas"], ["--allow-bad-check-digit"]),
]


@pytest.mark.parametrize(
    "options", [*OF_A_FILE, ["--new-ledger"], ["--known-elsewhere", "1"], ["--only", "2"], ["--yes"]]
)
def test_no_option_is_taken_and_passed_over_where_something_approved_is_sent(office: As, options: list[str]):
    refused = office("ana", "run", "--approved", 1, *options)
    assert refused.code == 2, refused.words
    assert "[approved-alone]" in refused.words


@pytest.mark.parametrize("options", OF_A_FILE)
def test_nor_where_a_batch_is_proposed_that_was_received_already(office: As, options: list[str]):
    refused = office("ana", "propose", "--batch", "20261120-12345678", *options)
    assert refused.code == 2, refused.words
    assert "[propose-batch-alone]" in refused.words
