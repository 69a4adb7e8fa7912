"""Documents of the sandbox over time. Pure: no I/O, no clock; every call receives the time.

A document is created by the first POST of its CUFE, or earlier when it is registered as alive or cancelled. Times
are aware; the same calls with the same times always give the same answers, so the journal can be replayed.
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
    """State of a document that was registered before any POST."""

    ALIVE = "alive"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Document:
    """Document of one CUFE as eDoc has it, with request counts."""

    cufe: Cufe
    #: scenario for the next POST
    upcoming: Scenario
    registered: Registered | None = None
    #: scenario of the last POST that eDoc accepted
    current: Scenario | None = None
    #: when that POST was received
    received: datetime | None = None
    posts: int = 0
    #: POSTs that eDoc accepted; more than one means that the cancellation was applied twice
    taken: int = 0
    #: POSTs answered "an event exists already"
    repeated: int = 0
    queries: int = 0
    steps: int = field(default=0, repr=False)

    def age(self, now: datetime) -> float:
        """Seconds since the POST that eDoc accepted; never below zero."""
        return max(0.0, (now - self.received).total_seconds()) if self.received else 0.0

    def known(self, now: datetime) -> bool:
        """Whether that POST has arrived at eDoc."""
        arrives = self.current.arrives if self.current else None
        return arrives is not None and self.age(now) >= arrives

    def authorised(self, now: datetime) -> datetime | None:
        """When the authority cancelled the invoice; None while it has not."""
        cancels = self.current.cancels if self.current else None
        if self.received is None or cancels is None or self.age(now) < cancels:
            return None
        return self.received + timedelta(seconds=cancels)

    def cancelled(self, now: datetime) -> bool:
        """The truth, whatever was answered."""
        return self.registered is Registered.CANCELLED or self.authorised(now) is not None


class Book:
    """All documents, by CUFE or by the key of a status query (edoc-api.md 4)."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._by_key: dict[Key, str] = {}

    def __iter__(self) -> Iterator[Document]:
        return iter(self._documents.values())

    def find(self, cufe: str) -> Document | None:
        """The document of a CUFE, if there is one."""
        return self._documents.get(cufe)

    def register(self, cufe: Cufe, status: Registered) -> None:
        """Makes a document known before any POST, alive or cancelled."""
        self._document(cufe).registered = status

    def choose(self, cufe: Cufe, code: str) -> None:
        """Sets scenario ``code`` for the next POST of ``cufe``. Raises ``KeyError`` for an unknown code."""
        self._document(cufe).upcoming = SCENARIOS[code]

    def cancel(self, cufe: Cufe, now: datetime) -> Reply:
        """Handles a POST to ``Anulacion`` with valid form and token."""
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
        """Handles a status query; the parameters are those of edoc-api.md 4, compared exactly."""
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
    """What a status query sends instead of the CUFE: RUC, document type, branch, point, number."""
    return (cufe.ruc, cufe.document_type, cufe.branch, cufe.point, cufe.number)


def _repetition(document: Document, now: datetime) -> Answer | None:
    """The answer to a POST for an invoice that already has its event; None for every other POST."""
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
    """The answer of a query now; None when eDoc does not know the document."""
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
