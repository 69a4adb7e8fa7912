"""Ledger of one command: opened, owned by this process, recovered; and everything that makes it this machine's."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from pipeline.domain.deadline import PANAMA
from pipeline.domain.errors import AnularError, StorageTrouble, WrongUsage
from pipeline.ledger import ownership, watermark
from pipeline.ledger.backup import Backup, back_up
from pipeline.ledger.ledger_events import (
    continued,
    id_of,
    moved_to,
    newest_word,
    settle_down,
    sited,
    start_anew,
    started_anew,
)
from pipeline.ledger.ownership import who_am_i
from pipeline.ledger.scope import Scope, credential_mark
from pipeline.ledger.sent import Sent
from pipeline.ledger.storage import integrity_cache
from pipeline.ledger.storage.database import Database
from pipeline.ledger.storage.location import Location, location_of
from pipeline.ledger.store import Store
from pipeline.ledger.transfer import Transfer, move
from pipeline.ledger.verify import LookedOver, look_over
from pipeline.ledger.views import Views
from pipeline.runtime.folders import state_folder
from pipeline.settings.load import load_settings, profile_names
from pipeline.settings.model import Env, Settings, limits
from pipeline.telemetry.events import SILENT, EventBus
from pipeline.wiring import lost_ledger
from pipeline.wiring.credentials import credentials, one_credential, user_of
from pipeline.wiring.lost_ledger import Input
from pipeline.wiring.many import Ledgers
from pipeline.wiring.rules import make_clock, nothing_known
from pipeline.wiring.views import scope_of


@dataclass(frozen=True, slots=True)
class Memory:
    """Ledger of one company, owned by this process until the block ends: what every use case works on."""

    #: of the company that owns it
    settings: Settings
    database: Database
    store: Store
    views: Views
    #: when a person last declared the ledger before it lost; None for one that has everything
    anew: datetime | None = None
    #: what this machine sent, in whatever ledger; None where that is not checked
    sent: Sent | None = None
    #: asked about once a second while a session works: what ends it; None lets it go on
    stop_when: Callable[[], AnularError | None] | None = None

    @property
    def bus(self) -> EventBus:
        """Event bus of this run."""
        return self.store.bus


@contextmanager
def open_memory(
    settings: Settings,
    *,
    sends: bool = True,
    files: Iterable[tuple[Path, str]] = (),
    new_ledger: bool = False,
    bus: EventBus = SILENT,
    hands_in: bool = False,
    ledgers: Ledgers | None = None,
) -> Iterator[Memory]:
    """Ledger opened for writing: in a trusted place, locked, sound, this machine's, and the one that has what was sent;
    the run is registered, and what an earlier one left undecided is recovered.

    With ``sends`` the credential is owned as well, so that two ledgers cannot send under one at the same time.
    ``files`` are the inputs with their SHA-256, whose earlier results would be traces of another memory.
    ``new_ledger`` is a person's declaration that such a memory is lost. ``bus`` publishes what became durable.
    ``hands_in``: batches are taken in for workers to send, while a run may own the credential; nothing is recovered
    and nothing can be sent. ``ledgers``: those that this command opens once for many companies.
    Raises ``AnotherRun``, ``StorageTrouble``, and ``WrongUsage`` when credentials are missing:
    the user, and with ``sends`` the password too, unless it is only handed in.
    """
    now, bound = make_clock(settings).now(), settings.env is not Env.SANDBOX
    location = ledgers.location(settings.ledger) if ledgers is not None else location_of(settings.ledger)
    inputs = [Input(file, sha256, settings.out or file.parent) for file, sha256 in files] if bound else []
    notes = _notes()
    with ExitStack() as stack:
        scope = stack.enter_context(
            _visited(settings, location) if hands_in else _owned(settings, location, sends=sends)
        )
        lost = ["el historial de envíos estaba vacío"] if location.emptied() else []
        there = location.exists()
        if bound and not there:
            lost = lost_ledger.of_missing(location, notes) or lost_ledger.of_inputs(
                inputs, settings.env, nothing_known, limits(settings)
            )
            if lost and not new_ledger:
                raise lost_ledger.refusal(
                    location, lost, settings.profile
                )  # none is made: the old one may be brought back
        fresh = not there or bool(lost)

        def begin_anew(database: Database) -> None:
            why = "; ".join(lost) or "sin rastros del historial de envíos anterior"
            _declare_lost(database, location, now, who=who_am_i(), why=why)

        before = ledgers.looked_over if ledgers is not None else None
        database = stack.enter_context(_opened(settings, location, begin_anew if new_ledger else None, before=before))
        views = Views(database, settings.env, scope)
        sent = _sent(settings, database)
        if sent is not None:
            stack.callback(sent.close)
            sent.heed(database, continued(database), newest_word(database))
        if bound and not location.shared:
            ownership.own(database, now, host=ownership.host_id(), name=platform.node())
        if not fresh:
            lost = sent.doubts(database) if sent is not None else []
            if bound:
                lost += _elsewhere(database) + watermark.doubts(notes, database)
                lost += lost_ledger.of_inputs(inputs, settings.env, views.knows, limits(settings), _day(database))
            if lost and not new_ledger:
                raise lost_ledger.refusal(location, lost, settings.profile)
        if new_ledger and not fresh:
            begin_anew(database)
        if sent is not None and new_ledger:
            sent.heed(database, continued(database), newest_word(database))
        if bound and location.shared and sited(database) is None:
            settle_down(database, now, who=who_am_i())
        keeping = watermark.Keeping(notes, database, time.monotonic) if bound else None
        store = Store(database, settings.env, scope, bus, sent, keeping)
        store.begin_run(now)
        if not hands_in:
            store.recover(now)
        if keeping is not None:
            keeping.renew()
            stack.callback(keeping.renew)
        stack.callback(bus.ledger, None)
        bus.ledger(views.tally)
        yield Memory(settings, database, store, views, started_anew(database), sent)


def _declare_lost(database: Database, location: Location, now: datetime, *, who: str, why: str) -> None:
    """Records a person's declaration, for every machine: what may have been sent is queried first from now on."""
    before = watermark.used_there(_notes(), location.key)
    start_anew(database, now, who=who, why=why, server=database.server, lost={before} - {"", id_of(database)})


def go_on_for(memory: Memory, lost: Iterable[str], now: datetime, *, who: str, why: str) -> Memory:
    """Memory after a person declared that it takes the place of the ledgers ``lost`` (ids)."""
    database = memory.database
    start_anew(database, now, who=who, why=why, server=database.server, lost=lost)
    if memory.sent is not None:
        memory.sent.heed(database, continued(database), newest_word(database))
    return replace(memory, anew=started_anew(database))


def _elsewhere(database: Database) -> list[str]:
    """Doubts about the place of a shared ledger, from its own events: a machine without notes has them too."""
    where = sited(database) if database.shared else None
    if where is None or where == database.server:
        return []
    return ["está en otro servidor o en otra base de datos que ayer (¿una réplica ascendida, un respaldo restaurado?)"]


def _sent(settings: Settings, database: Database) -> Sent | None:
    """This machine's memory of what was sent; none for a sandbox that a run starts for itself alone."""
    if settings.env is Env.SANDBOX and not settings.base_url:
        return None
    return Sent(state_folder() / "enviados.db", settings.env, id_of(database))


def _notes() -> Path:
    """Folder of this machine's notes about ledgers, outside of them."""
    return state_folder() / "registros"


def _day(database: Database) -> date | None:
    """Panamanian day on which a person last declared the memory lost."""
    anew = started_anew(database)
    return anew.astimezone(PANAMA).date() if anew is not None else None


def adopt_ledger(settings: Settings, *, who: str, why: str, restored: bool = False) -> None:
    """Makes the ledger this machine's; ``restored``: it went back (a backup, a standby), and every machine is to accept
    it as it is. Raises like ``open_memory``, and ``WrongUsage`` when there is no ledger."""
    location = location_of(settings.ledger)
    if location.shared and not restored:
        raise WrongUsage(
            "Un historial de envíos en PostgreSQL no pertenece a un equipo: no hay nada que adoptar.",
            code="adopt-shared",
            remedy="Después de restaurar un respaldo o ascender una réplica: --restored.",
        )
    if not location.exists():
        raise WrongUsage("No existe ese historial de envíos.", code="no-ledger", where=location.place)
    if not location.shared:
        ownership.check_place(Path(location.place), strict=settings.env is not Env.SANDBOX)
    with location.alone(), _opened(settings, location, restored=restored) as database:
        now = make_clock(settings).now()
        if not location.shared and not (restored and ownership.is_owner(database, ownership.host_id())):
            ownership.adopt(database, now, host=ownership.host_id(), name=platform.node(), who=who, why=why)
        if restored:
            _declare_lost(database, location, now, who=who, why=why)


@contextmanager
def _owned(settings: Settings, location: Location, *, sends: bool) -> Iterator[Scope]:
    """Lock on the ledger, in a trusted place (on PostgreSQL: on this credential's rows), and, with ``sends``, on the
    credential."""
    if not location.shared:
        ownership.check_place(Path(location.place), strict=settings.env is not Env.SANDBOX)
    user = credentials(settings)[0] if sends else user_of(settings)  # before anything is taken in
    mark = credential_mark(settings.env, user)
    with location.working(settings.env, mark) as scope, one_credential(settings, user) if sends else nullcontext():
        yield scope


def _visited(settings: Settings, location: Location) -> AbstractContextManager[Scope]:
    return location.visited(credential_mark(settings.env, user_of(settings)))


@contextmanager
def _opened(
    settings: Settings,
    location: Location,
    anew: Callable[[Database], None] | None = None,
    *,
    restored: bool = False,
    before: LookedOver | None = None,
) -> Iterator[Database]:
    notes, now = _notes(), make_clock(settings).now()
    file = None if location.shared else Path(location.place)
    known = integrity_cache.sound_since(notes, file, now) if file is not None else None
    database = location.open(anew, restored=restored)
    try:
        look_over(database, sound=known is not None, before=before)
        if (gone := moved_to(database)) is not None:
            raise StorageTrouble(
                f"Este historial de envíos se movió a {gone.place}: aquí solo se puede consultar. No se envió nada.",
                code="ledger-moved",
                where=location.place,
                remedy="Indique el nuevo lugar en ANULAR_LEDGER.",
            )
        yield database
    finally:
        database.close()
    # After a clean end only: whatever broke it off, the file is checked next time.
    if file is not None:
        integrity_cache.keep(notes, file, known or now)


@contextmanager
def open_ledger_views(settings: Settings, files: Iterable[tuple[Path, str]] = ()) -> Iterator[tuple[Views, Database]]:
    """Ledger opened for reading, while a run may own it; created, like by ``open_memory``, where there is none yet."""
    location = location_of(settings.ledger)
    if not location.exists():
        with open_memory(settings, sends=False, files=files):
            pass
    database = location.open_to_read()
    try:
        yield Views(database, settings.env, scope_of(settings)), database
    finally:
        database.close()


def move_ledger(source: str, target: str, now: datetime) -> Transfer:
    """Moves a whole ledger to another place. Raises like ``transfer.move``."""
    return move(source, target, now, _notes())


@dataclass(frozen=True, slots=True)
class Everyone:
    """The companies of this machine, for a command that goes on with the others where one is in trouble."""

    #: of any that can be read: what is the machine's, like the office database, is the same in all
    common: Settings
    #: lead to each ledger that there is, once each
    ledgers: list[Settings]
    #: profile of each company whose settings cannot be read, or of whose ledger it cannot be told whether there is one
    troubles: list[tuple[str, AnularError]]


def everyone() -> Everyone:
    """The companies of this machine. Raises ``WrongUsage`` when no settings can be read."""
    loaded: dict[str, Settings] = {}
    common: Settings | None = None
    troubles: list[tuple[str, AnularError]] = []
    for name in ["", *profile_names()]:
        try:
            one = load_settings(name)
        except AnularError as trouble:
            troubles.append((name, trouble))
        else:
            common = common or one
            loaded[one.ledger] = one
    if common is None:
        raise troubles[0][1]
    ledgers = []
    for one in loaded.values():
        try:
            if location_of(one.ledger).exists():
                ledgers.append(one)
        except AnularError as trouble:
            troubles.append((one.profile, trouble))
    return Everyone(common, ledgers, troubles)


def check_idle(settings: Settings) -> None:
    """Raises ``AnotherRun`` when a command works with the ledger at this moment, and ``StorageTrouble`` for one that
    this version cannot open."""
    location = location_of(settings.ledger)
    with location.alone():
        location.open_to_read().close()


def backup_ledger(settings: Settings, folder: Path) -> Backup:
    """A verified copy of the ledger in ``folder``, made beside a run. Raises like ``backup.back_up``, and
    ``WrongUsage`` when there is no ledger."""
    location = location_of(settings.ledger)
    if not location.exists():
        raise WrongUsage("No existe ese historial de envíos.", code="no-ledger", where=location.place)
    database = location.open_to_read()
    try:
        return back_up(database, location, folder, make_clock(settings).now())
    finally:
        database.close()
