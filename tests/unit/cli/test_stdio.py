"""A screen that is full, gone, closed or knows no accents stops nobody (reliability.md F57)."""

from __future__ import annotations

import errno
import io
import sys

import pytest

from pipeline.cli.stdio import Outlet, outlets, output_lost


class Failing(io.StringIO):
    """Takes ``room`` writes, then fails with ``number``."""

    def __init__(self, number: int = errno.ENOSPC, room: int = 0) -> None:
        super().__init__()
        self.number, self.room = number, room

    def write(self, text: str) -> int:
        self.room -= 1
        if self.room < 0:
            raise OSError(self.number, "English words")
        return super().write(text)


class Buffered(io.StringIO):
    def flush(self) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_what_can_be_written_is_written():
    stream = io.StringIO()
    outlet = Outlet(stream)
    outlet.write("año\n")
    outlet.flush()

    assert stream.getvalue() == "año\n"
    assert outlet.lost is None
    assert output_lost(outlet, "") is None
    assert outlet.getvalue() == "año\n"  # everything else is the stream's own


def test_after_the_first_failure_nothing_is_tried_any_more():
    stream = Failing(room=1)
    outlet = Outlet(stream)
    for word in ("uno", "dos", "tres"):
        assert outlet.write(word) == len(word)
    outlet.flush()

    assert stream.getvalue() == "uno"
    assert stream.room == -1


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "el disco está lleno"),
        (errno.EPIPE, "nadie la está leyendo"),
        (errno.EIO, "error de escritura"),
        (errno.ENXIO, "English words"),
    ],
)
def test_what_was_lost_is_said_in_one_sentence(number, words):
    outlet = Outlet(Failing(number))
    outlet.write("plan")
    trouble = output_lost(outlet, "No se envió nada.")

    assert trouble is not None
    assert (trouble.exit_code, trouble.code) == (5, "output")
    assert trouble.sentence == f"No se pudo escribir la salida del programa ({words}). No se envió nada."


def test_a_buffer_that_cannot_be_emptied_counts_as_lost():
    outlet = Outlet(Buffered())
    outlet.write("palabra")
    outlet.flush()
    outlet.flush()

    assert isinstance(outlet.lost, BrokenPipeError)


def test_a_terminal_without_accents_gets_them_spelled_out():
    raw = io.BytesIO()
    outlet = Outlet(io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    outlet.write("✗ año\n")

    assert raw.getvalue() == b"\\u2717 a\\xf1o\n"
    assert outlet.lost is None


def test_a_sign_that_a_terminal_lacks_leaves_the_accents_as_they_are():
    raw = io.BytesIO()
    outlet = Outlet(io.TextIOWrapper(raw, encoding="cp1252", write_through=True))
    outlet.write("✗ Historial íntegro\n")

    assert raw.getvalue() == "\\u2717 Historial íntegro\n".encode("cp1252")


def test_what_is_no_terminal_gets_utf_8_whatever_the_page_of_the_system(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="cp1252", write_through=True))
    with outlets():
        print("✓ Historial íntegro")  # noqa: T201

    assert raw.getvalue().decode("utf-8") == "✓ Historial íntegro\n"


def test_a_terminal_keeps_its_own_encoding(monkeypatch):
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(raw, encoding="cp1252", write_through=True))
    with outlets():
        print("íntegro")  # noqa: T201

    assert raw.getvalue() == "íntegro\n".encode("cp1252")


def test_streams_are_put_back_and_emptied(monkeypatch):
    first, second = io.StringIO(), Failing()
    monkeypatch.setattr(sys, "stdout", first)
    monkeypatch.setattr(sys, "stderr", second)
    with outlets() as (out, err):
        print("dato")  # noqa: T201
        print("queja", file=sys.stderr)  # noqa: T201

    assert (sys.stdout, sys.stderr) == (first, second)
    assert first.getvalue() == "dato\n"
    assert (out.lost, err.lost is None) == (None, False)


def test_a_stream_that_was_closed_before_the_start_counts_as_lost(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with outlets() as (out, _):
        print("dato")  # noqa: T201

    trouble = output_lost(out, "")
    assert trouble is not None
    assert "está cerrada" in trouble.sentence
