"""What ``anular doctor`` shows of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from pipeline.doctor import configuration, masked
from pipeline.settings.model import Settings


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://hooks.example/services/T000/B000/s3cr3t", "https://hooks.example/…"),
        ("https://hooks.example?key=s3cr3t", "https://hooks.example/…"),
        ("https://edoc.example:8443/4.0/", "https://edoc.example:8443/…"),
        ("http://[::1]:9/", "http://[::1]:9"),
        ("https://s3cr3t@edoc.example/", "https://edoc.example"),
    ],
)
def test_of_an_address_only_the_server_is_shown(url: str, words: str) -> None:
    assert masked(url) == words


@pytest.mark.parametrize("name", ["webhook_url", "base_url", "auth_url", "cancel_url", "query_url"])
def test_no_part_of_a_configured_address_that_may_hold_a_secret_is_shown(name: str, tmp_path: Path) -> None:
    settings: Settings = cast("Any", Settings)(ledger=f"sqlite:///{tmp_path}/a.db")
    settings = settings.model_copy(update={name: "https://edoc.example/s3cr3t/x?key=s3cr3t"})
    shown = dict(configuration(settings))
    assert shown[f"ANULAR_{name.upper()}"] == "https://edoc.example/…"
    assert "s3cr3t" not in str(shown)
