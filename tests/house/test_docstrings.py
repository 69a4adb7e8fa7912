"""The first line of a docstring says what a thing is, in the field's words, not who is told of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA_FLOW = re.compile(
    r"\b(told|tells?|hears?|heard|anew|whoever|nobody|everybody|somebody)\b|^(What happens|Who)\b", re.IGNORECASE
)
WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def first_lines() -> Iterator[tuple[str, str]]:
    """Place and first line of every docstring of the program; names in it (``anew``) are left out."""
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, WITH_DOCSTRING) and (text := ast.get_docstring(node)):
                line = re.sub(r"``.*?``", "", text.split("\n")[0])
                yield f"{path.relative_to(ROOT)}: {getattr(node, 'name', 'module')}", line


def test_the_first_line_of_a_docstring_says_what_a_thing_is() -> None:
    found = list(first_lines())
    assert len(found) > 1000
    assert [(place, line) for place, line in found if DATA_FLOW.search(line)] == []
