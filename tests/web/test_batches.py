"""Batches and rows on the page: the figures of the commands, what to do, downloads, and decisions as orders."""

from __future__ import annotations

import asyncio
import io
import json
import re
from typing import Any

import pytest

from pipeline.approvals import carry
from pipeline.approvals.downloads import EVIDENCE
from pipeline.approvals.readers import DOWNLOAD, Work
from pipeline.approvals.store import Proposal
from pipeline.domain.lifecycle import Event
from pipeline.domain.orders import Kind, OrderState
from pipeline.domain.proposals import ProposalState
from pipeline.domain.records import Finding, Source
from pipeline.run.figures import counts_data
from pipeline.run.results import write_results
from pipeline.web.roles import May
from pipeline.web.routes import Route
from tests.support.desk import REASON
from tests.support.pages import CANAL, PASSWORD, AtOnce, House
from tests.web.test_proposals import consent, cufe, text, waiting


def sent(house: House) -> str:
    """The batch of the sample month, which was sent."""
    with house.desk.memory() as memory:
        return str(memory.views.batches()[-1].id)


def approved(house: House, *numbers: int) -> Proposal:
    one = waiting(house, *(cufe(number) for number in numbers or range(100, 110)))
    assert house.client("luis").post(f"/propuestas/{one.id}/aprobar", consent(one)).status_code == 302
    return house.desk.store.get(one.id)


def approved_file(house: House, number: int) -> str:
    """The batch of a draft that was submitted, approved and sent."""
    house.client("ana").post(f"/propuestas/{number}/enviar")
    one = house.desk.store.get(number)
    assert house.client("luis").post(f"/propuestas/{number}/aprobar", consent(one)).status_code == 302
    house.desk.carry(house.desk.store.get(number))
    return str(house.desk.store.get(number).batch)


def stopped(house: House) -> Proposal:
    one = approved(house)
    house.desk.stops_after = 3
    house.desk.send(one)
    now = house.desk.store.get(one.id)
    assert now.state is ProposalState.STOPPED
    return now


def sending(house: House, *numbers: int) -> Proposal:
    one = approved(house, *numbers)
    with house.desk.memory() as memory:
        return carry.begin(one, house.desk.store, memory, house.clock, who="anular").proposal


# --- start


def test_w07_the_numbers_are_those_of_status(house: House):
    shown = house.client("marta").get("/").content.decode()
    with house.desk.memory() as memory:
        infos = memory.views.batches()
    for info in infos:
        told = counts_data(info)
        row = re.search(rf'<th scope="row"><a href="/lotes/{info.id}">.*?</tr>', shown, re.S)
        assert row is not None
        cells = re.findall(r'class="right"[^>]*>([\d,]+)<', row[0])
        done = sum(told["outcomes"].get(word, 0) for word in ("ANULADA", "YA ANULADA"))
        assert cells == [str(one) for one in (info.rows, done, told["needs_person"], told["pending"])]


def test_what_waits_for_whom_is_on_their_start_page(house: House):
    one = waiting(house)
    luis, ana = house.client("luis").get("/"), house.client("ana").get("/")
    assert f"/propuestas/{one.id}/aprobar" in luis.content.decode()
    assert f"/propuestas/{one.id}/aprobar" not in ana.content.decode()
    assert "Espera la aprobación de otra persona: lote.csv, 2 facturas" in text(ana)


def test_an_empty_company_says_how_to_begin(house: House):
    shown = text(house.client("olga", profile=CANAL).get("/"))
    assert "Todavía no hay lotes. Cargue su primer archivo o descargue la plantilla." in shown


def test_an_administrator_without_another_role_sees_no_batch(house: House):
    shown = house.client("admin").get("/").content.decode()
    assert "/lotes/" not in shown


def test_older_batches_are_on_the_next_page(house: House, monkeypatch):
    from pipeline.web.screens import start

    for number in range(3):
        house.desk.carry(approved(house, 300 + number))
    monkeypatch.setattr(start, "NEWEST", 2)
    marta = house.client("marta")
    first = re.findall(r'<th scope="row"><a href="/lotes/([\w-]+)"', marta.get("/").content.decode())
    older = re.findall(r'<th scope="row"><a href="/lotes/([\w-]+)"', marta.get(f"/?antes={first[-1]}").content.decode())
    assert len(first) == 2
    assert len(older) == 2
    assert not set(first) & set(older)


# --- a batch


def test_a_batch_says_its_sentence_what_to_do_and_its_totals(house: House):
    batch = sent(house)
    shown = text(house.client("marta").get(f"/lotes/{batch}"))
    with house.desk.memory() as memory:
        info = memory.views.batch(batch)
    assert info is not None
    figures = counts_data(info)
    done = info.counts["ANULADA"]
    assert f"{done} de {info.rows} facturas quedaron anuladas" in shown
    assert f"{figures['needs_person']} facturas requieren que usted haga algo." in shown
    assert "Corregir la fila" in shown
    assert info.seal is not None
    assert info.seal.hash in shown


def test_the_groups_of_what_to_do_lead_to_their_rows(house: House):
    batch = sent(house)
    marta = house.client("marta")
    link = re.search(rf"/lotes/{batch}/filas\?pendiente=(A\d\d)", marta.get(f"/lotes/{batch}").content.decode())
    assert link is not None
    shown = text(marta.get(link[0]))
    assert "RECHAZADA" in shown
    assert "ANULADA 37" not in shown.replace("ANULADA (37)", "")


def test_a_large_batch_finds_out_what_to_do_in_a_child(house: House, monkeypatch):
    from pipeline.web.screens import batch as screen

    batch, marta = sent(house), house.client("marta")
    at_once = text(marta.get(f"/lotes/{batch}"))
    monkeypatch.setattr(screen, "AT_ONCE", 1)
    assert text(marta.get(f"/lotes/{batch}")) == at_once


def test_w12_progress_comes_as_events_and_ends_with_the_sending(house: House):
    one = stopped(house)
    answer = house.client("ana").get(f"/lotes/{one.batch}/avance")
    assert answer.headers["Content-Type"] == "text/event-stream"
    told = asyncio.run(_all_of(answer.streaming_content))
    first, last = told.strip().split("\n\n")
    assert first.startswith("event: avance\ndata: ")
    found = json.loads(first.partition("data: ")[2])
    assert (found["done"], found["all"], found["state"]) == (3, 10, "Detenida")
    assert last == "event: fin\ndata: {}"


async def _all_of(parts: Any) -> str:
    return b"".join([part async for part in parts]).decode()


def test_a_sending_shows_how_far_it_is_and_that_nobody_has_to_stay(house: House):
    one = sending(house)
    answer = house.client("ana").get(f"/lotes/{one.batch}")
    shown = text(answer)
    assert "0 de 10 enviadas" in shown
    assert "Puede cerrar esta página: el envío sigue." in shown
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in answer.content.decode()


def test_a_sender_that_gives_no_sign_is_said(house: House):
    from pipeline.approvals.work import sign

    one, ana = sending(house), house.client("ana")
    assert "no da señales" in text(ana.get(f"/lotes/{one.batch}"))
    sign(house.site.office, "host 1", house.clock.now())
    assert "no da señales" not in text(ana.get(f"/lotes/{one.batch}"))


def test_who_may_asks_for_a_stop_and_it_is_an_order_with_who_and_why(house: House):
    one = sending(house)
    house.client("ana").post(f"/lotes/{one.batch}/detener")
    order = house.desk.store.orders.stop_of(one.id)
    assert order is not None
    assert (order.wish.who, order.wish.way, order.wish.why) == ("ana", "web", "Detenida desde la página")
    assert house.client("marta").post(f"/lotes/{one.batch}/detener").status_code == 403


def test_what_stopped_by_itself_is_continued_by_its_preparer_too(house: House):
    one, ana = stopped(house), house.client("ana")
    assert f"/lotes/{one.batch}/continuar" in ana.get(f"/lotes/{one.batch}").content.decode()
    assert "data-again" not in ana.get(f"/lotes/{one.batch}").content.decode()
    ana.post(f"/lotes/{one.batch}/continuar")
    assert "data-again" in ana.get(f"/lotes/{one.batch}").content.decode(), "it looks again until it is done"
    assert [order.wish.kind for order in house.desk.store.orders.of_proposal(one.id)] == [Kind.CONTINUE]


def test_what_another_person_stopped_is_continued_by_an_approver_alone(house: House):
    one = sending(house)
    house.client("luis").post(f"/lotes/{one.batch}/detener")
    house.desk.send(one)
    assert house.desk.store.get(one.id).state is ProposalState.STOPPED
    ana = house.client("ana")
    shown = ana.get(f"/lotes/{one.batch}")
    assert "La detuvo Luis Gómez" in text(shown)
    assert f"/lotes/{one.batch}/continuar" not in shown.content.decode()
    assert ana.post(f"/lotes/{one.batch}/continuar").status_code == 403
    assert house.client("luis").post(f"/lotes/{one.batch}/continuar").status_code == 302


def test_another_approver_confirms_who_they_are_before_they_continue_it(house: House):
    one = sending(house)
    house.client("ana").post(f"/lotes/{one.batch}/detener")
    house.desk.send(one)
    luis = house.client("luis")
    house.later(minutes=6)
    answer = luis.post(f"/lotes/{one.batch}/continuar")
    assert answer.headers["Location"].startswith("/entrar/confirmar")
    assert house.desk.store.orders.of_proposal(one.id)[0].wish.kind is Kind.STOP


def test_another_approver_continues_it_by_one_press_with_their_password(house: House):
    one = sending(house)
    house.client("ana").post(f"/lotes/{one.batch}/detener")
    house.desk.send(one)
    luis = house.client("luis")
    assert 'name="clave"' not in luis.get(f"/lotes/{one.batch}").content.decode(), "confirmed just now"
    house.later(minutes=6)
    assert 'name="clave"' in luis.get(f"/lotes/{one.batch}").content.decode()
    wrong = luis.post(f"/lotes/{one.batch}/continuar", {"clave": "no es esta"})
    assert wrong.status_code == 422
    assert "La contraseña o el código no es correcto." in text(wrong)
    assert luis.post(f"/lotes/{one.batch}/continuar", {"clave": PASSWORD}).headers["Location"] == f"/lotes/{one.batch}"
    assert house.desk.store.orders.of_proposal(one.id)[0].wish.kind is Kind.CONTINUE


def test_the_time_of_an_authorisation_is_written_as_people_write_it_and_what_is_none_as_answered(house: House):
    from pipeline.web.screens.rows import _authorised

    wanted = {
        "2026-11-20T15:04:05Z": "20/11/2026 10:04",
        "2026-11-20T10:04:05-05:00": "20/11/2026 10:04",
        "2026-11-20T10:04:05": "20/11/2026 10:04",
        **{text: text for text in ("2026-11-20", "0001-01-01T00:00:00", "mañana", "")},
    }
    assert {said: _authorised(said) for said in wanted} == wanted


def test_a_row_is_found_by_its_batch_and_its_number(house: House):
    batch, marta = sent(house), house.client("marta")
    line = _links(marta.get(f"/lotes/{batch}/filas").content.decode(), batch)[0]
    for asked in (f"{batch} fila {line}", f"lote {batch}, fila {line}", f"Fila {line} · lote {batch}"):
        assert f'href="/lotes/{batch}/filas/{line}"' in marta.get("/buscar", {"q": asked}).content.decode(), asked
    assert f"/lotes/{batch}/filas/" not in marta.get("/buscar", {"q": f"{batch} fila 99999"}).content.decode()


def test_a_stopped_one_is_ended_with_a_reason(house: House):
    one, luis = stopped(house), house.client("luis")
    assert luis.post(f"/lotes/{one.batch}/terminar", {"motivo": "no"}).status_code == 422
    luis.post(f"/lotes/{one.batch}/terminar", {"motivo": "Ya no hace falta"})
    (order,) = house.desk.store.orders.of_proposal(one.id)
    assert (order.wish.kind, order.wish.why) == (Kind.END, "Ya no hace falta")
    assert "Terminar: Pedida." in text(luis.get(f"/lotes/{one.batch}"))


def test_what_the_folder_held_is_submitted_by_a_preparer_and_approved_by_another(house: House):
    file = house.folder / "carpeta.csv"
    file.write_text(f"CUFE,Motivo\n{cufe(900)},Factura emitida con el monto equivocado\n", "utf-8")
    info = house.desk.run(file, held=True)
    ana = house.client("ana")
    assert f"/lotes/{info.id}/proponer" in ana.get(f"/lotes/{info.id}").content.decode()
    where = ana.post(f"/lotes/{info.id}/proponer").headers["Location"]
    one = house.desk.store.get(int(where.rpartition("/")[2]))
    assert (one.state, one.people.submitted_by, one.source) == (ProposalState.WAITING, "ana", "carpeta")
    assert ana.get(where).status_code == 200
    assert house.client("luis").post(f"{where}/aprobar", consent(one)).status_code == 302


# --- rows


def test_w13_rows_come_fifty_a_page_by_position_and_by_outcome(house: House):
    one = approved(house, *range(400, 460))
    house.desk.carry(one)
    batch = house.desk.store.get(one.id).batch
    marta = house.client("marta")
    first = marta.get(f"/lotes/{batch}/filas").content.decode()
    assert len(re.findall(r"/filas/\d+\"", first)) == 50
    following = re.search(r"desde=(\d+)", first)
    assert following is not None
    second = marta.get(f"/lotes/{batch}/filas?desde={following[1]}").content.decode()
    assert len(re.findall(r"/filas/\d+\"", second)) == 10
    assert "Ninguna fila con ese resultado." in text(marta.get(f"/lotes/{batch}/filas?resultado=CONFLICTO"))


def test_a_row_shows_its_code_its_life_and_its_cells(house: House):
    batch, marta = sent(house), house.client("marta")
    line = re.search(
        rf"/lotes/{batch}/filas/(\d+)", marta.get(f"/lotes/{batch}/filas?resultado=ANULADA").content.decode()
    )
    assert line is not None
    shown = text(marta.get(line[0]))
    assert "Anulación confirmada" in shown
    assert "Intención de envío registrada" in shown
    assert marta.get(f"/lotes/{batch}/filas/99999").status_code == 404


def held_row(house: House) -> tuple[Proposal, int, str]:
    one = stopped(house)
    marta = house.client("marta").get(f"/lotes/{one.batch}/filas?resultado=RETENIDA").content.decode()
    line, code = re.search(r"/filas/(\d+)\".*?<code>(\w[^<]+)<", marta, re.S).groups()  # type: ignore[union-attr]
    return one, int(line), code


def test_w14_a_row_is_withdrawn_by_an_order_that_the_sender_carries_out(house: House):
    one, line, code = held_row(house)
    where, ana = f"/lotes/{one.batch}/filas/{line}", house.client("ana")
    assert f"{where}/retirar" in ana.get(where).content.decode()
    said = {"motivo": "No se debe anular", "final": code[-8:]}
    assert ana.post(f"{where}/retirar", {**said, "final": "00000000"}).status_code == 422
    assert ana.post(f"{where}/retirar", {**said, "motivo": "no"}).status_code == 422
    assert house.desk.store.orders.of_row(one.batch, line) == []
    assert ana.post(f"{where}/retirar", said).headers["Location"] == where
    (order,) = house.desk.store.orders.of_row(one.batch, line)
    assert (order.wish.kind, order.wish.why, order.signature) == (Kind.WITHDRAW, "No se debe anular", "web: ana")
    assert ana.get(f"{where}/estado").json()["done"] is False
    _carried(house)
    (order,) = house.desk.store.orders.of_row(one.batch, line)
    assert order.state is OrderState.DONE
    shown = text(ana.get(where))
    assert "RETIRADA" in shown
    assert "Retirar: Hecha." in shown
    assert ana.get(f"{where}/estado").json()["done"] is True
    house.desk.verified()


def given_back(house: House) -> tuple[str, str]:
    """The page of a row that was given back, and its code."""
    code = cufe(500)
    house.desk.findings = {code: Finding(Source.CANCELLATION, Event.RETURNED, estado=15, http=200)}
    one = approved(house, 500, 501)
    house.desk.carry(one)
    batch = house.desk.store.get(one.id).batch
    shown = house.client("marta").get(f"/lotes/{batch}/filas?resultado=DEVUELTA").content.decode()
    line = re.search(r"/filas/(\d+)\"", shown)
    assert line is not None
    return f"/lotes/{batch}/filas/{line[1]}", code


def test_w14_a_row_that_was_given_back_is_asked_to_be_sent_again_with_a_corrected_reason(house: House):
    where, code = given_back(house)
    ana = house.client("ana")
    shown = ana.get(f"{where}/reenviar").content.decode()
    assert REASON in shown
    said = {"motivo": "La DGI la devolvió", "final": code[-8:], "nuevo_correo": ""}
    wrong = ana.post(f"{where}/reenviar", {**said, "nuevo_motivo": "corto"})
    assert wrong.status_code == 422
    assert "--new" not in wrong.content.decode()
    assert ana.post(f"{where}/reenviar", {**said, "nuevo_motivo": REASON, "nuevo_correo": "x"}).status_code == 422
    assert house.desk.store.orders.open() == []
    better = "Factura emitida con el monto equivocado, corregida"
    assert ana.post(f"{where}/reenviar", {**said, "nuevo_motivo": better}).headers["Location"] == where
    (order,) = house.desk.store.orders.open()
    assert order.wish.data["correction"] == [better, None]
    _carried(house)
    number = house.desk.store.orders.get(order.id).wish.proposal
    assert number is not None
    one = house.desk.store.get(number)
    assert (one.state, one.options["correction"]) == (ProposalState.WAITING, [better, None])
    assert better in text(house.client("luis").get(f"/propuestas/{number}"))


def test_a_resend_with_the_texts_left_as_they_are_has_no_correction(house: House):
    where, code = given_back(house)
    said = {"motivo": "La DGI la devolvió", "final": code[-8:], "nuevo_motivo": REASON, "nuevo_correo": ""}
    house.client("ana").post(f"{where}/reenviar", said)
    (order,) = house.desk.store.orders.open()
    assert order.wish.data["correction"] is None


def test_a_row_that_was_not_given_back_is_sent_again_as_it_is_or_not_at_all(house: House):
    code = cufe(600)
    house.desk.findings = {code: Finding(Source.CANCELLATION, Event.SUPPORT, estado=4, http=200)}
    one = approved(house, 600, 601)
    house.desk.carry(one)
    batch, ana = house.desk.store.get(one.id).batch, house.client("ana")
    found = ana.get(f"/lotes/{batch}/filas").content.decode()
    where = next(
        f"/lotes/{batch}/filas/{line}"
        for line in re.findall(r"/filas/(\d+)\"", found)
        if "reenviar" in ana.get(f"/lotes/{batch}/filas/{line}").content.decode()
    )
    assert "nuevo_motivo" not in ana.get(f"{where}/reenviar").content.decode()
    said = {"motivo": "Caso 4471", "final": code[-8:], "nuevo_motivo": "Otro motivo que no se pidió nunca"}
    ana.post(f"{where}/reenviar", said)
    (order,) = house.desk.store.orders.open()
    assert order.wish.data["correction"] is None


def _carried(house: House) -> None:
    from pipeline.approvals.row_orders import RowOrders

    for order in house.desk.store.orders.open():
        RowOrders(house.desk.store, house.site.companies["istmo"], house.clock, two=True).carry(order)


def test_a_decision_that_a_row_does_not_allow_is_neither_offered_nor_taken(house: House):
    batch, luis = sent(house), house.client("luis")
    line = re.search(r"/filas/(\d+)", luis.get(f"/lotes/{batch}/filas?resultado=ANULADA").content.decode())
    assert line is not None
    where = f"/lotes/{batch}/filas/{line[1]}"
    shown = luis.get(where).content.decode()
    for step in ("retirar", "resolver", "reenviar", "consultar"):
        assert f"{where}/{step}" not in shown
    for step in ("retirar", "resolver"):
        assert luis.post(f"{where}/{step}", {"motivo": "porque sí es", "final": "12345678"}).status_code == 409
    assert house.desk.store.orders.open() == []


def test_who_may_not_decide_is_refused(house: House):
    one, line, code = held_row(house)
    said = {"motivo": "No se debe anular", "final": code[-8:], "como": "cancelled"}
    for person, step in (("marta", "retirar"), ("ana", "resolver"), ("luis", "reenviar")):
        answer = house.client(person).post(f"/lotes/{one.batch}/filas/{line}/{step}", said)
        assert answer.status_code == 403, (person, step)


def _links(shown: str, batch: str) -> list[str]:
    return re.findall(rf"/lotes/{batch}/filas/(\d+)\"", shown)


def test_w13_rows_are_filtered_by_problem_and_issuer_and_outcome_at_once(house: House):
    batch, marta = sent(house), house.client("marta")
    where = f"/lotes/{batch}/filas"
    page = marta.get(where).content.decode()
    code, counted = re.search(r'<option value="([a-z-]+)">[^<]+ \((\d+)\)</option>', page).groups()  # type: ignore[union-attr]
    shown = marta.get(f"{where}?problema={code}").content.decode()
    assert len(_links(shown, batch)) == min(50, int(counted))
    ruc, of_issuer = re.search(r'<option value="([\d-]+)">[^<]+ \((\d+)\)</option>', page).groups()  # type: ignore[union-attr]
    lines, following = [], "0"
    while following:
        shown = marta.get(f"{where}?emisor={ruc}&desde={following}").content.decode()
        lines += _links(shown, batch)
        more = re.search(rf"emisor={ruc}&amp;desde=(\d+)", shown)
        following = more[1] if more is not None else ""
    assert len(lines) == len(set(lines)) == int(of_issuer)
    both = marta.get(f"{where}?resultado=ANULADA&problema={code}&emisor={ruc}").content.decode()
    assert set(_links(both, batch)) <= set(lines)
    assert "Ninguna fila así." in text(marta.get(f"{where}?problema=otra-cosa&emisor=%3Cscript%3E"))


def test_the_index_of_a_large_batch_is_made_once_by_a_child(house: House, monkeypatch):
    from pipeline.web.screens import rows as screen

    batch, marta = sent(house), house.client("marta")
    at_once = text(marta.get(f"/lotes/{batch}/filas"))
    monkeypatch.setattr(screen, "AT_ONCE", 1)
    assert text(marta.get(f"/lotes/{batch}/filas")) == at_once
    monkeypatch.setattr(house.site.readers, "ask", None)
    assert text(marta.get(f"/lotes/{batch}/filas")) == at_once


def test_a_filter_says_that_it_is_being_prepared_while_a_child_makes_the_index(house: House, monkeypatch):
    from pipeline.web.screens import rows as screen

    batch, marta = sent(house), house.client("marta")
    monkeypatch.setattr(screen, "AT_ONCE", 1)
    monkeypatch.setattr(house.site.readers, "ask", lambda *_: None)
    assert marta.get(f"/lotes/{batch}/filas?problema=cufe-vacio").status_code == 202
    assert marta.get(f"/lotes/{batch}/filas").status_code == 200


# --- search


def test_w15_a_pasted_code_a_number_a_file_and_a_batch_are_found(house: House):
    batch, marta = sent(house), house.client("marta")
    code = re.search(r"<code>(FE\w[^<]+)<", marta.get(f"/lotes/{batch}/filas?resultado=ANULADA").content.decode())
    assert code is not None
    for asked in (code[1], f"  {code[1].lower()} ", code[1].replace("-", "")):
        assert "ANULADA" in text(marta.get("/buscar", {"q": asked})), asked
    for asked in ("lote_mensual", batch):
        assert f"/lotes/{batch}" in marta.get("/buscar", {"q": asked}).content.decode(), asked


def test_what_is_not_there_proves_nothing(house: House):
    shown = text(house.client("marta").get("/buscar", {"q": cufe(77)}))
    assert "No está en el registro de esta empresa. Eso no prueba que esté vigente: consulte en eDoc." in shown


@pytest.mark.parametrize("asked", ["", " ", "<script>", "\x00", "%", "'", "x" * 5000])
def test_no_search_breaks_the_page(house: House, asked: str):
    answer = house.client("marta").get("/buscar", {"q": asked})
    assert answer.status_code == 200
    assert "<script>%" not in answer.content.decode()


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("mes=2026-11", True),
        ("mes=2026-10", False),
        ("persona=ana", True),
        ("persona=luis", True),
        ("persona=marta", False),
        ("estado=abiertos", True),
        ("estado=listos", False),
        ("mes=2026-11&persona=luis&estado=abiertos", True),
        ("mes=9999-99", True),
    ],
)
def test_batches_are_listed_by_month_person_and_state(house: House, asked: str, there: bool):
    batch = sent(house)
    answer = house.client("marta").get(f"/buscar?{asked}")
    assert (f"/lotes/{batch}" in answer.content.decode()) is there
    assert there or "Ningún lote así." in text(answer)


# --- downloads


@pytest.mark.parametrize("kind", ["resultados", "csv", "jsonl", "constancia"])
def test_w16_a_download_has_the_bytes_of_report(house: House, kind: str):
    from pipeline.approvals.downloads import KINDS

    batch, marta = sent(house), house.client("marta")
    assert marta.get(f"/descargas/{batch}/{kind}").status_code == 202
    answer = marta.get(f"/descargas/{batch}/{kind}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with house.desk.memory() as memory:
        info = memory.views.batch(batch)
        assert info is not None
        write_results(info, memory.views, house.folder / "cli", csv=True, jsonl=True, pdf=True)
    (file,) = [one for one in (house.folder / "cli").iterdir() if one.name.endswith(KINDS[kind].ending)]
    assert answer.content == file.read_bytes()


def test_the_original_comes_back_as_it_was_handed_in(house: House):
    one = approved(house)
    house.desk.carry(one)
    batch = house.desk.store.get(one.id).batch
    answer = house.client("marta").get(f"/descargas/{batch}/original")
    assert answer.content == house.desk.store.file(one.id)
    assert "lote.csv" in answer.headers["Content-Disposition"]
    assert [event.detail for event in house.audit("descarga")] == ["original"]


def test_what_is_no_kind_of_download_is_not_there(house: House):
    assert house.client("marta").get(f"/descargas/{sent(house)}/otra").status_code == 404


def _sender_makes(house: House) -> list[Any]:
    return house.desk.orders()


def test_w16_the_evidence_pack_is_made_by_the_sender_and_has_the_bytes_of_report(house: House):
    from pipeline.evidence.check import check_stream
    from pipeline.evidence.pack import write_pack

    batch, marta = sent(house), house.client("marta")
    where = f"/descargas/{batch}/evidencia"
    assert where in marta.get(f"/lotes/{batch}").content.decode()
    assert "queda escrito en el historial de envíos" in text(marta.get(where))
    assert house.desk.store.orders.open() == [], "looking asks for nothing"
    assert marta.post(where).headers["Location"] == where
    marta.post(where)
    waits = marta.get(where)
    assert waits.status_code == 202
    assert "Se está preparando" in text(waits)
    (order,) = house.desk.store.orders.open()
    assert (order.wish.kind, order.wish.batch, order.signature) == (Kind.EVIDENCE, batch, "web: marta")
    (done,) = _sender_makes(house)
    assert done.state is OrderState.DONE
    answer = marta.get(where)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert f"{batch}__evidencia.zip" in answer.headers["Content-Disposition"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    with house.desk.memory() as memory:
        info = memory.views.batch(batch)
        assert info is not None
        written = write_results(info, memory.views, house.folder / "cli")
        extract = memory.views.extract(written.batch)
        pack = write_pack(extract, written.workbook, house.clock.now(), who="otra persona")
    assert answer.content == pack.read_bytes()
    assert check_stream(io.BytesIO(answer.content)).faults == []
    assert [(one.event, one.detail) for one in house.audit() if one.event in ("pide-evidencia", "descarga")] == [
        ("pide-evidencia", ""),
        ("descarga", "evidencia"),
    ]
    house.desk.verified()


def test_a_page_with_another_folder_than_the_senders_makes_the_same_pack_without_writing(house: House):
    import shutil

    from pipeline.approvals.places import Places

    batch, luis = sent(house), house.client("luis")
    where = f"/descargas/{batch}/evidencia"
    luis.post(where)
    _sender_makes(house)
    first = luis.get(where).content
    root = Places.of(house.site.companies["istmo"]).root
    shutil.rmtree(root)
    assert luis.get(where).status_code == 202
    assert luis.get(where).content == first
    assert house.desk.store.orders.open() == []


def test_a_pack_that_cannot_be_made_here_as_the_sender_had_made_it_is_asked_for_again(house: House, monkeypatch):
    import shutil

    from pipeline.approvals.places import Places

    batch, luis = sent(house), house.client("luis")
    where, settings = f"/descargas/{batch}/evidencia", house.site.companies["istmo"]
    luis.post(where)
    (first,) = _sender_makes(house)
    shutil.rmtree(Places.of(settings).root)
    failed = "El paquete se hizo con otra versión del programa"
    assert isinstance(house.site.readers, AtOnce)
    house.site.readers.works[settings.profile, DOWNLOAD, batch, EVIDENCE, str(first.id)] = Work(failed=failed)
    assert failed in text(luis.get(where))
    assert house.desk.store.orders.open() == [], "looking asks for nothing"

    assert luis.post(where).headers["Location"] == where
    assert luis.get(where).status_code == 202
    (second,) = _sender_makes(house)
    assert second.state is OrderState.DONE
    assert luis.get(where).headers["Content-Type"] == "application/zip"


@pytest.mark.long
def test_the_pack_of_an_earlier_state_is_not_given_out_and_another_one_is_asked_for(house: House):
    one, line, code = held_row(house)
    where, luis = f"/descargas/{one.batch}/evidencia", house.client("luis")
    luis.post(where)
    _sender_makes(house)
    assert luis.get(where).headers["Content-Type"] == "application/zip"
    ana = house.client("ana")
    said = {"motivo": "No se debe anular", "final": code[-8:]}
    ana.post(f"/lotes/{one.batch}/filas/{line}/retirar", said)
    _sender_makes(house)
    again = luis.get(where)
    assert (again.status_code, again.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "Preparar el paquete" in text(again)


def test_who_only_prepares_gets_no_evidence(house: House):
    batch, ana = sent(house), house.client("ana")
    assert "/evidencia" not in ana.get(f"/lotes/{batch}").content.decode()
    for answer in (ana.get(f"/descargas/{batch}/evidencia"), ana.post(f"/descargas/{batch}/evidencia")):
        assert answer.status_code == 403
    assert house.desk.store.orders.open() == []


# --- another company


def test_s03_no_object_of_another_company_is_there_on_any_route(house: House):
    from pipeline.certificates.registry import Registry
    from pipeline.domain.certificates import Certificate, State
    from pipeline.web.urls import ROUTES

    one = stopped(house)
    registry = Registry(house.site.office, house.site.companies["istmo"], "ana")
    record = registry.request(Certificate(0, 0, "155999991-2-2026", State.IN_PROCESS), house.clock.now())
    values = {"number": str(one.id), "batch": one.batch, "line": "2", "kind": "resultados", "step": "aceptada"}
    olga = house.client("olga", profile=CANAL)
    seen = 0
    for route in ROUTES.values():
        names = re.findall(r"<\w+:(\w+)>", route.path)
        if not names or not _of_company(route):
            continue
        here = values | ({"number": str(record.id)} if route.path.startswith("certificados") else {})
        path = f"/{route.path}"
        for name in names:
            path = re.sub(rf"<\w+:{name}>", here[name], path)
        for method in route.methods:
            answer = olga.generic(method, path, HTTP_HOST="localhost:8420")
            assert answer.status_code in (404, 403), (method, path, answer.status_code)
            assert answer.status_code == 404 or route.access is May.ADMINISTER, (method, path)
            seen += 1
    assert seen > 25
    assert house.desk.store.get(one.id) == one
    assert house.desk.store.orders.open() == []


def _of_company(route: Route) -> bool:
    return route.path.startswith(("propuestas", "lotes", "descargas", "certificados"))


def test_s03_search_finds_nothing_of_another_company(house: House):
    batch = sent(house)
    shown = text(house.client("olga", profile=CANAL).get("/buscar", {"q": batch}))
    assert "No está en el registro de esta empresa." in shown


def test_no_page_without_a_ledger_breaks(house: House):
    olga: Any = house.client("olga", profile=CANAL)
    for path in ("/", "/buscar?q=1", "/certificados", "/cargar", "/ayuda"):
        assert olga.get(path).status_code == 200, path
