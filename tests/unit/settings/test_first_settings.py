"""The answers of an office, what is wrong with them, and the settings they become."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.domain.errors import WrongUsage
from pipeline.settings.first_settings import (
    Company,
    Office,
    answers_in,
    companies_in,
    faults,
    settings_of,
    shared_users,
    toml_of,
    write_settings,
)

USUAL = Path("/home/ana/.local/share/anular/registro")
ACME = Company("acme", "155596713-2-2015 DV 59", "acme-api", "ana@example.com")
BETA = Company("beta", "8-442-445", "beta-api")
ONE = Office("probar", Path("/home/ana/Anular"), (ACME,))
TWO = Office("probar", Path("/home/ana/Anular"), (ACME, BETA))
TEXT = """
ambiente = "laboratorio"
carpeta = "/home/ana/Anular"
personas = 1
sin_atender = 50
[[empresa]]
nombre = "ACME"
ruc = "155596713-2-2015 DV 59"
"""


def test_answers_of_a_file_are_an_office():
    office = answers_in(TEXT)
    assert (office.env, office.people, office.unattended, office.copies) == ("laboratorio", 1, 50, None)
    assert [(one.name, one.number) for one in office.companies] == [("acme", "155596713-2-2015")]


@pytest.mark.parametrize(("before", "after", "words"), [
    ('"laboratorio"', '"prod"', "no es probar, laboratorio ni produccion"),
    ('"/home/ana/Anular"', '"Anular"', "ruta completa"),
    ("personas = 1", "personas = 3", "personas"),
    ("personas = 1", "personas = true", "personas"),
    ("personas = 1", "personas = 2", "dos personas nada sale"),
    ("sin_atender = 50", "sin_atender = -1", "sin_atender"),
    ("sin_atender = 50", 'contrasena = "x"', "no se conocen: contrasena"),
    ("sin_atender = 50", 'historial = "/home/ana/Anular/registro"', "dentro de la carpeta de trabajo"),
    ("DV 59", "DV 58", "dígito verificador"),
    ("155596713-2-2015 DV 59", "no lo sé", "forma de un RUC"),
    ('"ACME"', '"Compañía"', "nombre corto"),
    ('"ACME"', '"con"', "nombre corto"),
    ('"ACME"', '"../x"', "nombre corto"),
    ('nombre = "ACME"', 'nombre = "a"\nclave = "x"', "no se conocen: clave"),
    ('nombre = "ACME"', 'nombre = "a"\ncorreo = "ana"', "no es un correo"),
    ("[[empresa]]", "[empresa]", "[[empresa]]"),
    ("carpeta =", "carpeta ==", "TOML"),
])  # fmt: skip
def test_an_answer_that_cannot_be_is_named(before, after, words):
    with pytest.raises(WrongUsage) as refused:
        answers_in(TEXT.replace(before, after))
    assert words in refused.value.sentence


def test_two_companies_of_one_name_or_one_ruc_are_named():
    twice = Office("probar", Path("/a"), (ACME, Company("acme", "8-442-445"), Company("otra", "155596713-2-2015")))
    assert [fault.partition(":")[0] for fault in faults(twice)] == ["empresa 2", "empresa 3 (otra)"]


def test_companies_with_one_user_may_share_a_credential():
    assert shared_users(TWO) == []
    (words,) = shared_users(Office("probar", Path("/a"), (ACME, Company("beta", "8-442-445", "acme-api"))))
    assert "acme y beta" in words


@pytest.mark.parametrize("text", [
    "empresa;RUC;usuario\nAcme;155596713-2-2015;acme-api\nbeta;8-442-445;beta-api\n",
    "\ufeffAcme\t155596713-2-2015\tacme-api\r\n\r\nbeta\t8-442-445\tbeta-api",
    'Acme,"155596713-2-2015",acme-api\nbeta,8-442-445,beta-api',
])  # fmt: skip
def test_a_table_of_companies_is_read_as_it_is_pasted(text):
    assert companies_in(text) == (
        Company("acme", "155596713-2-2015", "acme-api"),
        Company("beta", "8-442-445", "beta-api"),
    )


@pytest.mark.parametrize("text", ["", "acme\n", "acme;155596713-2-2015\n;8-442-445"])
def test_a_table_with_a_line_that_lacks_something_is_refused(text):
    with pytest.raises(WrongUsage):
        companies_in(text)


def test_one_company_needs_no_profile_and_several_have_a_ledger_each():
    alone = settings_of(ONE, USUAL)
    assert (alone["issuers"], alone["approval"], alone["env"]) == ("155596713-2-2015", "two", "sandbox")
    assert "profile" not in alone
    several = settings_of(TWO, USUAL)
    assert {name: own["ledger"] for name, own in several["profile"].items()} == {
        "acme": f"sqlite:///{USUAL}/acme.db",
        "beta": f"sqlite:///{USUAL}/beta.db",
    }
    assert "ledger" not in several


def test_a_ledger_that_is_there_is_never_given_another_place():
    before = {
        "ledger": "sqlite:////srv/registro.db",
        "rate": 2.5,
        "profile": {"beta": {"ledger": "sqlite:////srv/b.db"}},
    }
    assert settings_of(Office(**{**vars_of(ONE), "before": before}), USUAL)["ledger"] == "sqlite:////srv/registro.db"
    several = settings_of(Office(**{**vars_of(TWO), "before": before}), USUAL)
    assert several["profile"]["beta"]["ledger"] == "sqlite:////srv/b.db"
    assert several["rate"] == 2.5
    assert settings_of(ONE, USUAL, "sqlite:////usual.db")["ledger"] == "sqlite:////usual.db"


def vars_of(office: Office) -> dict:
    return {name: getattr(office, name) for name in office.__slots__}


def test_a_company_that_was_alone_keeps_its_ledger_when_others_come():
    alone = settings_of(ONE, USUAL, "sqlite:////usual.db")
    several = settings_of(Office(**{**vars_of(TWO), "before": alone}), USUAL)
    assert several["profile"]["acme"]["ledger"] == "sqlite:////usual.db"
    assert "issuers" not in several
    assert "ledger" not in several
    with pytest.raises(WrongUsage, match="Inclúyala"):
        settings_of(Office("probar", Path("/a"), (BETA, Company("c", "8-1-1")), before=alone), USUAL)


def test_what_the_folder_may_send_by_itself_is_said_and_taken_back():
    sends = Office(**{**vars_of(ONE), "people": 1, "unattended": 50})
    values = settings_of(sends, USUAL)
    assert (values["watch_env"], values["watch_issuers"], values["watch_max_rows"]) == (
        "sandbox",
        "155596713-2-2015",
        50,
    )
    again = settings_of(Office(**{**vars_of(ONE), "before": values}), USUAL)
    assert not again.keys() & {"watch_env", "watch_issuers"}


def test_every_value_is_written_as_it_was():
    values = {
        "text": 'C:\\a "b" ñ\n\x7f',
        "number": 3,
        "part": 2.5,
        "yes": True,
        "list": ["a", "b"],
        "moment": datetime(2026, 11, 20, 10, tzinfo=UTC),
        "profile": {"acme": {"issuers": "1-1-1"}, "con espacio": {"table": {"a b": 1}}},
    }
    assert tomllib.loads(toml_of(values)) == values


def test_the_same_again_writes_nothing_and_another_keeps_the_one_of_before(tmp_path):
    path = tmp_path / "c" / "anular.toml"
    first = settings_of(ONE, USUAL)
    assert write_settings(path, first) is None
    state = path.stat()
    assert write_settings(path, first) is None
    assert path.stat().st_mtime_ns == state.st_mtime_ns
    kept = write_settings(path, settings_of(TWO, USUAL))
    assert kept == path.with_name("anular.toml.1")
    assert tomllib.loads(path.with_name("anular.toml.1").read_text()) == first
    assert write_settings(path, first) == path.with_name("anular.toml.2")


def test_a_settings_file_that_cannot_be_read_is_not_replaced(tmp_path):
    path = tmp_path / "anular.toml"
    path.write_text("esto no es = = TOML")
    with pytest.raises(WrongUsage, match="no se cambió"):
        write_settings(path, {"env": "sandbox"})
    assert path.read_text() == "esto no es = = TOML"
