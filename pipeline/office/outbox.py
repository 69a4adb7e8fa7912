"""Outbox: messages that wait to be sent, each once, however many processes look at it.

A message is claimed before it is sent and given back when it could not be: one whose sender is killed in between is
lost rather than sent twice, and what it was about is still to be seen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from pipeline.ledger.codec import to_text
from pipeline.office.database import Office
from pipeline.office.tables import outbox


@dataclass(frozen=True, slots=True)
class Message:
    """A message that waits."""

    id: int
    #: the same for the same message
    key: str
    #: as its sender wrote it
    notification: dict[str, Any]


def put(connection: Connection, key: str, notification: dict[str, Any], *, profile: str, now: datetime) -> bool:
    """Puts a message into the outbox, within a transaction of ``Office.write``; False when its key was there before."""
    if connection.execute(select(outbox.c.id).where(outbox.c.key == key)).first() is not None:
        return False
    told = json.dumps(notification, ensure_ascii=False)
    connection.execute(insert(outbox).values(key=key, at=to_text(now), profile=profile, notification=told))
    return True


def waiting(office: Office, profile: str, beginning: str = "") -> list[Message]:
    """Messages of a company that are not sent yet, the oldest first; with ``beginning`` those whose key begins so."""
    query = select(outbox).where(outbox.c.profile == profile, outbox.c.sent_at.is_(None)).order_by(outbox.c.id)
    if beginning:
        query = query.where(outbox.c.key.startswith(beginning, autoescape=True))
    return [Message(line.id, line.key, json.loads(line.notification)) for line in office.read(query)]


def claim(office: Office, message: Message, now: datetime) -> bool:
    """Whether this process is to send ``message``: yes for one of several that ask."""
    with office.write() as connection:
        query = update(outbox).where(outbox.c.id == message.id, outbox.c.sent_at.is_(None))
        return connection.execute(query.values(sent_at=to_text(now))).rowcount == 1


def give_back(office: Office, message: Message) -> None:
    """Puts a claimed message back: no part of it was sent."""
    with office.write() as connection:
        connection.execute(update(outbox).where(outbox.c.id == message.id).values(sent_at=None))
