"""Choices of columns that a person at a terminal is offered: each with its letter, its heading and an example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.domain.columns import LABELS, PLACE_COLUMN, key_of, seems
from pipeline.domain.errors import Choice, InputRefused
from pipeline.domain.pasted import has_shape
from pipeline.domain.problems import shorten
from pipeline.domain.records import column_letters
from pipeline.read.given import Given, said_columns

_MOST = 20
_HEADING, _EXAMPLE = 40, 60


@dataclass(frozen=True, slots=True)
class Titles:
    """The headings of a table, and the first of its rows."""

    #: those of the person's own columns
    headings: Sequence[str]
    #: the 0-based column of each
    kept: Sequence[int]
    #: rows below, as texts, each as wide as the file
    below: Sequence[Sequence[str]]

    def free(self, roles: Mapping[str, int]) -> list[int]:
        """The indexes of the headings that no role has, and that are not ours."""
        ours = {"", key_of(PLACE_COLUMN)}
        headed = [place for place, heading in enumerate(self.headings) if key_of(heading) not in ours]
        return [place for place in headed if place not in roles.values()]

    def values(self, place: int) -> list[str]:
        """The first values of a column that are not blank."""
        column = self.kept[place]
        texts = [" ".join(row[column].split()) for row in self.below if column < len(row)]
        return [text for text in texts if text]


def offered(refusal: InputRefused, role: str, places: Sequence[int], titles: Titles, given: Given) -> InputRefused:
    """``refusal`` with the choices of a column for ``role`` among ``places``: those with codes for the CUFE, the others
    for the rest, and for the reason none that holds only numbers or dates; what resembles that column comes first.
    ``given`` goes with each choice."""
    coded = [place for place in places if any(map(has_shape, titles.values(place)))]
    fits = coded if role == "cufe" else [place for place in places if place not in coded]
    if role == "reason":
        fits = [place for place in fits if _in_words(titles.values(place))] or fits
    likely = sorted(fits, key=lambda place: seems(titles.headings[place]) != role)
    choices = [choice(role, place, titles, given) for place in likely[:_MOST]]
    return refusal.offering(choices, [*zip(map(column_letters, titles.kept), titles.headings, strict=True)])


def choice(role: str, place: int, titles: Titles, given: Given) -> Choice:
    """One column as the answer: ``Motivo ← H «Concepto» (por ejemplo «Factura repetida»)``."""
    letters, heading = column_letters(titles.kept[place]), shorten(titles.headings[place].strip(), _HEADING)
    values = titles.values(place)
    example = f"por ejemplo «{shorten(values[0], _EXAMPLE)}»" if values else "sin datos en las primeras filas"
    words = f"{LABELS[role]} ← {letters} «{heading}» ({example})"
    return Choice(words, columns=said_columns({**given, role: letters}))


def _in_words(values: Sequence[str]) -> bool:
    """Whether one of ``values`` has a letter; without any values it is not known."""
    return not values or any(letter.isalpha() for value in values for letter in value)
