"""The terminal shows what files and servers said and obeys none of it."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from pipeline.cli.console import PlainConsole, Terminal, Ticker, broken, counts, facts, listing, make_console, say_error
from pipeline.domain.outcomes import Outcome
from pipeline.domain.problems import refused
from pipeline.run.progress import waiting_words
from tests.support.hostile import HOSTILE

OURS = re.compile(r"\x1b\[[0-9;]*m")  # colours are the only sequences that these functions send by themselves


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("text", [text[:200] for text in HOSTILE], ids=lambda text: ascii(text[:20]))
def test_no_text_acts_on_the_terminal_or_begins_a_line_of_its_own(text: str, terminal: bool) -> None:
    stream = io.StringIO()
    known: dict[str, Any] = {"force_terminal": terminal, "color_system": "truecolor" if terminal else None}
    out = PlainConsole(file=stream, width=2000, highlight=False, **known)
    say_error(out, refused("archivo-no-existe", name=text))
    facts(out, "Lote", [("archivo", text)])
    listing(out, "Notas", [text])
    counts(out, "Resultados", {text.replace("\n", ""): 3})
    out.print(text, markup=False)
    said = stream.getvalue()
    said.encode()
    rest = OURS.sub("", said) if terminal else said
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", rest)
    first, *_ = rest.splitlines()
    assert first.startswith("✗ No existe el archivo «")
    assert first.endswith("[archivo-no-existe]")


def test_a_name_between_colons_stays_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    out = make_console(stderr=False)
    facts(out, "Lote :x:", [("archivo", "caja:key:.xlsx")])
    out.print("caja:key:.xlsx", markup=False)
    told = capsys.readouterr().out
    assert (told.count("caja:key:.xlsx"), told.count("Lote :x:")) == (2, 1)


def test_an_escape_sequence_is_shown_beside_our_own_colours() -> None:
    stream = io.StringIO()
    out = PlainConsole(file=stream, force_terminal=True, color_system="truecolor", width=200, highlight=False)
    out.print("[red]rojo[/] \x1b[32mverde")
    assert stream.getvalue() == "\x1b[31mrojo\x1b[0m ␛[32mverde\n"


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def on_a_pipe(width: int = 120) -> tuple[PlainConsole, io.StringIO]:
    stream = io.StringIO()
    return PlainConsole(file=stream, width=width, highlight=False, soft_wrap=True), stream


def busy(ticker: Ticker, rows: int) -> None:
    """Rows with every outcome there is, the most of them ``ANULADA``."""
    for word in Outcome:
        ticker.moved(word.value)
    for _ in range(rows):
        ticker.moved(Outcome.CANCELLED.value)


@pytest.mark.parametrize("most", [None, 300.0, 90_000.0])
@pytest.mark.parametrize("title", ["Enviando", "Consultando"])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_of_progress_is_longer_than_the_terminal(title: str, most: float | None, width: int) -> None:
    out, clock = on_a_pipe()[0], Seconds()
    ticker = Ticker(out, title, 100_000, most, clock)
    for _ in range(3):
        clock.now += 1234.5
        busy(ticker, 9_000)
        assert max(map(len, [*ticker.lines(width), ticker.line(width)])) <= width


def test_the_outcomes_with_most_rows_are_shown_and_a_sign_says_that_there_are_more() -> None:
    clock = Seconds()
    ticker = Ticker(on_a_pipe()[0], "Enviando", 2_000, None, clock)
    clock.now = 100.0
    busy(ticker, 999)

    bar, outcomes = ticker.lines(80)[0], ticker.lines(40)[1]
    assert bar == f"Enviando {'━' * 11}{'─' * 11} 1,015/2,000 · 10.2 facturas/s, faltan 1 min 37 s"
    assert outcomes.startswith("  ANULADA 1,000, ")
    assert outcomes.endswith(", …")


def test_a_long_wait_is_told_in_minutes_though_nearly_all_rows_moved_at_once() -> None:
    """One row is left of a hundred and the others took a second: by their pace there would be nothing to wait for."""
    clock = Seconds()
    ticker = Ticker(on_a_pipe()[0], "Consultando", 100, 300, clock)
    clock.now = 50.0
    for _ in range(99):
        ticker.moved("ANULADA")

    assert "faltan 4 min 10 s" in ticker.lines(80)[0]
    assert "faltan 4 min 10 s" in ticker.line(80)


def test_before_the_first_row_moved_no_time_is_told() -> None:
    assert Ticker(on_a_pipe()[0], "Enviando", 100, None, Seconds()).line(80) == "Enviando: 0/100"


def test_on_a_pipe_there_is_a_line_every_few_seconds_also_while_no_row_moves() -> None:
    (out, stream), clock = on_a_pipe(), Seconds()
    ticker = Ticker(out, "Consultando", 2, 300, clock)
    for second in range(31):
        clock.now = float(second)
        ticker.beat()

    assert len(stream.getvalue().splitlines()) == 6
    assert stream.getvalue().splitlines()[-1] == "Consultando: 0/2 · faltan 4 min 30 s como máximo"


def test_on_a_pipe_the_end_of_a_phase_is_one_line() -> None:
    out, stream = on_a_pipe()
    with Terminal(out).phase("Enviando", 2) as moved:
        moved("ANULADA")
        moved("PENDIENTE")

    assert stream.getvalue() == "Enviando: 2/2 · ANULADA 1, PENDIENTE 1\n"


def test_on_a_terminal_of_80_columns_nothing_is_longer() -> None:
    stream = io.StringIO()
    out = PlainConsole(file=stream, width=80, highlight=False, force_terminal=True, color_system=None)
    shown = Terminal(out)
    shown.say(waiting_words(20, 18, 250, 1))
    with shown.phase("Consultando", 38, 250) as moved:
        for word in Outcome:
            moved(word.value)

    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue()).replace("\r", "\n").splitlines()
    assert "Esperando a la DGI por 20 facturas y consultando 18 más en eDoc, hasta 4 min 10" in lines[0]
    assert any(line.startswith("Consultando ━") for line in lines)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", [30, 80, 100])
def test_a_sentence_is_parted_where_a_thought_ends(width: int) -> None:
    words = waiting_words(1, 0, 300, 1)
    lines = broken(words, width)

    assert " ".join(lines) == words
    assert max(map(len, lines)) <= width
    if width == 80:
        assert lines[1] == "puede cerrar: el libro ya está escrito"
