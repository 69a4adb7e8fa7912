"""A certificate's file is read for its dates and forgotten."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.certificates.file import MOST_BYTES, read_certificate
from pipeline.domain.errors import InputRefused
from tests.support.certificates import PIN, RUC, SINCE, UNTIL, made


def pin(text: str = PIN):
    return lambda: SecretStr(text)


def no_pin() -> SecretStr:
    raise AssertionError("a file without a key needs no PIN")


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def refused(path: Path, given=None) -> InputRefused:
    with pytest.raises(InputRefused) as error:
        read_certificate(path, given or pin())
    assert error.value.exit_code == 3
    assert path.name in error.value.sentence
    return error.value


@pytest.mark.parametrize("name", ["firma.p12", "FIRMA.PFX"])
def test_a_file_with_a_key_is_read_with_its_pin(tmp_path, name):
    told = read_certificate(written(tmp_path, name, made().p12()), pin())
    assert (told.valid_from, told.valid_until) == (SINCE, UNTIL)
    assert (told.holder, told.authority) == ("[F] EMPRESA, S.A.", "Firma Electrónica de Panamá")
    assert (told.serial, told.rucs) == ("1a2b3c", (RUC,))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.cer", made().der),
        ("a.der", made().der),
        ("a.crt", made().pem),
        ("a.pem", b"\xef\xbb\xbf" + made().pem),
    ],
)
def test_a_certificate_alone_is_read_without_a_pin(tmp_path, name, content):
    told = read_certificate(written(tmp_path, name, content), no_pin)
    assert (told.valid_from, told.valid_until, told.rucs) == (SINCE, UNTIL, (RUC,))
    assert len(told.fingerprint) == 64


def test_of_a_chain_the_holders_certificate_counts(tmp_path):
    chain = made("", name="Autoridad", ca=True).pem + made().pem
    assert read_certificate(written(tmp_path, "a.pem", chain), no_pin).holder == "[F] EMPRESA, S.A."


def test_a_subject_without_a_ruc_has_none(tmp_path):
    assert read_certificate(written(tmp_path, "a.cer", made("").der), no_pin).rucs == ()


def test_a_file_without_a_pin_is_opened_with_an_empty_one(tmp_path):
    assert read_certificate(written(tmp_path, "a.p12", made().p12("")), pin("")).rucs == (RUC,)


def test_a_name_that_would_act_on_a_terminal_is_shown(tmp_path):
    told = read_certificate(written(tmp_path, "a.cer", made(name="Mala\x1b[31m").der), no_pin)
    assert told.holder == "Mala␛[31m"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.p12", b"", "certificado-vacio"),
        ("a.p12", b"x" * (MOST_BYTES + 1), "certificado-grande"),
        ("a.p12", b"hola", "certificado-danado"),
        ("a.p12", made().p12()[:-40], "certificado-danado"),
        ("a.p12", made().p12("otro"), "certificado-pin"),
        ("a.p12", made().key_alone(), "certificado-ninguno"),
        ("a.cer", b"hola", "certificado-danado"),
        ("a.cer", made().der[:-9], "certificado-danado"),
        ("a.pem", made().pem[:200], "certificado-danado"),
        ("a.pem", made().key_pem, "certificado-ninguno"),
        ("a.xlsx", b"PK", "certificado-tipo"),
    ],
)
def test_what_cannot_be_used_is_refused_with_one_sentence_that_says_why(tmp_path, name, content, code):
    error = refused(written(tmp_path, name, content))
    assert error.code == code
    assert PIN not in str(error)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert refused(tmp_path / "a.cer").code == "certificado-ilegible"


def test_no_core_is_dumped_from_the_first_byte_on(tmp_path, monkeypatch):
    limits = []
    monkeypatch.setattr(resource, "setrlimit", lambda *given: limits.append(given))
    refused(written(tmp_path, "a.p12", b""))
    assert limits == [(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))]
