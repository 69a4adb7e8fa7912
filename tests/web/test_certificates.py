"""Certificates on the page: the same rules as ``anular certs`` (C1 to C8)."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pipeline.certificates.registry import Registry
from pipeline.domain.certificates import State
from tests.support import certificates as samples
from tests.support.pages import House
from tests.web.test_proposals import text

RUC = "155999991-2-2026"


def registry(house: House) -> Registry:
    return Registry(house.site.office, house.site.companies["istmo"], "nadie")


def add(client: Any, **more: Any) -> Any:
    return client.post("/certificados/nuevo", {"ruc": RUC, **more})


def test_w17_issuers_without_a_record_are_named_with_what_to_do(house: House):
    shown = house.client("ana").get("/certificados")
    assert f"Aún no registró el certificado de {RUC}: agréguelo." in text(shown)
    assert f"/certificados/nuevo?ruc={RUC}" in shown.content.decode()
    assert "/certificados/nuevo" not in house.client("marta").get("/certificados").content.decode()


def test_a_request_goes_its_way_and_every_step_is_in_its_log(house: House):
    ana = house.client("ana")
    where = add(ana, titular="Distribuidora Istmo", dia="10/11/2026").headers["Location"]
    (one,) = registry(house).all()
    assert (one.state, one.requested_on) == (State.IN_PROCESS, datetime.date(2026, 11, 10))
    assert "Consulte el estado a más tardar el" in text(ana.get(where))
    ana.post(f"{where}/rechazada", {"porque": "La cédula no se lee", "version": one.version})
    assert "Rechazado: «La cédula no se lee». Corrija y envíe otra vez." in text(ana.get(where))
    ana.post(f"{where}/otra-vez", {"dia": "18/11/2026", "version": 2})
    ana.post(f"{where}/aceptada", {"version": 3})
    ana.post(f"{where}/listo", {"desde": "01/11/2026", "hasta": "01/11/2027", "version": 4})
    (one,) = registry(house).all()
    assert one.state is State.COMPLETE
    assert [line.who for line in registry(house).log(one.id)] == ["web: ana"] * 5
    assert "✓ Completado" in text(ana.get("/certificados"))


def test_what_the_rules_refuse_is_said_on_the_form_and_nothing_is_noted(house: House):
    ana = house.client("ana")
    assert add(ana, desde="01/11/2026", hasta="01/11/2025").status_code == 422
    assert add(ana, dia="ayer").status_code == 422
    assert add(ana, ruc="").status_code == 422
    assert registry(house).all() == []
    add(ana)
    again = add(ana)
    assert again.status_code == 422
    assert len(registry(house).all()) == 1


def test_a_step_on_a_record_that_changed_meanwhile_is_refused(house: House):
    ana = house.client("ana")
    where = add(ana).headers["Location"]
    ana.post(f"{where}/aceptada", {"version": 1})
    assert ana.post(f"{where}/listo", {"desde": "01/11/2026", "hasta": "01/11/2027", "version": 1}).status_code == 422
    assert ana.post(f"{where}/otra-vez", {"dia": "18/11/2026", "version": 2}).status_code == 404


def test_a_csv_is_imported_whole_or_not_at_all(house: House):
    ana = house.client("ana")
    head = b"ruc,estado,desde,hasta\n"
    bad = head + f"{RUC},completado,01/11/2026,nunca\n".encode()
    answer = ana.post("/certificados/importar", {"archivo": SimpleUploadedFile("c.csv", bad)})
    assert answer.status_code == 422
    assert "No se importó nada." in text(answer)
    assert registry(house).all() == []
    good = head + f"{RUC},completado,01/11/2026,01/11/2027\n".encode()
    for told in ("1-0-0", "0-0-1"):
        answer = ana.post("/certificados/importar", {"archivo": SimpleUploadedFile("c.csv", good)})
        assert answer.headers["Location"] == f"/certificados?importado={told}"


def test_no_file_of_a_certificate_is_kept_and_a_wrong_key_says_so(house: House):
    ana = house.client("ana")
    answer = add(ana, archivo=SimpleUploadedFile("c.p12", b"no es un certificado"), clave="secreta")
    assert answer.status_code == 422
    assert "secreta" not in answer.content.decode()
    assert registry(house).all() == []
    assert samples is not None


def test_who_only_looks_changes_nothing(house: House):
    where = add(house.client("ana")).headers["Location"]
    marta = house.client("marta")
    assert marta.get(where).status_code == 200
    assert marta.post(f"{where}/aceptada", {"version": 1}).status_code == 403
    assert add(marta, ruc="155999992-2-2026").status_code == 403


@pytest.mark.parametrize("house", [{"web_scan": "false"}], indirect=True)
def test_s22_what_the_scanner_refuses_is_no_certificate_and_no_table_of_them(house: House):
    ana = house.client("ana")
    for path, name in (("/certificados/nuevo", "uno.p12"), ("/certificados/importar", "uno.csv")):
        given = {"ruc": RUC, "archivo": SimpleUploadedFile(name, b"ruc,titular\n"), "clave": "1234"}
        answer = ana.post(path, given)
        assert answer.status_code == 422, path
        assert "no lo aceptó" in text(answer)
    assert registry(house).all() == []
