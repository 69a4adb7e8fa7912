"""One company's claimed files through the five steps, under the policy, and each put away with its results and note.

The results are published before the input is moved, and every step may be done again: a pass that was killed is
finished by the next one, which knows from the ledger what was done.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.certificates.check import blocking, check_before_run, in_note, note_of
from pipeline.domain.batch_notes import BY_FOLDER, queued_by, was_queued
from pipeline.domain.certificates import Finding
from pipeline.domain.deadline import PANAMA
from pipeline.domain.errors import AnularError, InputRefused, Interrupted, StoppedEarly
from pipeline.domain.lifecycle import HELD_ON_ARRIVAL
from pipeline.domain.outcomes import Outcome
from pipeline.domain.problems import refused
from pipeline.domain.records import BatchInfo
from pipeline.domain.visible import one_line
from pipeline.ledger.cap import Cap
from pipeline.ledger.ledger_events import continued, id_of
from pipeline.ledger.ownership import who_am_i
from pipeline.ledger.storage.location import location_of
from pipeline.read.sheet import read_sheet
from pipeline.report.lines import outcome_of
from pipeline.run import questions, session
from pipeline.run.intake import retry_if_taken, take_in
from pipeline.run.notification_texts import limits_of
from pipeline.run.plan import Plan, hold, make_plan
from pipeline.run.progress import Progress
from pipeline.run.results import (
    Written,
    batch_data,
    exit_code,
    note_written,
    renew_corrected,
    todo,
    totals,
    write_results,
)
from pipeline.run.returned import is_returned, left_unsent
from pipeline.runtime.clock import Clock
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.internal_error import internal
from pipeline.runtime.shutdown import Ending
from pipeline.settings.model import Env, Settings, limits
from pipeline.telemetry.events import SILENT, EventBus
from pipeline.watch import belonging, manifest, policy
from pipeline.watch.claim import Claim, belong_to, changed_since, private_copy, put_away
from pipeline.watch.note import Fate, Handled, text
from pipeline.watch.policy import UNATTENDED, Asked, Policy
from pipeline.wiring import lost_ledger
from pipeline.wiring.companies import elsewhere
from pipeline.wiring.ledger import Memory, go_on_for, open_memory
from pipeline.wiring.rules import check_rules, send_rules
from pipeline.wiring.sandbox import running_sandbox

if TYPE_CHECKING:
    from pipeline.read.readers import Readers
    from pipeline.watch.queue_bridge import QueueBridge
    from pipeline.wiring.many import Ledgers

NIGHT = timedelta(hours=24)


def work(
    taken: Sequence[Claim],
    settings: Settings,
    clock: Clock,
    progress: Progress,
    ending: Ending,
    bus: EventBus = SILENT,
    desk: QueueBridge | None = None,
    *,
    take_over: bool = False,
    ledgers: Ledgers | None = None,
    readers: Readers | None = None,
) -> list[Handled]:
    """Takes the claimed files of one company through the five steps; with a ``desk`` workers of its queue send and ask.
    ``take_over``: a person says that the ledger which had the folder before is gone. Whatever stops it is told with
    each file that waits; nothing is raised. ``ledgers``: those that are opened once for all companies of the pass;
    ``readers``: what its files are read with, a process each."""
    shift = _Shift(settings, clock, progress, ending, bus, desk, take_over=take_over, ledgers=ledgers, readers=readers)
    return shift.work(taken)


@dataclass(frozen=True)
class _Read:
    """A file whose bytes were taken: where their copy lies, and what they hash to."""

    claim: Claim
    copy: Path
    sha256: str


def turn_away(
    taken: Sequence[Claim],
    settings: Settings,
    clock: Clock,
    progress: Progress,
    refusal: InputRefused,
    bus: EventBus,
) -> list[Handled]:
    """Puts files away that belong to no company, with a note that says why. Raises ``StorageTrouble``."""
    shift = _Shift(settings, clock, progress, Ending(), bus, None)
    for one in taken:
        shift.refuse(one, refusal)
    return shift.handled


class _Shift:
    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        progress: Progress,
        ending: Ending,
        bus: EventBus,
        desk: QueueBridge | None,
        *,
        take_over: bool = False,
        ledgers: Ledgers | None = None,
        readers: Readers | None = None,
    ) -> None:
        self._take_over, self._ledgers, self._readers = take_over, ledgers, readers
        self._settings, self._clock, self._progress, self._ending = settings, clock, progress, ending
        self._bus, self._desk = bus, desk
        self._limits = limits(settings)
        self.handled: list[Handled] = []
        self._open: dict[str, _Read] = {}
        self._repeated: list[tuple[_Read, BatchInfo]] = []

    def work(self, taken: Sequence[Claim]) -> list[Handled]:
        trouble: AnularError | None = None
        try:
            for one in taken:
                self._take(one)
            if self._open:
                trouble = self._through()
        except AnularError as error:
            trouble = error
        except Exception as error:
            trouble = internal(error)
        if trouble is not None:
            self._bus.note("run_stopped", error=trouble.code)
            self.handled += [self._waits(read, trouble.exit_code, trouble) for read in self._open.values()]
        return self.handled

    def _waits(self, read: _Read, code: int, why: AnularError) -> Handled:
        return Handled(
            Fate.WAITING,
            read.claim.original,
            code,
            self._settings.profile,
            why=why.sentence,
            code=why.code,
            sha256=read.sha256,
            company=self._settings.company,
            here=self._settings.here,
        )

    def _take(self, one: Claim) -> None:
        try:
            source = private_copy(one, self._limits)
        except InputRefused as refusal:
            self.refuse(one, refusal)
            return
        self._open[one.id] = _Read(one, source.path, source.sha256)

    def refuse(self, one: Claim, refusal: InputRefused, sha256: str = "") -> None:
        done = Handled(
            Fate.REFUSED,
            one.original,
            refusal.exit_code,
            self._settings.profile,
            why=refusal.sentence,
            code=refusal.code,
            sha256=sha256,
            env=self._settings.env,
            answer={"file": one_line(one.original), "refused": {"code": refusal.code, "message": refusal.sentence}},
            company=self._settings.company,
            here=self._settings.here,
        )
        self._settle(one, done, one.lane.failed)

    def _settle(self, one: Claim, done: Handled, into: Path, *, mark: str = "", changed: bool = False) -> None:
        file, note = put_away(one, into, mark, lambda target: text(done, target, changed=changed))
        self._open.pop(one.id, None)
        self.handled.append(replace(done, file=file, note=note))
        self._bus.note("file_moved", claim=one.id, to=str(file), fate=done.fate.value, code=done.code or None)

    # --- with the ledger

    def _through(self) -> AnularError | None:
        settings, reads = self._settings, list(self._open.values())
        key = manifest.read_key(settings.watch_hmac_file)
        # Earlier results of the same content lie where finished files go, not in processing/.
        given = [(read.claim.lane.done / str(read.claim.file and read.claim.file.name), read.sha256) for read in reads]
        queue = self._desk is not None
        with open_memory(settings, files=given, bus=self._bus, hands_in=queue, ledgers=self._ledgers) as memory:
            if (lost := _waits_elsewhere(reads, memory)) is not None:
                return lost_ledger.refusal(location_of(settings.ledger), [lost], settings.profile)
            memory = self._settled([read.claim for read in reads], memory)
            approved: list[tuple[_Read, BatchInfo]] = []
            self._repeated.clear()
            for read in reads:
                if self._ending.asked:
                    return Interrupted()
                with self._desk.in_turn() if self._desk is not None else nullcontext():
                    info = retry_if_taken(partial(self._hand_in, read, memory, key))
                crashpoint("watch-handed-in")
                if info is not None:
                    belong_to(read.claim, id_of(memory.database), info.id)
                    approved.append((read, info))
            done = reads[0].claim.lane.done
            trouble = self._carry_out([info for _, info in approved], memory, done) if self._desk is None else None
            if trouble is None:
                # Those that repeat a content at the end, when what they repeat has its outcome.
                ends = [(*one, Fate.DONE) for one in approved] + [(*one, Fate.DUPLICATE) for one in self._repeated]
                self._end(ends, memory)
        return trouble

    def _settled(self, claims: Sequence[Claim], memory: Memory) -> Memory:
        """The folder is this ledger's, or is taken over by a person's word: then eDoc is asked about each document
        first. Raises ``StorageTrouble`` for another ledger's."""
        lane, own = claims[0].lane, id_of(memory.database)
        found = belonging.others(lane, claims, {own, *continued(memory.database)})
        if found and not self._take_over:
            raise belonging.refusal(lane)
        if found:
            why = f"se tomó a cargo la carpeta {one_line(str(lane.inbox))}"
            memory = go_on_for(memory, found, self._clock.now(), who=who_am_i(), why=why)
        belonging.settle(lane, own)
        return memory

    def _end(self, ends: Sequence[tuple[_Read, BatchInfo, Fate]], memory: Memory) -> None:
        """Puts the files away whose batches were carried through; the others wait for the workers of the queue."""
        busy: set[str] = set()
        if self._desk is not None:
            for read, info, fate in ends:
                if fate is Fate.DONE:
                    self._desk.give(info, memory.views, first=read.claim.batch != info.id)
            busy = self._desk.in_work([info for _, info, _ in ends], memory.views)
        for read, info, fate in ends:
            if self._desk is None or info.id not in busy:
                self._finish(read, info, memory, fate)
                continue
            self.handled.append(self._desk.leave(read.claim, info))
            self._open.pop(read.claim.id, None)
            self._bus.note("file_queued", claim=read.claim.id, batch=info.id)

    def _hand_in(self, read: _Read, memory: Memory, key: bytes | None) -> BatchInfo | None:
        """Into the ledger, under the policy; the batch if it is to be sent or followed now, else it is settled."""
        one, settings = read.claim, self._settings
        assert one.file is not None
        waited = memory.views.heads([one.batch]).get(one.batch) if self._desk is not None and one.batch else None
        if waited is not None and waited.sha256 == read.sha256:  # taken in by an earlier pass, from these bytes, and
            # carried through meanwhile
            if any(_entry(one) in note for note in waited.notes):
                return waited
            self._repeated.append((read, waited))
            return None
        try:
            reader = self._readers.reader() if self._readers is not None else None
            sheet = read_sheet(read.copy, limits=self._limits, prefer=settings.sheet, reader=reader)
            assert sheet.sha256 == read.sha256, "nobody but us knows the copy"
            if (far := questions.far_rows([sheet])) is not None:
                raise far[1]
            if is_returned(sheet):
                raise refused("solo-devueltas", where=one_line(one.original))
            if elsewhere(settings, memory.views, sheet.sha256) is not None:
                raise refused("otro-registro", where=one_line(one.original))
            plan = make_plan(sheet, memory.views, check_rules(settings), self._clock.now(), release=False)
        except InputRefused as refusal:
            return self._refused_late(read, memory, refusal)
        if plan.known is not None and not any(_entry(one) in note for note in plan.known.notes):
            self._repeated.append((read, plan.known))
            return None
        found = check_before_run(settings, plan.issuers, plan.to_send, plan.moment)
        why = self._objections(plan, one, memory, key, blocking(settings, found))
        if why and plan.known is None:
            plan = hold(plan, why)
        if why and plan.known is not None:
            self._finish(read, plan.known, memory, Fate.HELD, why)
            return None
        who = "" if why else f"{UNATTENDED} ({who_am_i()})"
        queued = queued_by(who) if self._desk is not None and who else ""
        info = take_in(
            plan,
            memory,
            who=who,
            folder=settings.out or one.lane.done,
            note=" ".join(filter(None, [queued, _arrived(one), note_of(found)])),
            cap=None if why else Cap(UNATTENDED, self._clock.now() - NIGHT, settings.watch_max_night),
        )
        if why:
            self._finish(read, info, memory, Fate.HELD, why)
            return None
        return info

    def _refused_late(self, read: _Read, memory: Memory, refusal: InputRefused) -> BatchInfo | None:
        """A file that is refused now and became a batch before, under other settings (another user of eDoc, larger
        limits), is no rejected file: it is put away when nothing of its batch is left to send, and waits until then."""
        one, views = read.claim, memory.views
        known = [info for info in views.of_content(read.sha256) if any(_entry(one) in note for note in info.notes)]
        if not known:
            self.refuse(one, refusal, read.sha256)
            return None
        info = known[0]
        if self._desk is not None and was_queued(info):
            return info  # workers have it
        if not views.unsent(info.id) and not views.all_on_the_way([info.id]):
            return info
        self.handled.append(self._waits(read, StoppedEarly.exit_code, refusal))
        self._open.pop(one.id)
        return None

    def _objections(
        self, plan: Plan, one: Claim, memory: Memory, key: bytes | None, certificates: Sequence[Finding] = ()
    ) -> str:
        """Reasons that keep the plan from being sent unattended, as text; "" for none, or if nothing would be sent."""
        settings, known = self._settings, plan.known
        if not plan.to_send or (known is not None and was_queued(known)):  # workers send it, whatever is said now
            return ""
        rows = known.rows if known is not None else len(plan.checked.rows) if plan.checked is not None else 0
        allowed = Policy(settings.watch_env, settings.watch_issuers, settings.watch_max_rows, settings.watch_max_night)
        before = memory.views.sent_for(
            UNATTENDED, self._clock.now() - NIGHT, besides=known.id if known is not None else ""
        )
        asked = Asked(settings.env, settings.env is not Env.SANDBOX, plan.to_send, plan.issuers, before)
        told = manifest.objections(
            one.manifest,
            sha256=plan.sha256,
            rows=rows,
            key=key,
            required=settings.watch_manifest == "required",
        )
        doubts = plan.sheet.doubts if known is None and plan.sheet is not None else ()
        second = policy.second_person(two=settings.approval == "two")
        ours = [*policy.objections(allowed, asked), *policy.of_certificates(certificates)]
        return policy.in_words([*ours, *told, *policy.doubtful(doubts), *second])

    def _carry_out(self, batches: list[BatchInfo], memory: Memory, done: Path) -> AnularError | None:
        """Sends and follows; what ended it early. No service is asked for when there is nothing to do."""
        ids = [info.id for info in batches]
        if not ids or not (any(memory.views.unsent(one) for one in ids) or memory.views.followed(ids)):
            return None

        with running_sandbox(self._settings) as base:
            sending = send_rules(self._settings, memory.anew, memory.sent)
            work = session.send_and_follow(batches, memory, self._progress, folder=self._settings.out or done)
            return session.carry_out(memory, self._clock, base, work, sending, self._ending)

    def _finish(self, read: _Read, info: BatchInfo, memory: Memory, fate: Fate, why: str = "") -> None:
        """Publishes the results, then puts the file away."""
        one, settings = read.claim, self._settings
        assert one.file is not None
        written = write_results(info, memory.views, settings.out or one.lane.done)
        renew_corrected([written.batch], memory.views, settings.out)
        crashpoint("watch-results-published")
        held = why or _held_for(written)
        if held and fate is Fate.DONE:
            fate = Fate.HELD
        if fate is Fate.HELD:
            memory.bus.note("batch_held", batch=info.id)
        code = exit_code(written.lines)
        note_written(memory.bus, written, code)
        done = Handled(
            fate,
            one.original,
            code,
            settings.profile,
            why=held,
            batch=info.id,
            sha256=info.sha256,
            env=info.env,
            totals=totals(written.lines),
            todo=[*todo(written.report), *left_unsent(read.copy, info, memory.views, self._limits)],
            limits=limits_of(written.lines, written.batch.deadline_hours),
            workbook=written.workbook,
            corrections=written.corrections,
            certificates=in_note(info.notes),
            answer=batch_data(written, code),
            begun=fate is Fate.HELD and any(line.sent_at is not None for line in written.lines),
            company=settings.company,
            here=settings.here,
        )
        changed = changed_since(one, read.sha256, self._limits)
        mark = "_DUPLICADO" if fate is Fate.DUPLICATE else ""
        self._settle(one, done, one.lane.done, mark=mark, changed=changed)


def _waits_elsewhere(reads: Sequence[_Read], memory: Memory) -> str | None:
    """Which file waits for a batch that this ledger does not know: another one has it, and may be sending it."""
    anew = memory.anew.astimezone(PANAMA).date() if memory.anew is not None else None
    for one in (read.claim for read in reads):
        if one.batch and lost_ledger.is_lost(one.batch, memory.views.knows, anew):
            return f"«{one_line(one.original)}» espera el lote {one.batch}, que no consta en el historial"
    return None


def _entry(one: Claim) -> str:
    """Note of a batch that names the file that became it."""
    return f"entrada {one.id}"


def _arrived(one: Claim) -> str:
    name = one_line(one.original)
    named = "" if one.file is not None and one.file.name == name else f", con el nombre «{name}»"
    return f"{BY_FOLDER} ({_entry(one)}){named}."


def _held_for(written: Written) -> str:
    """Why rows of this batch wait for a person, as it was written beside them on arrival; "" when none does."""
    for line in written.lines:
        if outcome_of(line) is Outcome.HELD:
            for found in line.problems:
                if found.code == HELD_ON_ARRIVAL:
                    return found.message
    return ""
