"""What only a browser shows: the month of two people, keyboard and focus, no script, passkeys, and that the page's own
policy forbids nothing that it needs. The server is ``anular web`` as a person starts it, with sender and sandbox.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import browsing, month
from tests.support.browsing import Served
from tests.support.keyboard import Keyboard
from tests.support.month import approve, codes, main, posts, write
from tests.support.warm import ROOT

PAGES = ("/entrar", "/entrar/olvide-usuario", "/entrar/olvide-clave", "/entrar/solicitar", "/nada")
INSIDE = ("/", "/cuenta", "/cuenta/clave", "/cuenta/segundo-factor", "/usuarios", "/usuarios/invitar", "/bitacora")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("office")
    with (
        browsing.browser() as chrome,
        browsing.served(folder, chrome, "--sample", SANDBOX_JOURNAL=str(folder / month.JOURNAL)) as made,
    ):
        yield made


def test_w09_w10_w11_the_month_of_two_people_from_the_file_to_what_is_left_to_do(office: Served):
    """W09, W10, W11: one loads and asks, another approves exactly that, both see it go and end."""
    seen = month.two_people(office).seen
    assert "109 de 120 facturas se anularán. 11 no." in seen["review"]
    assert "Va a anular 109 facturas de 2 emisores en el sandbox. Esto no se puede deshacer." in seen["approval"]
    assert "de 109 enviadas" in seen["sending"]
    assert "Puede cerrar esta página: el envío sigue." in seen["sending"]
    for who in ("done", "done for luis"):
        assert "Qué hacer ahora" in seen[who]
        assert "Llamar a soporte de eDoc" in seen[who]
    assert max(posts(office, taken=True).values()) == 1
    assert office.browser.complaints() == []


@pytest.mark.long
def test_w01_from_the_log_in_to_the_first_preview_by_keyboard_alone(office: Served):
    """W01: nothing is clicked and no focus is set; only the file itself is chosen in the system's own window."""
    page = office.page()
    page.goto(f"{office.url}/entrar")
    keys = Keyboard(page)
    keys.to("Usuario").type("ana").press("Tab").type(office.passwords["ana"]).press("Enter")
    page.wait_for_url(f"{office.url}/")
    keys.to("Cargar archivo").press("Enter")
    page.wait_for_url(f"{office.url}/cargar")
    keys.to("Archivo").choose(str(write(office.folder, codes(100, 3), "por teclado.csv")))
    keys.to("Revisar").press("Enter")
    page.wait_for_selector("text=3 de 3 facturas se anularán.")
    assert keys.steps <= MOST_STEPS


MOST_STEPS = 40
"""Keys that are no characters of a name or a password."""


@pytest.mark.long
def test_w10_w12_without_script_two_people_send_a_file(office: Served):
    """W08, W09, W10, W11, W12 without JavaScript: each step is a form or a link, what waits loads itself anew."""
    ana, luis = (office.as_person(one, java_script_enabled=False) for one in ("ana", "luis"))
    ana.goto(f"{office.url}/cargar")
    ana.set_input_files("#archivo", str(write(office.folder, codes(200, 3), "sin guion.csv")))
    ana.click("main button.main")
    ana.wait_for_selector("text=3 de 3 facturas se anularán.")
    review = ana.url
    ana.click("text=Enviar a aprobación")
    ana.wait_for_selector("main .state:has-text('Por aprobar')")
    approve(luis, review)
    batch = month.batch_of(ana, review)
    month.finished(ana, batch)
    assert "3 de 3 facturas quedaron anuladas" in main(ana)


def test_w02_the_log_in_by_keyboard_alone_with_the_error_in_focus(office: Served):
    page = office.page()
    page.goto(f"{office.url}/entrar")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Saltar al contenido"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("ana")
    page.keyboard.press("Tab")
    page.keyboard.type("no es esta")
    page.keyboard.press("Enter")
    page.wait_for_selector(".problems")
    page.wait_for_selector(".problems:focus")
    assert page.title() == "Error: Iniciar sesión · anular"
    page.fill("#clave", office.passwords["ana"])
    page.keyboard.press("Enter")
    page.wait_for_url(f"{office.url}/")
    assert page.locator("h1").count() == 1
    assert "Ana Pérez" in page.inner_text(".who")


def test_s07_after_log_out_the_button_back_shows_nothing(office: Served):
    page = office.page()
    office.enter(page, "ana")
    page.goto(f"{office.url}/cuenta")
    page.click("text=Salir")
    page.wait_for_url(f"{office.url}/entrar")
    page.go_back()
    assert "/entrar" in page.url
    assert "Ana Pérez" not in page.content()


@pytest.mark.long
def test_s15_a_passkey_is_added_and_opens_the_page_by_itself(office: Served):
    page = office.page()
    tool = page.context.new_cdp_session(page)
    tool.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options = {**kind, "isUserVerified": True, "automaticPresenceSimulation": True}
    tool.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    office.enter(page, "marta")
    page.goto(f"{office.url}/cuenta/segundo-factor")
    page.fill("#nombre", "Mi teléfono")
    page.click("text=Agregar llave")
    page.wait_for_url(f"{office.url}/cuenta/codigos")
    assert page.locator(".codes li").count() == 10
    page.click("text=Salir")
    page.wait_for_url(f"{office.url}/entrar")
    page.click("text=Entrar con llave de acceso")
    page.wait_for_url(f"{office.url}/")
    assert "Marta Ríos" in page.inner_text(".who")
    page.goto(f"{office.url}/cuenta/segundo-factor")
    assert "Mi teléfono" in page.inner_text("main")


def test_w02_without_script_the_log_in_works(office: Served):
    page = office.as_person("luis", java_script_enabled=False)
    assert "Luis Gómez" in page.inner_text(".who")
    assert page.locator("text=Mostrar").count() == 0


def test_the_page_is_light(office: Served):
    """100 kB the first time, 40 kB again, four requests."""
    page = office.page()
    taken: list[int] = []
    page.on("response", lambda answer: taken.append(len(answer.body()) if answer.status == 200 else 0))
    page.goto(f"{office.url}/entrar")
    page.wait_for_load_state("networkidle")
    assert len(taken) <= 4
    assert sum(taken) <= 100_000
    sizes = {one.name: one.stat().st_size for one in (ROOT / "pipeline" / "web" / "static").iterdir()}
    assert sizes["anular.css"] <= 15_000
    assert sizes["anular.js"] <= 10_000


def test_s10_the_policy_forbids_nothing_that_the_pages_need(office: Served):
    page = office.page()
    office.enter(page, "admin")
    for where in (*INSIDE, *PAGES):
        page.goto(office.url + where)
    assert office.browser.complaints() == []
