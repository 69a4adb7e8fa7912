"""Decoding: what cannot be told for sure is refused."""

from __future__ import annotations

import codecs

import pytest

from pipeline.domain.errors import InputRefused
from pipeline.read.text import decode

TEXT = "CUFE,Motivo\nx,anulación del año\n"


def refused(data: bytes) -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        decode(data)
    return caught.value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_with_and_without_a_mark(encoding: str) -> None:
    assert decode(TEXT.encode(encoding)).content == TEXT
    assert decode(TEXT.encode(encoding)).notes == ()


def test_both_byte_orders_with_a_mark_are_read() -> None:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        assert decode(mark + TEXT.encode(encoding)).content == TEXT


def test_windows_1252_is_read_and_said_with_sample_words() -> None:
    text = decode((TEXT + "y,señal única, daño\n").encode("cp1252"))
    assert text.content == TEXT + "y,señal única, daño\n"
    assert text.notes == (
        "El archivo no es UTF-8: se leyó como Windows-1252. Revise estas palabras: «anulación», «año», «señal».",
    )


def test_a_mixture_is_refused_at_the_line_that_differs() -> None:
    error = refused(TEXT.encode() + "y,señal\n".encode("cp1252"))
    assert (error.code, error.where) == ("csv-mezcla", "línea 3")
    error = refused("y,señal\r\n".encode("cp1252") + TEXT.encode())
    assert (error.code, error.where) == ("csv-mezcla", "línea 1")
    assert refused(b"\xef\xbb\xbf" + TEXT.encode("cp1252")).code == "csv-mezcla"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_refused(encoding: str) -> None:
    assert refused(TEXT.encode(encoding)).code == "csv-utf16"


def test_a_nul_is_refused_with_its_line() -> None:
    assert (refused(b"a\r\nb\rc\x00\n").code, refused(b"a\r\nb\rc\x00\n").where) == ("csv-nul", "línea 3")
    assert refused(("a\nb\x00" + "x" * 50).encode("utf-16")).where == "línea 2"


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_half_a_character_at_the_end_is_an_incomplete_file(mark: bytes) -> None:
    with pytest.raises(InputRefused) as caught:
        decode(mark + "uno\ndevolución\ntres ó".encode()[:-1])
    assert (caught.value.code, caught.value.where) == ("csv-incompleto", "línea 3")


def test_bytes_that_are_no_text_are_refused() -> None:
    assert (refused(b"CUFE\n\x81\x8d").code, refused(b"CUFE\n\x81\x8d").where) == ("csv-codificacion", "línea 2")
    assert refused(b"\xff\xfeC\x00U").code == "csv-utf16-danado"


@pytest.mark.parametrize(("codec", "program"), [("mac_roman", "Macintosh"), ("cp850", "MS-DOS"), ("cp437", "MS-DOS")])
@pytest.mark.parametrize("word", ["Anulación", "número", "devolvió", "cálculo", "año", "débito", "pasó"])
def test_letters_of_another_program_inside_of_words_are_refused_with_its_name(
    codec: str, program: str, word: str
) -> None:
    def look() -> None:
        text = decode(f"Motivo\nError {word} del cliente\n".encode(codec))
        text.refuse_foreign(enumerate(text.content.split("\n"), 1))

    if (codec, word) == ("mac_roman", "año"):  # – stands inside of Spanish texts too
        look()
        return
    with pytest.raises(InputRefused) as caught:
        look()
    assert (caught.value.code, caught.value.where) == ("csv-codificacion", "línea 2")
    assert program in caught.value.message
    assert "«" in caught.value.message.partition(":")[2]


@pytest.mark.parametrize(
    "text",
    ["Devolución — total", "¡Error! del cliente", "O’Neil y Peña", "5 £ de más", "Niño único, ¿está?", "ABADÍA MUÑOZ"],
)
def test_spanish_of_windows_is_not_called_foreign(text: str) -> None:
    found = decode(f"Motivo\n{text}\n".encode("cp1252"))
    found.refuse_foreign(enumerate(found.content.split("\n"), 1))
    assert "Revise estas palabras: «" in found.notes[0]


def test_the_list_of_words_to_look_at_is_never_empty() -> None:
    assert "«—»" in decode("Motivo\nuno — dos\n".encode("cp1252")).notes[0]
