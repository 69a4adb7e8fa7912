"""Uploads: a file that a person handed in becomes a proposal in ``Revisando``, and then a draft, or is refused.

The bytes lie in the office database, so that several machines need no shared disk, and stay as they came: whatever
reads them later reads these. What nobody took in is deleted after a while (``forget_files``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.engine import Connection

from pipeline.approvals.steps import keep_file, write_step
from pipeline.approvals.store import (
    FILE,
    TERMINAL,
    UPLOADED,
    Draft,
    Proposal,
    Proposals,
    moved_on,
    options_text,
    proposal_of,
)
from pipeline.domain.approval_digest import joined
from pipeline.domain.errors import AnularError, Choice, InputRefused, WrongUsage
from pipeline.domain.problems import refused
from pipeline.domain.proposals import ENDS, OPEN, ProposalState, Step, lasts_until, move
from pipeline.domain.records import BatchInfo
from pipeline.domain.visible import thousands
from pipeline.ledger.codec import to_text
from pipeline.ledger.views import Views
from pipeline.office import tables
from pipeline.read.kinds import kind_of
from pipeline.read.limits import MEGABYTE, Limits
from pipeline.report.names import plain
from pipeline.runtime.failpoints import crashpoint

MOST_OPEN = 20
"""Uploads of one person that are not at their end."""
MOST_BYTES = 500 * MEGABYTE
"""Bytes of everything that one person handed in and that is no batch: what is at its end gives way to what is new."""
LONGEST_NAME = 150
"""Bytes of a name: what is made of it has longer ones, and a file system takes 255."""
_FIRST = 1


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person said about how a file is read; each answers a question that a refusal may ask."""

    #: worksheet; empty for the only one
    sheet: str = ""
    #: which column is which, as ``--columns`` takes it
    columns: str = ""
    include_hidden: bool = False
    accept_formulas: bool = False
    allow_bad_check_digit: bool = False
    #: rows below a long stretch of empty ones that are meant too
    far_rows: int = 0
    #: whether all rows are meant though a view of the workbook leaves some out
    ignore_views: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """The options that are approved with the content."""
        return {
            "accept_formulas": self.accept_formulas,
            "allow_bad_check_digit": self.allow_bad_check_digit,
            "columns": self.columns.strip(),
            "include_hidden": self.include_hidden,
        }


@dataclass(frozen=True, slots=True)
class Handed:
    """What a person handed in."""

    #: name of the file as it was given; only ever shown
    name: str
    data: bytes
    choices: Choices = Choices()
    #: number of the proposal whose file this is again
    again: int | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """What became of it: exactly one of both is there."""

    proposal: Proposal | None
    #: the batch that these bytes are already
    batch: BatchInfo | None
    #: whether the proposal was made now
    new: bool = False


def receive(
    store: Proposals, views: Views | None, handed: Handed, limits: Limits, now: datetime, *, who: str, address: str
) -> Received:
    """Keeps a file that ``who`` handed in and that is to be checked.

    Bytes that are a batch of this company already, or an open proposal, make no new one. Raises ``InputRefused`` for
    what is no CSV or workbook by its name and its first bytes, or too large, and ``WrongUsage`` for too many uploads.
    """
    name = clean_name(handed.name)
    if not handed.data:
        raise refused("archivo-vacio", name=name)
    if len(handed.data) > limits.size:
        size, limit = (f"{number / MEGABYTE:.1f}" for number in (len(handed.data), limits.size))
        raise refused("archivo-grande", name=name, size=size, limit=limit)
    kind_of(Path(name), handed.data)
    sha256 = hashlib.sha256(handed.data).hexdigest()
    known = _batch(views, sha256, handed.choices.sheet)
    if known is not None:
        return Received(None, known)
    with store.office.write() as connection:
        before = _open(connection, store, sha256)
        if before is not None:
            return Received(before, None)
        _check_room(connection, who, len(handed.data))
        number = _insert(connection, store, replace(handed, name=name), sha256, now, who, address)
        crashpoint("upload-before-commit")
    return Received(store.get(number), None, new=True)


def clean_name(name: str) -> str:
    """``name`` as it is kept: the last part of a path, without what a file name must not have, not too long."""
    text = plain(name.replace("\\", "/").rpartition("/")[2]).lstrip(".") or "archivo"
    stem, dot, ending = text.rpartition(".")
    if not dot or len(ending) > 10:
        return _cut(text, LONGEST_NAME)
    return f"{_cut(stem, LONGEST_NAME - len(ending.encode()) - 1)}.{ending}"


def _cut(text: str, most: int) -> str:
    """``text`` with at most ``most`` bytes, and no half sign at its end."""
    return text.encode()[:most].decode(errors="ignore")


def choices_of(store: Proposals, number: int) -> Choices:
    """What was said with the file of a proposal."""
    first = store.events(number)[0].data
    return Choices(**first.get("choices", {}))


def answers(refusal: Mapping[str, Any], said: Choices) -> list[tuple[str, Choices]]:
    """What a person may choose about a refused file: the words, and how it is read then."""
    offered = [Choice(**one) for one in refusal.get("choices", ())]
    found = [(one.words, _with(said, one)) for one in offered]
    return [(words, choices) for words, choices in found if choices != said]


def _with(said: Choices, one: Choice) -> Choices:
    changed = {**asdict(said), "sheet": one.sheet or said.sheet, "columns": one.columns or said.columns}
    changed["include_hidden"] = one.include_hidden or said.include_hidden
    return Choices(**changed)


def again_of(store: Proposals, number: int) -> int | None:
    """The proposal whose file this one is again, or corrects."""
    found = store.events(number)[0].data.get("again")
    return int(found) if found else None


def to_check(store: Proposals) -> list[Proposal]:
    """Uploads that are not checked yet, oldest first: new ones, and those whose check was cut off."""
    return [one for one in store.open() if one.state is ProposalState.CHECKING]


def keep_checked(store: Proposals, proposal: Proposal, draft: Draft, now: datetime) -> Proposal:
    """``proposal`` as a draft with what was found in its file, by compare-and-set. Raises ``NotApproved`` when another
    check of it was quicker."""
    content, after = draft.content, move(proposal.state, Step.CHECKED)
    assert content.sha256 == proposal.sha256, "what was checked is what was handed in"
    until = lasts_until(after, now, store.hours)
    values = {
        "ledger": content.ledger,
        "sheet": content.sheet or "",
        "options": options_text(content),
        "rows": content.rows,
        "to_send": content.to_send,
        "digest": content.digest,
        "canonical": content.canonical,
        "expires_at": to_text(until) if until else None,
    }
    told = {**draft.kept, "digest": content.digest}
    with store.office.write() as connection:
        done = _step(connection, proposal, Step.CHECKED, now, values, told)
        if done:
            hashes = {"proposal": proposal.id, "hashes": joined(content.payloads)}
            connection.execute(insert(tables.proposal_hashes).values(hashes))
        crashpoint("upload-checked-before-commit")
    if not done:
        raise moved_on(store.get(proposal.id))
    return store.get(proposal.id)


def keep_refused(store: Proposals, proposal: Proposal, refusal: AnularError, now: datetime) -> Proposal:
    """``proposal`` as one that cannot be used, with the words, and what a person may choose instead. Raises like
    ``keep_checked``."""
    told: dict[str, Any] = {"code": refusal.code, "message": refusal.message, "where": refusal.where}
    told["remedy"] = refusal.remedy
    if isinstance(refusal, InputRefused):
        told["choices"] = [asdict(one) for one in refusal.choices]
    with store.office.write() as connection:
        done = _step(connection, proposal, Step.UNREADABLE, now, {"why": refusal.sentence, "expires_at": None}, told)
    if not done:
        raise moved_on(store.get(proposal.id))
    return store.get(proposal.id)


def refusal_in(store: Proposals, number: int) -> Mapping[str, Any]:
    """What was kept of the refusal of an upload; empty for one that was not refused."""
    return next((one.data for one in store.events(number) if one.event == Step.UNREADABLE.value), {})


def forget_files(store: Proposals, now: datetime, days: float) -> int:
    """Deletes the files of proposals that ended without a batch so many days ago; how many. Their events stay."""
    proposal, upload = tables.proposal, tables.upload
    old = to_text(now - timedelta(days=days))
    ends = [state.value for state in ENDS]
    gone = (
        select(upload.c.id)
        .join(proposal, proposal.c.id == upload.c.proposal)
        .where(proposal.c.profile == store.profile, proposal.c.env == store.env)
        .where(proposal.c.state.in_(ends), proposal.c.batch.is_(None), proposal.c.changed_at < old)
    )
    with store.office.write() as connection:
        found = [line.id for line in connection.execute(gone)]
        for one in found:
            _delete(connection, one)
    return len(found)


def has_file(store: Proposals, number: int) -> bool:
    """Whether the file of a proposal is still kept."""
    return bool(store.office.read(select(tables.upload.c.id).where(tables.upload.c.proposal == number)))


def _batch(views: Views | None, sha256: str, sheet: str) -> BatchInfo | None:
    """Batch of this company that is made of these bytes, and of that sheet where one is named."""
    found = views.of_content(sha256) if views is not None else []
    own = [one for one in found if views is not None and not views.of_another(one.id)]
    return next((one for one in own if not sheet or one.sheet == sheet), None)


def _open(connection: Connection, store: Proposals, sha256: str) -> Proposal | None:
    table = tables.proposal
    query = select(table).where(table.c.profile == store.profile, table.c.env == store.env, table.c.sha256 == sha256)
    query = query.where(table.c.state.in_([state.value for state in OPEN]), table.c.source == FILE)
    found = connection.execute(query.order_by(table.c.id)).first()
    return proposal_of(found) if found is not None else None


def _check_room(connection: Connection, who: str, size: int) -> None:
    """Raises ``WrongUsage`` when ``who`` has too much that is not at its end, in whatever company. Files of proposals
    that ended without a batch, such as those that cannot be used, are deleted where they would take the room, oldest
    first.
    """
    proposal, upload = tables.proposal, tables.upload
    ends = [state.value for state in ENDS]
    mine = (
        select(upload.c.id, upload.c.size, proposal.c.state)
        .select_from(upload.join(proposal, proposal.c.id == upload.c.proposal))
        .where(proposal.c.prepared_by == who, or_(proposal.c.batch.is_(None), proposal.c.state.not_in(ends)))
        .order_by(proposal.c.changed_at, proposal.c.id)
    )
    found = connection.execute(mine).all()
    left = [one for one in found if one.state not in ends]
    room = sum(one.size for one in left) + size
    if len(left) >= MOST_OPEN or room > MOST_BYTES:
        raise WrongUsage(
            f"Usted tiene {thousands(len(left))} archivos sin terminar; el máximo es {MOST_OPEN}, y "
            f"{MOST_BYTES // MEGABYTE} MB en total. El archivo no se guardó.",
            code="upload-many",
            remedy="Envíe a aprobación o descarte alguno de sus borradores y vuelva a cargarlo.",
        )
    for one in reversed([one for one in found if one.state in ends]):  # the newest are kept as long as there is room
        room += one.size
        if room > MOST_BYTES:
            _delete(connection, one.id)


def _delete(connection: Connection, number: int) -> None:
    connection.execute(delete(tables.upload_chunk).where(tables.upload_chunk.c.upload == number))
    connection.execute(delete(tables.upload).where(tables.upload.c.id == number))


def _insert(
    connection: Connection, store: Proposals, handed: Handed, sha256: str, now: datetime, who: str, address: str
) -> int:
    at, state = to_text(now), ProposalState.CHECKING.value
    values = {
        "version": _FIRST,
        "profile": store.profile,
        "env": store.env,
        "ledger": "",  # known when it is checked
        "state": state,
        "source": FILE,
        "file_name": handed.name,
        "sha256": sha256,
        "sheet": handed.choices.sheet,
        "options": json.dumps(handed.choices.options, sort_keys=True),
        "rows": 0,
        "to_send": 0,
        "prepared_by": who,
        "why": "",
        "created_at": at,
        "changed_at": at,
    }
    key = connection.execute(insert(tables.proposal).values(values)).inserted_primary_key
    assert key is not None
    number = int(key[0])
    told = {"sha256": sha256, "choices": asdict(handed.choices), "again": handed.again}
    write_step(connection, number, _FIRST, at, who, address, UPLOADED, "", state, "", told)
    keep_file(connection, number, handed.name, handed.data)
    return number


def _step(
    connection: Connection,
    proposal: Proposal,
    step: Step,
    now: datetime,
    values: Mapping[str, Any],
    told: Mapping[str, Any],
) -> bool:
    """Takes a step that the program takes in the name of who handed the file in; False when another one was quicker."""
    after, at, table = move(proposal.state, step), to_text(max(now, proposal.changed)), tables.proposal
    more = {**values, "version": proposal.version + 1, "state": after.value, "changed_at": at}
    done = connection.execute(
        update(table)
        .where(table.c.id == proposal.id, table.c.version == proposal.version, table.c.state == proposal.state.value)
        .values(more)
    )
    if done.rowcount != 1:
        return False
    who, why = proposal.people.prepared_by, str(values.get("why", ""))
    version, before = proposal.version + 1, proposal.state.value
    write_step(connection, proposal.id, version, at, who, TERMINAL, step.value, before, after.value, why, told)
    return True
