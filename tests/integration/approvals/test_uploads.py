"""An upload is kept as it came, once, within limits, and becomes a draft or is refused in words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from pipeline.approvals import decisions, uploads
from pipeline.approvals.check_upload import check_upload
from pipeline.approvals.review import review_in
from pipeline.approvals.store import Proposal
from pipeline.approvals.uploads import Handed, Received, receive
from pipeline.domain.errors import InputRefused, StorageTrouble, WrongUsage
from pipeline.domain.lifecycle import Event
from pipeline.domain.proposals import ProposalState
from pipeline.domain.records import Finding, Source
from pipeline.office import tables
from pipeline.read.limits import Limits
from pipeline.run.results import write_results
from pipeline.settings.model import limits
from pipeline.wiring.views import open_views
from tests.support import ledgers
from tests.support.desk import REASON, Desk, make_cufe, settings_of


def handed(desk: Desk, data: bytes, name: str = "lote.csv", who: str = "ana", **more: Any) -> Received:
    with desk.memory():
        pass  # the sender made the ledger
    with open_views(desk.settings, mine=True) as views:
        one = Handed(name, data, **more)
        return receive(desk.store, views, one, limits(desk.settings), desk.clock.now(), who=who, address="127.0.0.1")


def uploaded(desk: Desk, data: bytes, **more: Any) -> Proposal:
    found = handed(desk, data, **more).proposal
    assert found is not None
    return found


def checked(desk: Desk, proposal: Proposal) -> Proposal:
    books = desk.folder / "books"
    return check_upload(
        desk.store, proposal.id, desk.settings, desk.clock, desk.folder / "results", books, lambda *_: None
    )


def table(*numbers: int, reason: str = REASON) -> bytes:
    lines = [f"{make_cufe(number)},{reason}" for number in numbers]
    return "\n".join(["CUFE,Motivo", *lines, ""]).encode()


def book(path: Path, sheets: dict[str, list[int]]) -> bytes:
    made = Workbook()
    made.remove(made.active)  # type: ignore[arg-type]
    for title, numbers in sheets.items():
        sheet = made.create_sheet(title)
        sheet.append(["CUFE", "Motivo"])
        for number in numbers:
            sheet.append([make_cufe(number), REASON])
    made.save(path)
    return path.read_bytes()


def test_a_file_is_kept_as_it_came_and_waits_to_be_checked(desk: Desk):
    data = table(1, 2)
    one = uploaded(desk, data)
    assert (one.state, one.word, one.people.prepared_by) == (ProposalState.CHECKING, "Revisando", "ana")
    assert desk.store.file(one.id) == data
    assert uploads.to_check(desk.store) == [one]
    assert desk.store.events(one.id)[0].address == "127.0.0.1"


def test_a_large_file_lies_in_pieces(desk: Desk):
    data = table(1) + b"\n" * 2_500_000
    one = uploaded(desk, data)
    pieces = desk.office.read(select(tables.upload_chunk.c.data).order_by(tables.upload_chunk.c.n))
    assert [len(piece.data) for piece in pieces][:2] == [1_000_000, 1_000_000]
    assert desk.store.file(one.id) == data


def test_checked_it_is_the_draft_that_propose_would_make(desk: Desk):
    data = table(1, 2, 3)
    one = checked(desk, uploaded(desk, data))
    (desk.folder / "igual.csv").write_bytes(data)
    content = desk.draft(desk.folder / "igual.csv").content
    assert (one.state, one.to_send, one.rows) == (ProposalState.DRAFT, 3, 3)
    assert one.digest == content.digest
    assert desk.store.hashes(one.id) == content.payloads


def test_it_is_approved_and_sent_like_any_other(desk: Desk):
    one = checked(desk, uploaded(desk, table(1, 2)))
    one = decisions.submit(desk.store, one, desk.clock.now(), who="ana")
    done = desk.carry(desk.approve(one))
    assert (done.trouble, done.proposal.state) == (None, ProposalState.ENDED)
    assert desk.posts == {make_cufe(1): 1, make_cufe(2): 1}
    desk.verified()


def test_the_review_says_the_figures_that_check_says(desk: Desk):
    lines = [
        f"{make_cufe(1)},{REASON}",
        f"{make_cufe(1)},{REASON}",
        f"{make_cufe(2)[:-1]},{REASON}",
        f"{make_cufe(3)},",
    ]
    one = checked(desk, uploaded(desk, "\n".join(["CUFE,Motivo", *lines]).encode()))
    review = review_in(desk.store.plan_data(one.id))
    assert review is not None
    assert review.figures == {
        "rows": 4, "accepted": 1, "rejected": 2, "duplicates": 1, "conflicts": 0, "held": 0, "not_applicable": 0,
        "late": 0, "repaired": 0, "hidden": 0,
    }  # fmt: skip
    assert (review.to_send, review.invoices, review.not_sent) == (1, 4, 3)
    assert [(cause.code, cause.rows) for cause in review.problems] == [("cufe-longitud", 1), ("motivo-vacio", 1)]
    assert review.problems[0].findings[0].place == "línea 4, columna 1"
    assert [(row.place, row.of) for row in review.duplicates] == [("línea 3", "línea 2")]
    assert [(column.heading, column.used_as) for column in review.columns] == [("CUFE", "CUFE"), ("Motivo", "Motivo")]
    assert review.issuers == (("29-29-29", 1),)
    assert review.before is None


def test_the_review_says_what_differs_from_the_batch_before(desk: Desk):
    info = desk.run(desk.file([7, 8], name="octubre.csv"))
    one = checked(desk, uploaded(desk, table(1)))
    review = review_in(desk.store.plan_data(one.id))
    assert review is not None
    assert review.before is not None
    assert (review.before.batch, review.before.file, review.before.rows) == (info.id, "octubre.csv", 2)
    assert (review.before.new_issuers, review.before.missing_issuers) == ((), ())


def test_its_review_workbook_and_the_rows_to_correct_are_made_with_it(desk: Desk):
    checked(desk, uploaded(desk, table(1, 2) + b"FE0120,Factura de otro cliente\n"))
    assert sorted(path.name for path in (desk.folder / "books").iterdir()) == [
        "lote__corregir.xlsx",
        "lote__revision.xlsx",
        "problemas.json",
        "problemas.jsonl",
    ]


def test_a_file_that_cannot_be_read_is_refused_in_the_same_words(desk: Desk):
    one = checked(desk, uploaded(desk, b"CUFE,Motivo\n"))
    assert (one.state, one.word) == (ProposalState.UNUSABLE, "No se puede usar")
    assert one.why == "No hay filas de datos debajo del encabezado. Revise que el archivo sea el correcto."
    assert uploads.refusal_in(desk.store, one.id)["code"] == "sin-filas"


def test_a_question_about_the_file_is_a_choice_and_the_answer_reads_it_again(desk: Desk):
    data = book(desk.folder / "dos.xlsx", {"Enero": [1], "Febrero": [2, 3]})
    one = checked(desk, uploaded(desk, data, name="dos.xlsx"))
    assert one.state is ProposalState.UNUSABLE
    said = uploads.choices_of(desk.store, one.id)
    offered = uploads.answers(uploads.refusal_in(desk.store, one.id), said)
    assert [choices.sheet for _, choices in offered] == ["Enero", "Febrero"]

    other = uploaded(desk, desk.store.file(one.id), name="dos.xlsx", choices=offered[1][1], again=one.id)
    done = checked(desk, other)
    assert (done.state, done.sheet, done.to_send) == (ProposalState.DRAFT, "Febrero", 2)
    assert uploads.again_of(desk.store, done.id) == one.id


def test_which_of_several_sheets_is_meant_the_settings_say_as_for_a_command(desk: Desk):
    desk.settings = desk.settings.model_copy(update={"sheet": "last"})
    data = book(desk.folder / "dos.xlsx", {"Enero": [1], "Febrero": [2, 3]})
    one = checked(desk, uploaded(desk, data, name="dos.xlsx"))
    assert (one.state, one.sheet, one.to_send) == (ProposalState.DRAFT, "Febrero", 2)


def test_the_columns_that_were_said_are_a_note_of_the_batch_as_with_run(desk: Desk):
    said = uploads.Choices(columns="cufe=A,motivo=B")
    one = checked(desk, uploaded(desk, table(1), choices=said))
    one = decisions.submit(desk.store, one, desk.clock.now(), who="ana")
    info = desk.carry(desk.approve(one)).info
    assert info is not None
    assert "Las columnas se indicaron con --columns cufe=A,motivo=B." in info.notes


def test_what_edoc_gave_back_is_no_new_batch_and_its_sheet_says_where_it_is_sent_again(desk: Desk):
    desk.findings = {make_cufe(2): Finding(Source.CANCELLATION, Event.CORRECT, http=200, estado=6)}
    info = desk.carry(desk.approved((1, 2))).info
    assert info is not None
    with desk.memory() as memory:
        book = write_results(info, memory.views, desk.folder).corrections
    assert book is not None
    one = checked(desk, uploaded(desk, book.read_bytes(), name="devueltas.xlsx"))
    assert (one.state, uploads.refusal_in(desk.store, one.id)["code"]) == (ProposalState.UNUSABLE, "proposal-returned")
    assert f"en el lote {info.id}: no es un lote nuevo. No se envió nada." in one.why


def test_the_same_bytes_that_are_open_are_that_proposal(desk: Desk):
    one = uploaded(desk, table(1))
    again = handed(desk, table(1), name="otro.csv", who="eva")
    assert (again.proposal, again.new) == (one, False)


def test_the_same_bytes_that_are_a_batch_are_that_batch(desk: Desk):
    info = desk.run(desk.file([1]))
    found = handed(desk, (desk.folder / "lote.csv").read_bytes())
    assert found.proposal is None
    assert found.batch is not None
    assert found.batch.id == info.id


def test_a_file_that_became_a_batch_meanwhile_cannot_be_used(desk: Desk):
    file = desk.file([1])
    one = uploaded(desk, file.read_bytes())
    info = desk.run(file)
    done = checked(desk, one)
    assert done.state is ProposalState.UNUSABLE
    assert info.id in done.why


def test_after_its_end_the_same_bytes_are_a_new_proposal(desk: Desk):
    one = checked(desk, uploaded(desk, b"CUFE,Motivo\n"))
    again = handed(desk, b"CUFE,Motivo\n")
    assert again.new
    assert again.proposal is not None
    assert again.proposal.id != one.id


def test_twenty_open_uploads_are_enough_and_another_person_has_twenty_too(desk: Desk):
    for number in range(uploads.MOST_OPEN):
        uploaded(desk, table(number + 1))
    with pytest.raises(WrongUsage) as refused:
        uploaded(desk, table(50))
    assert refused.value.code == "upload-many"
    assert uploaded(desk, table(50), who="eva").people.prepared_by == "eva"


def test_so_are_so_many_bytes(desk: Desk, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES", len(table(1)) + 10)
    uploaded(desk, table(1))
    with pytest.raises(WrongUsage):
        uploaded(desk, table(2))


def test_s21_what_cannot_be_used_gives_way_to_what_is_new_the_oldest_first_and_what_is_open_does_not(
    desk: Desk, monkeypatch
):
    useless = [b"CUFE,Motivo\n" + b"\n" * number for number in range(1, 4)]
    ended = []
    for data in useless:
        ended.append(checked(desk, uploaded(desk, data)))
        desk.later(minutes=1)
    assert {one.state for one in ended} == {ProposalState.UNUSABLE}
    mine = uploaded(desk, table(1))
    other = checked(desk, uploaded(desk, b"CUFE,Motivo\n\n\n\n\n\n", who="eva"))
    monkeypatch.setattr(uploads, "MOST_BYTES", len(table(1)) + len(table(2)) + len(useless[2]))
    new = uploaded(desk, table(2))
    kept = [uploads.has_file(desk.store, one.id) for one in (*ended, mine, other, new)]
    assert kept == [False, False, True, True, True, True]
    assert uploads.refusal_in(desk.store, ended[0].id), "why it could not be used stays"


def test_the_file_of_a_batch_takes_none_of_the_room(desk: Desk, monkeypatch):
    one = desk.approve(desk.propose(desk.file([1, 2]), "ana"))
    desk.carry(one)
    assert desk.store.get(one.id).batch
    monkeypatch.setattr(uploads, "MOST_BYTES", len(table(3)))
    uploaded(desk, table(3))
    assert uploads.has_file(desk.store, one.id)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("lote.csv", b"", "archivo-vacio"),
        ("lote.pdf", b"%PDF-1.7", "tipo-otro"),
        ("lote.xlsm", b"PK\x03\x04", "tipo-macros"),
        ("lote.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "tipo-otro"),
        ("lote.csv", b"PK\x03\x04", "tipo-extension"),
        ("lote.xlsx", b"CUFE,Motivo", "tipo-extension"),
        ("lote.exe", b"MZ", "tipo-desconocido"),
        ("~$lote.xlsx", b"PK\x03\x04", "archivo-bloqueo"),
    ],
)
def test_what_is_no_table_by_name_or_content_is_not_kept(desk: Desk, name: str, data: bytes, code: str):
    with pytest.raises(InputRefused) as refused:
        uploaded(desk, data, name=name)
    assert refused.value.code == code
    assert desk.store.open() == []


def test_what_is_too_large_is_not_kept(desk: Desk):
    with pytest.raises(InputRefused) as refused:
        receive(desk.store, None, Handed("a.csv", b"x" * 11), Limits(size=10), desk.clock.now(), who="ana", address="")
    assert refused.value.code == "archivo-grande"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("lote.csv", "lote.csv"),
        (r"C:\Users\ana\lote de mayo.xlsx", "lote de mayo.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("<script>.csv", "_script_.csv"),
        ("a\u202eb\x00.csv", "a_b_.csv"),
        ("", "archivo"),
        ("x" * 400 + ".xlsx", "x" * 145 + ".xlsx"),
    ],
)
def test_the_name_is_only_text(given: str, kept: str):
    assert uploads.clean_name(given) == kept


def test_files_of_what_ended_without_a_batch_are_deleted_after_a_while(desk: Desk):
    gone = checked(desk, uploaded(desk, b"CUFE,Motivo\n"))
    stays = checked(desk, uploaded(desk, table(1)))
    desk.later(days=20)
    assert uploads.forget_files(desk.store, desk.clock.now(), 30) == 0
    desk.later(days=10.5)
    assert uploads.forget_files(desk.store, desk.clock.now(), 30) == 1
    assert not uploads.has_file(desk.store, gone.id)
    assert desk.store.file(stays.id) == table(1)
    assert [event.event for event in desk.store.events(gone.id)] == ["uploaded", "unreadable"]


def test_the_file_of_what_was_sent_is_kept(desk: Desk):
    one = desk.approved([1])
    desk.carry(one)
    desk.later(days=400)
    assert uploads.forget_files(desk.store, desk.clock.now(), 30) == 0
    assert hashlib.sha256(desk.store.file(one.id)).hexdigest() == one.sha256


def test_of_two_checks_of_one_upload_one_wins(desk: Desk):
    one = uploaded(desk, table(1))
    first, second = checked(desk, one), checked(desk, one)
    assert first == second
    assert [event.event for event in desk.store.events(one.id)] == ["uploaded", "checked"]


@pytest.mark.sqlite
class Killed(BaseException):
    """What a kill is for the process: nothing after it happens."""


def dies_at(point: str) -> Any:
    def crashpoint(name: str) -> None:
        if name == point:
            raise Killed

    return crashpoint


def test_killed_while_it_is_handed_in_nothing_of_it_is_there(desk: Desk, monkeypatch):
    with monkeypatch.context() as here:
        here.setattr(uploads, "crashpoint", dies_at("upload-before-commit"))
        with pytest.raises(Killed):
            handed(desk, table(1))
    assert desk.store.open() == []
    assert handed(desk, table(1)).new


def test_killed_while_what_was_found_is_kept_it_is_checked_again(desk: Desk, monkeypatch):
    one = uploaded(desk, table(1))
    with monkeypatch.context() as here:
        here.setattr(uploads, "crashpoint", dies_at("upload-checked-before-commit"))
        with pytest.raises(Killed):
            checked(desk, one)
    assert uploads.to_check(desk.store) == [one]
    assert checked(desk, one).state is ProposalState.DRAFT


@pytest.fixture
def without_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with ledgers.fresh(tmp_path, tables=False) as url:
        found = Desk(tmp_path, settings_of(tmp_path, url), monkeypatch)
        yield found
        found.close()


def test_the_pages_make_no_ledger(without_ledger: Desk):
    desk = without_ledger
    found = receive(
        desk.store, None, Handed("a.csv", table(1)), limits(desk.settings), desk.clock.now(), who="ana", address=""
    )
    assert found.proposal is not None
    with pytest.raises(StorageTrouble) as trouble:
        checked(desk, found.proposal)
    assert trouble.value.code == "ledger-not-yet"
    assert desk.store.get(found.proposal.id).state is ProposalState.CHECKING, "it is checked once there is one"
    with open_views(desk.settings) as views:
        assert views is None
