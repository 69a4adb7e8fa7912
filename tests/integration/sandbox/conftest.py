"""Sandboxes in processes of their own, on real loopback ports."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from pipeline.domain.cufe import Cufe, check_digit
from pipeline.sandbox.documents import key_of
from tests.support.warm import LONGEST_S, ROOT, Warm, without_settings

REASON = "Error en el monto facturado"


class Running:
    """A sandbox that serves, and a client that behaves."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.url = process.stdout.readline().strip()
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        self.root = self.url.split("/EdocPanama")[0]

    def token(self, service: str) -> dict[str, str]:
        answer = self.http.get(f"Autenticacion/Api/ServicioEDOC?Id={service}", auth=("sandbox", "sandbox"))
        return {"Authorization": f"Bearer {answer.json()['token']}"}

    def cancel(self, cufe: Cufe, headers: dict[str, str] | None = None, timeout: float = 60) -> httpx.Response:
        return self.http.post(
            "Emision/Eventos/API/Anulacion",
            json={"cufe": cufe.text, "motivoAnulacion": REASON},
            headers=self.token("16") if headers is None else headers,
            timeout=timeout,
        )

    def query(self, cufe: Cufe) -> httpx.Response:
        names = ("RucEmisor", "iDoc", "dSucEm", "dPtoFacDF", "dNroDF")
        return self.http.post(
            "Emision/Api/Consulta/ConsultarDocumentoRuta",
            params=dict(zip(names, key_of(cufe), strict=True)),
            headers=self.token("3"),
        )

    def control(self, name: str, given: object) -> httpx.Response:
        return self.http.post(f"{self.root}/_sandbox/{name}", json=given)

    def look(self, name: str) -> httpx.Response:
        return self.http.get(f"{self.root}/_sandbox/{name}")

    def end(self) -> str:
        """Close the child's standard input, wait for its end; what it wrote to stderr."""
        self.http.close()
        _, errors = self.process.communicate(timeout=LONGEST_S)
        return errors


Start = Callable[..., Running]


@pytest.fixture
def start(warm: Warm) -> Iterator[Start]:
    """``start(journal=path, mode="child" | "alone")``: a sandbox that is gone when the test is over."""
    running: list[Running] = []

    def start(journal: Path | None = None, mode: str = "child") -> Running:
        running.append(_spawn(warm, journal, mode))
        return running[-1]

    yield start
    for one in running:
        one.http.close()
        one.process.kill()
        one.process.communicate()


@pytest.fixture(scope="module")
def sandbox(warm: Warm) -> Iterator[Running]:
    """One sandbox for the tests of a file; it must end well and must not have written to stderr."""
    running = _spawn(warm, None, "child")
    yield running
    assert running.end() == ""
    assert running.process.returncode == 0


_numbers = itertools.count(1)


@pytest.fixture
def make_cufe() -> Callable[..., Cufe]:
    """``make_cufe("905")``: a valid code that no other test has."""

    def make(code: str = "000") -> Cufe:
        text = f"FE012{'155668001-2-2018'.zfill(20)}-37078920261119{next(_numbers):010d}006012003530{code}"
        return Cufe.parse(text + check_digit(text))

    return make


def _spawn(warm: Warm, journal: Path | None, mode: str) -> Running:
    options = ["--port", "0", *(["--child"] if mode == "child" else []), *(["--journal", journal] if journal else [])]
    return Running(warm.start(["sandbox", *options], folder=ROOT, env=without_settings(), stdin=subprocess.PIPE))
