"""The documents of the sandbox as time passes. Pure: no I/O, no clock; every call is told the time.

A document comes into being with the first POST of its CUFE, or beforehand when somebody registers it as alive or
cancelled. Times are aware; the same calls with the same times always give the same answers, which is what makes
the journal replayable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from pipeline.domain.cufe import Cufe, check_digit
from pipeline.sandbox.answers import Answer, Reply, for_cancellation, for_query, marked
from pipeline.sandbox.scenarios import (
    ACCEPTED,
    ALIVE,
    CANCELLED,
    DUPLICATE,
    NOT_FOUND,
    SCENARIOS,
    Scenario,
    Seen,
    scenario_of,
)

ALREADY = Answer("15", dgi="0622", message="Ya existe un evento de anulación para esta factura.")
IN_PROGRESS = Answer("15", message="Devuelto por eDoc: ya existe un evento de anulación en trámite.")

Key = tuple[str, str, str, str, str]


class Registered(Enum):
    """What somebody said about a document before any POST."""

    ALIVE = "alive"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Document:
    """What eDoc knows about one CUFE, and how often it was asked."""

    cufe: Cufe
    upcoming: Scenario
    """What the next POST meets."""
    registered: Registered | None = None
    current: Scenario | None = None
    """What the last POST that eDoc took for its own met."""
    received: datetime | None = None
    """When that POST was received."""
    posts: int = 0
    taken: int = 0
    """POSTs that eDoc took for its own; more than one means that the cancellation was applied twice."""
    repeated: int = 0
    """POSTs answered "an event exists already"."""
    queries: int = 0
    steps: int = field(default=0, repr=False)

    def age(self, now: datetime) -> float:
        """Seconds since the POST that eDoc took for its own; below zero never."""
        return max(0.0, (now - self.received).total_seconds()) if self.received else 0.0

    def known(self, now: datetime) -> bool:
        """Whether that POST has arrived at eDoc by now."""
        arrives = self.current.arrives if self.current else None
        return arrives is not None and self.age(now) >= arrives

    def authorised(self, now: datetime) -> datetime | None:
        """When the invoice became cancelled at the authority; None while it is not."""
        cancels = self.current.cancels if self.current else None
        if self.received is None or cancels is None or self.age(now) < cancels:
            return None
        return self.received + timedelta(seconds=cancels)

    def cancelled(self, now: datetime) -> bool:
        """The truth, whatever was answered."""
        return self.registered is Registered.CANCELLED or self.authorised(now) is not None


class Book:
    """All documents, found by CUFE or by the key that a status query carries (edoc-api.md 4)."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._by_key: dict[Key, str] = {}

    def __iter__(self) -> Iterator[Document]:
        return iter(self._documents.values())

    def find(self, cufe: str) -> Document | None:
        """The document of a CUFE, if there was ever anything about it."""
        return self._documents.get(cufe)

    def register(self, cufe: Cufe, status: Registered) -> None:
        """Make a document known before any POST, alive or cancelled."""
        self._document(cufe).registered = status

    def choose(self, cufe: Cufe, code: str) -> None:
        """The next POST of ``cufe`` meets scenario ``code``. Raises ``KeyError`` for an unknown code."""
        self._document(cufe).upcoming = SCENARIOS[code]

    def cancel(self, cufe: Cufe, now: datetime) -> Reply:
        """A POST to ``Anulacion`` whose form and token were in order."""
        document = self._document(cufe)
        document.posts += 1
        if cufe.text[65] != check_digit(cufe.text):
            return marked(for_cancellation(NOT_FOUND, cufe, now, None), document.upcoming.code, processed=False)
        if (repetition := _repetition(document, now)) is not None:
            document.repeated += 1
            reply = for_cancellation(repetition, cufe, now, document.authorised(now))
            return marked(reply, DUPLICATE, processed=False)
        scenario = _met_by(document, now)
        document.upcoming = scenario if scenario.next_post == DUPLICATE else SCENARIOS[scenario.next_post]
        taken = scenario.arrives is not None
        if taken:
            document.current, document.received, document.steps = scenario, now, 0
            document.taken += 1
        reply = for_cancellation(scenario.answer, cufe, now, document.authorised(now) if taken else None)
        return marked(reply, scenario.code, processed=taken)

    def query(self, ruc: str, idoc: str, sucem: str, ptofacdf: str, ndf: str, now: datetime) -> Reply:
        """A status query; the parameters are those of edoc-api.md 4, compared as they stand."""
        document = self._documents.get(self._by_key.get((ruc, idoc, sucem, ptofacdf, ndf), ""))
        if document is None:
            return for_query(NOT_FOUND, None, now, None)
        document.queries += 1
        seen = _seen(document, now)
        if seen is None:
            return for_query(NOT_FOUND, None, now, None)
        reply = for_query(seen, document.cufe, now, document.authorised(now))
        scenario = document.current.code if document.current else "registered"
        return marked(reply, scenario, processed=False)

    def _document(self, cufe: Cufe) -> Document:
        document = self._documents.get(cufe.text)
        if document is None:
            document = self._documents[cufe.text] = Document(cufe, upcoming=scenario_of(cufe))
            self._by_key[key_of(cufe)] = cufe.text
        return document


def key_of(cufe: Cufe) -> Key:
    """What a status query names instead of the CUFE: RUC, document type, branch, point, number."""
    return (cufe.ruc, cufe.document_type, cufe.branch, cufe.point, cufe.number)


def _repetition(document: Document, now: datetime) -> Answer | None:
    """The answer to a POST whose invoice has its event already; None for every other POST."""
    if document.cancelled(now):
        return ALREADY
    if document.known(now) and document.current is not None and document.current.next_post == DUPLICATE:
        return IN_PROGRESS
    return None


def _met_by(document: Document, now: datetime) -> Scenario:
    """The scenario of this POST. One that overtakes a late delivery is new to eDoc: it is simply accepted."""
    overtakes = document.current is not None and not document.known(now)
    return ACCEPTED if overtakes else document.upcoming


def _seen(document: Document, now: datetime) -> Answer | None:
    """What a query shows now; None when eDoc does not know the document."""
    if document.current is not None and document.known(now):
        entries = document.current.seen
        if document.current.step_by_query:
            document.steps += 1
            return entries[min(document.steps, len(entries)) - 1].answer
        return _latest(entries, document.age(now))
    if document.registered is None:
        return None
    return CANCELLED if document.registered is Registered.CANCELLED else ALIVE


def _latest(entries: tuple[Seen, ...], age: float) -> Answer | None:
    reached = [entry.answer for entry in entries if entry.after <= age]
    return reached[-1] if reached else None
