"""The journeys of web.md 5 in a browser, against ``anular web`` as a person starts it: pages, sender and sandbox. All
are long; the month of two people, keyboard alone and no script are in ``test_browser.py``, who comes in and how in
``test_access_journeys.py``.
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.support import browsing, month
from tests.support.browsing import Browser, Served
from tests.support.desk import REASON
from tests.support.keyboard import Keyboard
from tests.support.month import (
    MONTH,
    Month,
    approve,
    ask_approval,
    batch_of,
    codes,
    figure,
    fill_in,
    finished,
    load,
    main,
    more_than,
    posts,
    sent,
    until,
    write,
)
from tests.support.warm import ROOT, without_settings

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browsing.browser() as made:
        yield made


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, chrome: Browser) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("office")
    with browsing.served(folder, chrome, "--sample", SANDBOX_JOURNAL=str(folder / month.JOURNAL)) as made:
        yield made


@pytest.fixture(scope="module")
def sample(office: Served) -> Month:
    """The sample month, sent."""
    return month.two_people(office)


def test_w01_the_first_administrator_is_made_in_an_empty_folder_and_gets_to_a_preview_by_keyboard(tmp_path, chrome):
    """W01: `anular web` where nothing is yet, its address once, then log-in, file and preview; keyboard alone."""
    good = "nueve gatos sobre el tejado azul"
    with browsing.served(tmp_path, chrome) as empty:
        page = empty.page()
        page.goto(empty.first)
        keys = Keyboard(page)
        keys.to("Su nombre").type("Rosa Vega").press("Tab").type("rosa@empresa.example").press("Tab")
        keys.type("rosa.vega").press("Tab").type(good).to("Otra vez").type(good)
        keys.to("Preparar lotes").press("Space").to("Guardar y seguir").press("Enter")
        page.wait_for_url(re.compile(r"/(cuenta/segundo-factor)?$"))
        page.goto(empty.first)
        assert "Este enlace ya se usó o venció. Ejecute anular web de nuevo." in main(page)
        page.goto(f"{empty.url}/")
        keys.to("Cargar archivo").press("Enter")
        page.wait_for_url(f"{empty.url}/cargar")
        keys.to("Archivo").choose(str(write(tmp_path, codes(1, 2), "primero.csv")))
        keys.to("Revisar").press("Enter")
        page.wait_for_selector("text=2 de 2 facturas se anularán.")
        keys.to("Enviar a aprobación")


def test_w07_the_start_page_has_the_figures_of_status(office: Served, sample: Month):
    """W07: the same numbers as `anular status --json`, and what waits is a link to it."""
    told = run(office, "status", "--json")
    page = office.as_person("marta")
    row = page.locator(f"tr:has(a[href='/lotes/{sample.id}'])")
    (info,) = [one for one in told if one["batch"] == sample.id]
    done = sum(info["outcomes"].get(word, 0) for word in ("ANULADA", "YA ANULADA"))
    figures = (info["rows"], done, info["needs_person"], info["pending"])
    assert row.locator("td.right").all_inner_texts() == [str(one) for one in figures]
    assert page.locator(f".todo a[href='/lotes/{sample.id}']").count() >= 1


def run(office: Served, *arguments: str, folder: Path | None = None, out: Path | None = None) -> Any:
    """What a command says as JSON in the same office, or in another ``folder``; it writes into ``out``."""
    home = folder or office.folder
    own = {f"XDG_{kind}_HOME": str(home / kind) for kind in ("STATE", "CONFIG", "DATA", "CACHE")}
    own |= {"HOME": str(home), "PYTHONPATH": str(ROOT), "ANULAR_COMPANY": browsing.COMPANY}
    own |= {"ANULAR_ISSUERS": browsing.ISSUERS, "ANULAR_SANDBOX_NOW": browsing.NOW}
    own |= {"ANULAR_OUT": str(out or home)}
    own |= {"ANULAR_LEDGER": office.ledger} if office.ledger and folder is None else {}
    said = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=home, env={**without_settings(), **own}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.stdout, said.stderr
    return json.loads(said.stdout)


def test_w08_a_file_is_dropped_on_the_page_and_a_wrong_one_says_what_to_do(office: Served):
    """W08: drop zone, one sentence for what is no table, and the way back to a corrected file."""
    page = office.as_person("ana")
    page.goto(f"{office.url}/cargar")
    drop = """([name, text]) => { const all = new DataTransfer(); all.items.add(new File([text], name));
      document.querySelector("[data-drop]").dispatchEvent(new DragEvent("drop", { dataTransfer: all, bubbles: true,
        cancelable: true })); }"""
    page.evaluate(drop, ["vacío.csv", "CUFE,Motivo\n"])
    page.click("main button.main")
    page.wait_for_selector(".problems")
    assert page.title().startswith("Error:")
    assert "No hay filas de datos debajo del encabezado. Revise que el archivo sea el correcto." in main(page)
    page.click("text=Cargar el archivo corregido")
    assert "Es el archivo corregido de la propuesta" in main(page)
    page.evaluate(drop, ["foto.png", "\u0089PNG"])
    page.click("main button.main")
    page.wait_for_selector(".problems")
    page.wait_for_selector(".problems:focus")
    page.click(".problems a")
    page.wait_for_selector("#archivo:focus")


def test_w09_the_review_has_the_numbers_of_check(office: Served, sample: Month, tmp_path: Path):
    """W09: the sample's numbers are those of `anular check --json`, and they add up."""
    (told,) = run(office, "check", str(MONTH), "--json", folder=tmp_path)  # a ledger that has seen nothing
    page = office.as_person("ana")
    page.goto(sample.review)
    totals = dict(
        zip(page.locator(".totals th").all_inner_texts(), page.locator(".totals td").all_inner_texts(), strict=True)
    )
    names = {
        "Por enviar": "accepted",
        "Rechazadas": "rejected",
        "Duplicadas": "duplicates",
        "En conflicto": "conflicts",
    }
    assert {name: int(count) for name, count in totals.items()} == {
        **{name: told[key] for name, key in names.items()},
        "Facturas en el archivo": told["rows"],
    }


def test_w09_a_hundred_thousand_rows_are_on_screen(office: Served, tmp_path: Path):
    """W09: with words of progress until the review is there; the page stays small and quick."""
    many = write(tmp_path, codes(1_000_000, 100_000), "cien mil.csv")
    page = office.as_person("ana")
    page.goto(f"{office.url}/cargar")
    page.set_input_files("#archivo", str(many))
    page.click("main button.main")
    page.wait_for_selector("text=/Leyendo|Validando|En turno/")
    page.wait_for_selector("text=100,000 de 100,000 facturas se anularán.", timeout=120_000)
    assert len(page.content()) < 100_000
    page.click("text=Descartar")
    page.wait_for_selector(".state:has-text('Descartada')")


def test_w10_every_refusal_of_an_approval_is_on_screen_and_sends_nothing(office: Served):
    """W10: who prepared, a wrong count, an issuer that is not ticked, and what changed since the page was opened."""
    both = [*codes(300, 2), *codes(302, 1, month.OTHER)]
    ana, luis, other = office.as_person("ana"), office.as_person("luis"), office.as_person("luis")
    review = load(ana, office.url, write(office.folder, both, "rehusadas.csv"))
    ask_approval(ana)
    also_approver(office, "ana")
    ana.goto(f"{review}/aprobar")
    assert "Usted preparó este lote: lo aprueba otra persona: Luis Gómez." in main(ana)
    assert fill_in(luis, review) == 3
    luis.uncheck("#emisor-1")
    luis.fill("#cantidad", "4")
    luis.keyboard.press("Enter")
    luis.wait_for_selector(".problems")
    assert luis.title().startswith("Error:")
    assert "Marque cada uno de los emisores" in main(luis)
    assert "Lo escrito no es la cantidad de facturas" in main(luis)
    assert luis.is_checked("#emisor-2")
    luis.wait_for_selector(".problems:focus")
    fill_in(other, review)
    luis.goto(f"{review}/no-aprobar")
    luis.fill("#motivo", "Falta una factura")
    luis.click("main button.danger")
    luis.wait_for_url(review)
    other.click("text=Aprobar y enviar")
    other.wait_for_selector("text=/Revíselo otra vez|ya no se aprueba/")
    ana.goto(review)
    assert "No aprobada" in main(ana)
    assert "Falta una factura" in main(ana)
    assert not set(both) & set(posts(office))


def also_approver(office: Served, user: str) -> None:
    """An administrator gives them the role Aprobador as well."""
    admin = office.as_person("admin")
    admin.goto(f"{office.url}/usuarios")
    admin.click(f"main th a:text-is('{user}')")
    admin.check("input[name=papeles][value=aprobador]")
    admin.click("text=Guardar papeles")
    admin.wait_for_selector("text=Se guardó.")
    admin.context.close()


def test_w10_of_two_approvers_at_once_one_wins(office: Served):
    """W10: the same person in two browsers presses at the same time; one approval, and the other is told."""
    ana, one, two = office.as_person("ana"), office.as_person("luis"), office.as_person("luis")
    review = load(ana, office.url, write(office.folder, codes(310, 3), "dos a la vez.csv"))
    ask_approval(ana)
    for page in (one, two):
        fill_in(page, review)
    for page in (one, two):
        page.evaluate("document.querySelector('main form.card').submit()")
    answers = []
    for page in (one, two):
        page.wait_for_selector("h1")
        page.wait_for_load_state()
        answers.append(page.url)
    ana.goto(review)
    ana.wait_for_selector("text=Ver el lote")
    assert main(ana).count("La aprobó") == 1
    finished(ana, batch_of(ana, review))
    assert all(posts(office)[code] == 1 for code in codes(310, 3))


def test_w11_w12_a_sending_is_stopped_seen_on_a_second_device_and_continued(office: Served):
    """W11, W12: counts move by themselves on two screens, a reload changes nothing, «Detener» and «Continuar»."""
    batch = sent(office, codes(1000, 400), "se detiene.csv")
    ana, phone = office.as_person("ana"), office.as_person("luis", 360)
    ana.goto(batch)
    phone.goto(batch)
    first = figure(ana)
    more_than(ana, first)
    more_than(phone, first)
    assert phone.evaluate(browsing.SIDEWAYS) is False
    ana.reload()
    assert figure(ana) >= first
    ana.click("text=Detener")
    until(ana, "Detenida")
    until(phone, "Detenida")
    assert "La detuvo Ana Pérez" in main(phone)
    before = posts(office).total()
    ana.click("text=Continuar")
    until(ana, "Terminada")
    assert "400 de 400 facturas quedaron anuladas" in main(ana)
    assert posts(office).total() > before
    assert all(posts(office)[code] == 1 for code in codes(1000, 400))


def test_w11_a_sender_that_is_killed_starts_again_and_the_page_ends_with_the_truth(office: Served):
    """W11: SIGKILL in mid-batch with the page open; nothing goes out twice, and what is not known says so."""
    rows = codes(2000, 300)
    batch = sent(office, rows, "muere.csv")
    page = office.as_person("ana")
    page.goto(batch)
    more_than(page, 20)
    os.kill(office.child("sender"), signal.SIGKILL)
    until(page, "Terminada")
    told = posts(office)
    assert max(told[code] for code in rows) == 1
    done = re.search(r"(\d+) de 300 facturas quedaron anuladas", main(page))
    assert done is not None
    assert int(done[1]) <= sum(told[code] for code in rows)


def test_w13_rows_by_outcome_fifty_a_page_and_as_cards_on_a_telephone(office: Served, sample: Month):
    """W13: filters, «50 siguientes», a filter without rows, and nothing sideways at 360 px."""
    page, phone = office.as_person("marta"), office.as_person("marta", 360)
    page.goto(f"{sample.batch}/filas")
    assert page.locator("tbody tr").count() == 50
    page.click("text=50 siguientes")
    page.wait_for_url(re.compile("desde="))
    assert page.locator("tbody tr").count() == 50
    page.click(".filters >> text=RECHAZADA")
    page.wait_for_url(re.compile("RECHAZADA"))
    assert set(page.locator("tbody .state").all_inner_texts()) == {"RECHAZADA"}
    phone.goto(f"{sample.batch}/filas")
    assert phone.evaluate(browsing.SIDEWAYS) is False
    assert phone.evaluate("getComputedStyle(document.querySelector('tbody tr')).display") == "block"
    phone.goto(f"{sample.batch}/filas?resultado=RETENIDA")
    assert "Ninguna fila con ese resultado." in main(phone)


def row_with(page: Any, batch: str, outcome: str) -> tuple[str, str]:
    """Address of the first row with this outcome, and its code."""
    page.goto(f"{batch}/filas?resultado={outcome}")
    link = page.locator("tbody th a").first
    address = batch.partition("/lotes/")[0] + str(link.get_attribute("href"))
    return address, page.locator("tbody code").first.inner_text()


def decide(page: Any, address: str, step: str, code: str, why: str) -> None:
    page.goto(f"{address}/{step}")
    page.fill("#motivo", why)
    page.fill("#final", code[-8:])


def test_w14_eDoc_is_asked_about_a_row_and_a_row_is_resolved(office: Served, sample: Month):  # noqa: N802
    """W14: the order is carried out while the page is open; the same event as the command writes."""
    ana, luis = office.as_person("ana"), office.as_person("luis")
    address, code = row_with(ana, sample.batch, "RESULTADO DESCONOCIDO")
    ana.goto(address)
    ana.click("text=Consultar en eDoc ahora")
    ana.wait_for_selector("text=/Consulta a eDoc: (Hecha|No se hizo)/")
    decide(luis, address, "resolver", code, "Lo confirmó eDoc por teléfono")
    luis.check("input[value=cancelled]")
    luis.click("main button.danger")
    luis.wait_for_selector("text=/Resolver: Hecha/")
    assert "Lo confirmó eDoc por teléfono" in main(luis)
    assert "web: luis" in main(luis)
    ana.goto(address)
    assert ana.locator("main a.button").count() == 0, "it is closed for ever"


def test_w14_a_resend_is_asked_for_by_one_and_approved_by_another(office: Served, sample: Month):
    """W14: eDoc is asked first; the second person approves a proposal of one invoice; one more POST, and no third."""
    ana, luis = office.as_person("ana"), office.as_person("luis")
    address, code = row_with(ana, sample.batch, "SIGUE AUTORIZADA")
    decide(ana, address, "reenviar", code, "Sigue autorizada y hay que anularla")
    ana.click("main button.danger")
    link = ana.locator("main li a[href^='/propuestas/']")
    link.wait_for()
    review = office.url + str(link.get_attribute("href"))
    before = posts(office)[code]
    assert approve(luis, review) == 1
    for _ in range(60):
        luis.goto(review)
        if "Terminada" in main(luis):
            break
        luis.wait_for_timeout(1000)
    assert posts(office)[code] == before + 1


def test_w14_a_row_of_a_stopped_batch_is_withdrawn(office: Served):
    """W14: what is not sent yet can be taken out, with a reason and the end of its code."""
    batch = sent(office, codes(3000, 400), "se retira una.csv")
    ana = office.as_person("ana")
    ana.goto(batch)
    ana.click("text=Detener")
    until(ana, "Detenida")
    address, code = row_with(ana, batch, "RETENIDA")
    decide(ana, address, "retirar", "00000000", "No se debe anular")
    ana.click("main button.danger")
    ana.wait_for_selector(".problems")
    decide(ana, address, "retirar", code, "No se debe anular")
    ana.click("main button.danger")
    ana.wait_for_selector("text=/Retirar: Hecha/")
    assert "RETIRADA" in main(ana)
    ana.goto(batch)
    ana.click("text=Continuar")
    until(ana, "Terminada")
    assert posts(office)[code] == 0


def test_w15_an_invoice_is_found_however_its_code_is_pasted(office: Served, sample: Month):
    """W15: code, number of the document, file, SHA-256; and what is not there proves nothing."""
    page = office.as_person("marta")
    address, code = row_with(page, sample.batch, "ANULADA")
    number = code[45:55] if code[45:55].isdigit() else code[44:54]
    for asked in (code, f" {code.lower()} ", code[:20] + "\u00a0" + code[20:]):
        page.goto(f"{office.url}/buscar")
        page.fill("#q", asked)
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("q="))
        assert page.locator(f"a[href='{address.removeprefix(office.url)}']").count() == 1, asked
    page.fill("#q", "lote_mensual")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"a[href='/lotes/{sample.id}']")
    page.fill("#q", codes(77, 1)[0])
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Eso no prueba que esté vigente: consulte en eDoc.")
    assert number


def test_w16_downloads_start_by_themselves_and_have_the_bytes_of_report(office: Served, sample: Month, tmp_path: Path):
    """W16: «Se está preparando», then the file; a workbook that opens, and the same bytes as `anular report`."""
    page = office.as_person("marta")
    page.goto(sample.batch)
    with page.expect_download(timeout=60_000) as found:
        page.click(f"a[href='/descargas/{sample.id}/resultados']")
    got = Path(found.value.path()).read_bytes()
    assert found.value.suggested_filename.endswith(".xlsx")
    assert load_workbook(io.BytesIO(got)).sheetnames[0] == "Resumen"
    page.goto(sample.batch)
    with page.expect_download(timeout=60_000) as found:
        page.click(f"a[href='/descargas/{sample.id}/original']")
    assert Path(found.value.path()).read_bytes() == MONTH.read_bytes()
    told = run(office, "report", sample.id, "--json", out=tmp_path)
    (written,) = tmp_path.glob("*resultados.xlsx")
    assert got == written.read_bytes(), told


def test_w17_a_certificate_goes_from_request_to_renewal(office: Served):
    """W17: added, rejected with what to correct, sent again, accepted, ready; each step is in its history."""
    page = office.as_person("ana")
    page.goto(f"{office.url}/certificados")
    page.click("text=Agregar >> nth=0")
    page.fill("#ruc", "155999991-2-2026")
    page.fill("#titular", browsing.COMPANY)
    page.fill("#dia", "10/11/2026")
    page.click("main button.main")
    page.wait_for_selector("text=Consulte el estado a más tardar el")
    page.click("text=Rechazada")
    page.fill("#porque", "La cédula no se lee")
    page.click("main button.main")
    page.wait_for_selector("text=Rechazado: «La cédula no se lee». Corrija y envíe otra vez.")
    page.click("text=Se envió otra vez")
    page.fill("#dia", "18/11/2026")
    page.click("main button.main")
    page.click("text=Certificado listo")
    page.fill("#desde", "01/11/2026")
    page.fill("#hasta", "01/11/2025")
    page.click("main button.main")
    page.wait_for_selector(".problems")
    page.fill("#hasta", "01/11/2027")
    page.click("main button.main")
    page.wait_for_selector(".state:has-text('Completado')")
    page.wait_for_load_state()
    assert page.locator("tbody tr").count() == 4


def test_w19_the_log_of_accesses_is_filtered_and_comes_down(office: Served, sample: Month):
    """W19: who approved stands there, the filter shows it alone, and the CSV has the same lines."""
    page = office.as_person("admin")
    page.goto(f"{office.url}/bitacora?quien=luis")
    assert "luis" in main(page)
    assert set(page.locator("tbody td[data-label='Quién']").all_inner_texts()) == {"luis"}
    with page.expect_download() as found:
        page.click("text=Descargar CSV")
    lines = Path(found.value.path()).read_text("utf-8-sig").splitlines()
    assert len(lines) > 1
    assert all("luis" in line for line in lines[1:])


def test_w20_the_settings_are_shown_without_a_secret(office: Served):
    """W20: an administrator sees what is set; no value of a password is in the page."""
    page = office.as_person("admin")
    page.goto(f"{office.url}/configuracion")
    assert "ANULAR_RATE" in main(page)
    assert page.locator("main input").count() == 0
    for password in office.passwords.values():
        assert password not in page.content()


def test_w21_the_template_comes_down_and_the_deadline_is_worked_out(office: Served):
    """W21: the plantilla is a workbook that Excel opens; filled in, it is a file that can be loaded."""
    page = office.as_person("ana")
    page.goto(f"{office.url}/ayuda")
    with page.expect_download() as found:
        page.click("text=Descargar la plantilla")
    book = load_workbook(io.BytesIO(Path(found.value.path()).read_bytes()))
    sheet = book.worksheets[0]
    head = next(row for row in sheet.iter_rows() if any(cell.value == "CUFE" for cell in row))
    places = {cell.value: cell.column for cell in head if cell.value}
    sheet.cell(int(head[0].row or 0) + 1, places["CUFE"], codes(400, 1)[0])
    sheet.cell(int(head[0].row or 0) + 1, places["Motivo"], REASON)
    book.save(office.folder / "plantilla.xlsx")
    page.fill("#emision", "18/11/2026")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Está en plazo")
    load(page, office.url, office.folder / "plantilla.xlsx")
    assert "1 de 1 factura" in main(page)


def test_w22_the_sign_of_life_is_one_word(office: Served):
    """W22: `/salud` says ok, with no detail and without a session."""
    page = office.page()
    answer = page.goto(f"{office.url}/salud")
    assert answer.status == 200
    assert page.inner_text("body").strip() == "ok"
