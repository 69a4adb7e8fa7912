"""Connections that leave this machine: verified, and nobody is handed their keys."""

from __future__ import annotations

import ast
import ssl
from pathlib import Path

import certifi
import pytest

from pipeline.runtime.tls import client_context

PIPELINE = Path(__file__).parents[3] / "pipeline"


@pytest.mark.parametrize("cafile", [None, certifi.where()], ids=["system", "file"])
def test_the_keys_of_a_connection_are_written_nowhere_whatever_the_environment_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cafile: str | None
) -> None:
    keys = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    assert client_context(cafile).keylog_filename is None
    assert not keys.exists()


@pytest.mark.parametrize("cafile", [None, certifi.where()], ids=["system", "file"])
def test_a_context_verifies_certificate_and_name_as_pythons_own_does(cafile: str | None) -> None:
    ours, pythons = client_context(cafile), ssl.create_default_context(cafile=cafile)
    assert (ours.verify_mode, ours.check_hostname) == (ssl.CERT_REQUIRED, True)
    for name in ("verify_flags", "options", "minimum_version", "maximum_version", "protocol"):
        assert getattr(ours, name) == getattr(pythons, name)
    assert ours.cert_store_stats() == pythons.cert_store_stats()


def test_no_other_file_makes_a_context_of_its_own() -> None:
    makers = {"create_default_context", "create_ssl_context", "SSLContext", "_create_unverified_context"}
    found = {
        path.relative_to(PIPELINE).as_posix()
        for path in PIPELINE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in makers
    }
    assert found == {"runtime/tls.py"}
