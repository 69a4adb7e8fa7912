"""A desktop opens what the program shows; without one nothing is drawn into the terminal."""

from __future__ import annotations

import sys
import webbrowser

import pytest

from pipeline.runtime import desktop


@pytest.mark.parametrize(
    ("environment", "there"),
    [
        ({}, False),
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "w"}, True),
        ({"BROWSER": "x"}, True),
        ({"DISPLAY": ""}, False),
    ],
)
def test_there_is_a_desktop_where_there_is_a_screen_or_a_browser_is_named(monkeypatch, environment, there):
    monkeypatch.setattr(sys, "platform", "linux")
    assert desktop.has_desktop(environment) is there


@pytest.mark.parametrize("there", [True, False])
def test_an_address_is_opened_once_and_only_on_a_desktop(monkeypatch, there):
    opened = list[str]()
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(desktop, "has_desktop", lambda: there)
    desktop.open_address("http://localhost:8420/").join(10)
    assert opened == (["http://localhost:8420/"] if there else [])


def test_a_file_is_opened_by_its_address_and_a_failure_is_the_persons_own_to_mend(monkeypatch, tmp_path):
    opened = list[str]()

    def refuse(address):
        opened.append(address)
        raise webbrowser.Error

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(desktop, "has_desktop", lambda: True)
    monkeypatch.setattr(webbrowser, "open", refuse)
    desktop.open_file(tmp_path / "lote & (ñ).xlsx").join(10)
    assert opened == [(tmp_path / "lote & (ñ).xlsx").as_uri()]
