"""Clean rows: finds, a whole column at a time, the rows that need no remark; most rows are clean.

``check.py`` makes records of these directly and checks all others one by one. A row with any possible remark is left
out here. One row too few only costs time; a property test makes sure that there is none too many.
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
from pipeline.domain.eligibility import Eligibility
from pipeline.domain.fields import canonical_email, canonical_reason, reason_doubt
from pipeline.domain.pasted import CANONICAL, unpaste
from schemas.input import failing

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Texts:
    """The role columns, a value per row."""

    #: line of each row
    lines: list[int]
    #: codes as they are in the file
    received: list[str]
    #: reasons as they are in the cells
    written: list[str]
    #: codes, canonical; ``reasons`` and ``emails`` likewise
    cufes: list[str]
    reasons: list[str]
    emails: list[str | None]
    #: by index of the row, in Spanish
    repairs: dict[int, tuple[str, ...]]

    def wrong(self, *, allow_bad_check_digit: bool) -> dict[str, set[int]]:
        """Runs the schema over all rows: for each column the indexes of the rows that fail."""
        columns = {"cufe": self.cufes, "reason": self.reasons, "email": [email or "" for email in self.emails]}
        return failing(pd.DataFrame(columns, dtype=object), allow_bad_check_digit=allow_bad_check_digit)


def texts_of(frame: pd.DataFrame, default_email: str | None) -> Texts:
    """The canonical texts of ``frame`` (columns ``cufe``, ``reason``, perhaps ``email``; its index is the lines).

    Repairs of codes are recorded. Equal reasons and addresses are processed once.
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
    """The clean rows."""

    #: indexes, ascending
    places: list[int]
    #: code of each
    cufes: list[str]
    #: deadline of each
    dues: list[Deadline]

    def only(self, kept: Iterable[bool]) -> Plain:
        """Those for which ``kept`` is True."""
        chosen = list(kept)
        places, cufes, dues = compress(self.places, chosen), compress(self.cufes, chosen), compress(self.dues, chosen)
        return Plain(list(places), list(cufes), list(dues))


def plain(texts: Texts, others: Set[int], lines: Set[int], standing: Eligibility) -> Plain:
    """The rows that are valid, without a remark, and alone with their code in this file.

    ``others`` are indexes of rows that failed the schema, ``lines`` those of rows with more than plain values.
    """
    left = {*others, *texts.repairs}
    if lines:
        left |= _places(texts.lines, lines)
    if doubtful := {written for written in set(texts.written) if reason_doubt(written) is not None}:
        left |= _places(texts.written, doubtful)
    documents = list(map(document_of, texts.cufes))
    if len(set(documents)) < len(documents):  # the same code twice is also the same document twice
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
    """Indexes in ``values`` of the texts in ``wanted``."""
    return {place for place, value in enumerate(values) if value in wanted}
