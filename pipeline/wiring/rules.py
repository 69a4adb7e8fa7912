"""Settings turned into the rules of validating, sending and querying, and into the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.domain.deadline import PANAMA
from pipeline.domain.edoc_states import QueryDescribes
from pipeline.domain.errors import WrongUsage
from pipeline.runtime.clock import Clock
from pipeline.settings.model import CUFE_DIGIT, Env, Settings

if TYPE_CHECKING:  # what validates, sends and asks is loaded by who does so
    from pipeline.domain.eligibility import Rules
    from pipeline.ledger.sent import Sent
    from pipeline.poll import PollRules
    from pipeline.submit.submit import SendRules

ASKED_AFTER = timedelta(days=31)
"""How long after a lost ledger the issue date of a document has to be for it to be sent without being asked about."""


def make_clock(settings: Settings) -> Clock:
    """The machine's clock; in the sandbox it may start at the demo's date."""
    return Clock() if settings.sandbox_now is None else Clock.starting_at(settings.sandbox_now)


def nothing_known(_batch: str) -> bool:
    return False


def send_rules(settings: Settings, anew: datetime | None = None, sent: Sent | None = None) -> SendRules:
    """Rules of sending. ``ahead``: what the limiter lets go within a second, so that no intent waits longer than that.

    ``anew`` of a ``Memory``: what was issued up to a month after that moment may have been sent by the lost ledger;
    ``sent`` of it lists what this machine sent for certain. Raises ``WrongUsage`` like ``check_rules``: nothing is sent
    by settings without issuers.
    """
    from pipeline.submit.submit import SendRules

    return SendRules(
        concurrency=settings.concurrency,
        ahead=max(1, min(settings.concurrency, int(settings.rate))),
        breaker_wait=settings.breaker_wait,
        preflight=settings.preflight == "on",
        ask_until=anew.astimezone(PANAMA).date() + ASKED_AFTER if anew is not None else None,
        first_query=settings.poll_every,
        sent_before=sent.asks if sent is not None else nothing_known,
        allowed=check_rules(settings),
    )


def poll_rules(settings: Settings, *, now: bool = False) -> PollRules:
    from pipeline.poll import PollRules

    return PollRules(
        every=settings.poll_every,
        lasting=settings.poll_for,
        concurrency=settings.concurrency,
        now=now,
        by_answer=settings.query_describes is QueryDescribes.CANCELLATION,
    )


def without_issuers(settings: Settings) -> WrongUsage | None:
    """Error for settings that name no RUC outside the sandbox (eyes.md 2); None when they do."""
    if settings.env is Env.SANDBOX or settings.issuers:
        return None
    table = f"[profile.{settings.profile}]" if settings.profile else "el archivo de configuración"
    return WrongUsage(
        "Faltan los RUC de la empresa: fuera del sandbox no se revisa ni se envía nada sin ellos.",
        code="issuers-missing",
        remedy=f'Escriba issuers = "RUC, RUC" en {table}, o defina ANULAR_ISSUERS.',
    )


def check_rules(settings: Settings, *, allow_bad_check_digit: bool = False, accept_formulas: bool = False) -> Rules:
    """Rules of validation. Raises ``WrongUsage`` for settings without issuers."""
    from pipeline.domain.eligibility import Rules

    if (missing := without_issuers(settings)) is not None:
        raise missing
    return Rules(
        env_digit=CUFE_DIGIT[settings.env],
        issuers=settings.issuers,
        deadline_hours=settings.deadline_hours,
        late=settings.late_rows,
        allow_bad_check_digit=allow_bad_check_digit,
        accept_formulas=accept_formulas,
        notify_email=settings.notify_email or None,
    )
