"""`anular find`: what became of an invoice or a file, for who has a code, a number or a name in hand."""

from __future__ import annotations

import pytest


@pytest.fixture
def sent(place):
    """A batch of two: the first was cancelled, the second is an error of eDoc."""
    place.sent = place.batch(["000", "920"])
    done = place.anular("run", place.sent, "--yes", "--json", ANULAR_POLL_FOR="1")
    place.batch_id = done.data[0]["batch"]
    place.before = place.folder.joinpath("ledger", "registro.db").read_bytes()
    return place


def test_a_code_says_where_when_what_and_what_to_do(sent, cufe):
    told = sent.anular("find", cufe(1, "000"))

    assert told.code == 0
    for words in (
        sent.batch_id,
        "lote.xlsx · Hoja1, fila 2",
        "ANULADA",
        "Qué hacer",
        "20/11/2026",
        "Anulación confirmada",
    ):
        assert words in told.out
    assert "fila 3" not in told.out


def test_it_is_found_however_it_was_pasted_and_by_number(sent, cufe):
    code = cufe(1, "000")
    link = f"https://dgi-fep.mef.gob.pa/Consultas/FacturasPorQR?chFE={code}&iAmb=2&digestValue=x=&jwt=y"
    for text in (code.lower(), code.replace("-", ""), link, "1", "0000000001", "Factura No. 1"):
        (row,) = sent.anular("find", text, "--json").data["rows"]
        assert (row["cufe"], row["outcome"], row["batch"], row["line"]) == (code, "ANULADA", sent.batch_id, 2)
    (row,) = sent.anular("find", code[:30], code[30:50], code[50:], "--json").data["rows"]
    assert row["events"][-1]["words"] == "Anulación confirmada"


@pytest.mark.long
def test_a_file_is_found_by_name_path_content_batch_or_workbook(sent):
    renamed = sent.sent.rename(sent.folder / "otro nombre.xlsx")
    book = next((sent.folder / "out").glob("*__resultados.xlsx"))
    sha = sent.anular("status", "--json").data[0]["sha256"]
    for text in ("lote.xlsx", "LOTE", renamed, book, book.name, sent.batch_id, sha, sha[:8], "/no/esta/lote.xlsx"):
        (batch,) = sent.anular("find", text, "--json").data["batches"]
        assert (batch["batch"], batch["workbook"]) == (sent.batch_id, str(book))
    assert "Qué hacer" in sent.anular("find", "lote").out


def test_what_is_not_there_is_said_with_what_was_looked_for_and_what_could_be_tried(sent, cufe):
    missing = sent.anular("find", "99", "--json")

    assert (missing.code, missing.data["rows"], missing.data["looked_for"]) == (2, [], ["number", "batch", "file"])
    assert "número de documento" in missing.err
    assert "[not-found]" in missing.err
    assert "anular status" in missing.err
    assert "incompleto" in sent.anular("find", cufe(1, "000")[:50]).err
    assert missing.code == sent.anular("status", "no-hay").code


@pytest.mark.parametrize("text", ["", "  ", "''"])
def test_an_empty_text_finds_nothing_and_says_what_to_write(place, text):
    done = place.anular("find", text)

    assert (done.code, "[nothing-to-find]" in done.err) == (2, True)


def test_without_a_text_the_command_says_what_is_missing(place):
    done = place.anular("find")

    assert (done.code, "Falta indicar TEXTO" in done.err) == (2, True)


def test_looking_makes_no_ledger_and_changes_none(place, cufe):
    done = place.anular("find", cufe(1, "000"))

    assert (done.code, "Todavía no hay historial" in done.err) == (2, True)
    assert not (place.folder / "ledger").exists()


def test_a_found_row_leaves_the_ledger_as_it_was(sent, cufe):
    sent.anular("find", cufe(1, "000"))
    sent.anular("find", "lote.xlsx")

    assert sent.folder.joinpath("ledger", "registro.db").read_bytes() == sent.before


def test_what_is_in_another_environment_is_said(sent, cufe):
    done = sent.anular("find", cufe(1, "000"), ANULAR_ENV="lab", ANULAR_ISSUERS="29-29-29", ANULAR_SANDBOX_NOW="")

    assert (done.code, "ambiente «sandbox»" in done.err) == (2, True)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("text", [".", "/", "\x1b[2J", "../../etc/passwd", "a" * 5000, "%", "_", "' OR 1=1 --"])
def test_odd_texts_are_one_sentence(sent, text):
    done = sent.anular("find", text)

    assert (done.code, "Traceback" in done.words, "\x1b[2J" in done.words) == (2, False, False)
