"""Faults that affect every request, and a rate limit that really refuses."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from pipeline.sandbox.answers import HTML, UNREADABLE_PAGE, Answer, Cut


class Route(Enum):
    """The route of a request."""

    TOKEN = "token"  # noqa: S105 - the name of a route
    CANCEL = "cancel"
    QUERY = "query"
    OTHER = "other"


PAUSE = "pause"

FAULTS: Mapping[str, Answer] = {
    "307": Answer(status=307, raw="", location="https://sandbox.invalid/otra/parte"),
    "401": Answer(status=401, message="Token revocado.", revokes_tokens=True),
    "403": Answer(status=403, message="Sin permiso."),
    "404": Answer(status=404, raw="<html><body>404</body></html>", media_type=HTML),
    "429": Answer(status=429, message="Demasiadas peticiones.", retry_after=1),
    "429-date": Answer(status=429, message="Demasiadas peticiones.", retry_after=1, retry_as_date=True),
    "500": Answer(status=500, message="Error interno."),
    "502": Answer(status=502, raw="", media_type=HTML),
    "503": Answer(status=503, message="Servicio no disponible.", retry_after=1),
    "html": Answer(raw=UNREADABLE_PAGE, media_type=HTML),
    "broken-json": Answer(raw='{"estado": "2", "MensajeResp'),
    "empty": Answer(raw=""),
    "unknown-state": Answer("77", raw='{"estado": "77", "MensajeRespuesta": "Estado no documentado."}'),
    "drop": Answer(cut=Cut.CLOSE),
    "reset": Answer(cut=Cut.RESET),
    PAUSE: Answer(),
}
"""Kinds of faults. ``pause`` gives the normal answer, but later."""


@dataclass(slots=True)
class Fault:
    """A fault for the next ``left`` requests."""

    kind: str
    left: int
    routes: frozenset[Route]
    #: whether the request is processed before its answer is spoiled
    processed: bool
    #: length of a pause, or of a ``Retry-After``
    seconds: float


class Gate:
    """The current fault, if any, and the rate limit."""

    def __init__(self) -> None:
        self._fault: Fault | None = None
        self._rate: int | None = None
        self._arrivals: deque[float] = deque()

    def set_fault(self, fault: Fault | None) -> None:
        """Sets ``fault`` until it is used up; None ends it."""
        self._fault = fault

    def set_rate(self, per_second: int | None) -> None:
        """Refuses requests above ``per_second`` in any second with 429; None: no limit."""
        self._rate = per_second
        self._arrivals.clear()

    def fault_for(self, route: Route) -> Fault | None:
        """The fault for this request; its count goes down by one."""
        fault = self._fault
        if fault is None or fault.left <= 0 or route not in fault.routes:
            return None
        fault.left -= 1
        return fault

    def too_fast(self, at: float) -> bool:
        """Whether a request at ``at`` (monotonic seconds) is above the rate; refused ones do not count."""
        if self._rate is None:
            return False
        while self._arrivals and at - self._arrivals[0] >= 1.0:
            self._arrivals.popleft()
        if len(self._arrivals) >= self._rate:
            return True
        self._arrivals.append(at)
        return False
