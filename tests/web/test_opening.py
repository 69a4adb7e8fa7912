"""Where the page may be served, its key, and what its process never has (S08, S27, S30)."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.domain.errors import WrongUsage
from pipeline.settings.model import Env, Settings
from pipeline.web import opening
from tests.support.pages import House

CERT = {"web_tls_cert": Path("/x.pem"), "web_tls_key": Path("/x.key")}
URL = {"web_url": "https://anular.x.example"}


def settings(**values: Any) -> Settings:
    bare: dict[str, Any] = {}
    return Settings(**bare).model_copy(update=values)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"web_host": "0.0.0.0"}, "web-host"),
        ({"web_host": "10.0.0.5", **CERT}, "web-host"),
        (URL, "web-https"),
        ({**URL, "web_tls_cert": Path("/x.pem")}, "web-tls"),
        (CERT, "web-url"),
        ({"web_proxy": frozenset({"10.0.0.1"})}, "web-url"),
    ],
)
def test_a_page_that_others_could_reach_without_https_is_refused(values, code):
    with pytest.raises(WrongUsage) as refused:
        opening.check_place(settings(**values))
    assert (refused.value.code, refused.value.exit_code) == (code, 2)


@pytest.mark.parametrize(
    "values", [{}, {**URL, **CERT}, {**URL, **CERT, "web_host": "0.0.0.0"}, {**URL, "web_proxy": frozenset({"::1"})}]
)
def test_a_page_at_home_or_under_https_is_fine(values):
    opening.check_place(settings(**values))


LEDGER, OTHER = "sqlite:////l/uno.db", "sqlite:////l/dos.db"


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({"user": "mismo", "ledger": LEDGER}, True),
        ({"user": "otro", "ledger": LEDGER}, False),
        ({"user": "mismo", "ledger": OTHER}, False),
        ({"user": "mismo", "ledger": LEDGER, "env": Env.PRODUCTION}, False),
    ],
)
def test_two_companies_that_a_ledger_cannot_tell_apart_are_not_served(values, refused):
    """Their people would see each other's batches: a ledger knows credentials (decision 0122)."""
    own = {"env": Env.LAB, "password": SecretStr("x")}
    one = settings(profile="uno", user="mismo", ledger=LEDGER, **own)
    both = {"uno": one, "dos": settings(profile="dos", **{**own, **values})}
    if not refused:
        opening.check_apart(both)
        return
    with pytest.raises(WrongUsage, match="Los perfiles uno y dos usan el mismo usuario") as told:
        opening.check_apart(both)
    assert told.value.code == "web-companies"


def test_companies_of_the_sandbox_without_a_user_or_with_a_wrong_ledger_are_served():
    spare = settings(profile="uno", user="sandbox", ledger=LEDGER)
    opening.check_apart({"uno": spare, "dos": spare})
    none = settings(profile="uno", env=Env.LAB, ledger=LEDGER)
    opening.check_apart({"uno": none, "dos": none})
    wrong = settings(profile="uno", env=Env.LAB, user="mismo", password=SecretStr("x"), ledger="nada")
    opening.check_apart({"uno": wrong, "dos": wrong})


@pytest.mark.parametrize("url", ["http://x.example", "https://x.example/anular", "https://", "x.example"])
def test_an_address_that_is_not_https_with_a_name_is_a_mistake(monkeypatch, url):
    monkeypatch.setenv("ANULAR_WEB_URL", url)
    with pytest.raises(ValueError, match="debe ser https"):
        settings()


def test_the_key_is_made_once_for_its_owner_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "user_data_path", lambda _name: tmp_path / "data")
    first, second = opening.keys_of(settings()), opening.keys_of(settings())
    assert first == second
    assert len(first[0]) >= 50
    path = tmp_path / "data" / "anular-web.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_second_line_is_the_old_key_and_a_short_or_open_one_is_refused(tmp_path):
    path = tmp_path / "key"
    path.write_text("n" * 50 + "\n" + "o" * 50 + "\n", "ascii")
    path.chmod(0o600)
    assert opening.keys_of(settings(web_secret_file=path)) == ("n" * 50, "o" * 50)
    path.write_text("short\n", "ascii")
    with pytest.raises(WrongUsage, match="muy corta"):
        opening.keys_of(settings(web_secret_file=path))
    path.write_text("n" * 50, "ascii")
    path.chmod(0o644)
    with pytest.raises(WrongUsage, match="otros usuarios"):
        opening.keys_of(settings(web_secret_file=path))


def test_s30_djangos_own_check_for_a_deployment_has_no_warning_under_https(house: House):
    from django.core import checks
    from django.test import override_settings

    from pipeline.web.conf import django_settings

    values = django_settings(replace(house.site, url="https://anular.x.example"))
    for name in ("ANULAR_SITE", "DATABASES"):
        values.pop(name)
    with override_settings(**values):
        found = checks.run_checks(include_deployment_checks=True)
    assert [one for one in found if one.level >= checks.WARNING] == []


def test_the_steps_of_the_tables_are_those_of_the_models(house: House):
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_s27_the_ledger_is_opened_without_the_keyring(house: House, monkeypatch):
    import sys

    from pipeline.settings.model import Env
    from pipeline.web.company import company_for

    monkeypatch.setitem(sys.modules, "keyring", None)
    one = company_for(house.person("ana"), "istmo")
    with one.ledger() as views:
        assert views is not None
        assert len(views.batches()) == 1
    outside = replace(one, settings=one.settings.model_copy(update={"env": Env.LAB, "user": ""}))
    with pytest.raises(WrongUsage, match="Falta el usuario"), outside.ledger():
        pass
