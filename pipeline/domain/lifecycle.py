"""Row life cycle: one table of legal moves (reliability.md 2.2 - 2.4). Every move is in this file.

``STATES`` says what each state means and whether the program is done with it. ``MOVES`` is the whole state
machine: from a state, by an event (a kind of evidence), to a state. A move that is not in the table is a bug
and stops the run. No move leads from an unknown outcome back to sending.
"""

from __future__ import annotations

from enum import Enum

from pipeline.domain.errors import Bug


class State(Enum):
    """State of a row. The value is what the ledger stores."""

    __hash__ = object.__hash__  # members are one object each; Enum's own hash is computed in Python every time

    RECEIVED = "RECEIVED"  # stored verbatim, not validated
    REJECTED_INPUT = "REJECTED_INPUT"  # failed validation
    DUPLICATE = "DUPLICATE"  # same CUFE, same payload as a leader row; mirrors it
    CONFLICT = "CONFLICT"  # same CUFE, another payload
    NOT_APPLICABLE = "NOT_APPLICABLE"  # a line that is no invoice: a total, a note, a signature
    HELD = "HELD"  # valid, waits for a person
    READY = "READY"  # approved, unclaimed
    WITHDRAWN = "WITHDRAWN"  # a person withdrew it before it was ever claimed
    SENDING = "SENDING"  # intent durable; unknown until proven
    NOT_SENT = "NOT_SENT"  # proof that nothing was applied: trace, stale guard, 429; or never claimed: rules of the day
    REFUSED_AUTH = "REFUSED_AUTH"  # 401: not applied
    UNKNOWN = "UNKNOWN"  # may have been applied; no trustworthy answer
    PENDING = "PENDING"  # eDoc has it, the authority has not decided: 5, 7, 10, 20
    CANCELLED = "CANCELLED"  # proof of the cancellation
    ALREADY_CANCELLED = "ALREADY_CANCELLED"  # proof that it was cancelled before: 0622, duplicate + 11, pre-flight 11
    NEEDS_SUPPORT = "NEEDS_SUPPORT"  # 4
    NEEDS_CORRECTION = "NEEDS_CORRECTION"  # 6, and the authority's input codes
    RETURNED = "RETURNED"  # 15
    NOT_FOUND = "NOT_FOUND"  # 18 in direct answer to the cancellation
    REVIEW = "REVIEW"  # the program cannot decide
    CLOSED_BY_PERSON = "CLOSED_BY_PERSON"  # a person decided
    CLOSED_RESEND = "CLOSED_RESEND"  # a person authorised a resend: a new attempt follows


class Event(Enum):
    """The evidence that a move rests on. The value is what the ledger stores."""

    __hash__ = object.__hash__  # members are one object each; Enum's own hash is computed in Python every time

    ACCEPTED = "accepted"  # validation: may be sent
    HELD = "held"  # validation: a person must approve
    REJECTED = "rejected"  # validation: wrong data
    DUPLICATED = "duplicated"  # validation: same as a leader row
    CONFLICTED = "conflicted"  # validation: same CUFE, another payload
    NO_INVOICE = "no-invoice"  # validation: a line that is no invoice
    APPROVED = "approved"  # a person released a held row
    WITHDRAWN = "withdrawn"  # a person withdrew a row
    STOPPED = "stopped"  # the sending of an approved proposal was stopped before this row was claimed
    BARRED = "barred"  # before the claim: today's rules do not let it leave
    CLAIMED = "claimed"  # intent to send, durable before the first byte
    NOTHING_LEFT = "nothing-left"  # the transport's trace: no byte left
    ELSEWHERE = "elsewhere"  # another ledger of this machine sent it before: not sent
    STALE = "stale"  # too long between intent and send: not sent
    THROTTLED = "throttled"  # 429: not applied
    UNAUTHORISED = "unauthorised"  # 401: not applied
    CANCELLED = "cancelled"  # an answer that proves the cancellation
    ALREADY = "already"  # an answer that proves an earlier cancellation
    IN_PROGRESS = "in-progress"  # 5, 7, 10, 20
    SUPPORT = "support"  # 4
    CORRECT = "correct"  # 6; DGI 0100, 1601, 1602
    RETURNED = "returned"  # 15
    NOT_FOUND = "not-found"  # 18
    ALIVE = "alive"  # a query's 2: the invoice itself is authorised
    PERSON = "person"  # an understood answer that only a person can act on (DGI 1002)
    UNCLEAR = "unclear"  # no answer, or one that is not understood
    RECOVERED = "recovered"  # found in SENDING at start: outcome unknown
    RETRY = "retry"  # a further attempt of a row that was proven not applied, or that a person released
    OUT_OF_TIME = "out-of-time"  # the schedule ended without an answer
    RESOLVED = "resolved"  # a person decided
    RESEND = "resend"  # a person authorised a resend


LIVE_NEVER = (State.NOT_SENT, State.REFUSED_AUTH, State.WITHDRAWN, State.CLOSED_RESEND)
"""States that free the CUFE for another attempt. Every other state keeps it for ever (reliability.md 2.1)."""

HELD_ON_ARRIVAL = "retenida-carpeta"
"""Code of the problem of a row that the drop folder held until a person decides."""

TAKES_DOCUMENT = frozenset(
    {
        State.SENDING,
        State.UNKNOWN,
        State.PENDING,
        State.CANCELLED,
        State.ALREADY_CANCELLED,
        State.NEEDS_SUPPORT,
        State.REVIEW,
        State.CLOSED_BY_PERSON,
    }
)
"""A code in one of these blocks other codes of its document: it was sent, and not refused as unknown or wrong."""

RETRIED = frozenset({State.NOT_SENT, State.REFUSED_AUTH})
"""Proven not applied: a further attempt may follow automatically, a limited number of times."""

FOLLOWED = frozenset({State.PENDING, State.UNKNOWN})
"""Polling queries these until they are final or out of time."""

PERSON = frozenset(
    {
        State.HELD,
        State.NEEDS_SUPPORT,
        State.NEEDS_CORRECTION,
        State.RETURNED,
        State.NOT_FOUND,
        State.REVIEW,
        State.REJECTED_INPUT,
        State.CONFLICT,
    }
)
"""A person has to act before anything can change."""

GIVEN_BACK = frozenset({State.NEEDS_CORRECTION, State.RETURNED})
"""The document was given back because something was wrong: only then a resend may carry another reason or address."""

NOT_ACCEPTED = frozenset({Event.ALIVE, Event.CORRECT, Event.RETURNED})
"""Answers to the query before such a resend that show that the first request was not accepted (reliability.md R12)."""

SUCCESS = frozenset({State.CANCELLED, State.ALREADY_CANCELLED})

SETTLED = SUCCESS | {State.CLOSED_BY_PERSON, State.WITHDRAWN}
"""Nothing remains to be done about such a row (interface.md 2, exit code 0)."""

# Where an answer to the cancellation itself leads.
_ANSWERED = {
    Event.CANCELLED: State.CANCELLED,
    Event.ALREADY: State.ALREADY_CANCELLED,
    Event.IN_PROGRESS: State.PENDING,
    Event.SUPPORT: State.NEEDS_SUPPORT,
    Event.CORRECT: State.NEEDS_CORRECTION,
    Event.RETURNED: State.RETURNED,
    Event.PERSON: State.REVIEW,
}

MOVES: dict[tuple[State, Event], State] = {
    # validation
    (State.RECEIVED, Event.ACCEPTED): State.READY,
    (State.RECEIVED, Event.HELD): State.HELD,
    (State.RECEIVED, Event.REJECTED): State.REJECTED_INPUT,
    (State.RECEIVED, Event.DUPLICATED): State.DUPLICATE,
    (State.RECEIVED, Event.CONFLICTED): State.CONFLICT,
    (State.RECEIVED, Event.NO_INVOICE): State.NOT_APPLICABLE,
    # people before sending
    (State.HELD, Event.APPROVED): State.READY,
    (State.HELD, Event.WITHDRAWN): State.WITHDRAWN,
    (State.READY, Event.WITHDRAWN): State.WITHDRAWN,
    # a stop is an event: no run, worker or folder goes on with such a row until a person releases it
    (State.READY, Event.STOPPED): State.HELD,
    # today's rules before sending: nothing leaves; another file or other rules may send it
    (State.READY, Event.BARRED): State.NOT_SENT,
    # the query before sending, where enabled: nothing is sent on doubt, or while another request is in flight
    (State.READY, Event.ALIVE): State.READY,
    (State.READY, Event.CANCELLED): State.ALREADY_CANCELLED,
    (State.READY, Event.ALREADY): State.ALREADY_CANCELLED,
    (State.READY, Event.NOT_FOUND): State.NOT_FOUND,
    **{
        (State.READY, event): State.REVIEW
        for event in (
            Event.IN_PROGRESS,
            Event.SUPPORT,
            Event.CORRECT,
            Event.RETURNED,
            Event.PERSON,
            Event.UNCLEAR,
        )
    },
    # sending
    (State.READY, Event.CLAIMED): State.SENDING,
    (State.SENDING, Event.NOTHING_LEFT): State.NOT_SENT,
    (State.SENDING, Event.ELSEWHERE): State.NOT_SENT,
    (State.SENDING, Event.STALE): State.NOT_SENT,
    (State.SENDING, Event.THROTTLED): State.NOT_SENT,
    (State.SENDING, Event.UNAUTHORISED): State.REFUSED_AUTH,
    **{(State.SENDING, event): state for event, state in _ANSWERED.items()},
    (State.SENDING, Event.NOT_FOUND): State.NOT_FOUND,
    (State.SENDING, Event.UNCLEAR): State.UNKNOWN,
    (State.SENDING, Event.RECOVERED): State.UNKNOWN,
    # a further attempt (n + 1) is its own row in the ledger; this is its first move
    (State.NOT_SENT, Event.RETRY): State.READY,
    (State.REFUSED_AUTH, Event.RETRY): State.READY,
    (State.CLOSED_RESEND, Event.RETRY): State.READY,
    # queries after an unknown outcome: 18 and 2 prove nothing (reliability.md 2.5, edoc-api.md 5)
    **{(State.UNKNOWN, event): state for event, state in _ANSWERED.items()},
    (State.UNKNOWN, Event.NOT_FOUND): State.UNKNOWN,
    (State.UNKNOWN, Event.ALIVE): State.UNKNOWN,
    (State.UNKNOWN, Event.UNCLEAR): State.UNKNOWN,
    (State.UNKNOWN, Event.OUT_OF_TIME): State.REVIEW,
    # queries while the authority has not decided
    **{(State.PENDING, event): state for event, state in _ANSWERED.items()},
    (State.PENDING, Event.NOT_FOUND): State.PENDING,
    (State.PENDING, Event.ALIVE): State.PENDING,
    (State.PENDING, Event.UNCLEAR): State.PENDING,
    (State.PENDING, Event.OUT_OF_TIME): State.REVIEW,
    # the one query after a 15: a duplicate that is cancelled was cancelled earlier
    (State.RETURNED, Event.CANCELLED): State.ALREADY_CANCELLED,
    (State.RETURNED, Event.ALREADY): State.ALREADY_CANCELLED,
    **{
        (State.RETURNED, event): State.RETURNED
        for event in (
            Event.IN_PROGRESS,
            Event.SUPPORT,
            Event.CORRECT,
            Event.RETURNED,
            Event.NOT_FOUND,
            Event.ALIVE,
            Event.PERSON,
            Event.UNCLEAR,
        )
    },
    # the query before a resend finds it cancelled: nothing is sent
    **{
        (state, event): State.ALREADY_CANCELLED
        for state in (State.NEEDS_SUPPORT, State.NEEDS_CORRECTION, State.NOT_FOUND, State.REVIEW)
        for event in (Event.CANCELLED, Event.ALREADY)
    },
    # people after sending
    **{
        (state, event): target
        for state in (
            State.UNKNOWN,
            State.PENDING,
            State.NEEDS_SUPPORT,
            State.NEEDS_CORRECTION,
            State.RETURNED,
            State.NOT_FOUND,
            State.REVIEW,
        )
        for event, target in (
            (Event.RESOLVED, State.CLOSED_BY_PERSON),
            (Event.RESEND, State.CLOSED_RESEND),
        )
    },
}


def move(state: State, event: Event) -> State:
    """The state that ``event`` leads to from ``state``; raises ``Bug`` for a move that is not in the table."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise Bug(f"no legal move from {state.value} by {event.value}") from None
