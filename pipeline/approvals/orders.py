"""Orders of people to the sender: kept in the office database, taken by compare-and-set, each step with its event.

A page inserts and reads; ``row_orders.py`` and ``stopping.py`` carry them out. Nothing here opens a ledger.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from pipeline.domain.errors import NotApproved
from pipeline.domain.orders import DECIDED, OPEN, WORDS, Kind, OrderState, check_step
from pipeline.ledger.codec import to_text, to_time
from pipeline.office import tables
from pipeline.office.database import Office
from pipeline.runtime.failpoints import crashpoint

PROGRAM = "anular"
"""Who takes the steps that no person takes."""
NEWEST = "newest"
"""Name in what an order for an evidence pack came to: number of the newest event of a row of the batch in the pack."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for."""

    kind: Kind
    #: user name, as the ledger will record it
    who: str
    why: str
    #: where from: one of ``approved_by.WAYS``
    way: str = "web"
    #: of the person's machine
    address: str = ""
    #: number of the proposal that it is about; None for a row or a batch
    proposal: int | None = None
    batch: str = ""
    #: of the row in its file; None for an order about a proposal or a batch
    line: int | None = None
    #: what exactly is asked for, and what the person saw
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the office database has it. Times are aware UTC."""

    id: int
    #: with ``id`` the compare-and-set handle
    version: int
    state: OrderState
    wish: Wish
    #: the newest sentence about it, for the person who asked
    answer: str
    #: what came of it, for a machine
    found: Mapping[str, Any]
    asked: datetime
    changed: datetime

    @property
    def word(self) -> str:
        """State on screen."""
        return WORDS[self.state]

    @property
    def signature(self) -> str:
        """Name of the person who decides, as the ledger records it: ``web: luis.gomez``."""
        return f"{self.wish.way}: {self.wish.who}"


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One step of an order."""

    version: int
    at: datetime
    who: str
    address: str
    before: str
    after: str
    answer: str
    data: Mapping[str, Any]


class Orders:
    """Orders of one company (``profile``) in one environment; another one's is not there."""

    def __init__(self, office: Office, profile: str, env: str) -> None:
        self._office, self._profile, self._env = office, profile, env

    # --- reading

    def get(self, number: int) -> Order:
        """Order with this number. Raises ``NotApproved`` when this company has none."""
        found = self._office.read(self._mine().where(tables.decision_order.c.id == number))
        if not found:
            raise NotApproved(f"No existe la orden {number}.", code="order-unknown")
        return _order(found[0])

    def open(self, *kinds: Kind) -> list[Order]:
        """Those that are neither done nor refused, oldest first; of these kinds, or of all."""
        table = tables.decision_order
        query = self._mine().where(table.c.state.in_([state.value for state in OPEN]))
        if kinds:
            query = query.where(table.c.kind.in_([kind.value for kind in kinds]))
        return [_order(line) for line in self._office.read(query.order_by(table.c.id))]

    def of_row(self, batch: str, line: int) -> list[Order]:
        """Orders about a row, newest first."""
        table = tables.decision_order
        query = self._mine().where(table.c.batch == batch, table.c.line == line).order_by(table.c.id.desc())
        return [_order(found) for found in self._office.read(query)]

    def of_proposal(self, number: int) -> list[Order]:
        """Orders about a proposal as a whole, newest first."""
        table = tables.decision_order
        query = self._mine().where(table.c.proposal == number, table.c.line.is_(None)).order_by(table.c.id.desc())
        return [_order(found) for found in self._office.read(query)]

    def of_batch(self, batch: str, kind: Kind) -> list[Order]:
        """Orders of this kind about a batch as a whole, newest first."""
        table = tables.decision_order
        query = self._mine().where(table.c.batch == batch, table.c.line.is_(None), table.c.kind == kind.value)
        return [_order(found) for found in self._office.read(query.order_by(table.c.id.desc()))]

    def last_pack(self, batch: str, newest: int) -> Order | None:
        """The newest order for the evidence pack of a batch, unless it was done for an earlier state of it than that of
        its event ``newest``."""
        found = next(iter(self.of_batch(batch, Kind.EVIDENCE)), None)
        if found is not None and found.state is OrderState.DONE and found.found.get(NEWEST) != newest:
            return None
        return found

    def stop_of(self, proposal: int) -> Order | None:
        """The open order to stop a proposal."""
        return next((one for one in self.open(Kind.STOP) if one.wish.proposal == proposal), None)

    def events(self, number: int) -> list[OrderEvent]:
        """Every step of an order."""
        event = tables.decision_order_event
        query = select(event).where(event.c.decision == number).order_by(event.c.version)
        return [
            OrderEvent(
                line.version,
                to_time(line.at),
                line.who,
                line.address,
                line.before,
                line.after,
                line.answer,
                json.loads(line.data),
            )
            for line in self._office.read(query)
        ]

    # --- writing

    def add(self, wish: Wish, now: datetime) -> tuple[Order, bool]:
        """Keeps an order; True when it is new. One that waits for the same is returned instead, of any person; but each
        person's stop is kept, because who stopped it decides who may continue it. Raises ``NotApproved`` where another
        decision on the same row waits."""
        with self._office.write() as connection:
            known = self._known(connection, wish)
            if known is not None:
                if wish.kind in DECIDED and known.wish.data != wish.data:
                    raise NotApproved(
                        "Ya se pidió algo sobre esta fila y se está haciendo. No se cambió nada.",
                        code="order-other",
                        remedy="Espere a que termine y mire otra vez la fila.",
                    )
                return known, False
            at = to_text(now)
            values = {
                "version": 1,
                "profile": self._profile,
                "env": self._env,
                "state": OrderState.ASKED.value,
                "kind": wish.kind.value,
                "proposal": wish.proposal,
                "batch": wish.batch,
                "line": wish.line,
                "who": wish.who,
                "way": wish.way,
                "address": wish.address,
                "why": wish.why,
                "data": json.dumps(dict(wish.data), sort_keys=True),
                "answer": "",
                "found": "{}",
                "asked_at": at,
                "changed_at": at,
            }
            key = connection.execute(insert(tables.decision_order).values(values)).inserted_primary_key
            assert key is not None
            told = {"kind": wish.kind.value, "why": wish.why, **wish.data}
            _tell(connection, int(key[0]), 1, at, wish.who, wish.address, "", OrderState.ASKED, "", told)
            crashpoint("order-before-commit")
        return self.get(int(key[0])), True

    def take(
        self,
        order: Order,
        state: OrderState,
        now: datetime,
        answer: str = "",
        found: Mapping[str, Any] | None = None,
        *,
        proposal: int | None = None,
    ) -> Order:
        """``order`` after a step of the program, with its event in the same transaction; ``proposal`` is the number of
        the one that it became. Raises ``NotApproved`` when another process took a step meanwhile."""
        check_step(order.state, state)
        table, at, told = tables.decision_order, to_text(max(now, order.changed)), dict(found or {})
        values: dict[str, Any] = {
            "version": order.version + 1,
            "state": state.value,
            "answer": answer,
            "found": json.dumps(told, sort_keys=True),
            "changed_at": at,
        }
        if proposal is not None:
            values["proposal"] = proposal
        with self._office.write() as connection:
            done = connection.execute(
                update(table)
                .where(table.c.id == order.id, table.c.version == order.version, table.c.profile == self._profile)
                .values(values)
            )
            if done.rowcount == 1:
                _tell(connection, order.id, order.version + 1, at, PROGRAM, "", order.state, state, answer, told)
            crashpoint(f"order-{state.value}-before-commit")
        crashpoint(f"order-{state.value}-after-commit")
        if done.rowcount != 1:
            raise NotApproved("Otro proceso está haciendo esa orden.", code="order-changed")
        return self.get(order.id)

    def wait(self, order: Order, answer: str) -> Order:
        """Says why an order waits; no step, and no event: it is looked at again."""
        table = tables.decision_order
        if order.answer != answer:
            with self._office.write() as connection:
                connection.execute(
                    update(table).where(table.c.id == order.id, table.c.version == order.version).values(answer=answer)
                )
        return self.get(order.id)

    def _known(self, connection: Connection, wish: Wish) -> Order | None:
        table = tables.decision_order
        query = self._mine().where(table.c.state.in_([state.value for state in OPEN]), table.c.kind == wish.kind.value)
        if wish.line is None and wish.proposal is None:
            query = query.where(table.c.batch == wish.batch, table.c.line.is_(None))
        elif wish.line is None:
            query = query.where(table.c.proposal == wish.proposal, table.c.line.is_(None))
        else:
            query = query.where(table.c.batch == wish.batch, table.c.line == wish.line)
        if wish.kind is Kind.STOP:
            query = query.where(table.c.who == wish.who)
        found = connection.execute(query.order_by(table.c.id)).first()
        return _order(found) if found is not None else None

    def _mine(self) -> Any:
        table = tables.decision_order
        return select(table).where(table.c.profile == self._profile, table.c.env == self._env)


def _tell(
    connection: Connection,
    number: int,
    version: int,
    at: str,
    who: str,
    address: str,
    before: str,
    after: OrderState,
    answer: str,
    data: Mapping[str, Any],
) -> None:
    values = {
        "decision": number,
        "version": version,
        "at": at,
        "who": who,
        "address": address,
        "before": before,
        "after": after.value,
        "answer": answer,
        "data": json.dumps(dict(data), sort_keys=True),
    }
    connection.execute(insert(tables.decision_order_event).values(values))


def _order(line: Any) -> Order:
    wish = Wish(
        kind=Kind(line.kind),
        who=line.who,
        why=line.why,
        way=line.way,
        address=line.address,
        proposal=line.proposal,
        batch=line.batch,
        line=line.line,
        data=json.loads(line.data),
    )
    return Order(
        id=line.id,
        version=line.version,
        state=OrderState(line.state),
        wish=wish,
        answer=line.answer,
        found=json.loads(line.found),
        asked=to_time(line.asked_at),
        changed=to_time(line.changed_at),
    )
