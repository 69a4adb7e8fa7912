"""Eligibility: whether a valid code may be sent, by environment, issuer and deadline (domain.md 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pipeline.domain.cufe import Cufe
from pipeline.domain.deadline import DEFAULT_HOURS, PANAMA, Deadline, Window, deadline
from pipeline.domain.pasted import Mistake
from pipeline.domain.problems import problem
from pipeline.domain.ruc import bare

_ENVIRONMENT = {"1": "producción", "2": "prueba"}


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules for what may be sent."""

    #: environment of the codes: ``1`` production, ``2`` test, None both
    env_digit: Literal["1", "2"] | None = None
    #: RUCs that may be cancelled; empty for any
    issuers: frozenset[str] = frozenset()
    #: the legal limit, in hours
    deadline_hours: int = DEFAULT_HOURS
    #: what happens to rows past the deadline (domain.md 4)
    late: Literal["warn", "reject", "ignore"] = "warn"
    allow_bad_check_digit: bool = False
    #: use the text of a formula's result when the workbook was last saved
    accept_formulas: bool = False
    #: for rows that have none
    notify_email: str | None = None


def barred(rules: Rules, cufe: str, now: datetime) -> str:
    """Why ``rules`` do not let a row with this valid code be sent now, as text with its problem code; "" when they do.

    The one check of rows that were taken in earlier, under rules that may have changed since: for the plan that a
    person approves, for a resend, and for the claim itself (eyes.md 2).
    """
    found = Eligibility(rules, now).objection(Cufe.parse(cufe, allow_bad_check_digit=True))
    if found is None:
        return ""
    said = problem(found.code, cell="", column="", value="", **found.words)
    return f"{said.message} [{found.code}]"


class Eligibility:
    """Applies ``rules`` to valid codes at ``now`` (aware). No result means: the code may be sent as it is."""

    def __init__(self, rules: Rules, now: datetime) -> None:
        self._rules, self._now = rules, now
        self._today = now.astimezone(PANAMA).date()
        self._issuers = frozenset(bare(ruc) for ruc in rules.issuers)

    def objection(self, code: Cufe) -> Mistake | None:
        """The first reason not to send ``code`` now; None when there is none."""
        forbidden = [*self.on_issuer(code)[0], *self.on_dates(*self.due(code))[0]]
        return forbidden[0] if forbidden else None

    def due(self, code: Cufe) -> tuple[date, Deadline]:
        """The day of issue and the deadline."""
        return code.issued_on, deadline(code.issued_on, self._now, self._rules.deadline_hours)

    def on_issuer(self, code: Cufe) -> tuple[Sequence[Mistake], Sequence[Mistake]]:
        """Errors and warnings about the environment and the issuer of ``code``.

        The same for all codes with the same characters at ``ISSUER`` and ``ENVIRONMENT``.
        """
        forbidden = []
        ours = self._rules.env_digit
        if ours is not None and code.environment != ours:
            words = {"its": _ENVIRONMENT[code.environment], "ours": _ENVIRONMENT[ours]}
            forbidden.append(Mistake("otro-ambiente", words))
        if self._issuers and code.ruc not in self._issuers:
            forbidden.append(Mistake("emisor-no-permitido", {"ruc": code.ruc}))
        return forbidden, [Mistake("cufe-revisar", {"words": remark}) for remark in code.warnings]

    def on_dates(self, issued: date, due: Deadline) -> tuple[Sequence[Mistake], Sequence[Mistake]]:
        """Errors and warnings about the day of issue."""
        if due.window is Window.IN_TIME and issued <= self._today:
            return (), ()
        words = {"hours": str(self._rules.deadline_hours), "issued": issued.strftime("%d/%m/%Y")}
        known = [Mistake("fecha-futura", words)] if issued > self._today else []
        if due.window is Window.LATE and self._rules.late == "reject":
            return [Mistake("plazo-vencido", words)], known
        if due.window is Window.LATE and self._rules.late == "warn":
            known.append(Mistake("plazo-advertencia", words))
        elif due.window is Window.LIMIT_DAY and self._rules.late != "ignore":
            known.append(Mistake("dia-limite", words))
        return (), known
