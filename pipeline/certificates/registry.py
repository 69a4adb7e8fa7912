"""Registry: the certificate records of one company in the office database.

Every change is one serial transaction: read, judged by the rules (``domain/certificates.py``), written as a
compare-and-set on (id, version), and logged as an event that is never changed. What a page or a command may do with a
record is one method here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from pipeline.domain import certificates as rules
from pipeline.domain.certificates import Certificate, Event, State
from pipeline.domain.commands import order
from pipeline.domain.deadline import PANAMA
from pipeline.domain.errors import WrongUsage
from pipeline.ledger import codec
from pipeline.office import outbox
from pipeline.office.database import Office
from pipeline.office.tables import certificate, certificate_event
from pipeline.settings.model import Settings

CLOCK = "reloj"
"""Who a certificate ended by, when it was not a person."""
KEY = "certificado:"
"""Begins the key of every message about a certificate."""
REJECTED_SUBJECT = "Rechazo solicitud de certificado digital"
BY_HAND, FROM_FILE, FROM_TABLE = "a mano", "archivo", "CSV"
_KEPT = (
    *("ruc", "holder", "authority", "request", "requested_on", "mail", "state", "observations", "valid_from"),
    *("valid_until", "serial", "fingerprint", "source"),
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One event of a record."""

    at: datetime
    who: str
    event: str
    before: str
    after: str
    why: str
    #: what changed: the name of each value with the old and the new one
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dates:
    """Dates of a certificate that is ready: typed, or read from its file (``file.py``)."""

    #: aware
    valid_from: datetime | None
    #: aware
    valid_until: datetime | None
    serial: str = ""
    #: empty for dates that a person typed
    fingerprint: str = ""
    #: RUCs in the subject
    rucs: tuple[str, ...] = ()
    #: a person said that another RUC in the subject is right
    confirmed: bool = False

    def checked(self, ruc: str, now: datetime) -> dict[str, Any]:
        """The values that they give a record of the issuer ``ruc`` (C3). Raises ``WrongUsage``."""
        rules.check_validity(self.valid_from, self.valid_until, now)
        rules.check_subject(ruc, self.rucs, confirmed=self.confirmed)
        told = {"valid_from": self.valid_from, "valid_until": self.valid_until, "source": BY_HAND}
        if self.fingerprint:
            told |= {"serial": self.serial, "fingerprint": self.fingerprint, "source": FROM_FILE}
        return told


@dataclass(frozen=True, slots=True)
class Registry:
    """Records of one company: a profile and its environment. ``who`` signs what is changed."""

    office: Office
    settings: Settings
    who: str

    # --- reading

    def all(self) -> list[Certificate]:
        """Every record of this company, the oldest first."""
        return [_record(line) for line in self.office.read(self._mine())]

    def log(self, id_: int) -> list[LogLine]:
        """Events of a record, oldest first. Raises ``WrongUsage`` for one that this company does not have."""
        self.one(id_)
        event = certificate_event.c
        query = select(certificate_event).where(event.certificate == id_).order_by(event.version)
        return [
            LogLine(
                codec.to_time(line.at), line.who, line.event, line.before, line.after, line.why, json.loads(line.data)
            )
            for line in self.office.read(query)
        ]

    def one(self, id_: int) -> Certificate:
        """The record with this number. Raises ``WrongUsage``, also for another company's."""
        found = self.office.read(self._mine().where(certificate.c.id == id_))
        if not found:
            raise missing(id_)
        return _record(found[0])

    # --- what a person does

    def request(self, asked: Certificate, now: datetime) -> Certificate:
        """A new request, ``En trámite`` (C5, C6). Raises ``WrongUsage``."""
        rules.check_record(asked, _day(now))
        with self.writing() as connection:
            rules.check_request(asked.ruc, self.read(connection), now, self.settings.cert_renew_months)
            return self.add(connection, asked, Event.REQUESTED, now)

    def register(self, asked: Certificate, dates: Dates, now: datetime) -> Certificate:
        """A certificate that there is already: a request that is ready at once (C3, C5, C6). Raises ``WrongUsage``."""
        rules.check_record(asked, _day(now))
        ready = dates.checked(asked.ruc, now)
        with self.writing() as connection:
            rules.check_request(asked.ruc, self.read(connection), now, self.settings.cert_renew_months)
            return self.change(connection, self.add(connection, asked, Event.REQUESTED, now), Event.READY, ready, now)

    def request_again(self, id_: int, requested_on: date, now: datetime, version: int | None = None) -> Certificate:
        """A rejected request, corrected and sent again (C6). Raises ``WrongUsage``."""
        with self.writing() as connection:
            one = self._current(connection, id_, now, version)
            others = [other for other in self.read(connection) if other.id != id_]
            rules.moved(one.state, Event.REQUESTED)
            rules.check_request(one.ruc, others, now, self.settings.cert_renew_months)
            values = {"requested_on": requested_on, "observations": ""}
            rules.check_record(replace(one, requested_on=requested_on), _day(now))
            return self.change(connection, one, Event.REQUESTED, values, now)

    def accept(self, id_: int, now: datetime, version: int | None = None) -> Certificate:
        """A request that was accepted. Raises ``WrongUsage``."""
        with self.writing() as connection:
            return self.change(connection, self._current(connection, id_, now, version), Event.ACCEPTED, {}, now)

    def reject(self, id_: int, observations: str, now: datetime, version: int | None = None) -> Certificate:
        """A request that was rejected, with what to correct (C2); the mail about it waits in the outbox from the same
        moment. Raises ``WrongUsage``."""
        rules.check_rejection(observations)
        with self.writing() as connection:
            one = self._current(connection, id_, now, version)
            values = {"observations": observations}
            return self.change(connection, one, Event.REJECTED, values, now, why=observations)

    def complete(self, id_: int, dates: Dates, now: datetime, version: int | None = None) -> Certificate:
        """A request whose certificate is there: its dates, and what a file said (C3). Raises ``WrongUsage``."""
        with self.writing() as connection:
            one = self._current(connection, id_, now, version)
            return self.change(connection, one, Event.READY, dates.checked(one.ruc, now), now)

    def edit(
        self,
        id_: int,
        values: Mapping[str, Any],
        now: datetime,
        dates: Dates | None = None,
        version: int | None = None,
    ) -> Certificate:
        """Other values for a certificate that is active, or for a request under way, which has no dates yet (C3, C4);
        the old ones stay in its events. Of ``dates`` those that are None stay. Another ``ruc`` is for a request alone,
        and no request of that issuer may be in the way (C5, C6). Raises ``WrongUsage``."""
        with self.writing() as connection:
            one = self._current(connection, id_, now, version)
            rules.moved(one.state, Event.EDITED)
            rules.check_editable(one, now)
            rules.check_record(replace(one, **values), _day(now))
            rules.check_correction(one, values, dates=dates is not None)
            if "ruc" in values:
                others = [other for other in self.read(connection) if other.id != id_]
                rules.check_request(values["ruc"], others, now, self.settings.cert_renew_months)
            told = dict(values)
            if dates is not None:
                since, until = dates.valid_from or one.valid_from, dates.valid_until or one.valid_until
                told |= replace(dates, valid_from=since, valid_until=until).checked(one.ruc, now)
            return self.change(connection, one, Event.EDITED, told, now)

    def end(self, id_: int, reason: str, now: datetime, version: int | None = None) -> Certificate:
        """A certificate that was revoked or replaced: it ends now, with the reason (C4). Raises ``WrongUsage``."""
        rules.check_reason(reason)
        with self.writing() as connection:
            one = self._current(connection, id_, now, version)
            rules.moved(one.state, Event.ENDED)
            rules.check_editable(one, now)
            return self.change(connection, one, Event.ENDED, {"valid_until": now}, now, why=reason)

    # --- what the clock does

    def sweep(self, now: datetime) -> list[Certificate]:
        """Writes the end of what has run out since it was last looked at; returns these records."""
        with self.writing() as connection:
            return self._sweep(connection, now)

    def _sweep(self, connection: Connection, now: datetime) -> list[Certificate]:
        return [
            self.change(connection, one, Event.RAN_OUT, {}, now, who=CLOCK, why=_ran_out(one))
            for one in self.read(connection)
            if one.state is State.COMPLETE and rules.state_of(one, now) is State.EXPIRED
        ]

    # --- one transaction

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction for several changes: all of them or none. Raises ``StorageTrouble``."""
        with self.office.write() as connection:
            yield connection

    def _mine(self) -> Any:
        """Records of this company: the one place that keeps them apart from another's."""
        table = certificate.c
        query = select(certificate).where(table.profile == self.settings.profile, table.env == self.settings.env.value)
        return query.order_by(table.id)

    def read(self, connection: Connection) -> list[Certificate]:
        """Every record, within a transaction."""
        return [_record(line) for line in connection.execute(self._mine())]

    def _current(self, connection: Connection, id_: int, now: datetime, version: int | None) -> Certificate:
        """The record as it is now: what has run out is written down first, so that nothing else can be made of it.

        ``version`` is the one that a person saw. Raises ``WrongUsage``.
        """
        found = next((one for one in self.read(connection) if one.id == id_), None)
        if found is None:
            raise missing(id_)
        if version is not None and found.version != version:
            raise _changed(id_)
        return replace(found, state=rules.state_of(found, now))

    def add(
        self, connection: Connection, one: Certificate, event: Event, now: datetime, state: State = State.IN_PROCESS
    ) -> Certificate:
        """Keeps a new record, within a transaction; whether there may be one was asked before."""
        new = replace(one, version=1, state=state)
        values = _columns(new) | {
            "version": 1,
            "profile": self.settings.profile,
            "env": self.settings.env.value,
            "who": self.who,
            "at": codec.to_text(now),
        }
        inserted = connection.execute(insert(certificate).values(values)).inserted_primary_key
        assert inserted is not None
        kept = replace(new, id=int(inserted[0]))
        told = {name: [None, value] for name, value in _columns(new).items() if value}
        self._note(connection, kept, event, "", told, now, self.who, "")
        return kept

    def change(
        self,
        connection: Connection,
        one: Certificate,
        event: Event,
        values: Mapping[str, Any],
        now: datetime,
        *,
        who: str = "",
        why: str = "",
    ) -> Certificate:
        """Moves a record by ``event``. Raises ``WrongUsage`` for a move that there is not, and when another process
        was first."""
        return self.write(connection, one, rules.moved(one.state, event), event, values, now, who=who, why=why)

    def write(
        self,
        connection: Connection,
        one: Certificate,
        state: State,
        event: Event,
        values: Mapping[str, Any],
        now: datetime,
        *,
        who: str = "",
        why: str = "",
    ) -> Certificate:
        """Writes a record that became ``state``. Raises ``WrongUsage`` when another process was first."""
        after = replace(one, **values, state=state, version=one.version + 1)
        before_columns, columns = _columns(one), _columns(after)
        signed = {"who": who or self.who, "at": codec.to_text(now), "version": after.version}
        query = update(certificate).where(certificate.c.id == one.id, certificate.c.version == one.version)
        if connection.execute(query.values(columns | signed)).rowcount != 1:
            raise _changed(one.id)
        told = {name: [before_columns[name], new] for name, new in columns.items() if before_columns[name] != new}
        self._note(connection, after, event, one.state.value, told, now, who or self.who, why)
        if event is Event.REJECTED:
            self._mail_rejection(connection, after, now)
        return after

    def _note(
        self,
        connection: Connection,
        one: Certificate,
        event: Event,
        before: str,
        data: Mapping[str, Any],
        now: datetime,
        who: str,
        why: str,
    ) -> None:
        line = {
            "certificate": one.id,
            "version": one.version,
            "at": codec.to_text(now),
            "who": who,
            "event": event.value,
            "before": before,
            "after": one.state.value,
            "why": why,
            "data": json.dumps({name: told for name, told in data.items() if name != "state"}, ensure_ascii=False),
        }
        connection.execute(insert(certificate_event).values(line))

    def _mail_rejection(self, connection: Connection, one: Certificate, now: datetime) -> None:
        from pipeline.notify import has_recipients

        if not has_recipients(self.settings):
            return
        lines = [
            f"La solicitud de certificado digital{_number(one)} del emisor {one.ruc} fue rechazada.",
            f"Observaciones: {one.observations}",
            f"Corrija y envíe otra vez. Después, anótelo: {order('certs', 'edit', one.id, '--state', 'en-tramite')}",
        ]
        told = {"subject": REJECTED_SUBJECT, "lines": lines, "data": {"certificate": one.id, "issuer": one.ruc}}
        key = f"{KEY}{one.id}:rechazo:{one.version}"
        outbox.put(connection, key, told, profile=self.settings.profile, now=now)


def _day(now: datetime) -> date:
    return now.astimezone(PANAMA).date()


def _number(one: Certificate) -> str:
    return f" {one.request}" if one.request else ""


def _ran_out(one: Certificate) -> str:
    assert one.valid_until is not None, "what is complete has an end"
    return f"Venció el {rules.day_words(one.valid_until)}: haga una nueva solicitud"


def _record(line: Any) -> Certificate:
    day = line.requested_on
    return Certificate(
        id=line.id,
        version=line.version,
        ruc=line.ruc,
        state=State(line.state),
        holder=line.holder,
        authority=line.authority,
        request=line.request,
        requested_on=date.fromisoformat(day) if day else None,
        mail=line.mail,
        observations=line.observations,
        valid_from=codec.maybe_time(line.valid_from),
        valid_until=codec.maybe_time(line.valid_until),
        serial=line.serial,
        fingerprint=line.fingerprint,
        source=line.source,
    )


def _columns(one: Certificate) -> dict[str, Any]:
    """The record as its columns."""
    told: dict[str, Any] = {}
    for name in _KEPT:
        value = getattr(one, name)
        if isinstance(value, datetime):
            value = codec.to_text(value)
        elif isinstance(value, date):
            value = value.isoformat()
        told[name] = str(value) if value is not None else None
    return told


def missing(id_: int) -> WrongUsage:
    """Error for a record that this company does not have."""
    return WrongUsage(
        f"No hay un certificado {id_} de esta empresa.",
        code="certificado-no-esta",
        remedy=f"Vea los que hay: {order('certs', 'list')}",
    )


def _changed(id_: int) -> WrongUsage:
    return WrongUsage(
        f"El certificado {id_} cambió desde que usted lo abrió. No se cambió nada.",
        code="certificado-cambio",
        remedy=f"Véalo otra vez: {order('certs', 'show', id_)}",
    )
