"""E2: which pair of user and password the settings come to, and what is refused when they are read."""

from __future__ import annotations

import os

import pytest
from pydantic import SecretStr

from pipeline.domain.errors import WrongUsage
from pipeline.settings.load import load_settings
from pipeline.wiring import keyring_store
from pipeline.wiring.credentials import credentials
from pipeline.wiring.rules import check_rules

OWN = 'user = "norte-1"\npassword_file = "{folder}/norte.clave"\n'
BASE = 'user = "base-1"\npassword_file = "{folder}/base.clave"\n'
VARIABLES = {"ANULAR_USER": "variable-1", "ANULAR_PASSWORD": "variable-clave"}


@pytest.fixture
def settled(tmp_path, monkeypatch):
    """``settled(profile, base=, own=, kept=, **variables)``: the pair that a profile's settings come to, in the lab."""
    for name in list(os.environ):
        if name.startswith("ANULAR_") and not name.startswith("ANULAR_TEST"):
            monkeypatch.delenv(name)
    for name in ("norte", "base"):
        secret = tmp_path / f"{name}.clave"
        secret.touch(0o600)
        secret.write_text(f"{name}-clave\n")

    def make(profile="", *, base="", own="", kept=None, **variables):
        config = tmp_path / "anular.toml"
        config.write_text(f'env = "lab"\n{base}\n[profile.norte]\n{own}\n'.replace("{folder}", str(tmp_path)))
        entries = kept or {}

        def stored(_env, name):
            return (entries[name], SecretStr(f"{entries[name]}-clave")) if name in entries else None

        monkeypatch.setattr(keyring_store, "stored", stored)
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        for name, value in {"ANULAR_CONFIG": str(config), **variables}.items():
            monkeypatch.setenv(name, value)
        user, password = credentials(load_settings(profile))
        return user, password.get_secret_value()

    return make


@pytest.mark.parametrize(
    ("profile", "given", "pair"),
    [
        ("norte", {"own": OWN, "base": BASE, "kept": {"norte": "llavero"}, **VARIABLES}, ("norte-1", "norte-clave")),
        ("norte", {"base": BASE, "kept": {"norte": "llavero"}, **VARIABLES}, ("llavero", "llavero-clave")),
        ("norte", {"base": BASE, **VARIABLES}, ("base-1", "base-clave")),
        ("", {"own": OWN, "base": BASE, "kept": {"": "llavero"}, **VARIABLES}, ("variable-1", "variable-clave")),
        ("", {"own": OWN, "base": BASE, "kept": {"": "llavero"}}, ("base-1", "base-clave")),
        ("", {"own": OWN, "kept": {"": "llavero"}}, ("llavero", "llavero-clave")),
    ],
)
def test_the_pair_comes_whole_from_the_first_place_that_has_one(settled, profile, given, pair):
    assert settled(profile, **given) == pair


@pytest.mark.parametrize(
    ("profile", "given"),
    [
        ("norte", {"own": OWN.splitlines()[0], "base": BASE, "kept": {"norte": "llavero"}, **VARIABLES}),
        ("norte", {"own": OWN.splitlines()[1], "base": BASE}),
        ("norte", {"base": BASE.splitlines()[0]}),
        ("", {"ANULAR_USER": "usuario-a", "base": BASE}),
        ("", {"ANULAR_PASSWORD": "secreta-b", "base": BASE, "kept": {"": "llavero"}}),
        ("", {"base": BASE.splitlines()[1], "kept": {"": "llavero"}}),
    ],
)
def test_a_half_is_refused_and_never_filled_from_elsewhere(settled, profile, given):
    with pytest.raises(WrongUsage) as refusal:
        settled(profile, **given)
    assert refusal.value.code == "credentials-half"
    assert "clave" not in refusal.value.sentence.replace(".clave", "")
    assert "secreta" not in refusal.value.sentence


def test_a_profile_does_not_take_the_variables_of_whoever_works_without_one(settled):
    with pytest.raises(WrongUsage) as refusal:
        settled("norte", **VARIABLES)
    assert refusal.value.code == "credentials-missing"


@pytest.mark.skipif(os.name == "nt", reason="Windows tells who may read in another way")
@pytest.mark.parametrize("mode", [0o644, 0o666, 0o604, 0o620])
def test_a_password_file_that_others_can_read_or_change_is_refused_and_its_remedy_helps(settled, tmp_path, mode):
    (tmp_path / "norte.clave").chmod(mode)
    with pytest.raises(WrongUsage, match="chmod 600") as refusal:
        settled("norte", own=OWN)
    assert refusal.value.code == "password-file-open"
    (tmp_path / "norte.clave").chmod(0o600)
    assert settled("norte", own=OWN) == ("norte-1", "norte-clave")


def test_issuers_that_are_only_commas_are_refused(settled):
    with pytest.raises(WrongUsage, match="ANULAR_ISSUERS: no trae ninguno"):
        settled("norte", own=OWN, ANULAR_ISSUERS=",")


def test_outside_the_sandbox_nothing_is_checked_or_sent_without_the_rucs_of_the_company(settled, monkeypatch):
    settled("norte", own=OWN)
    settings = load_settings("norte")
    with pytest.raises(WrongUsage, match=r"\[profile.norte\]") as refusal:
        check_rules(settings)
    assert refusal.value.code == "issuers-missing"
    monkeypatch.setenv("ANULAR_ENV", "sandbox")
    check_rules(load_settings("norte"))


def test_a_company_is_called_as_it_says_else_like_its_profile(settled):
    settled("norte", own=OWN)
    assert load_settings("norte").company == "norte"
    settled("norte", own=OWN + 'company = "Comercial Norte, S.A."\n')
    assert load_settings("norte").company == "Comercial Norte, S.A."
