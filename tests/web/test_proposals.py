"""A file is handed in, looked at and approved on the page: the same rules as at the terminal, and another person's."""

from __future__ import annotations

import io
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pipeline.approvals import uploads
from pipeline.approvals.carry import text_of
from pipeline.approvals.store import Proposal
from pipeline.domain import actions
from pipeline.domain.cufe import check_digit
from pipeline.domain.proposals import ProposalState
from pipeline.web.texts.options import on_screen
from tests.support.desk import REASON
from tests.support.pages import CANAL, PASSWORD, SAMPLES, House

ISSUER = "155999991-2-2026"
OTHER = "155999992-2-2026"


def cufe(number: int, issuer: str = ISSUER) -> str:
    code = f"FE012{issuer.rjust(20, '0')}-5600012026111{8}{number:010d}001012{number:09d}"
    return code + check_digit(code)


def table(*codes: str) -> bytes:
    return "\n".join(["CUFE,Motivo", *(f"{code},{REASON}" for code in codes), ""]).encode()


def hand_in(client: Any, data: bytes, name: str = "lote.csv", **more: Any) -> Any:
    return client.post("/cargar", {"archivo": SimpleUploadedFile(name, data), **more})


def number_of(answer: Any) -> int:
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return int(answer.headers["Location"].rpartition("/")[2])


def draft(house: House, *codes: str, client: Any = None) -> Proposal:
    answer = hand_in(client or house.client("ana"), table(*(codes or (cufe(1), cufe(2)))))
    return house.desk.store.get(number_of(answer))


def waiting(house: House, *codes: str) -> Proposal:
    one, client = draft(house, *codes), house.client("ana")
    client.post(f"/propuestas/{one.id}/enviar")
    return house.desk.store.get(one.id)


def consent(one: Proposal, **more: Any) -> dict[str, Any]:
    return {"huella": one.digest, "version": one.version, "cantidad": str(one.to_send), **more}


def text(answer: Any) -> str:
    plain = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", plain)


# --- handing in


def test_w08_a_file_becomes_a_review_with_the_figures_that_check_says(house: House):
    client = house.client("ana")
    number = number_of(hand_in(client, (SAMPLES / "lote_mensual.xlsx").read_bytes(), "otro nombre.xlsx"))
    shown = text(client.get(f"/propuestas/{number}"))
    one = house.desk.store.get(number)
    figures = house.desk.store.plan_data(number)["review"]["figures"]
    assert one.state is ProposalState.DRAFT
    assert f"{one.to_send} de {figures['rows'] - figures['not_applicable']} facturas se anularán." in shown
    assert "otro nombre.xlsx" in shown
    assert one.sha256 in shown
    assert f"Rechazadas {figures['rejected']}" in shown


def test_totals_add_up_to_the_invoices_of_the_file(house: House):
    client = house.client("ana")
    one = draft(house, cufe(1), cufe(1), "FE0120", cufe(2), client=client)
    shown = client.get(f"/propuestas/{one.id}").content.decode()
    rows = re.findall(r'<tr><th scope="row">([^<]+)</th><td class="right">([\d,]+)</td></tr>', shown)
    assert [*map(tuple, rows)] == [
        ("Por enviar", "2"),
        ("Rechazadas", "1"),
        ("Duplicadas", "1"),
        ("Facturas en el archivo", "4"),
    ]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("lote.csv", b"", "está vacío"),
        ("lote.exe", b"MZ", "no es CSV ni Excel"),
        ("lote.xlsm", b"PK\x03\x04", "contiene macros"),
        ("lote.csv", b"PK\x03\x04x", "su extensión es"),
        ("lote.xlsx", b"CUFE,Motivo\n", "su extensión es"),
        ("lote.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
        ("lote.pdf", b"%PDF-1.7", "PDF"),
    ],
)
def test_s20_what_is_no_table_by_name_or_signature_is_refused_in_words(
    house: House, name: str, data: bytes, words: str
):
    answer = hand_in(house.client("ana"), data, name)
    assert answer.status_code == 422
    assert words in text(answer)
    assert "<title>Error:" in answer.content.decode()


def test_s20_a_workbook_that_is_a_bomb_is_refused_by_the_reader_in_words(house: House):
    """The limits are those of the command line: the reading child has them whoever asks."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as bomb:
        for number in range(20):
            bomb.writestr(f"xl/worksheets/sheet{number}.xml", b" " * 20_000_000)
    ana = house.client("ana")
    answer = ana.get(f"/propuestas/{number_of(hand_in(ana, stream.getvalue(), 'lote.xlsx'))}")
    assert "No se puede usar" in text(answer)


def test_s21_a_file_lies_under_no_name_of_its_own_and_the_given_one_is_only_text(house: House):
    ana = house.client("ana")
    name = "../../etc/" + "ñ" * 300 + ".csv"
    one = house.desk.store.get(number_of(hand_in(ana, table(cufe(1)), name)))
    assert len(one.file_name.encode()) <= 255
    assert one.state is ProposalState.DRAFT
    assert "/" not in one.file_name
    assert one.file_name.endswith(".csv")
    assert [path for path in house.folder.rglob("*ñññ*") if "propuestas" not in path.parts] == []


def test_s21_a_person_has_twenty_open_files_and_500_mb_at_most(house: House, monkeypatch):
    assert (uploads.MOST_OPEN, uploads.MOST_BYTES) == (20, 500 * 1_048_576)
    monkeypatch.setattr(uploads, "MOST_OPEN", 2)
    ana = house.client("ana")
    answers = [hand_in(ana, table(cufe(number)), f"{number}.csv") for number in (1, 2)]
    said = text(answers[-1])
    assert answers[-1].status_code == 422
    assert "archivos sin terminar; el máximo es 2" in said


def test_s22_the_scanner_sees_the_standard_test_text_and_nothing_of_the_file_is_kept(
    house: House, tmp_path: Path, monkeypatch
):
    program = tmp_path / "scanner.py"
    program.write_text("import sys; sys.exit(b'EICAR-STANDARD' in sys.stdin.buffer.read())", "utf-8")
    istmo = house.site.companies["istmo"].model_copy(update={"web_scan": f"{sys.executable} {program}"})
    monkeypatch.setitem(house.site.companies, "istmo", istmo)
    ana = house.client("ana")
    eicar = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    before = len(house.desk.store.open())
    answer = hand_in(ana, table(cufe(1)) + eicar)
    assert answer.status_code == 422
    assert "no lo aceptó" in text(answer)
    assert len(house.desk.store.open()) == before
    assert hand_in(ana, table(cufe(1))).status_code == 302


@pytest.mark.parametrize(
    "cell", ["<script>alert(1)</script>", "\u202egnp.exe", "a\x00b", "=cmd|' /C calc'!A0", "ñ" * 32_767]
)
def test_s23_what_a_cell_holds_is_text_on_the_review_and_on_the_rows_of_the_batch(house: House, cell: str):
    from tests.web.test_batches import approved_file

    ana = house.client("ana")
    quoted = '"' + cell.replace('"', '""') + '"'
    data = table(cufe(700), cufe(701)).decode() + f"{quoted},{quoted}\n"
    number = number_of(hand_in(ana, data.encode()))
    shown = ana.get(f"/propuestas/{number}")
    pages = [shown]
    if house.desk.store.get(number).state is ProposalState.DRAFT:
        batch = approved_file(house, number)
        pages += [ana.get(f"/lotes/{batch}/filas"), ana.get(f"/lotes/{batch}/filas/4")]
    for one in pages:
        assert one.status_code == 200
        plain = one.content.decode()
        assert "<script>alert" not in plain
        assert "\x00" not in plain
        assert "\u202e" not in plain


def test_without_a_file_the_form_says_so(house: House):
    answer = house.client("ana").post("/cargar", {})
    assert (answer.status_code, "Elija un archivo." in text(answer)) == (422, True)


def test_a_file_that_cannot_be_read_says_where_and_what_to_do(house: House):
    client = house.client("ana")
    number = number_of(hand_in(client, b"CUFE,Motivo\n"))
    shown = text(client.get(f"/propuestas/{number}"))
    assert "No se puede usar" in shown
    assert "No hay filas de datos debajo del encabezado. Revise que el archivo sea el correcto." in shown
    assert f"/cargar?de={number}" in client.get(f"/propuestas/{number}").content.decode()


def test_no_refusal_names_an_option_of_the_command_line(house: House):
    client = house.client("ana")
    number = number_of(hand_in(client, b"Nota,Cosa\n1,2\n"))
    assert "--" not in text(client.get(f"/propuestas/{number}"))


def test_two_sheets_are_a_choice_that_reads_the_file_again(house: House, tmp_path: Path):
    from tests.integration.approvals.test_uploads import book

    client = house.client("ana")
    data = book(tmp_path / "dos.xlsx", {"Enero": [1], "Febrero": [2, 3]})
    number = number_of(hand_in(client, data, "dos.xlsx"))
    answer = client.get(f"/propuestas/{number}")
    assert "Febrero" in text(answer)
    other = number_of(client.post(f"/propuestas/{number}/otra-vez", {"como": "1"}))
    assert house.desk.store.get(other).sheet == "Febrero"


def test_the_same_file_twice_is_the_same_proposal(house: House):
    one = draft(house)
    assert number_of(hand_in(house.client("ana"), house.desk.store.file(one.id), "copia.csv")) == one.id


def test_a_file_that_is_a_batch_leads_there(house: House):
    client = house.client("ana")
    answer = hand_in(client, (SAMPLES / "lote_mensual.csv").read_bytes(), "lote.csv")
    assert answer.status_code == 200
    assert re.search(r"Este archivo ya se procesó el \d\d/\d\d/\d{4} \d\d:\d\d por .*ana", text(answer))
    assert re.search(r'href="/lotes/\d{8}-[0-9a-f]{8}"', answer.content.decode())


def test_a_name_that_wants_to_act_is_only_text(house: House):
    client = house.client("ana")
    number = number_of(hand_in(client, table("<script>alert(1)</script>", cufe(1)), "<img src=x onerror=alert(1)>.csv"))
    shown = client.get(f"/propuestas/{number}").content.decode()
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown
    assert "&lt;script&gt;" in shown


@pytest.mark.long
@pytest.mark.sqlite  # about reading files, whatever keeps them
def test_w08_every_file_of_the_corpus_is_a_table_or_one_sentence(house: House):
    """And never a number for support: what no reader foresaw is none of them."""
    from tests.corpus.test_corpus import ENTRIES

    wrong = []
    for entry in ENTRIES:
        house.later(minutes=2)  # 30 in ten minutes and more are too many
        ana = house.client("ana")  # and a session lasts 8 hours
        answer = hand_in(ana, entry.make(), entry.name)
        shown = ana.get(answer.headers["Location"]) if answer.status_code == 302 else answer
        said = text(shown)
        known = any(
            one in said
            for one in ("No se puede usar", "Totales", "Hay un problema", "ya se procesó", "se puede enviar")
        )
        if shown.status_code not in (200, 422) or not known or "Número para soporte" in said:
            wrong.append(f"{entry}: {shown.status_code} {said[:200]}")
        if answer.status_code == 302:
            ana.post(answer.headers["Location"] + "/descartar")
    assert wrong == []


@pytest.mark.parametrize("house", [{"web_scan": "false"}], indirect=True)
def test_what_the_scanner_refuses_is_not_kept(house: House):
    answer = hand_in(house.client("ana"), table(cufe(1)))
    assert answer.status_code == 422
    assert "no lo aceptó" in text(answer)


def test_a_check_that_was_cut_off_is_asked_for_again_by_who_looks(house: House):
    one = _received(house)
    assert one.state is ProposalState.CHECKING
    answer = house.client("ana").get(f"/propuestas/{one.id}")
    assert answer.status_code == 200
    assert house.desk.store.get(one.id).state is ProposalState.DRAFT


def test_the_script_hears_that_the_check_is_over(house: House):
    one = draft(house)
    assert house.client("ana").get(f"/propuestas/{one.id}/estado").json() == {"done": True, "words": ""}


def test_who_approved_is_told_that_the_sending_has_yet_to_begin_and_then_led_to_the_batch(house: House):
    one = waiting(house)
    luis = house.client("luis")
    answer = luis.post(f"/propuestas/{one.id}/aprobar", consent(one))
    assert answer.status_code == 302, text(answer)

    page = luis.get(f"/propuestas/{one.id}")
    assert "Aprobada. El envío empieza en unos segundos" in text(page)
    assert f'data-live="/propuestas/{one.id}/estado"' in page.content.decode()
    assert luis.get(f"/propuestas/{one.id}/estado").json()["done"] is False

    sent = house.desk.carry(house.desk.store.get(one.id), "luis").proposal
    assert luis.get(f"/propuestas/{one.id}/estado").json() == {"done": True, "words": ""}
    assert f'href="/lotes/{sent.batch}"' in luis.get(f"/propuestas/{one.id}").content.decode()


def test_what_was_begun_and_is_in_no_ledger_yet_leads_to_no_batch_and_says_that_it_begins(house: House):
    from pipeline.domain.proposals import Step

    one = waiting(house)
    luis = house.client("luis")
    luis.post(f"/propuestas/{one.id}/aprobar", consent(one))
    store, now = house.desk.store, house.clock.now()
    store.take(store.get(one.id), Step.BEGUN, now, batch="20261120-0badc0de")  # and then the sender was killed
    for path in ("/", f"/propuestas/{one.id}"):
        assert "20261120-0badc0de" not in luis.get(path).content.decode()
    assert "Se está preparando el envío" in text(luis.get(f"/propuestas/{one.id}"))
    assert luis.get(f"/propuestas/{one.id}/estado").json()["done"] is False

    sent = house.desk.sweep()[-1].proposal
    assert sent.batch
    assert luis.get(f"/propuestas/{one.id}/estado").json()["done"] is True
    assert f'href="/lotes/{sent.batch}"' in luis.get(f"/propuestas/{one.id}").content.decode()


def test_no_recommended_action_names_a_command_on_the_page():
    said = [on_screen(action.words) for action in vars(actions).values() if isinstance(action, actions.Action)]
    assert [words for words in said if re.search(r"\bcomando\b|\brun\b", words)] == []


def _received(house: House) -> Proposal:
    from pipeline.approvals.uploads import Handed, receive
    from pipeline.settings.model import limits

    settings = house.site.companies["istmo"]
    handed, now = Handed("a.csv", table(cufe(9))), house.clock.now()
    found = receive(house.desk.store, None, handed, limits(settings), now, who="ana", address="x").proposal
    assert found is not None
    return found


# --- the review and its preparer


def test_its_workbooks_can_be_downloaded_and_are_made_again_when_they_are_gone(house: House):
    client = house.client("ana")
    one = draft(house, cufe(1), "FE0120")
    answer = client.get(f"/propuestas/{one.id}/libros/revision")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    data = answer.content
    assert data.startswith(b"PK")
    import shutil

    from pipeline.approvals.places import Places

    settings = house.site.companies["istmo"]
    shutil.rmtree(Places.of(settings).of_proposal(settings, one.id))
    assert client.get(f"/propuestas/{one.id}/libros/corregir").status_code == 202
    assert client.get(f"/propuestas/{one.id}/libros/corregir").status_code == 200
    assert client.get(f"/propuestas/{one.id}/libros/otro").status_code == 404


def test_every_row_of_a_cause_is_shown_fifty_a_page_also_when_it_was_lost(house: House):
    import shutil

    from pipeline.approvals.places import Places

    client = house.client("ana")
    one = draft(house, cufe(1), *("corto" + str(number) for number in range(60)), client=client)
    link = re.search(
        r'href="(/propuestas/\d+/filas\?problema=[a-z-]+)"', client.get(f"/propuestas/{one.id}").content.decode()
    )
    assert link is not None
    shown = text(client.get(link[1]))
    assert "corto0" in shown
    assert "corto49" in shown
    assert "corto50" not in shown
    more = client.get(f"{link[1]}&pagina=2")
    assert "corto59" in text(more)
    assert text(client.get(f"{link[1]}&pagina=99")).count("corto") == 0
    shutil.rmtree(Places.of(house.site.companies["istmo"]).root)
    assert client.get(link[1]).status_code == 202
    assert text(client.get(link[1])) == shown


def test_a_file_without_one_good_row_cannot_be_submitted(house: House):
    client = house.client("ana")
    one = draft(house, "FE0120", client=client)
    shown = client.get(f"/propuestas/{one.id}")
    assert "Ninguna fila se puede enviar. Corrija el archivo y cárguelo otra vez." in text(shown)
    assert f"/propuestas/{one.id}/enviar" not in shown.content.decode()
    assert client.post(f"/propuestas/{one.id}/enviar").status_code == 409
    assert house.desk.store.get(one.id).state is ProposalState.DRAFT


def test_the_preparer_submits_and_is_told_who_approves(house: House):
    client = house.client("ana")
    one = draft(house, client=client)
    client.post(f"/propuestas/{one.id}/enviar")
    now = house.desk.store.get(one.id)
    assert (now.state, now.people.submitted_by) == (ProposalState.WAITING, "ana")
    assert "La aprueba otra persona: Luis Gómez." in text(client.get(f"/propuestas/{one.id}"))
    assert [event.address for event in house.desk.store.events(one.id)][-1] == "127.0.0.1"


def test_the_preparer_takes_it_back_and_nobody_else_does(house: House):
    one = waiting(house)
    assert house.client("luis").post(f"/propuestas/{one.id}/descartar").status_code == 403
    house.client("ana").post(f"/propuestas/{one.id}/descartar")
    assert house.desk.store.get(one.id).state is ProposalState.DISCARDED


def test_who_only_looks_has_no_button(house: House):
    one = waiting(house)
    shown = house.client("marta").get(f"/propuestas/{one.id}").content.decode()
    for step in ("enviar", "descartar", "aprobar"):
        assert f"/propuestas/{one.id}/{step}" not in shown


@pytest.mark.parametrize("path", ["", "/estado", "/libros/revision", "/aprobar", "/no-aprobar"])
def test_s03_another_companys_proposal_is_not_there(house: House, path: str):
    one = waiting(house)
    olga = house.client("olga", profile=CANAL)
    assert olga.get(f"/propuestas/{one.id}{path}").status_code == 404


@pytest.mark.parametrize("path", ["/enviar", "/descartar", "/otra-vez", "/aprobar", "/no-aprobar"])
def test_s03_and_cannot_be_changed(house: House, path: str):
    one = waiting(house)
    olga = house.client("olga", profile=CANAL)
    assert olga.post(f"/propuestas/{one.id}{path}", consent(one)).status_code == 404
    assert house.desk.store.get(one.id) == one


def test_a_file_of_another_company_can_be_named_as_corrected_by_nobody(house: House):
    one = draft(house)
    assert house.client("olga", profile=CANAL).get(f"/cargar?de={one.id}").status_code == 404


# --- approving


def test_w10_another_person_approves_exactly_that(house: House):
    one = waiting(house)
    client = house.client("luis")
    shown = text(client.get(f"/propuestas/{one.id}/aprobar"))
    assert "Va a anular 2 facturas de 1 emisor en el sandbox. Esto no se puede deshacer." in shown
    assert one.digest in shown
    answer = client.post(f"/propuestas/{one.id}/aprobar", consent(one))
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/propuestas/{one.id}")
    now = house.desk.store.get(one.id)
    assert (now.state, now.people.approved_by, now.way) == (ProposalState.APPROVED, "luis", "web")
    assert text_of(now) == f"web: luis aprobó; ana preparó; huella {one.digest}"
    assert [event.event for event in house.audit("aprueba")] == ["aprueba"]


def test_what_was_approved_on_the_page_is_sent_once_and_the_ledger_says_by_whom(house: House):
    one = waiting(house)
    house.client("luis").post(f"/propuestas/{one.id}/aprobar", consent(one))
    before = dict(house.desk.posts)
    house.desk.send(one)
    sent = {code: house.desk.posts[code] - before.get(code, 0) for code in (cufe(1), cufe(2))}
    assert sent == {cufe(1): 1, cufe(2): 1}
    house.desk.verified()


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"cantidad": ""}, 422, "no es la cantidad"),
        ({"cantidad": "3"}, 422, "no es la cantidad"),
        ({"cantidad": "dos"}, 422, "no es la cantidad"),
        ({"huella": "0" * 64}, 409, "El lote cambió desde que usted lo abrió. Revíselo otra vez."),
        ({"huella": ""}, 409, "El lote cambió desde que usted lo abrió. Revíselo otra vez."),
        ({"version": "1"}, 409, "El lote cambió desde que usted lo abrió. Revíselo otra vez."),
    ],
)
def test_each_refusal_of_4_2_changes_nothing(house: House, change: dict[str, str], status: int, words: str):
    one = waiting(house)
    answer = house.client("luis").post(f"/propuestas/{one.id}/aprobar", consent(one, **change))
    assert (answer.status_code, words in text(answer)) == (status, True)
    assert house.desk.store.get(one.id) == one
    assert not house.audit("aprueba")[-1].ok


def test_each_of_several_issuers_is_ticked(house: House):
    one = waiting(house, cufe(1), cufe(2, OTHER))
    client = house.client("luis")
    for ticked in ([], [ISSUER], [ISSUER, "1-1-1"]):
        answer = client.post(f"/propuestas/{one.id}/aprobar", consent(one, emisores=ticked))
        assert answer.status_code == 422, ticked
        assert house.desk.store.get(one.id) == one
    assert "1 factura" in text(client.get(f"/propuestas/{one.id}/aprobar"))
    client.post(f"/propuestas/{one.id}/aprobar", consent(one, emisores=[ISSUER, OTHER]))
    assert house.desk.store.get(one.id).state is ProposalState.APPROVED


def test_what_was_hidden_is_typed_too(house: House, tmp_path: Path):
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (["CUFE", "Motivo"], [cufe(1), REASON], [cufe(2), REASON]):
        sheet.append(line)
    sheet.row_dimensions[3].hidden = True
    book.save(tmp_path / "oculto.xlsx")
    data, ana = (tmp_path / "oculto.xlsx").read_bytes(), house.client("ana")
    refused = number_of(hand_in(ana, data, "oculto.xlsx"))
    assert "Incluir filas, columnas y celdas ocultas" in text(ana.get(f"/propuestas/{refused}"))
    number = number_of(hand_in(ana, data, "oculto.xlsx", ocultas="on"))
    ana.post(f"/propuestas/{number}/enviar")
    one, luis = house.desk.store.get(number), house.client("luis")
    assert one.to_send == 2
    assert luis.post(f"/propuestas/{number}/aprobar", consent(one)).status_code == 422
    assert luis.post(f"/propuestas/{number}/aprobar", consent(one, ocultas="1")).status_code == 302


def test_the_preparer_cannot_approve_even_with_the_role(house: House):
    from pipeline.web.models import Membership

    Membership.objects.create(
        person=house.person("ana"), profile="istmo", role="aprobador", given_by="admin", given_at=house.clock.now()
    )
    one, ana = waiting(house), house.client("ana")
    for answer in (ana.get(f"/propuestas/{one.id}/aprobar"), ana.post(f"/propuestas/{one.id}/aprobar", consent(one))):
        assert answer.status_code == 403
        assert "Usted preparó este lote: lo aprueba otra persona: Luis Gómez." in text(answer)
    assert ana.post(f"/propuestas/{one.id}/no-aprobar", {"motivo": "no es correcto"}).status_code == 403
    assert house.desk.store.get(one.id) == one


def test_s17_who_one_is_is_confirmed_within_five_minutes_or_by_the_password_here(house: House):
    one, luis = waiting(house), house.client("luis")
    house.later(minutes=6)
    page = f"/propuestas/{one.id}/aprobar"
    assert 'name="clave"' in luis.get(page).content.decode()
    for password in ("", "otra cosa distinta"):
        assert luis.post(page, consent(one, clave=password)).status_code == 422
        assert house.desk.store.get(one.id) == one
    assert luis.post(page, consent(one, clave=PASSWORD)).status_code == 302
    assert house.desk.store.get(one.id).state is ProposalState.APPROVED


def test_a_certificate_that_cannot_be_used_is_acknowledged(house: House):
    from datetime import timedelta

    from pipeline.certificates.registry import Dates, Registry
    from pipeline.domain.certificates import Certificate, State

    now, settings = house.clock.now(), house.site.companies["istmo"]
    registry = Registry(house.site.office, settings, "ana")
    asked = Certificate(0, 0, ISSUER, State.IN_PROCESS)
    registry.register(asked, Dates(now - timedelta(9), now + timedelta(seconds=1)), now)
    one, luis = waiting(house), house.client("luis")
    house.later(minutes=1)
    page = f"/propuestas/{one.id}/aprobar"
    assert "Venció" in text(luis.get(page)) or "venc" in text(luis.get(page))
    assert luis.post(page, consent(one)).status_code == 422
    assert house.desk.store.get(one.id) == one
    assert luis.post(page, consent(one, certificados="on")).status_code == 302
    told = house.desk.store.events(one.id)[-1].data["certificates"]
    assert len(told) == 1


def test_of_two_approvers_at_once_one_wins_and_the_other_is_told(house: House):
    one, luis = waiting(house), house.client("luis")
    assert luis.post(f"/propuestas/{one.id}/aprobar", consent(one)).status_code == 302
    again = luis.post(f"/propuestas/{one.id}/aprobar", consent(one))
    assert again.status_code == 409
    assert "«Aprobada»" in text(again)


def test_not_approving_takes_a_reason_and_the_preparer_reads_it(house: House):
    one, luis = waiting(house), house.client("luis")
    assert luis.post(f"/propuestas/{one.id}/no-aprobar", {"motivo": "no"}).status_code == 422
    assert house.desk.store.get(one.id) == one
    luis.post(f"/propuestas/{one.id}/no-aprobar", {"motivo": "El emisor no es de este mes"})
    now = house.desk.store.get(one.id)
    assert (now.state, now.why) == (ProposalState.DECLINED, "El emisor no es de este mes")
    assert "El emisor no es de este mes" in text(house.client("ana").get(f"/propuestas/{one.id}"))


def test_a_proposal_that_nobody_approved_in_time_is_no_longer_approved(house: House):
    one = waiting(house)
    house.later(hours=73)
    answer = house.client("luis").post(f"/propuestas/{one.id}/aprobar", consent(one))
    assert answer.status_code == 409
    assert house.desk.store.get(one.id).state is ProposalState.EXPIRED


@pytest.mark.parametrize("house", [{"approval": "none"}], indirect=True)
def test_an_office_of_one_person_approves_its_own_visibly(house: House):
    from pipeline.web.models import Membership

    Membership.objects.create(
        person=house.person("ana"), profile="istmo", role="aprobador", given_by="admin", given_at=house.clock.now()
    )
    one, ana = waiting(house), house.client("ana")
    shown = text(ana.get(f"/propuestas/{one.id}/aprobar"))
    assert "ANULAR_APPROVAL=none" in shown
    assert ana.post(f"/propuestas/{one.id}/aprobar", consent(one)).status_code == 302


def test_what_the_terminal_prepared_is_shown_with_its_lines(house: House):
    one = house.desk.store.open()[0]
    shown = text(house.client("luis").get(f"/propuestas/{one.id}/aprobar"))
    assert one.digest in shown
    assert uploads.has_file(house.desk.store, one.id)
