"""What may be sent, and where a valid code stands against it: environment, issuer, deadline (domain.md 4)."""

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
    """What may be sent. ``env_digit``: ``1`` production, ``2`` test, None both; ``issuers``: RUCs that may be
    cancelled, empty for any; ``late``: what becomes of rows past the deadline (domain.md 4); ``accept_formulas``: take
    the text that a formula came to when the workbook was last saved; ``notify_email``: for rows that have none.
    """

    env_digit: Literal["1", "2"] | None = None
    issuers: frozenset[str] = frozenset()
    deadline_hours: int = DEFAULT_HOURS
    late: Literal["warn", "reject", "ignore"] = "warn"
    allow_bad_check_digit: bool = False
    accept_formulas: bool = False
    notify_email: str | None = None


def barred(rules: Rules, cufe: str, now: datetime) -> str:
    """Why ``rules`` do not let a row with this valid code leave now, in words with their code; "" when they do.

    The one judgement of what was taken in before, under rules that may have changed since: of the plan that a person
    approves, of a resend, and of the claim itself (eyes.md 2).
    """
    found = Standing(rules, now).objection(Cufe.parse(cufe, allow_bad_check_digit=True))
    if found is None:
        return ""
    said = problem(found.code, cell="", column="", value="", **found.words)
    return f"{said.message} [{found.code}]"


class Standing:
    """What ``rules`` have to say of valid codes at ``now`` (aware). Nothing said: the code may be sent as it is."""

    def __init__(self, rules: Rules, now: datetime) -> None:
        self._rules, self._now = rules, now
        self._today = now.astimezone(PANAMA).date()
        self._issuers = frozenset(bare(ruc) for ruc in rules.issuers)

    def objection(self, code: Cufe) -> Mistake | None:
        """What forbids to send ``code`` now, the first of it; None when nothing does."""
        forbidden = [*self.on_issuer(code)[0], *self.on_dates(*self.due(code))[0]]
        return forbidden[0] if forbidden else None

    def due(self, code: Cufe) -> tuple[date, Deadline]:
        """The day of issue, and what is left of the time since then."""
        return code.issued_on, deadline(code.issued_on, self._now, self._rules.deadline_hours)

    def on_issuer(self, code: Cufe) -> tuple[Sequence[Mistake], Sequence[Mistake]]:
        """What forbids to send ``code`` for its environment and its issuer, and what a person should know of these.

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
        """What forbids to send what was ``issued`` then, and what a person should know of that day."""
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
