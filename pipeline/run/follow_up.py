"""Nightly follow-up: everything that earlier nights left open, company by company, and what has grown old.

Nothing here can send a cancellation: it queries, rewrites the workbooks, and reports whom to call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pipeline.domain.actions import Action
from pipeline.domain.deadline import PANAMA
from pipeline.domain.errors import AnularError, Bug, Interrupted
from pipeline.domain.lifecycle import FOLLOWED, PERSON
from pipeline.domain.records import BatchInfo
from pipeline.domain.visible import thousands
from pipeline.notify import Notification
from pipeline.report.lines import action_of
from pipeline.run import results, session
from pipeline.run.notification_texts import limit_words, limits_of, outcome_words, trouble_words
from pipeline.run.progress import Aside, Progress
from pipeline.run.results import Written, batch_data, exit_code, note_written, renew_corrected, write_results
from pipeline.run.session import Steps
from pipeline.run.side_by_side import MOST, owns, side_by_side
from pipeline.runtime.internal_error import internal
from pipeline.runtime.shutdown import Ending, Stop, listening
from pipeline.settings.load import load_settings, profile_names
from pipeline.settings.model import Settings, whose
from pipeline.telemetry.events import SILENT, EventBus
from pipeline.wiring.ledger import open_memory
from pipeline.wiring.many import Ledgers
from pipeline.wiring.rules import make_clock
from pipeline.wiring.sandbox import running_sandbox
from pipeline.wiring.telemetry import Observation
from pipeline.wiring.views import ledger_exists, open_views

MOST_PLACES = 5
"""Rows of one action that are named; the workbook has them all."""


NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Old:
    """Rows that wait for longer than they should, by what has to be done: how many, since when, where."""

    action: Action
    rows: int
    since: datetime
    places: tuple[str, ...]

    @property
    def words(self) -> str:
        """Line for a person: how many, since when, what to do and whom to call, which rows."""
        more = f" y {self.rows - len(self.places)} más" if self.rows > len(self.places) else ""
        since = f"{self.since.astimezone(PANAMA):%d/%m/%Y %H:%M}"
        title = f"{self.rows} desde el {since} · {self.action.title} [{self.action.rule}]"
        return f"{title}: {self.action.words} ({'; '.join(self.places)}{more})"


@dataclass
class Company:
    """Result of the follow-up of one profile; rows from ``before`` that moment count as old."""

    profile: str
    name: str = ""
    written: list[Written] = field(default_factory=list)
    old: list[Old] = field(default_factory=list)
    trouble: AnularError | None = None
    before: datetime = NEVER
    #: a person or the system asked to stop: the next company is not begun
    interrupted: bool = False

    @property
    def codes(self) -> list[int]:
        if self.trouble is not None:
            return [self.trouble.exit_code]
        return [exit_code(one.lines) for one in self.written]


def companies(only: str) -> list[str]:
    """Profiles to follow: ``only`` that one, or the one without a name and all that the settings name."""
    return [only] if only else ["", *profile_names()]


def follow_up_all(
    profile: str, ledger: str, progress: Progress, seen: Observation | None = None, *, most: int = MOST
) -> list[Company]:
    """``follow_up`` of every company, ``most`` at the same time, each within its own rate; in the order of their names.
    What one comes to is its own; a request to stop reaches them all, and no other is begun."""
    names, ending = companies(profile), Ending()
    if len(names) == 1:
        alone = follow_up(names[0], ledger, progress, seen)
        return [alone] if alone is not None else []
    loaded = [_loaded(name, ledger, seen) for name in names]
    progress.say(f"Consultando {thousands(len(names))} empresas")
    with Ledgers(most) as ledgers, listening(ending):

        def work(one: _Loaded) -> Company | None:
            return None if ending.asked else _followed(one, ledger, Aside(progress), ending, ledgers)

        owned = [owns(one.settings) if one.settings is not None else set() for one in loaded]
        found = dict(side_by_side(loaded, owned, work, most=most))
    return [company for _, company in sorted(found.items()) if company is not None]


def follow_up(profile: str, ledger: str, progress: Progress, seen: Observation | None = None) -> Company | None:
    """Queries everything open in the ledger of ``profile``; None when there is no ledger yet. Raises nothing that a
    person can cause: the error is returned in ``trouble``."""
    return _followed(_loaded(profile, ledger, seen), ledger, progress, Ending())


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A profile with its settings, or with what is wrong with them."""

    profile: str
    settings: Settings | None
    bus: EventBus = SILENT
    trouble: AnularError | None = None


def _loaded(profile: str, ledger: str, seen: Observation | None) -> _Loaded:
    try:
        settings = load_settings(profile, ledger)
        return _Loaded(profile, settings, seen.bus(settings, "poll") if seen is not None else SILENT)
    except AnularError as trouble:
        return _Loaded(profile, None, trouble=trouble)


def _followed(
    one: _Loaded, ledger: str, progress: Progress, ending: Ending, ledgers: Ledgers | None = None
) -> Company | None:
    company, bus = Company(one.profile), SILENT
    try:
        if one.settings is None:
            raise one.trouble or Bug("neither settings nor what is wrong with them")
        company.name = one.settings.company
        if not ledger_exists(one.settings, ledgers):
            return None
        bus = one.bus
        _through(company, one.settings, progress, bus, ending, ledgers)
    except AnularError as trouble:
        if not one.profile and trouble.code == "credentials-missing" and profile_names():
            return None  # the settings without a name are only what the companies have in common
        company.trouble = whose(one.profile, ledger).complete_error(trouble)
    except Exception as error:
        if ledgers is None:
            raise
        company.trouble = internal(error)  # a bug that one company meets does not stop the others
    if company.trouble is not None:
        bus.note("run_stopped", error=company.trouble.code)
    return company


def _through(
    company: Company,
    settings: Settings,
    progress: Progress,
    bus: EventBus,
    ending: Ending,
    ledgers: Ledgers | None,
) -> None:
    clock = make_clock(settings)
    company.before = before = clock.now() - timedelta(hours=settings.old_hours)
    with open_views(settings, mine=True, ledgers=ledgers) as views:
        waiting = set[str]()
        if views is not None:
            waiting = views.waiting_since(before) | {row.batch for row in views.followed()} | views.cut_off()
    if not waiting:
        return
    with open_memory(settings, bus=bus, ledgers=ledgers) as memory:
        infos = [info for one in sorted(waiting) if (info := memory.views.batch(one)) is not None]
        ids = [row.batch for row in memory.views.followed([info.id for info in infos])]
        if ids:

            async def work(steps: Steps, stop: Stop) -> None:
                await session.follow(sorted(set(ids)), steps, memory, stop, progress)

            with running_sandbox(settings) as base:
                company.trouble = session.carry_out(memory, clock, base, work, ending=ending)
            company.interrupted = isinstance(company.trouble, Interrupted) or ending.asked
        company.written = [write_results(info, memory.views, settings.out) for info in infos]
        renew_corrected([one.batch for one in company.written], memory.views, settings.out)
        for one in company.written:
            note_written(memory.bus, one, exit_code(one.lines))
    company.old = grown_old(company.written, before)


def grown_old(written: Sequence[Written], before: datetime) -> list[Old]:
    """Rows sent or taken in before ``before`` that are still open or a person's, the most urgent first."""
    found: dict[str, tuple[Action, list[tuple[datetime, str]]]] = {}
    for one in written:
        for line in one.lines:
            since = line.sent_at or one.batch.created
            if line.state in FOLLOWED | PERSON and line.cufe is not None and line.attempts and since < before:
                action = action_of(line)
                place = f"lote {_short(one.batch)}, {line.position}"
                found.setdefault(action.rule, (action, []))[1].append((since, place))
    groups = sorted(found.values(), key=lambda group: (group[0].urgency, group[0].rule))
    return [
        Old(action, len(rows), min(rows)[0], tuple(place for _, place in sorted(rows)[:MOST_PLACES]))
        for action, rows in groups
    ]


def _short(info: BatchInfo) -> str:
    return f"{info.id} ({info.file})"


def data(company: Company) -> list[dict[str, object]]:
    """``--json`` answer: the batches as ``poll`` has them, with the profile, and what of each has grown old."""
    told: list[dict[str, object]] = []
    for one in company.written:
        code = company.trouble.exit_code if company.trouble is not None else exit_code(one.lines)
        old = [
            {"rule": old.action.rule, "title": old.action.title, "rows": old.rows, "since": old.since.isoformat()}
            for old in grown_old([one], company.before)
        ]
        told.append({**batch_data(one, code), "profile": company.profile, "old": old})
    return told


def notification(companies: Sequence[Company]) -> Notification:
    """Notification of a follow-up: what has grown old and whom to call, then the workbooks; no CUFE."""
    old = sum(one.rows for company in companies for one in company.old)
    troubles = [company.trouble for company in companies if company.trouble is not None]
    lines = [f"✗ {trouble.sentence} [{trouble.code}]" for trouble in troubles]
    for company in companies:
        name = f"[{company.name or company.profile}] " if company.name or company.profile else ""
        lines += [f"{name}{one.words}" for one in company.old]
        for written in company.written:
            totals = ", ".join(f"{word} {number}" for word, number in results.own_totals(written.lines).items())
            lines.append(f"{name}Lote {written.batch.id} ({written.batch.file}): {totals}. Libro: {written.workbook}")
            limits = limits_of(written.lines, written.batch.deadline_hours)
            lines += [f"  Vence {words}" for words in limit_words(limits)]
    rows: Counter[str] = Counter()
    books = [one for company in companies for one in company.written]
    for book in books:
        rows.update(results.own_totals(book.lines))
    late = ["1 atrasada" if old == 1 else f"{thousands(old)} atrasadas"] if old else []
    return Notification(
        ", ".join([*outcome_words(rows), *late, *trouble_words(troubles)]) or "nada atrasado",
        lines,
        [one for company in companies for one in data(company)],
        [book.workbook for book in books],
    )
