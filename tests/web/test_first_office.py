"""The company is asked for by the page where nothing is configured, and is written as ``anular init`` writes it."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from pipeline.settings.first_settings import Company, Office
from pipeline.web.access import first_office
from pipeline.web.site import Site
from pipeline.wiring.first_office import planned
from tests.support.pages import House
from tests.web.test_log_in import text_of


@pytest.fixture
def fresh(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The page without a user and without a company; settings and folders of this test."""
    from pipeline.web.models import Membership, Person

    monkeypatch.setenv("ANULAR_CONFIG", str(tmp_path / "ajustes" / "anular.toml"))
    monkeypatch.setattr("pipeline.wiring.first_office.data_folder", lambda: tmp_path / "datos")
    monkeypatch.setattr("pipeline.wiring.first_office.default_ledger", lambda: f"sqlite:///{tmp_path}/datos/x.db")
    monkeypatch.setattr(first_office, "documents_folder", lambda: tmp_path / "Documents")
    Membership.objects.all().delete()
    Person.objects.all().delete()
    bare = house.site.settings.model_copy(update={"issuers": frozenset()})
    site = replace(house.site, settings=bare, companies={"": bare})
    with override_settings(ANULAR_SITE=site):
        from pipeline.web.starting import set_up_address

        address = set_up_address()
        assert address is not None
        yield house.client(), "/inicio/" + address.rpartition("/")[2], site, tmp_path


def answers(folder: Path, **more: str) -> dict[str, str]:
    given = {"empresa": "istmo", "ruc": "155596713-2-2015 DV 59", "ambiente": "probar", "personas": "1"}
    return {**given, "carpeta": str(folder / "w"), **more}


def test_the_company_is_written_as_init_writes_it_and_the_page_opens_again(fresh: tuple[Any, str, Site, Path]):
    client, address, site, folder = fresh
    assert "Su empresa" in text_of(client.get(address))
    answer = client.post(address, answers(folder))
    assert (answer.status_code, site.changed.is_set()) == (200, True)
    written = tomllib.loads((folder / "ajustes" / "anular.toml").read_text())
    assert (written["issuers"], written["approval"], written["env"]) == ("155596713-2-2015", "none", "sandbox")
    assert (folder / "w" / "inbox").is_dir()
    office = Office("probar", folder / "w", (Company("istmo", "155596713-2-2015 DV 59"),), None, 1)
    assert planned(office)[1] == written, "init would change nothing"
    assert "Usted será el administrador" in text_of(client.get(address)), "the address goes on to the first user"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ruc": "155596713-2-2015 DV 58"}, "el dígito verificador"),
        ({"empresa": "con"}, "Windows"),
        ({"carpeta": "relativa"}, "ruta completa"),
        ({"ambiente": "produccion"}, "produccion"),
        ({"empresa": ""}, "Escriba este dato"),
    ],
)
def test_a_faulty_answer_is_said_beside_the_form_and_nothing_is_written(
    fresh: tuple[Any, str, Site, Path], change, words
):
    client, address, site, folder = fresh
    answer = client.post(address, answers(folder, **change))
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not site.changed.is_set()
    assert not (folder / "ajustes").exists()
    assert not (folder / "w").exists()


def test_a_page_that_has_a_company_asks_for_none(house: House):
    assert not first_office.is_first_office(house.site)


def test_without_the_address_nobody_is_asked(fresh: tuple[Any, str, Site, Path]):
    client, _, site, folder = fresh
    assert client.post("/inicio/otra", answers(folder)).status_code == 410
    assert not site.changed.is_set()
