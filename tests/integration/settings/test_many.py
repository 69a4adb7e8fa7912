"""Hundreds of companies in one settings file: read once as long as it says the same, and known by their places."""

from __future__ import annotations

import tomllib

import pytest

from pipeline.domain.errors import WrongUsage
from pipeline.settings import load


@pytest.fixture
def config(tmp_path, monkeypatch):
    path = tmp_path / "anular.toml"
    monkeypatch.setenv("ANULAR_CONFIG", str(path))
    for name in ("ANULAR_LEDGER", "ANULAR_ENV", "ANULAR_ISSUERS"):
        monkeypatch.delenv(name, raising=False)
    return path


def test_a_file_is_parsed_once_as_long_as_it_says_the_same(config, monkeypatch):
    parsed = []
    loads = tomllib.loads
    monkeypatch.setattr(tomllib, "loads", lambda text: (parsed.append(1), loads(text))[1])
    config.write_text("rate = 3\n[profile.norte]\nrate = 4\n")
    assert [load.load_settings(name).rate for name in ("", "norte", "", "norte")] == [3, 4, 3, 4]
    assert len(parsed) == 1

    config.write_text("rate = 3\n[profile.norte]\nrate = 7\n")
    assert load.load_settings("norte").rate == 7
    assert load.profile_names() == ["norte"]


def test_what_is_wrong_with_a_file_is_said_every_time(config):
    config.write_text('[profile.norte]\nissuers = "29-29-29"\n[profile.sur]\nissuers = "29-29-29"\n')
    for _ in range(2):
        with pytest.raises(WrongUsage) as caught:
            load.load_settings("norte")
        assert caught.value.code == "ruc-twice"
    config.write_text("rate = = 3")
    for _ in range(2):
        with pytest.raises(WrongUsage) as caught:
            load.load_settings()
        assert caught.value.code == "config"


def test_the_places_of_all_companies_are_those_that_their_settings_come_to(config, monkeypatch):
    config.write_text(
        'env = "lab"\nledger = "sqlite:////todos/r.db"\n'
        '[profile.norte]\nledger = "sqlite:////norte/r.db"\n[profile.sur]\nenv = "sandbox"\n'
    )
    for more in ({}, {"ANULAR_LEDGER": "sqlite:////otro/r.db"}, {"ANULAR_ENV": "sandbox"}):
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        settings = {name: load.load_settings(name) for name in ("", "sur")}
        places = load.named_places()
        assert {name: places[name] for name in settings} == {
            name: (one.env.value, one.ledger) for name, one in settings.items()
        }
        for name in more:
            monkeypatch.delenv(name)
