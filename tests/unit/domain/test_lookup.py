"""What a text may name: people paste codes as they find them, and numbers, names and checksums look alike."""

from __future__ import annotations

import pytest

from pipeline.domain.lookup import WORDS, Wanted, number_in, squeezed, wanted

CUFE = "FE01200000000000029-29-29-5676322018101525982740639300126729580548"
LINK = "https://dgi-fep.mef.gob.pa/Consultas/FacturasPorQR?chFE={}&iAmb=1&digestValue=abc=&jwt=x.y"
SUM = "a4ba29e3dc52362a913d9a1a9d3e80eb9c2aea127315a7a3a16adf5ce0f57548"


@pytest.mark.parametrize(
    "text",
    [
        CUFE,
        f"  {CUFE.lower()}\n",
        f"{CUFE[:20]} {CUFE[20:44]} {CUFE[44:]}",
        CUFE.replace("-", "\u2013"),
        CUFE.replace("-", ""),
        f"{CUFE[:4]}-{CUFE[4:]}",
        f"No. CUFE: {CUFE}",
        f"«{CUFE}»",
        LINK.format(CUFE),
        f"mire esta: {CUFE}, gracias",
    ],
)
def test_a_code_is_recognised_however_it_was_pasted(text):
    assert wanted(text) == Wanted(text.strip(), codes=(squeezed(CUFE),))


def test_two_codes_in_one_text_are_both_looked_for():
    other = CUFE.replace("2018101525", "2018101626")

    assert wanted(f"{CUFE}\n{other}").codes == (squeezed(CUFE), squeezed(other))


def test_the_number_of_a_document_stands_in_its_code_with_or_without_dashes():
    assert number_in(squeezed(CUFE)) == CUFE[40:50]


@pytest.mark.parametrize(
    "text", ["1234", "0001234", "0000001234", "000000001234", "Factura No. 1234", "N.º 1234", "#1234"]
)
def test_a_document_number_is_looked_for_with_its_leading_zeros(text):
    assert wanted(text).number == "0000001234"


@pytest.mark.parametrize("text", ["12345678901", "12.5", "-5", "doce", "²³", "1234x"])
def test_what_is_no_document_number_is_not_looked_for_as_one(text):
    assert wanted(text).number in ("", "0000000023")


@pytest.mark.parametrize(("text", "checksum"), [(SUM, SUM), (SUM[:8].upper(), SUM[:8]), (f"SHA-256: {SUM}", SUM)])
def test_a_checksum_or_its_beginning_is_one(text, checksum):
    assert wanted(text).checksum == checksum


@pytest.mark.parametrize("text", [SUM[:7], f"{SUM}0", "abcdefgh"])
def test_too_little_too_much_or_other_letters_are_no_checksum(text):
    assert wanted(text).checksum == ""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("lote marzo.xlsx", "lote marzo.xlsx"),
        ("/home/ana/lote marzo.xlsx", "lote marzo.xlsx"),
        (r"C:\Users\ana\lote.xlsx", "lote.xlsx"),
        ('"Factura marzo.xlsx"', "Factura marzo.xlsx"),
    ],
)
def test_a_file_is_looked_for_by_its_name_alone(text, name):
    assert wanted(text).name == name


@pytest.mark.parametrize(
    "text",
    [
        "20261120-b7020992",
        "lote 20261120-b7020992",
        "lote_mensual__20261120-b7020992__resultados.xlsx",
        "/tmp/lote_mensual__20261120-b7020992__corregir (2).xlsx",
    ],
)
def test_a_batch_is_recognised_by_itself_and_in_the_name_of_its_workbooks(text):
    assert wanted(text).batch == "20261120-b7020992"


def test_a_text_of_eight_digits_may_be_a_number_a_day_or_a_checksum():
    assert wanted("20261120").kinds == ("number", "sha256", "batch", "file")


@pytest.mark.parametrize("text", ["", " ", "\u200b", '""', "/"])
def test_an_empty_text_names_nothing(text):
    assert wanted(text).kinds == ()


def test_every_kind_has_its_words():
    assert {kind for text in (CUFE, "20261120", "20261120-b7020992 fila 5") for kind in wanted(text).kinds} == set(
        WORDS
    )


@pytest.mark.parametrize(
    "text", ["20261120-b7020992 fila 5", "lote 20261120-B7020992, Fila 5", "Hoja1, fila 5 · lote 20261120-b7020992"]
)
def test_a_row_is_looked_for_by_its_batch_and_its_number(text):
    found = wanted(text)
    assert (found.batch, found.line, found.kinds) == ("20261120-b7020992", 5, ("batch", "row"))


@pytest.mark.parametrize(
    "text", ["fila 5", "20261120-b7020992", "20261120-b7020992 fila 5 y fila 6", "20261120-b7020992 fila cinco"]
)
def test_what_names_no_single_row_of_a_batch_is_none(text):
    assert wanted(text).line == 0
