"""The command given a file whose name, headings and cells want to act on the terminal."""

from __future__ import annotations

import re
from typing import Any

import pytest

ACTS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
RED, TURNED = "\x1b[31mrojo\x1b[0m", "\u202exslx"


@pytest.mark.parametrize("refused", [True, False])
def test_nothing_that_acts_reaches_the_terminal_or_the_json(place: Any, refused: bool) -> None:
    headings = [f"CUFE {RED}", "Motivo"] if refused else ["CUFE", "Motivo", f"Nota {TURNED}"]
    lines = [",".join(headings), f"FE01 {RED}{TURNED},motivo demasiado{RED}" + ("" if refused else ",x")]
    name = f"lote {RED} {TURNED}.csv"
    (place.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    for options in ([], ["--json"]):
        done = place.anular("check", name, *options)
        assert done.code == (3 if refused else 1)
        assert not ACTS.search(done.words)
        assert "rojo" in done.words
    (answer,) = done.data
    assert answer["file"].endswith(name)
