"""Journeys of who wants to come in, in a browser and with a mail server (web.md 6): W02 to W06 and W18. All are long;
the log-in itself is in ``test_browser.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import browsing
from tests.support.browsing import Served
from tests.support.month import main

pytestmark = pytest.mark.long

GOOD = "nueve gatos sobre el tejado azul"
OTHER = "trece faroles junto al muelle viejo"
RUC = "155999991-2-2026"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with (
        browsing.browser() as chrome,
        browsing.served(tmp_path_factory.mktemp("office"), chrome, "--sample") as made,
    ):
        yield made


def link_in(text: str) -> str:
    found = re.search(r"http://localhost:\d+/(?:entrar|inicio)/\S+", text)
    assert found is not None, text
    return found[0]


def invited(office: Served, user: str, name: str, role: str = "consulta") -> Any:
    """Page of a new person who chose the password ``GOOD``: invited on the page, by the link in their mail."""
    admin, page = office.as_person("admin"), office.page()
    admin.goto(f"{office.url}/usuarios/invitar")
    admin.fill("#nombre", name)
    admin.fill("#correo", f"{user}@empresa.example")
    admin.fill("#usuario", user)
    admin.check(f"input[name=papeles][value={role}]")
    admin.click("main button.main")
    admin.wait_for_selector("text=Se envió un correo a")
    admin.context.close()
    page.goto(link_in(office.mail(page, "anular: invitación", f"{user}@empresa.example")))
    page.fill("#nueva", GOOD)
    page.fill("#otra", GOOD)
    page.click("main button.main")
    page.wait_for_url(re.compile(r"/(entrar.*)?$"))
    return page


def test_w02_wrong_unknown_and_the_sixth_try_say_the_same_and_the_right_one_waits(office: Served):
    """W02: a wrong password and an unknown user are told the same; the sixth try waits, also the right one."""
    invited(office, "pia", "Pía Luna").context.close()
    page = office.page()
    said = []
    for user in ("pia", "nadie.asi"):
        page.goto(f"{office.url}/entrar")
        page.fill("#usuario", user)
        page.fill("#clave", "no es esta frase")
        page.keyboard.press("Enter")
        page.wait_for_selector(".problems")
        said.append(page.inner_text(".problems"))
    assert said == ["Hay un problema\nUsuario o contraseña incorrectos."] * 2
    for password in ("no", "es", "esta", "frase", GOOD):
        page.goto(f"{office.url}/entrar")
        page.fill("#usuario", "pia")
        page.fill("#clave", password)
        page.keyboard.press("Enter")
        page.wait_for_selector(".problems")
    assert "Demasiados intentos. Espere unos minutos." in page.inner_text(".problems")


def test_w03_a_forgotten_user_gets_a_masked_hint_and_a_stranger_the_same_page(office: Served):
    """W03: first letters of the administrator's address, never the whole; a company that is none looks the same."""
    page, shown = office.page(), []
    for ruc in (RUC, "155000001-2-2020"):
        page.goto(f"{office.url}/entrar/olvide-usuario")
        page.fill("#ruc", ruc)
        page.keyboard.press("Enter")
        page.wait_for_selector(".note")
        shown.append(main(page))
    hint = r"[a-z]••••@[a-z]••••\.\w+"
    assert re.sub(hint, "…", shown[0]) == re.sub(hint, "…", shown[1])
    assert all(re.search(hint, one) for one in shown)
    assert "sandbox.invalid" not in shown[0]
    assert "ana" in office.mail(page, "anular: usuarios de", "admin@sandbox.invalid")


def test_w04_a_forgotten_password_comes_as_a_link_that_works_once(office: Served):
    """W04: the link from the mail, a new password, the link used again, and the old password refused."""
    invited(office, "rosa", "Rosa Vega").context.close()
    page = office.page()
    page.goto(f"{office.url}/entrar")
    page.click("text=¿Olvidó su contraseña?")
    page.fill("#usuario", "rosa")
    page.click("main button.main")
    page.wait_for_selector("text=Si ese usuario existe, le enviamos un enlace. Vence en 30 minutos.")
    link = link_in(office.mail(page, "anular: contraseña nueva", "rosa@empresa.example"))
    page.goto(link)
    page.fill("#nueva", "corta")
    page.fill("#otra", "corta")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=La contraseña necesita al menos 12 caracteres.")
    page.wait_for_selector(".problems:focus")  # else what is typed next may lose the focus to it
    page.fill("#nueva", OTHER)
    page.fill("#otra", OTHER)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Su contraseña quedó guardada. Ya puede iniciar sesión.")
    page.goto(link)
    assert "Este enlace ya no sirve. Pida otro." in main(page)
    office.enter(page, "rosa", OTHER)
    assert "Rosa Vega" in page.inner_text(".who")


def test_w05_w18_who_asks_for_access_sees_how_long_it_takes_and_is_let_in(office: Served):
    """W05, W18: a request with its waiting time, an administrator who accepts it, the invitation by mail."""
    page, admin = office.page(), office.as_person("admin")
    page.goto(f"{office.url}/entrar")
    page.click("text=Solicite acceso")
    page.fill("#ruc", RUC)
    page.fill("#nombre", "Iris Mora")
    page.fill("#correo", "iris@empresa.example")
    page.check("text=Preparar lotes (Preparador)")
    page.click("main button.main")
    page.wait_for_selector("text=Solicitud recibida")
    assert "(48 horas)" in main(page)
    assert "(120 horas)" in main(page)
    waiting = page.url
    admin.click("text=Usuarios")
    admin.click("text=Aceptar")
    assert admin.input_value("#nombre") == "Iris Mora"
    admin.fill("#usuario", "iris")
    admin.click("main button.main")
    admin.wait_for_selector("text=Se envió un correo a")
    page.goto(waiting)
    assert "● Invitación enviada" in main(page)
    page.goto(link_in(office.mail(page, "anular: invitación", "iris@empresa.example")))
    assert "Bienvenido, Iris Mora. Su usuario es iris." in main(page)
    page.fill("#nueva", GOOD)
    page.fill("#otra", GOOD)
    page.click("main button.main")
    page.wait_for_selector("text=Cargar archivo")


def test_w06_a_changed_password_ends_the_other_sessions(office: Served):
    """W06: the present one is asked for; the browser that changed it stays, the other is out at its next click."""
    here = invited(office, "nora", "Nora Paz")
    there = office.enter(office.page(), "nora", GOOD)
    here.goto(f"{office.url}/cuenta/clave")
    here.fill("#actual", "no es esta frase")
    here.fill("#nueva", OTHER)
    here.fill("#otra", OTHER)
    here.keyboard.press("Enter")
    here.wait_for_selector("text=La contraseña actual no es correcta.")
    here.wait_for_selector(".problems:focus")  # else what is typed next may lose the focus to it
    here.fill("#actual", GOOD)
    here.fill("#nueva", OTHER)
    here.fill("#otra", OTHER)
    here.keyboard.press("Enter")
    here.wait_for_selector("text=Su contraseña cambió. Las demás sesiones terminaron.")
    there.click("text=Buscar")
    there.wait_for_url(re.compile("/entrar"))
    here.click("text=Buscar")
    assert "Buscar" in main(here)


def test_w18_a_suspended_person_is_out_at_the_next_click_and_nobody_suspends_oneself(office: Served):
    """W18: suspend, come back, and «No puede cambiar sus propios papeles»."""
    page, admin = invited(office, "tomas", "Tomás Rey"), office.as_person("admin")
    admin.goto(f"{office.url}/usuarios")
    admin.click("main th a:text-is('tomas')")
    admin.click("text=Suspender")
    admin.wait_for_selector(".state:has-text('Suspendida')")
    page.click("text=Buscar")
    page.wait_for_url(re.compile("/entrar"))
    admin.click("text=Volver a activar")
    admin.wait_for_selector(".state:has-text('Activa')")
    office.enter(page, "tomas", GOOD)
    admin.goto(f"{office.url}/usuarios")
    admin.click("main th a:text-is('admin')")
    assert "No puede cambiar sus propios papeles" in main(admin)
    assert admin.locator("text=Suspender").count() == 0
