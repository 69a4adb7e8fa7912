"""Questions about a file that a person at the terminal answers: which sheet, which column; and what is remembered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.cli.context import Talk
from pipeline.domain.errors import Interrupted

if TYPE_CHECKING:
    from pipeline.domain.errors import Choice, InputRefused
    from pipeline.read.sheet import Sheet
    from pipeline.settings.column_answers import Answered
    from pipeline.settings.model import Settings

SAID, ANSWERED, REMEMBERED = "said", "answered", "remembered"
_EXAMPLE = 60


@dataclass(frozen=True)
class Wish:
    """How the files of one command are to be read, as the person said; ``asks``: she is there to be asked."""

    sheet: str
    columns: str
    include_hidden: bool
    asks: bool
    #: where ``columns`` come from: ``SAID`` with the command, ``ANSWERED`` just now, ``REMEMBERED``; empty without
    source: str = ""
    #: the day of an answer that is remembered
    since: str = ""
    #: whether the answer counts for this file alone
    once: bool = False
    #: whether it was asked which column holds the addresses
    mail_asked: bool = False
    #: by SHA-256 of a file, what was answered about its columns and is not remembered yet
    answers: dict[str, Answered] = field(default_factory=dict)

    @classmethod
    def of(cls, sheet: str, columns: str, include_hidden: bool, *, asks: bool) -> Wish:
        """What was said with the command."""
        return cls(sheet, columns, include_hidden, asks, SAID if columns.strip() else "")

    def but(self, choice: Choice) -> Wish:
        """The wish with one more answer."""
        wish = replace(self, sheet=choice.sheet or self.sheet, once=self.once or choice.of_this_file)
        wish = replace(wish, include_hidden=wish.include_hidden or choice.include_hidden)
        return replace(wish, columns=choice.columns, source=ANSWERED) if choice.columns else wish

    def recalling(self, answer: Answered, letters: Sequence[str]) -> Wish:
        """The wish with what was answered for a table whose headings have these ``letters``."""
        from pipeline.read.given import said_columns

        columns = said_columns({role: letters[place] for role, place in answer.roles.items()})
        return replace(self, columns=columns, source=REMEMBERED, since=f"{answer.on:%d/%m/%Y}")


def chosen(file: Path, question: str, choices: Sequence[Choice], talk: Talk) -> Choice | None:
    """What the person answers to the ``question`` about ``file``; None for no answer."""
    talk.err.print(f"{file.name}: {question}", markup=False)
    for number, choice in enumerate(choices, start=1):
        talk.err.print(f"  {number}. {choice.words}", markup=False)
    typed = typer.prompt("Escriba el número (otra cosa cancela)", default="", show_default=False, err=True).strip()
    numbers = [str(number) for number in range(1, len(choices) + 1)]
    return choices[int(typed) - 1] if typed in numbers else None


def whole_names(files: Sequence[Path], command: str, talk: Talk, *, asks: bool) -> list[Path]:
    """``files`` with names that came in parts, because of their blanks, put together: a person says so, or types it
    again. Raises ``InputRefused`` with the right command where nobody is asked or says no."""
    from pipeline.cli.inputs import refusal_data
    from pipeline.domain.commands import order
    from pipeline.domain.errors import Choice
    from pipeline.domain.problems import refused

    whole = _joined(files)
    for file in whole:
        if file in files:
            continue
        question = "el nombre tiene espacios y llegó en varias partes. ¿Es este el archivo?"
        if asks and chosen(file, question, [Choice(f"Sí, es «{file}»")], talk) is not None:
            continue
        again = order("check", *whole) if command == "check" else order("run", *whole)
        refusal = refused("archivo-con-espacios", name=str(file), order=again)
        talk.data([refusal_data(file, refusal)])
        raise refusal
    return whole


def _joined(files: Sequence[Path]) -> list[Path]:
    """``files``, where neighbours of which one does not exist are one name, if that exists."""
    if all(file.exists() for file in files):
        return list(files)
    for first in range(len(files)):
        for after in range(len(files), first + 1, -1):
            parts = files[first:after]
            name = Path(" ".join(map(str, parts)))
            if name.is_file() and not all(part.is_file() for part in parts):
                return [*files[:first], name, *_joined(files[after:])]
    return list(files)


def recalled(refusal: InputRefused, wish: Wish, settings: Settings) -> Wish | None:
    """The wish with the answer that is remembered for the headings of a refused file; None when there is none.

    Only where a person sees the plan, and what the answer came to, before anything is sent.
    """
    if not (wish.asks and refusal.headings) or wish.columns:
        return None
    own = _own(refusal.headings)
    answer = _answer([heading for _, heading in own], settings)
    return wish.recalling(answer, [letters for letters, _ in own]) if answer is not None else None


def about_mail(file: Path, found: Sheet, wish: Wish, settings: Settings, talk: Talk) -> Wish | None:
    """The wish after the question which column holds the addresses, where one only resembles it; None for as it is.

    Raises ``Interrupted`` for no answer.
    """
    from pipeline.domain.columns import seems
    from pipeline.domain.errors import Choice
    from pipeline.domain.problems import shorten
    from pipeline.domain.records import column_letters
    from pipeline.read.given import said_columns

    alike = [place for place, heading in enumerate(found.headings) if seems(heading) == "email"]
    if "email" in found.roles or not alike or not wish.asks or wish.mail_asked or wish.source in (SAID, REMEMBERED):
        return None
    letters = [column_letters(column) for column in found.columns]
    own = _own(zip(letters, found.headings, strict=True))
    if not wish.source and (answer := _answer([heading for _, heading in own], settings)) is not None:
        return wish.recalling(answer, [one for one, _ in own]) if "email" in answer.roles else None
    roles = {role: letters[place] for role, place in found.roles.items()}

    def one(place: int) -> Choice:
        values = [text for value in found.cells[place].tolist() if (text := str(value or "").strip())]
        example = f" (por ejemplo «{shorten(values[0], _EXAMPLE)}»)" if values else " (sin datos)"
        words = f"Correo ← {letters[place]} «{found.headings[place].strip()}»{example}"
        return Choice(words, columns=said_columns({**roles, "email": letters[place]}))

    none = Choice("Ninguna: no se usan esas direcciones", columns=said_columns(roles))
    question = "¿Qué columna trae el correo al que eDoc avisa al cliente? Ningún título lo dice con claridad."
    choice = chosen(file, question, [*map(one, alike), none], talk)
    if choice is None:
        raise Interrupted("No se envió nada: usted no eligió la columna del correo.", code="not-approved")
    return replace(wish.but(choice), mail_asked=True)


def noted(found: Sheet, wish: Wish) -> Sheet:
    """``found`` with a note, for the plan and the workbook, on columns that a person chose."""
    from pipeline.read.given import said_note

    notes = {
        SAID: said_note(wish.columns),
        ANSWERED: f"Las columnas son las que usted eligió: {wish.columns}.",
        REMEMBERED: f"Las columnas son las que usted eligió el {wish.since} para estos mismos títulos: {wish.columns}. "
        "Si ahora son otras, indíquelas con --columns.",
    }
    return replace(found, notes=(*found.notes, notes[wish.source])) if wish.source else found


def keep(found: Sheet, wish: Wish, settings: Settings) -> None:
    """Keeps an answer about the columns of ``found`` until it proves right: a wrong one is not to be remembered."""
    from pipeline.domain.columns import key_of

    # Under «Razón» one file has reasons and the next one names of companies: that is asked every time.
    if wish.source != ANSWERED or wish.once or key_of(found.heading("reason")) == "razon":
        return
    from pipeline.domain.deadline import PANAMA
    from pipeline.settings import column_answers
    from pipeline.wiring.rules import make_clock

    letters = [str(place) for place in range(len(found.headings))]
    own = _own(zip(letters, found.headings, strict=True))
    places = {int(letter): number for number, (letter, _) in enumerate(own)}
    if not set(found.roles.values()) <= places.keys():
        return  # a column without a heading
    roles = {role: places[place] for role, place in found.roles.items()}
    today = make_clock(settings).now().astimezone(PANAMA).date()
    answer = column_answers.Answered(settings.profile, tuple(heading for _, heading in own), roles, today)
    wish.answers[found.sha256] = answer


def remember(sha256: str, wish: Wish, talk: Talk) -> None:
    """Remembers what was answered about a file that passed, or that a person approved, for the company's next file with
    the same headings; a warning where that does not work."""
    from pipeline.runtime.os_error import os_words
    from pipeline.settings import column_answers

    answer = wish.answers.pop(sha256, None)
    if answer is None:
        return
    path = column_answers.answers_path()
    try:
        column_answers.remember(path, answer)
    except (OSError, column_answers.NotUnderstood) as error:
        why = os_words(error) if isinstance(error, OSError) else "no se entiende lo que contiene"
        talk.progress.warn(f"No se pudo guardar la respuesta en {path}: {why}. Se volverá a preguntar.")
        return
    talk.err.print(f"La respuesta vale también para los próximos archivos con estos títulos ({path}).", markup=False)


def _answer(headings: Sequence[str], settings: Settings) -> Answered | None:
    from pipeline.settings import column_answers

    return column_answers.recalled(column_answers.answers_path(), settings.profile, headings)


def _own(headings: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headings that are the person's own, with their letters: a workbook of ours has hers and others."""
    from pipeline.domain.columns import PLACE_COLUMN, REASONS_COLUMN, added_columns, key_of

    every = list(headings)
    added = set(added_columns([heading for _, heading in every]).values())
    ours = {"", key_of(PLACE_COLUMN), key_of(REASONS_COLUMN)}
    return [one for place, one in enumerate(every) if place not in added and key_of(one[1]) not in ours]
