"""Which rows need no words: whole columns at once find those of which there is nothing to say, as of most there is not.

``check.py`` makes records of these as they are and looks at all others one by one. Whatever there might be to say of a
row leaves it out here: one too few costs time and nothing else, and a property test keeps one too many out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import compress
from typing import TypeVar

import pandas as pd

from pipeline.domain.cufe import DAY, ENVIRONMENT, ISSUER, Cufe, document_of
from pipeline.domain.deadline import Deadline
from pipeline.domain.eligibility import Standing
from pipeline.domain.fields import canonical_email, canonical_reason, reason_doubt
from pipeline.domain.pasted import CANONICAL, unpaste
from schemas.input import failing

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Texts:
    """The role columns, a value per row: as they stand in the file, and canonical; ``repairs`` by place of the row."""

    lines: list[int]
    received: list[str]
    written: list[str]  # the reasons as they stand in the cells
    cufes: list[str]
    reasons: list[str]
    emails: list[str | None]
    repairs: dict[int, tuple[str, ...]]

    def wrong(self, *, allow_bad_check_digit: bool) -> dict[str, set[int]]:
        """Runs the schema over all rows: for each column the places of those that fail it."""
        columns = {"cufe": self.cufes, "reason": self.reasons, "email": [email or "" for email in self.emails]}
        return failing(pd.DataFrame(columns, dtype=object), allow_bad_check_digit=allow_bad_check_digit)


def texts_of(frame: pd.DataFrame, default_email: str | None) -> Texts:
    """The texts of ``frame`` (columns ``cufe``, ``reason``, perhaps ``email``; the index are lines) made canonical.

    What was mended in codes is noted. Equal reasons and addresses are worked on once.
    """
    received, written = frame["cufe"].tolist(), frame["reason"].tolist()
    addresses = frame["email"].tolist() if "email" in frame else [""] * len(received)
    cufes: list[str] = [*received]
    repairs: dict[int, tuple[str, ...]] = {}
    for place in [place for place, clean in enumerate(map(CANONICAL.fullmatch, received)) if clean is None]:
        pasted = unpaste(received[place])
        cufes[place] = pasted.text
        if pasted.what:
            repairs[place] = pasted.what
    reasons = {one: canonical_reason(one) for one in set(written)}
    emails = {one: canonical_email(one) or default_email for one in set(addresses)}
    return Texts(
        frame.index.tolist(),
        received,
        written,
        cufes,
        list(map(reasons.__getitem__, written)),
        list(map(emails.__getitem__, addresses)),
        repairs,
    )


@dataclass(frozen=True, slots=True)
class Plain:
    """The rows of which there is nothing to say: their places, ascending, their codes, and when each is due."""

    places: list[int]
    cufes: list[str]
    dues: list[Deadline]

    def only(self, kept: Iterable[bool]) -> Plain:
        """Those of them where ``kept`` says so."""
        chosen = list(kept)
        places, cufes, dues = compress(self.places, chosen), compress(self.cufes, chosen), compress(self.dues, chosen)
        return Plain(list(places), list(cufes), list(dues))


def plain(texts: Texts, others: Set[int], lines: Set[int], standing: Standing) -> Plain:
    """The rows that are right as they stand, without a remark, and alone with their code in this file.

    ``others`` are the places of rows that failed the schema, ``lines`` those of rows that are not only values.
    """
    left = {*others, *texts.repairs}
    if lines:
        left |= _places(texts.lines, lines)
    if doubtful := {written for written in set(texts.written) if reason_doubt(written) is not None}:
        left |= _places(texts.written, doubtful)
    documents = list(map(document_of, texts.cufes))
    if len(set(documents)) < len(documents):  # the same code twice is the same document twice
        left |= _places(documents, {one for one, times in Counter(documents).items() if times > 1})
    places = [place for place in range(len(texts.cufes)) if place not in left]
    cufes = list(map(texts.cufes.__getitem__, places))
    days = [cufe[DAY] for cufe in cufes]
    issuers = [cufe[ISSUER] + cufe[ENVIRONMENT] for cufe in cufes]
    dues = {day: standing.due(Cufe(cufe)) for day, cufe in dict(zip(days, cufes, strict=True)).items()}
    told = {day for day, due in dues.items() if any(standing.on_dates(*due))}
    one_of_each = dict(zip(issuers, cufes, strict=True))
    told |= {issuer for issuer, cufe in one_of_each.items() if any(standing.on_issuer(Cufe(cufe)))}
    found = Plain(places, cufes, [dues[day][1] for day in days])
    if not told:
        return found
    return found.only(day not in told and issuer not in told for day, issuer in zip(days, issuers, strict=True))


def _places(values: Sequence[_T], wanted: Set[_T]) -> set[int]:
    """Where in ``values`` one of ``wanted`` stands."""
    return {place for place, value in enumerate(values) if value in wanted}
