"""Sandbox service without HTTP: receives a request, writes the journal line, returns the reply.

Every request is in the journal before its answer leaves, and every change of a document can be replayed from it.
So a sandbox that was killed restores everything, including what became due in the meantime.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime

from pipeline.domain.cufe import Cufe
from pipeline.runtime.clock import Clock
from pipeline.sandbox import request_schema
from pipeline.sandbox.answers import Cut, Reply, from_fault, plain
from pipeline.sandbox.documents import Book, Registered
from pipeline.sandbox.faults import FAULTS, PAUSE, Fault, Gate, Route
from pipeline.sandbox.request_log import Entry, RequestLog
from pipeline.sandbox.tokens import CANCELLATION, QUERY, TokenIssuer, Verdict

MOST_NOTED = 4000
"""Most characters of an answer in the journal."""

UNWRITABLE = "El simulador no puede escribir su bitácora."

_LOG = logging.getLogger(__name__)
_SERVICE = {Route.CANCEL: CANCELLATION, Route.QUERY: QUERY}
_UNANSWERED = (Cut.CLOSE, Cut.RESET)
_METHOD = {Route.CANCEL: "POST", Route.QUERY: "POST", Route.TOKEN: "GET"}


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request that was received completely."""

    route: Route
    method: str
    path: str
    query: str = ""
    authorization: str | None = None
    content_type: str = ""
    body: bytes = b""


@dataclass(slots=True)
class _Notes:
    """The journal entry of a request, completed while it is answered."""

    cufe: str | None = None
    payload: dict[str, object] | None = None
    service: str | None = None
    auth: Verdict | None = None
    #: the user, once the authorization was valid
    user: str | None = None
    fault: str | None = None
    key: tuple[str, str, str, str, str] | None = None
    #: whether the request reached the book; only those are replayed
    reached: bool = False
    bug: str | None = None


class Sandbox:
    """One local eDoc: documents, tokens, faults, journal and its own time."""

    def __init__(
        self,
        clock: Clock,
        request_log: RequestLog,
        *,
        user: str = "sandbox",
        password: str = "sandbox",  # noqa: S107 - the sandbox's public credentials
        token_lifetime: timedelta = timedelta(hours=1),
        latency: timedelta = timedelta(0),
    ) -> None:
        """Replays ``request_log``. ``latency`` is added to every answer."""
        self.clock = clock
        self.request_log = request_log
        self.book = Book()
        self.desk = TokenIssuer(user, password, token_lifetime)
        self.gate = Gate()
        self.latency = latency
        self.received: Counter[str] = Counter()
        self._offset = timedelta(0)
        self._replay(request_log.entries())

    def now(self) -> datetime:
        """The sandbox's time: the clock's plus ``advance``; never before the last entry of the journal."""
        return self.clock.now() + self._offset

    def advance(self, by: timedelta) -> None:
        """Moves the sandbox's time, so that a test need not wait for a delayed scenario.

        Raises ``OverflowError`` for a time that does not exist.
        """
        self._offset = self.now() + by - self.clock.now()

    def handle(self, request: Incoming) -> Reply:
        """Answers ``request`` and records it.

        Once the journal cannot be written, every answer is 500 and nothing more is processed.
        """
        now, at = self.now(), self.clock.monotonic()
        if self.request_log.broken:
            return plain(500, UNWRITABLE, now)
        notes = _Notes()
        try:
            reply = self._answer(request, notes, now, at)
        except Exception as bug:
            _LOG.exception("the sandbox failed on %s %s", request.method, request.path)
            notes.bug, notes.reached = repr(bug), False
            reply = plain(500, "Fallo interno del simulador.", now)
        if reply.revokes_tokens:
            self.desk.revoke(_SERVICE.get(request.route))
        self.received[f"{request.route.value} {reply.status if reply.cut is None else reply.cut.value}"] += 1
        try:
            self.request_log.append(_entry(request, reply, notes, now, at))
        except OSError as problem:
            _LOG.error("%s %s", UNWRITABLE, problem)
            return plain(500, UNWRITABLE, now)
        date = ("date", format_datetime(now, usegmt=True))
        return replace(reply, headers=(*reply.headers, date), hold=reply.hold + self.latency.total_seconds())

    def register(self, cufe: Cufe, status: Registered) -> None:
        """Makes a document known in advance; kept in the journal."""
        self.book.register(cufe, status)
        self._note_control("document", cufe, status.value)

    def choose(self, cufe: Cufe, code: str) -> None:
        """Sets scenario ``code`` for the next POST of ``cufe``; kept in the journal. Raises ``KeyError``."""
        self.book.choose(cufe, code)
        self._note_control("scenario", cufe, code)

    def _answer(self, request: Incoming, notes: _Notes, now: datetime, at: float) -> Reply:
        if request.route is Route.CANCEL:
            notes.payload = request_schema.json_object(request.body)
            cufe = (notes.payload or {}).get("cufe")
            notes.cufe = cufe if isinstance(cufe, str) else None
        fault = self.gate.fault_for(request.route)
        notes.fault = fault.kind if fault else None
        if fault and not fault.processed:
            return _spoiled(fault, None, now)
        if self.gate.too_fast(at):
            notes.fault = "rate"
            return from_fault(FAULTS["429"], now)
        reply = self._serve(request, notes, now)
        return _spoiled(fault, reply, now) if fault else reply

    def _serve(self, request: Incoming, notes: _Notes, now: datetime) -> Reply:
        if request.route is Route.OTHER:
            return plain(404, "La dirección no existe.", now)
        if request.method != _METHOD[request.route]:
            return plain(405, "Método no permitido.", now)
        if request.route is Route.TOKEN:
            return self._token(request, notes, now)
        notes.service = _SERVICE[request.route]
        notes.auth = self.desk.check(request.authorization, notes.service, now)
        if notes.auth is not Verdict.VALID:
            return plain(401, "Token inválido o vencido.", now)
        notes.user = self.desk.user(request.authorization)
        try:
            return self._document(request, notes, now)
        except request_schema.BadForm as problem:
            return plain(400, str(problem), now)

    def _document(self, request: Incoming, notes: _Notes, now: datetime) -> Reply:
        if request.route is Route.CANCEL:
            cufe = request_schema.cancellation(notes.payload, request.content_type)
            notes.reached = True
            return self.book.cancel(cufe, now)
        notes.key = request_schema.query(request.query, request.body)
        notes.reached = True
        return self.book.query(*notes.key, now)

    def _token(self, request: Incoming, notes: _Notes, now: datetime) -> Reply:
        notes.service = request_schema.service(request.query)
        notes.auth = self.desk.admit(request.authorization)
        if notes.auth is not Verdict.VALID:
            return plain(401, "Credenciales inválidas.", now)
        notes.user = self.desk.user(request.authorization)
        return self.desk.issue(notes.service, now, notes.user or "")

    def _note_control(self, action: str, cufe: Cufe, value: str) -> None:
        times = {"time": self.now().isoformat(), "at": self.clock.monotonic()}
        entry = {"route": "control", "action": action, "cufe": cufe.text, "value": value, "processed": False}
        self.request_log.append({**times, **entry})

    def _replay(self, entries: list[Entry]) -> None:
        for entry in entries:
            when = datetime.fromisoformat(entry["time"])
            self._offset = max(self._offset, when - self.clock.now())
            if entry["route"] == "control":
                self._replay_control(entry)
            elif entry["reached"] and entry["route"] == "cancel":
                self.book.cancel(Cufe.parse(entry["cufe"], allow_bad_check_digit=True), when)
            elif entry["reached"]:
                ruc, idoc, sucem, ptofacdf, ndf = entry["key"]
                self.book.query(ruc, idoc, sucem, ptofacdf, ndf, when)

    def _replay_control(self, entry: Entry) -> None:
        cufe = Cufe.parse(entry["cufe"], allow_bad_check_digit=True)
        if entry["action"] == "document":
            self.book.register(cufe, Registered(entry["value"]))
        else:
            self.book.choose(cufe, entry["value"])


def _spoiled(fault: Fault, reply: Reply | None, now: datetime) -> Reply:
    """``reply`` as changed by the fault; None means that the request was not processed."""
    if fault.kind == PAUSE and reply is not None:
        return replace(reply, hold=reply.hold + fault.seconds)
    answer = FAULTS[fault.kind]
    if answer.retry_after is not None and fault.seconds:
        answer = replace(answer, retry_after=fault.seconds)
    spoiled = from_fault(answer, now)
    if reply is None:
        return spoiled
    return replace(spoiled, processed=reply.processed, scenario=reply.scenario)


def _entry(request: Incoming, reply: Reply, notes: _Notes, now: datetime, at: float) -> dict[str, object]:
    text = None if reply.secret else reply.body.decode("utf-8", "replace")[:MOST_NOTED]
    return {
        "time": now.isoformat(),
        "at": at,
        "route": request.route.value,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "cufe": notes.cufe,
        "payload": notes.payload,
        "key": notes.key,
        "service": notes.service,
        "auth": notes.auth.value if notes.auth else None,
        "user": notes.user,
        "fault": notes.fault,
        "reached": notes.reached,
        "scenario": reply.scenario,
        "processed": reply.processed,
        "status": None if reply.cut in _UNANSWERED else reply.status,
        "cut": reply.cut.value if reply.cut else None,
        "answer": None if reply.cut in _UNANSWERED else text,
        "bug": notes.bug,
    }
