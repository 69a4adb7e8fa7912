"""Work of the sender as the office database shows it: for which companies something is to be done, in one look.

A look is cheap enough for every second: no ledger is opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from pipeline.domain.orders import OPEN
from pipeline.domain.proposals import DUE, ProposalState
from pipeline.ledger.codec import to_text
from pipeline.office import tables
from pipeline.office.database import Office

Mark = tuple[str, int, int]
"""Kind, number and version of something to be done."""
ALIVE_FOR = timedelta(seconds=60)
"""How long a sign of life counts."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done for one company."""

    #: orders, and proposals that are approved, wait for a ledger, or are being sent
    urgent: frozenset[Mark] = frozenset()
    #: proposals whose answers are waited for, and messages to send
    patient: frozenset[Mark] = frozenset()

    def among(self, others: Work) -> Work:
        """What of it is about the same orders, proposals and messages as ``others``, in whichever version."""
        known = {one[:2] for one in others.all}
        return Work(
            frozenset(one for one in self.urgent if one[:2] in known),
            frozenset(one for one in self.patient if one[:2] in known),
        )

    @property
    def all(self) -> frozenset[Mark]:
        return self.urgent | self.patient


def work_of(office: Office) -> Mapping[tuple[str, str], Work]:
    """Work by profile and environment. Raises ``StorageTrouble``."""
    urgent: dict[tuple[str, str], set[Mark]] = defaultdict(set)
    patient: dict[tuple[str, str], set[Mark]] = defaultdict(set)
    one, order, mail = tables.proposal, tables.decision_order, tables.outbox
    states = [state.value for state in DUE]
    for line in office.read(select(one.c.profile, one.c.env, one.c.id, one.c.version, one.c.state).where(
        one.c.state.in_(states)
    )):  # fmt: skip
        kind = patient if line.state == ProposalState.FOLLOWING.value else urgent
        kind[line.profile, line.env].add(("proposal", line.id, line.version))
    for line in office.read(select(order.c.profile, order.c.env, order.c.id, order.c.version).where(
        order.c.state.in_([state.value for state in OPEN])
    )):  # fmt: skip
        urgent[line.profile, line.env].add(("order", line.id, line.version))
    for line in office.read(select(mail.c.profile, mail.c.id).where(mail.c.sent_at.is_(None))):
        patient[line.profile, ""].add(("message", line.id, 0))  # of a company in whichever environment
    return {key: Work(frozenset(urgent.get(key, ())), frozenset(patient.get(key, ()))) for key in {*urgent, *patient}}


def certified(office: Office) -> set[tuple[str, str]]:
    """Profile and environment of the companies that registered certificates. Raises ``StorageTrouble``."""
    table = tables.certificate
    return {(line.profile, line.env) for line in office.read(select(table.c.profile, table.c.env).distinct())}


def sign(office: Office, name: str, now: datetime) -> None:
    """Notes that the sender ``name`` is alive; older signs of others are forgotten after a day. Raises
    ``StorageTrouble``."""
    table = tables.sender_sign
    with office.write() as connection:
        old = to_text(now - timedelta(days=1))
        connection.execute(delete(table).where((table.c.name == name) | (table.c.at < old)))
        connection.execute(insert(table).values(name=name, at=to_text(now)))


def is_alive(office: Office, now: datetime) -> bool:
    """Whether a sender gave a sign of life within the last minute. Raises ``StorageTrouble``."""
    since = to_text(now - ALIVE_FOR)
    return bool(office.read(select(tables.sender_sign.c.name).where(tables.sender_sign.c.at >= since).limit(1)))
