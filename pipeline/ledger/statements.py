"""Compare-and-set statements of the attempt table, fenced by the run's epoch (reliability.md R3)."""

from __future__ import annotations

from enum import Enum

from sqlalchemy import Boolean, ColumnElement, Integer, String, and_, bindparam, case, func, or_, select, update

from pipeline.ledger import tables


class Fence(Enum):
    """Condition of a compare-and-set: whose rows it may change, and which newer run makes it change none."""

    EVERYTHING = "everything"  # a ledger without companies, in tests and copies
    FILE = "file"  # a credential's rows, in a file that one run owns
    SERVER = "server"  # a credential's rows, on a server where other credentials have runs too
    DESK = "desk"  # a credential's rows, released or held by the process that hands in and has no run


# The newest run's number fences all before it: of the whole ledger where one run owns it, else of the same credential.
NEWEST = {
    True: select(func.max(tables.run.c.id)).scalar_subquery(),
    False: select(func.max(tables.run.c.id))
    .where(tables.run.c.credential.is_not_distinct_from(bindparam("b_credential", type_=String)))
    .scalar_subquery(),
}
_SAME = and_(
    tables.attempt.c.id == bindparam("b_id"),
    tables.attempt.c.v == bindparam("b_v"),
    tables.attempt.c.state == bindparam("b_from"),
)
_OWN = or_(
    tables.attempt.c.credential == bindparam("b_credential", type_=String),
    and_(tables.attempt.c.credential.is_(None), bindparam("b_orphans", type_=Boolean)),
)
_FENCE: dict[Fence, ColumnElement[bool]] = {
    Fence.EVERYTHING: and_(_SAME, NEWEST[True] == bindparam("b_epoch")),
    Fence.FILE: and_(_SAME, _OWN, NEWEST[True] == bindparam("b_epoch")),
    Fence.SERVER: and_(_SAME, _OWN, NEWEST[False] == bindparam("b_epoch")),
    Fence.DESK: and_(_SAME, _OWN),  # no epoch: rows that no run has claimed
}

# One statement for claims (CLAIM) and one for every other move (FIND), for each fence.
CLAIM = {
    whose: update(tables.attempt)
    .where(fence)
    .values(
        state=bindparam("b_to"),
        v=tables.attempt.c.v + 1,
        epoch=bindparam("b_epoch"),
        sent_utc=bindparam("b_sent"),
    )
    for whose, fence in _FENCE.items()
}
_ESTADO = bindparam("b_estado", type_=Integer)
FIND = {
    whose: update(tables.attempt)
    .where(fence)
    .values(
        state=bindparam("b_to"),
        v=tables.attempt.c.v + 1,
        epoch=bindparam("b_epoch"),
        # What an earlier answer said stays until another answer says something.
        estado=func.coalesce(_ESTADO, tables.attempt.c.estado),
        source=case((_ESTADO.is_(None), tables.attempt.c.source), else_=bindparam("b_source", type_=String)),
        dgi=func.coalesce(bindparam("b_dgi", type_=String), tables.attempt.c.dgi),
        message=func.coalesce(bindparam("b_message", type_=String), tables.attempt.c.message),
        authorised_at=func.coalesce(bindparam("b_authorised", type_=String), tables.attempt.c.authorised_at),
        http=func.coalesce(bindparam("b_http", type_=Integer), tables.attempt.c.http),
        note=bindparam("b_note"),
        next_due=bindparam("b_due"),
        queried_utc=func.coalesce(bindparam("b_queried", type_=String), tables.attempt.c.queried_utc),
        queries=tables.attempt.c.queries + bindparam("b_query"),
        misses=tables.attempt.c.misses + bindparam("b_miss"),
        preflight=func.coalesce(bindparam("b_preflight", type_=Integer), tables.attempt.c.preflight),
    )
    for whose, fence in _FENCE.items()
}
