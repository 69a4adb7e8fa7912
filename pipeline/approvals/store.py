"""Store of proposals: reads and writes of the office database, each step a compare-and-set with its event.

Whatever is done here changes no ledger and sends nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from pipeline.approvals.messages import KEY, message_of
from pipeline.approvals.orders import PROGRAM as PROGRAM
from pipeline.approvals.orders import Orders
from pipeline.approvals.steps import keep_file, write_step
from pipeline.domain.approval_digest import Content, joined, split
from pipeline.domain.commands import order
from pipeline.domain.errors import NotApproved, StorageTrouble
from pipeline.domain.proposals import (
    OPEN,
    WORDS,
    People,
    ProposalState,
    Step,
    clock_went_back,
    lapse,
    lasts_until,
    move,
)
from pipeline.ledger.codec import maybe_time, to_text, to_time
from pipeline.office import outbox, tables
from pipeline.office.database import Office
from pipeline.runtime.failpoints import crashpoint

FILE, FOLDER, RESEND = "archivo", "carpeta", "reenvio"
"""What a proposal is about: a file that a person proposed, a batch that the drop folder held, one row sent again."""
TERMINAL = "terminal"
"""Where a step at a terminal comes from; any other address is that of a page's client."""
UPLOADED = "uploaded"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal as the office database has it. Times are aware UTC."""

    id: int
    #: with ``id`` the compare-and-set handle
    version: int
    profile: str
    env: str
    #: id of the ledger
    ledger: str
    state: ProposalState
    #: ``FILE`` or ``FOLDER``
    source: str
    file_name: str
    sha256: str
    #: worksheet; None for CSV
    sheet: str | None
    options: Mapping[str, Any]
    rows: int
    to_send: int
    digest: str
    canonical: str
    people: People
    #: where it was approved, one of ``approved_by.WAYS``
    way: str
    #: id of its batch; empty while the ledger has none
    batch: str
    #: newest reason, in words
    why: str
    created: datetime
    changed: datetime
    expires: datetime | None

    @property
    def word(self) -> str:
        """State on screen."""
        return WORDS[self.state]

    @property
    def content(self) -> dict[str, Any]:
        """What is approved, as its canonical JSON says."""
        found: dict[str, Any] = json.loads(self.canonical)
        return found


@dataclass(frozen=True, slots=True)
class Draft:
    """What a proposal is made of."""

    content: Content
    source: str
    file_name: str
    #: bytes of the file; empty for a batch that the ledger has
    data: bytes
    #: what is kept for who approves: ``shown`` (lines of the plan), ``folder`` (of the results)
    kept: Mapping[str, Any]
    batch: str = ""


@dataclass(frozen=True, slots=True)
class ProposalEvent:
    """One step of a proposal, with who took it."""

    version: int
    at: datetime
    who: str
    address: str
    event: str
    before: str
    after: str
    why: str
    data: Mapping[str, Any]


class Proposals:
    """Proposals of one company (``profile``) in one environment; another one's is not there."""

    def __init__(self, office: Office, profile: str, env: str, *, hours: float, mails: bool = False) -> None:
        """Proposals that ``office`` has; with ``mails`` (the company names a recipient) steps put messages into the
        outbox."""
        self.office, self.profile, self.env, self.hours = office, profile, env, hours
        self._mails = mails

    @property
    def orders(self) -> Orders:
        """Orders to the sender of the same company."""
        return Orders(self.office, self.profile, self.env)

    @property
    def lasting(self) -> timedelta:
        """How long an approval is waited for, and how long it is good for until the first row leaves."""
        return timedelta(hours=self.hours)

    # --- reading

    def get(self, number: int) -> Proposal:
        """Proposal with this number. Raises ``NotApproved`` when there is none."""
        return self._one(self.office.read(self._mine().where(tables.proposal.c.id == number)), number)

    def open(self) -> list[Proposal]:
        """Those that are not at their end, oldest first."""
        states = [state.value for state in OPEN]
        query = self._mine().where(tables.proposal.c.state.in_(states)).order_by(tables.proposal.c.id)
        return [proposal_of(line) for line in self.office.read(query)]

    def of_batch(self, batch: str) -> Proposal | None:
        """The newest proposal of a whole batch; None where it came without one."""
        table = tables.proposal
        query = self._mine().where(table.c.batch == batch, table.c.source != RESEND)
        found = self.office.read(query.order_by(table.c.id.desc()).limit(1))
        return proposal_of(found[0]) if found else None

    def events(self, number: int) -> list[ProposalEvent]:
        """Every step of a proposal in order."""
        event = tables.proposal_event
        query = select(event).where(event.c.proposal == number).order_by(event.c.version)
        return [
            ProposalEvent(
                line.version,
                to_time(line.at),
                line.who,
                line.address,
                line.event,
                line.before,
                line.after,
                line.why,
                json.loads(line.data),
            )
            for line in self.office.read(query)
        ]

    def signed(self, number: int) -> tuple[People, str, str]:
        """People of a proposal, the digest that was approved, and where, as its events say, which cannot be changed."""
        people, digest, way = People(), "", TERMINAL
        for one in self.events(number):
            if one.event == Step.CHECKED.value:
                people = replace(people, prepared_by=one.who)
            elif one.event == Step.SUBMITTED.value:
                people = replace(people, submitted_by=one.who)
            elif one.event == Step.APPROVED.value:
                people, digest = replace(people, approved_by=one.who), str(one.data.get("digest", ""))
                way = way_of(one.address)
        return people, digest, way

    def way(self, proposal: Proposal) -> str:
        """Where a proposal came from: "web" as soon as a page had a hand in it before it was approved, so that what one
        person began there is not approved by the same one at a terminal."""
        began = (one for one in self.events(proposal.id) if one.event in (UPLOADED, Step.SUBMITTED.value))
        ways = {proposal.way, *(way_of(one.address) for one in began)}
        return "web" if "web" in ways else TERMINAL

    def plan_data(self, number: int) -> Mapping[str, Any]:
        """What was kept of the plan when it was made."""
        return next((one.data for one in self.events(number) if one.event == Step.CHECKED.value), {})

    def folder(self, number: int) -> Path:
        """Where the file lay, and its results are written."""
        return Path(str(self.plan_data(number).get("folder", ".")))

    def given(self, proposal: Proposal) -> list[tuple[Path, str]]:
        """Its file with its SHA-256, as the ledger is opened with."""
        return [(self.folder(proposal.id) / proposal.file_name, proposal.sha256)]

    def hashes(self, number: int) -> tuple[bytes, ...]:
        """Payload hashes that belong to its digest. Raises ``StorageTrouble`` when they are not those."""
        found = self.office.read(
            select(tables.proposal_hashes.c.hashes).where(tables.proposal_hashes.c.proposal == number)
        )
        return split(bytes(found[0].hashes)) if found else ()

    def file(self, number: int) -> bytes:
        """Bytes of its file. Raises ``StorageTrouble`` when they are not those that were handed in."""
        upload, chunk = tables.upload, tables.upload_chunk
        head = self.office.read(select(upload).where(upload.c.proposal == number))
        if not head:
            raise _damaged(self.office.place, number)
        pieces = self.office.read(select(chunk.c.data).where(chunk.c.upload == head[0].id).order_by(chunk.c.n))
        data = b"".join(bytes(one.data) for one in pieces)
        if len(data) != head[0].size or hashlib.sha256(data).hexdigest() != head[0].sha256:
            raise _damaged(self.office.place, number)
        return data

    # --- writing

    def add(self, draft: Draft, now: datetime, *, who: str, address: str = TERMINAL) -> tuple[Proposal, bool]:
        """Keeps a proposal with its file, as a draft that ``who`` prepared; True when it is new.

        The open proposal of the same bytes and sheet, or of the same batch, is returned instead.
        """
        content = draft.content
        with self.office.write() as connection:
            known = self._known(connection, draft)
            if known is not None:
                return known, False
            at = to_text(now)
            until = lasts_until(ProposalState.DRAFT, now, self.hours)
            values = {
                "version": 2,
                "profile": self.profile,
                "env": self.env,
                "ledger": content.ledger,
                "state": ProposalState.DRAFT.value,
                "source": draft.source,
                "file_name": draft.file_name,
                "sha256": content.sha256,
                "sheet": content.sheet or "",
                "options": options_text(content),
                "rows": content.rows,
                "to_send": content.to_send,
                "digest": content.digest,
                "canonical": content.canonical,
                "prepared_by": who,
                "batch": draft.batch or None,
                "why": "",
                "created_at": at,
                "changed_at": at,
                "expires_at": to_text(until) if until else None,
            }
            key = connection.execute(insert(tables.proposal).values(values)).inserted_primary_key
            assert key is not None
            number = int(key[0])
            start, end = ProposalState.CHECKING.value, ProposalState.DRAFT.value
            write_step(connection, number, 1, at, who, address, UPLOADED, "", start, "", {"sha256": content.sha256})
            told = {**draft.kept, "digest": content.digest}
            write_step(connection, number, 2, at, who, address, Step.CHECKED.value, start, end, "", told)
            connection.execute(insert(tables.proposal_hashes).values(proposal=number, hashes=joined(content.payloads)))
            if draft.source == FILE:
                assert hashlib.sha256(draft.data).hexdigest() == content.sha256, "what is kept is what was read"
                keep_file(connection, number, draft.file_name, draft.data)
            crashpoint("proposal-before-commit")
        crashpoint("proposal-added")
        return self.get(number), True

    def take(
        self,
        proposal: Proposal,
        step: Step,
        now: datetime,
        *,
        who: str = PROGRAM,
        why: str = "",
        address: str = TERMINAL,
        data: Mapping[str, Any] | None = None,
        batch: str = "",
    ) -> Proposal:
        """``proposal`` after a step, with its event in the same transaction.

        Raises ``NotApproved`` when somebody else took one since it was read, or the clock went back; ``Bug`` for a
        step that its state does not allow.
        """
        after = move(proposal.state, step)
        check_clock(proposal, now)
        at = to_text(max(now, proposal.changed))
        until = lasts_until(after, now, self.hours)
        if after is ProposalState.ON_HOLD:
            until = proposal.expires
        values: dict[str, Any] = {
            "version": proposal.version + 1,
            "state": after.value,
            "why": why,
            "changed_at": at,
            "expires_at": to_text(until) if until else None,
        }
        if step is Step.SUBMITTED:
            values["submitted_by"] = who
        if step is Step.APPROVED:
            values |= {"approved_by": who, "approved_way": way_of(address)}
        if batch:
            values["batch"] = batch
        table = tables.proposal
        with self.office.write() as connection:
            done = connection.execute(
                update(table)
                .where(table.c.id == proposal.id, table.c.version == proposal.version)
                .where(table.c.state == proposal.state.value, table.c.profile == self.profile)
                .values(values)
            )
            if done.rowcount == 1:
                said = dict(data or {})
                write_step(
                    connection,
                    proposal.id,
                    proposal.version + 1,
                    at,
                    who,
                    address,
                    step.value,
                    proposal.state.value,
                    after.value,
                    why,
                    said,
                )
                self._put_message(connection, proposal, step, now, who, values)
            crashpoint(f"proposal-{step.value}-before-commit")
        crashpoint(f"proposal-{step.value}-after-commit")
        if done.rowcount != 1:
            raise moved_on(self.get(proposal.id))
        return self.get(proposal.id)

    def _put_message(
        self, connection: Connection, proposal: Proposal, step: Step, now: datetime, who: str, values: dict[str, Any]
    ) -> None:
        if not self._mails:
            return
        until = values["expires_at"]
        people = replace(proposal.people, submitted_by=values.get("submitted_by", proposal.people.submitted_by))
        after = replace(
            proposal,
            state=ProposalState(values["state"]),
            why=values["why"],
            expires=to_time(until) if until else None,
            people=people,
        )
        told = message_of(after, step, who)
        if told is not None:
            key = f"{KEY}{self.env} {proposal.id} {values['version']}"
            outbox.put(connection, key, told, profile=self.profile, now=now)

    def sweep(self, now: datetime) -> list[Proposal]:
        """Ends what was not submitted, approved or begun in time; returns those."""
        ended = []
        for one in self.open():
            step = lapse(one.state, one.expires, now)
            if step is not None and not clock_went_back(one.changed, now):
                try:
                    ended.append(self.take(one, step, now, why=_LAPSED[one.state]))
                except NotApproved:  # somebody was quicker
                    continue
        return ended

    def _known(self, connection: Connection, draft: Draft) -> Proposal | None:
        table = tables.proposal
        query = self._mine().where(table.c.state.in_([state.value for state in OPEN]))
        query = query.where(table.c.source == draft.source)
        if draft.source == RESEND:
            query = query.where(table.c.batch == draft.batch, table.c.options == options_text(draft.content))
        elif draft.source == FOLDER:
            query = query.where(table.c.batch == draft.batch)
        else:
            query = query.where(table.c.sha256 == draft.content.sha256, table.c.sheet == (draft.content.sheet or ""))
        found = connection.execute(query.order_by(table.c.id)).first()
        return proposal_of(found) if found is not None else None

    def _mine(self) -> Any:
        table = tables.proposal
        return select(table).where(table.c.profile == self.profile, table.c.env == self.env)

    def _one(self, found: Sequence[Any], number: int) -> Proposal:
        if not found:
            raise NotApproved(
                f"No existe la propuesta {number}.",
                code="approval-unknown",
                remedy=f"Vea las que están abiertas: {order('proposals')}",
            )
        return proposal_of(found[0])


def way_of(address: str) -> str:
    """Where a step that comes from ``address`` is taken, one of ``approved_by.WAYS``."""
    return TERMINAL if address == TERMINAL else "web"


def check_clock(proposal: Proposal, now: datetime) -> None:
    """Raises ``NotApproved`` when the clock shows a time before the newest step of ``proposal``."""
    if clock_went_back(proposal.changed, now):
        raise NotApproved(
            f"El reloj de este equipo marca una hora anterior al último paso de la propuesta {proposal.id}: no se "
            "puede saber si sigue a tiempo. No se envió nada.",
            code="approval-clock",
            remedy="Ponga el reloj en hora y repita el comando.",
        )


def moved_on(now: Proposal) -> NotApproved:
    """Refusal for who took a step on a proposal that another one changed meanwhile."""
    return NotApproved(
        f"La propuesta {now.id} cambió desde que usted la abrió: está «{now.word}». No se cambió nada.",
        code="approval-changed",
        remedy=f"Véala otra vez: {order('proposals')}",
    )


_LAPSED = {
    ProposalState.DRAFT: "nadie pidió su aprobación en 30 días",
    ProposalState.WAITING: "nadie la aprobó a tiempo",
    ProposalState.APPROVED: "no se empezó a enviar a tiempo",
    ProposalState.ON_HOLD: "no se empezó a enviar a tiempo",
}


def options_text(content: Content) -> str:
    """The options by which a file is read, as they are stored."""
    return json.dumps(dict(content.options), sort_keys=True)


def _damaged(place: str, number: int) -> StorageTrouble:
    return StorageTrouble(
        f"El archivo guardado de la propuesta {number} no está completo o cambió. No se envió nada.",
        code="proposal-damaged",
        where=place,
        remedy="Proponga el archivo otra vez.",
    )


def proposal_of(line: Any) -> Proposal:
    """Proposal that a line of the table is."""
    return Proposal(
        id=line.id,
        version=line.version,
        profile=line.profile,
        env=line.env,
        ledger=line.ledger,
        state=ProposalState(line.state),
        source=line.source,
        file_name=line.file_name,
        sha256=line.sha256,
        sheet=line.sheet or None,
        options=json.loads(line.options),
        rows=line.rows,
        to_send=line.to_send,
        digest=line.digest or "",
        canonical=line.canonical or "",
        people=People(line.prepared_by, line.submitted_by or "", line.approved_by or ""),
        way=line.approved_way,
        batch=line.batch or "",
        why=line.why,
        created=to_time(line.created_at),
        changed=to_time(line.changed_at),
        expires=maybe_time(line.expires_at),
    )
