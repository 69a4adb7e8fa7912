"""The terminal shows what files and servers said and obeys none of it."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from pipeline.cli.console import PlainConsole, counts, facts, listing, say_error
from pipeline.domain.problems import refused
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


def test_an_escape_sequence_is_shown_beside_our_own_colours() -> None:
    stream = io.StringIO()
    out = PlainConsole(file=stream, force_terminal=True, color_system="truecolor", width=200, highlight=False)
    out.print("[red]rojo[/] \x1b[32mverde")
    assert stream.getvalue() == "\x1b[31mrojo\x1b[0m ␛[32mverde\n"
