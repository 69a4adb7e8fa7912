"""Orders to the sender: what a person asks for on a page, which has no ledger to write into (approvals.md 7).

An order waits in the office database until the sender carries it out; ``MOVES`` is the whole of its life.
"""

from __future__ import annotations

from enum import StrEnum

from pipeline.domain.errors import Bug


class Kind(StrEnum):
    """What is asked for. The value is what the office database stores."""

    STOP = "stop"  # of a proposal: nothing more of it is sent
    CONTINUE = "continue"  # of a proposal: what was held goes on
    END = "end"  # of a proposal: what was held is taken back
    WITHDRAW = "withdraw"  # of a row: it is not sent
    RESOLVE = "resolve"  # of a row: what a person found out elsewhere
    RESEND = "resend"  # of a row: a request to send it once more
    ASK = "ask"  # of a row: eDoc is asked about it
    EVIDENCE = "evidence"  # of a batch: its evidence pack


OF_PROPOSALS = frozenset({Kind.STOP, Kind.CONTINUE, Kind.END})
"""What is asked for of a proposal as a whole; ``EVIDENCE`` is about a batch, the others about one row."""

DECIDED = frozenset({Kind.WITHDRAW, Kind.RESOLVE, Kind.RESEND})
"""What a person decides about a row: two different ones do not wait side by side."""


class OrderState(StrEnum):
    """State of an order. The value is what the office database stores."""

    ASKED = "asked"  # it waits for the sender, or for the ledger
    DOING = "doing"  # the sender has begun
    DONE = "done"
    REFUSED = "refused"  # not done, and its answer says why


WORDS = {
    OrderState.ASKED: "Pedida",
    OrderState.DOING: "En curso",
    OrderState.DONE: "Hecha",
    OrderState.REFUSED: "No se hizo",
}
"""The word on screen for each state."""

LATER = "Se hará cuando termine el envío"
"""Answer to an order while another run has the ledger."""

MOVES = frozenset(
    {
        (OrderState.ASKED, OrderState.DOING),
        (OrderState.ASKED, OrderState.DONE),
        (OrderState.ASKED, OrderState.REFUSED),
        (OrderState.DOING, OrderState.DONE),
        (OrderState.DOING, OrderState.REFUSED),
    }
)
"""Every step there is; what is done or refused does not change."""

OPEN = frozenset({OrderState.ASKED, OrderState.DOING})


def check_step(before: OrderState, after: OrderState) -> None:
    """Raises ``Bug`` for a step that is not in the table."""
    if (before, after) not in MOVES:
        raise Bug(f"no legal step of an order from {before} to {after}")
