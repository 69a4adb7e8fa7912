"""One pass over the drop folder: claim what is complete, company by company, and have each company's files worked."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.domain.errors import AnularError, Interrupted, StoppedEarly, WrongUsage
from pipeline.domain.outcomes import worst
from pipeline.domain.problems import refused
from pipeline.domain.visible import one_line
from pipeline.ledger.storage.files import locked
from pipeline.read.readers import Readers
from pipeline.run.progress import Aside, Progress
from pipeline.run.side_by_side import MOST, owns, side_by_side
from pipeline.runtime.clock import Clock
from pipeline.runtime.shutdown import Ending
from pipeline.settings.load import load_settings, profile_names
from pipeline.settings.model import Settings, limits, whose
from pipeline.telemetry.events import SILENT, EventBus
from pipeline.watch.arrival import Arrival, Patience, arrivals, complete
from pipeline.watch.claim import Claim, begun, claim
from pipeline.watch.note import Handled
from pipeline.watch.places import INBOX, PROCESSING, Lane, folder_errors, lay_out
from pipeline.watch.process import turn_away, work
from pipeline.wiring.many import Ledgers
from pipeline.wiring.rules import make_clock
from pipeline.wiring.telemetry import Observation

if TYPE_CHECKING:
    from pipeline.watch.queue_bridge import QueueBridge

LOCK = ".anular.lock"


@dataclass
class Pass:
    """Result of a pass."""

    #: each file that was worked on
    handled: list[Handled] = field(default_factory=list)
    #: errors that belong to no file
    troubles: list[AnularError] = field(default_factory=list)
    #: those of them that a profile's notification has
    concern: dict[str, list[AnularError]] = field(default_factory=dict)
    #: files left for later
    left: int = 0
    #: inboxes of companies whose work stopped early (exit code 5)
    stopped: set[Path] = field(default_factory=set)

    def trouble(self, profile: str, *found: AnularError) -> None:
        """Adds what went wrong with the files of ``profile``."""
        self.troubles += found
        if found:
            self.concern.setdefault(profile, []).extend(found)

    @property
    def codes(self) -> list[int]:
        return [one.exit_code for one in self.handled] + [trouble.exit_code for trouble in self.troubles]


@contextmanager
def owned(root: Path) -> Iterator[None]:
    """The folder belongs to this pass alone. Raises ``AnotherRun``."""
    with locked(root / LOCK, "Otra ejecución está vigilando la misma carpeta."):
        yield


def one_pass(
    root: Path,
    profile: str,
    ledger: str,
    unchanged: Callable[[Arrival], float],
    progress: Progress,
    ending: Ending,
    *,
    resting: Collection[Path] = (),
    seen: Observation | None = None,
    queue: bool = False,
    take_over: bool = False,
) -> Pass:
    """Everything that is complete in ``root``, company by company; a trouble of one does not hold up the others.

    ``profile`` and ``ledger`` are those of the command line; inboxes that are ``resting`` are left alone; with
    ``queue`` batches go to workers; ``take_over`` as in ``process.work``. Raises ``StorageTrouble`` for a folder that
    cannot be used or trusted, ``WrongUsage`` for settings that cannot be read.
    """
    result = Pass()
    lanes, strange = lay_out(root, profile, profile_names())
    result.troubles += [_strange(folder, waiting=folder.parent == root / PROCESSING) for folder in strange]
    found: list[_Claimed] = []
    with Ledgers(MOST) as ledgers, _desks(ledgers, queue=queue) as desk_of, Readers() as readers:
        for lane in lanes:
            if lane.inbox in resting:
                continue
            bus = SILENT
            try:
                settings = load_settings(lane.profile, ledger)
                clock = make_clock(settings)
                bus = seen.bus(settings, "watch") if seen is not None else SILENT
                desk = desk_of(settings)
                earlier = begun(lane)
                if desk is not None:
                    sorted_out = desk.sort(earlier, clock.now())
                    earlier = sorted_out.free
                    result.handled += sorted_out.waiting
                    result.trouble(lane.profile, *sorted_out.troubles)
                of_nobody = lane is lanes[0] and len(lanes) > 1
                taken, left = claims(lane, [] if of_nobody else earlier, settings, clock, unchanged, ending, bus)
                if of_nobody:  # what an earlier pass took goes on; nothing new is anybody's
                    refusal = refused("carpeta-sin-empresa", folders=_folders(lanes[1:]))
                    result.handled += turn_away(taken, settings, clock, progress, refusal, bus)
                    taken = list(earlier)
            except AnularError as trouble:
                result.trouble(lane.profile, whose(lane.profile, ledger).complete_error(trouble))
                bus.note("run_stopped", error=trouble.code)
                if seen is not None:
                    seen.came_to(lane.profile, trouble.exit_code)
                continue
            result.left += left
            if taken:
                found.append(_Claimed(lane, taken, settings, clock, bus, desk))

        several = sum(len(one.taken) for one in found) > 1

        def carry(one: _Claimed, shown: Progress) -> list[Handled]:
            return work(
                *(one.taken, one.settings, one.clock, shown, ending, one.bus, one.desk),
                take_over=take_over,
                ledgers=ledgers,
                readers=readers if several else None,
            )

        for one, handled in _carried(found, carry, progress):
            result.handled += handled
            if seen is not None and handled:
                seen.came_to(one.lane.profile, worst(each.exit_code for each in handled))
            if any(each.exit_code == StoppedEarly.exit_code for each in handled):
                result.stopped.add(one.lane.inbox)
    if ending.asked and not any(code == Interrupted.exit_code for code in result.codes):
        result.troubles.append(Interrupted())
    return result


@dataclass(frozen=True, slots=True)
class _Claimed:
    """Files of one company that a pass took, with what works on them."""

    lane: Lane
    taken: list[Claim]
    settings: Settings
    clock: Clock
    bus: EventBus
    desk: QueueBridge | None


def _carried(
    found: Sequence[_Claimed], carry: Callable[[_Claimed, Progress], list[Handled]], progress: Progress
) -> list[tuple[_Claimed, list[Handled]]]:
    """What each company's work came to, in their order: of one alone here, of several side by side."""
    if len(found) <= 1:
        return [(one, carry(one, progress)) for one in found]
    aside = Aside(progress)
    done = dict(side_by_side(found, [owns(one.settings) for one in found], lambda one: carry(one, aside)))
    return [(one, done[number]) for number, one in enumerate(found)]


def _strange(folder: Path, *, waiting: bool) -> WrongUsage:
    if waiting:
        return WrongUsage(
            f"Ya no existe el perfil «{one_line(folder.name)}»: los archivos que esperan ahí no se terminan.",
            code="watch-profile-waiting",
            where=one_line(str(folder)),
            remedy="Agregue otra vez [profile.NOMBRE] a la configuración, hasta que pasen a done.",
        )
    return WrongUsage(
        f"No existe el perfil «{one_line(folder.name)}»: lo que hay en esa carpeta no se toma.",
        code="watch-profile",
        where=one_line(str(folder)),
        remedy="Agregue [profile.NOMBRE] a la configuración, o mueva los archivos.",
    )


def _folders(lanes: Sequence[Lane]) -> str:
    """The companies' inboxes, as a person finds them."""
    return ", ".join(f"«{INBOX}/{one_line(lane.inbox.name)}»" for lane in lanes)


@contextmanager
def _desks(ledgers: Ledgers, *, queue: bool) -> Iterator[Callable[[Settings], QueueBridge | None]]:
    """Makes the queue bridge of a company; None without a queue."""
    if not queue:
        yield lambda _: None
        return
    from pipeline.watch.queue_bridge import bridges

    with bridges(ledgers) as bridge_of:
        yield bridge_of


def claims(
    lane: Lane,
    earlier: Sequence[Claim],
    settings: Settings,
    clock: Clock,
    unchanged: Callable[[Arrival], float],
    ending: Ending,
    bus: EventBus = SILENT,
) -> tuple[list[Claim], int]:
    """Files of this pass: ``earlier`` files first, then complete ones, the oldest first; and how many were left.

    Raises ``StorageTrouble``.
    """
    taken = list(earlier)
    patience = Patience(settings.watch_quiet, settings.watch_manifest == "required", settings.watch_manifest_wait)
    left, bounds = 0, limits(settings)
    with folder_errors(lane.inbox):
        waiting = arrivals(lane.inbox)
    for arrival in waiting:
        if ending.asked or len(taken) >= settings.watch_max_files:
            left += 1
            continue
        with folder_errors(lane.inbox):
            ready = complete(arrival, patience, unchanged, bounds)
        found = claim(lane, arrival, clock.now(), secrets.token_hex(4)) if ready else None
        if found is None:
            left += 1
        else:
            taken.append(found)
            bus.note("file_claimed", file=one_line(found.original), claim=found.id)
    return taken, left
