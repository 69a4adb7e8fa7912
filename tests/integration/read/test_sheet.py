"""Getting at a file: what is hashed is what is parsed, and whatever is wrong is one refusal."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.domain.errors import InputRefused
from pipeline.read.limits import Limits
from pipeline.read.sheet import Sheet
from pipeline.read.source import take
from pipeline.runtime.patience import Patience
from tests.support.reading import read_sheet

Refusal = Callable[..., InputRefused]
Make = Callable[..., Path]
Values = Callable[[Sheet], dict[int, list[Any]]]


@pytest.fixture
def text(code: Callable[..., str]) -> str:
    return f"Factura;CUFE;Motivo\nF-1;{code(1)};Error en el monto\n0012;{code(2)};Cliente devolvió todo\n"


def test_a_csv_is_read_as_text_with_lines_hash_and_size(
    write: Make, text: str, values: Values, code: Callable[..., str]
) -> None:
    path = write(text)
    sheet = read_sheet(path)
    assert (sheet.path, sheet.name, sheet.sheet, sheet.size) == (path, "lote.csv", None, len(text.encode()))
    assert sheet.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert values(sheet) == {2: ["F-1", code(1), "Error en el monto"], 3: ["0012", code(2), "Cliente devolvió todo"]}
    assert (sheet.address(3, "cufe"), sheet.heading("reason")) == ("línea 3, columna 2", "Motivo")
    assert (sheet.address(3, "email"), sheet.heading("email")) == ("línea 3", "")
    assert sheet.notes == ()


def test_what_is_not_there_or_no_file_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    assert refusal(tmp_path / "no.csv").code == "archivo-no-existe"
    assert refusal(tmp_path / "no" / "no.csv").code == "archivo-no-existe"
    assert refusal(tmp_path).code == "archivo-carpeta"
    assert refusal(Path("con\x00nulo.csv")).code == "archivo-ilegible"
    assert refusal(tmp_path / ("x" * 300 + ".csv")).code == "archivo-ilegible"


def test_a_pipe_or_a_link_is_refused_at_once(tmp_path: Path, write: Make, text: str, refusal: Refusal) -> None:
    os.mkfifo(tmp_path / "tubo.csv")
    (tmp_path / "enlace.csv").symlink_to(write(text))
    assert refusal(tmp_path / "tubo.csv").code == "archivo-especial"
    assert refusal(tmp_path / "enlace.csv").code == "archivo-especial"
    assert refusal(Path("/dev/null")).code == "archivo-especial"


def test_a_file_without_permission_is_refused(
    write: Make, text: str, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by the system's answer and not by a mode, which does not bind every account."""

    def denied(*args: Any) -> int:
        raise PermissionError(13, "Permission denied")

    path = write(text)
    monkeypatch.setattr(os, "open", denied)
    assert refusal(path).code == "archivo-permiso"


@pytest.mark.parametrize(("times", "said"), [(2, ""), (99, "archivo-abierto")])
def test_a_file_that_is_open_in_excel_is_waited_for_a_second_and_then_named(
    write: Make, text: str, refusal: Refusal, monkeypatch: pytest.MonkeyPatch, times: int, said: str
) -> None:
    path, opened, left, waits = write(text), os.open, [times], list[float]()

    def held(*args: Any) -> int:
        left[0] -= 1
        if left[0] >= 0:
            raise type("Held", (PermissionError,), {"winerror": 32})(13, "in use")
        return opened(*args)

    monkeypatch.setattr(Patience.__init__, "__defaults__", ((), waits.append))
    monkeypatch.setattr(os, "open", held)
    if said:
        refused = refusal(path)
        assert refused.code == said
        assert "Ciérrelo en Excel" in refused.sentence
        assert sum(waits) == pytest.approx(1)
    else:
        assert take(path, Limits()).data == path.read_bytes()


def test_a_file_that_changes_while_it_is_read_is_refused(
    write: Make, text: str, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(text)
    read = os.read

    def growing(descriptor: int, size: int) -> bytes:
        block = read(descriptor, size)
        if block:
            path.write_text(text + "más", encoding="utf-8")
        return block

    monkeypatch.setattr(os, "read", growing)
    assert refusal(path).code == "archivo-cambio"


def test_an_empty_or_too_large_file_is_refused(write: Make, refusal: Refusal, text: str) -> None:
    assert refusal(write("")).code == "archivo-vacio"
    error = refusal(write(text), limits=Limits(size=50))
    assert (error.code, "Divida el archivo" in error.remedy) == ("archivo-grande", True)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.xlsx", b"CUFE,Motivo\n", "tipo-extension"),
        ("a.csv", b"PK\x03\x04rest", "tipo-extension"),
        ("a.xlsx", b"<html><table></table></html>", "tipo-otro"),
        ("a.xls", b"\xef\xbb\xbf\r\n <HTML>", "tipo-otro"),
        ("a.csv", b"<?xml version='1.0'?><x/>", "tipo-otro"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "tipo-otro"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "tipo-protegido"),
        ("a.xlsx", b"%PDF-1.7", "tipo-otro"),
        ("a.csv", b"\x1f\x8b\x08", "tipo-otro"),
        ("a.csv", b"\x89PNG\r\n", "tipo-otro"),
        ("a.xlsm", b"PK\x03\x04rest", "tipo-macros"),
        ("a.ods", b"CUFE,Motivo\n", "tipo-desconocido"),
        ("a", b"CUFE,Motivo\n", "tipo-desconocido"),
    ],
)
def test_the_content_decides_what_a_file_is(
    name: str, content: bytes, code: str, write: Make, refusal: Refusal
) -> None:
    assert refusal(write(content, name)).code == code


def test_the_sheet_option_means_nothing_for_a_csv(write: Make, text: str, refusal: Refusal) -> None:
    assert refusal(write(text), sheet="Hoja1").code == "csv-sin-hojas"


@given(
    data=st.binary(max_size=300), head=st.sampled_from([b"", b"CUFE,Motivo\n", b"PK\x03\x04", b"\xff\xfe", b"sep=;\n"])
)
@example(data=b'"', head=b"CUFE,Motivo\n")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_content_whatever_raises_anything_but_a_refusal(write: Make, data: bytes, head: bytes) -> None:
    for name in ("x.csv", "x.xlsx"):
        try:
            assert len(read_sheet(write(head + data, name)).cells) > 0
        except InputRefused:
            continue
