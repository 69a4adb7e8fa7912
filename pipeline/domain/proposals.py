"""Proposal life cycle: one table of legal steps, who may take them, and until when (approvals.md 1, 2).

A proposal is a file, or a batch that the drop folder held, that one person prepares and another approves. ``MOVES`` is
the whole state machine. A step that is not in the table is a bug; a step that a person may not take is a refusal
(``refusal``) with a code and a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from pipeline.domain.errors import Bug


class ProposalState(Enum):
    """State of a proposal. The value is what the office database stores."""

    CHECKING = "CHECKING"  # the file is there and is being read
    UNUSABLE = "UNUSABLE"  # the file was refused as a whole
    DRAFT = "DRAFT"  # checked, and not submitted yet
    WAITING = "WAITING"  # submitted: another person approves it or does not
    DISCARDED = "DISCARDED"  # its preparer took it back, or nobody submitted it in time
    DECLINED = "DECLINED"  # somebody did not approve it, and said why
    EXPIRED = "EXPIRED"  # too late, or no longer what was approved
    APPROVED = "APPROVED"  # approved; not begun
    ON_HOLD = "ON_HOLD"  # approved; another run has the ledger or the credential
    SENDING = "SENDING"  # being carried out
    STOPPED = "STOPPED"  # ended early: what is not sent is held in the ledger
    FOLLOWING = "FOLLOWING"  # all is sent; some answers are still to come
    ENDED = "ENDED"  # carried out, or ended by a person


class Step(Enum):
    """Event of a proposal. The value is what the office database stores."""

    UNREADABLE = "unreadable"  # the file was refused as a whole
    CHECKED = "checked"  # the plan was made
    SUBMITTED = "submitted"  # the preparer asks for approval
    DISCARDED = "discarded"  # the preparer takes it back
    FORGOTTEN = "forgotten"  # a draft that nobody submitted in time
    DECLINED = "declined"  # a person does not approve it
    APPROVED = "approved"  # a person approves exactly this
    LAPSED = "lapsed"  # its time is up
    BEGUN = "begun"  # it begins to be carried out
    BUSY = "busy"  # another run has the ledger or the credential
    CHANGED = "changed"  # what would be sent is not within what was approved
    STOPPED = "stopped"  # asked to stop, or stopped early
    CONTINUED = "continued"  # a person lets it go on
    NOTHING_LEFT = "nothing-left"  # nothing of it is to be sent any more
    GIVEN_UP = "given-up"  # a person ends it with a reason
    ALL_SENT = "all-sent"  # every row has left, or will not
    FOLLOWED = "followed"  # every row is final, or the time is up


WORDS = {
    ProposalState.CHECKING: "Revisando",
    ProposalState.UNUSABLE: "No se puede usar",
    ProposalState.DRAFT: "Borrador",
    ProposalState.WAITING: "Por aprobar",
    ProposalState.DISCARDED: "Descartada",
    ProposalState.DECLINED: "No aprobada",
    ProposalState.EXPIRED: "Caducada",
    ProposalState.APPROVED: "Aprobada",
    ProposalState.ON_HOLD: "En espera",
    ProposalState.SENDING: "Enviando",
    ProposalState.STOPPED: "Detenida",
    ProposalState.FOLLOWING: "Consultando",
    ProposalState.ENDED: "Terminada",
}
"""The word on screen for each state; none is one that a row can have."""

MOVES: dict[tuple[ProposalState, Step], ProposalState] = {
    (ProposalState.CHECKING, Step.UNREADABLE): ProposalState.UNUSABLE,
    (ProposalState.CHECKING, Step.CHECKED): ProposalState.DRAFT,
    (ProposalState.DRAFT, Step.SUBMITTED): ProposalState.WAITING,
    (ProposalState.DRAFT, Step.DISCARDED): ProposalState.DISCARDED,
    (ProposalState.DRAFT, Step.FORGOTTEN): ProposalState.DISCARDED,
    (ProposalState.WAITING, Step.DECLINED): ProposalState.DECLINED,
    (ProposalState.WAITING, Step.DISCARDED): ProposalState.DISCARDED,
    (ProposalState.WAITING, Step.LAPSED): ProposalState.EXPIRED,
    (ProposalState.WAITING, Step.APPROVED): ProposalState.APPROVED,
    # approved, nothing of it sent
    **{
        (state, step): target
        for state in (ProposalState.APPROVED, ProposalState.ON_HOLD)
        for step, target in (
            (Step.BEGUN, ProposalState.SENDING),
            (Step.CHANGED, ProposalState.EXPIRED),
            (Step.LAPSED, ProposalState.EXPIRED),
            (Step.NOTHING_LEFT, ProposalState.ENDED),
            (Step.GIVEN_UP, ProposalState.ENDED),
        )
    },
    (ProposalState.APPROVED, Step.BUSY): ProposalState.ON_HOLD,
    # being carried out; it may have been begun and ended by force before anything of it was in the ledger
    (ProposalState.SENDING, Step.CHANGED): ProposalState.EXPIRED,
    (ProposalState.SENDING, Step.NOTHING_LEFT): ProposalState.ENDED,
    (ProposalState.SENDING, Step.STOPPED): ProposalState.STOPPED,
    (ProposalState.SENDING, Step.ALL_SENT): ProposalState.FOLLOWING,
    (ProposalState.STOPPED, Step.CONTINUED): ProposalState.SENDING,
    (ProposalState.STOPPED, Step.NOTHING_LEFT): ProposalState.ENDED,
    (ProposalState.STOPPED, Step.GIVEN_UP): ProposalState.ENDED,
    (ProposalState.FOLLOWING, Step.FOLLOWED): ProposalState.ENDED,
}

ENDS = frozenset(
    {
        ProposalState.UNUSABLE,
        ProposalState.DISCARDED,
        ProposalState.DECLINED,
        ProposalState.EXPIRED,
        ProposalState.ENDED,
    }
)
"""States that nothing leaves."""

OPEN = frozenset(ProposalState) - ENDS

DUE = frozenset({ProposalState.APPROVED, ProposalState.ON_HOLD, ProposalState.SENDING, ProposalState.FOLLOWING})
"""States in which the program has something to do by itself."""

MAY_SEND = frozenset({ProposalState.SENDING})
"""The only state in which a row of the proposal may leave."""

DRAFT_LASTS = timedelta(days=30)
"""How long a draft waits for whoever submits it."""

CLOCK_SLACK = timedelta(minutes=5)
"""How far the clocks of two machines of one office may differ."""


def move(state: ProposalState, step: Step) -> ProposalState:
    """The state that ``step`` leads to from ``state``; raises ``Bug`` for a step that is not in the table."""
    try:
        return MOVES[state, step]
    except KeyError:
        raise Bug(f"no legal step from {state.value} by {step.value}") from None


@dataclass(frozen=True, slots=True)
class People:
    """People of a proposal: each is empty until that step is taken."""

    prepared_by: str = ""
    submitted_by: str = ""
    approved_by: str = ""

    @property
    def preparers(self) -> frozenset[str]:
        """People who may not approve it where two are asked for."""
        return frozenset({self.prepared_by, self.submitted_by} - {""})


def refusal(step: Step, who: str, people: People, *, two: bool) -> str:
    """Code of why ``who`` may not take this ``step``; "" when they may.

    ``two``: whether the office asks for two people. Then nobody approves or declines what they prepared or submitted.
    A draft is submitted and taken back by its preparer; one that the drop folder made has none until it is submitted.
    """
    if not who:
        return "approval-nobody"
    if step in (Step.APPROVED, Step.DECLINED) and two and who in people.preparers:
        return "approval-own"
    if step in (Step.SUBMITTED, Step.DISCARDED) and people.preparers and who not in people.preparers:
        return "approval-not-yours"
    return ""


def proven(people: People, *, two: bool) -> bool:
    """Whether the approval of ``people`` is enough to send: given at all, and by another person where ``two``."""
    return bool(people.approved_by) and not (two and people.approved_by in people.preparers)


def asks_two(approval: str | None, way: str) -> bool:
    """Whether two people are asked for where an approval is given ``way`` (``approved_by.WAYS``), by the setting
    ``ANULAR_APPROVAL``: where it is unset, two on a page and one at a terminal."""
    return approval == "two" or (approval is None and way != "terminal")


def lasts_until(state: ProposalState, since: datetime, hours: float) -> datetime | None:
    """Until when a proposal that came into ``state`` at ``since`` may stay there; None for as long as it takes.

    ``hours`` is how long an approval is waited for, and how long it is good for until the first row leaves.
    """
    if state is ProposalState.DRAFT:
        return since + DRAFT_LASTS
    if state in (ProposalState.WAITING, ProposalState.APPROVED):
        return since + timedelta(hours=hours)
    return None  # what waits for a ledger keeps the time of its approval


def lapse(state: ProposalState, until: datetime | None, now: datetime) -> Step | None:
    """The step that the clock takes by itself: None while the time is not up, or when there is none."""
    if until is None or now < until:
        return None
    if state is ProposalState.DRAFT:
        return Step.FORGOTTEN
    return Step.LAPSED if (state, Step.LAPSED) in MOVES else None


def clock_went_back(changed: datetime, now: datetime) -> bool:
    """Whether the clock shows a time before the newest step: then no deadline can be trusted."""
    return now < changed - CLOCK_SLACK
