"""Remembered answers: which column is which in a table with these very headings, per company (interface.md 4).

``columns.toml`` beside the settings file; a person may read it, change it or delete it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.runtime.atomic_file import replace_file
from pipeline.settings.load import config_path

NAME = "columns.toml"
MOST = 200
"""Answers that are kept; the oldest go first."""

_ROLES = ("cufe", "reason", "email")
_HEAD = """\
# Qué columna es cada una, según lo que se contestó al programa para unos títulos determinados. Se puede borrar: el
# programa vuelve a preguntar. Los números cuentan los títulos desde 1.
"""
_ESCAPED = re.compile(r'[\x00-\x1f\x7f"\\]')
_HALF = re.compile(r"[\ud800-\udfff]")


class NotUnderstood(Exception):
    """A file that is no file of answers, or headings that it cannot hold."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered for one row of headings."""

    #: the profile; empty without one
    company: str
    headings: tuple[str, ...]
    #: by role, the index of its heading; without ``email`` no column is used for it
    roles: dict[str, int]
    on: date


def answers_path() -> Path:
    return config_path().with_name(NAME)


def recalled(path: Path, company: str, headings: Sequence[str]) -> Answered | None:
    """The answer for exactly these headings, and no others; None when there is none or the file cannot be read."""
    try:
        answers = _read(path)
    except (OSError, NotUnderstood):
        return None
    same = [one for one in answers if one.company == company and one.headings == tuple(headings)]
    return same[-1] if same else None


def remember(path: Path, answer: Answered) -> None:
    """Adds ``answer``, in place of an earlier one for the same headings. Raises ``OSError``.

    A file that is not understood is left as it is, with ``NotUnderstood``: a person may have written in it.
    """
    if any(map(_HALF.search, answer.headings)):
        raise NotUnderstood
    try:
        answers = _read(path)
    except FileNotFoundError:
        answers = []
    others = [one for one in answers if (one.company, one.headings) != (answer.company, answer.headings)]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_file(path, _written([*others, answer][-MOST:]).encode(), sync=True)


def _read(path: Path) -> list[Answered]:
    """The answers of a file. Raises ``OSError``, and ``NotUnderstood``."""
    text = path.read_bytes()
    try:
        return [_answer(one) for one in tomllib.loads(text.decode()).get("answer", [])]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NotUnderstood from error


def _answer(said: Mapping[str, Any]) -> Answered:
    headings = tuple(said["headings"])
    roles = {role: said[role] - 1 for role in _ROLES if role in said}
    good = {"cufe", "reason"} <= roles.keys() and len(set(roles.values())) == len(roles)
    texts = isinstance(said["company"], str) and all(isinstance(heading, str) for heading in headings)
    inside = all(0 <= place < len(headings) for place in roles.values())
    if not (good and texts and inside and type(said["on"]) is date):
        raise NotUnderstood
    return Answered(said["company"], headings, roles, said["on"])


def _written(answers: Sequence[Answered]) -> str:
    parts = [_HEAD]
    for one in answers:
        headings = ", ".join(map(_text, one.headings))
        places = "".join(f"{role} = {one.roles[role] + 1}\n" for role in _ROLES if role in one.roles)
        parts.append(
            f"[[answer]]\ncompany = {_text(one.company)}\non = {one.on.isoformat()}\nheadings = [{headings}]\n{places}"
        )
    return "\n".join(parts)


def _text(value: str) -> str:
    """A TOML string."""
    return '"' + _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04X}", value) + '"'
