"""Looking once, or pass after pass until asked to end: woken when something arrives, else every so often."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.run.progress import Progress
from pipeline.runtime.clock import Clock
from pipeline.runtime.shutdown import Ending, listening
from pipeline.settings.load import load_settings
from pipeline.watch.arrival import Remembered, arrivals, by_stamps
from pipeline.watch.places import INBOX, check_drop_folder
from pipeline.watch.scan import Pass, one_pass, owned
from pipeline.wiring.telemetry import Observation

STEP_S = 0.5
"""How long it takes at most until a request to end is noticed."""


def look_once(
    root: Path,
    profile: str,
    ledger: str,
    progress: Progress,
    seen: Observation | None = None,
    *,
    queue: bool = False,
    take_over: bool = False,
) -> Pass:
    """One pass. Raises ``AnotherRun`` when another process watches this folder, and like ``one_pass``."""
    ending = Ending()
    check_drop_folder(root)
    with owned(root), listening(ending):
        still = by_stamps(Clock().stamps())
        return one_pass(root, profile, ledger, still, progress, ending, seen=seen, queue=queue, take_over=take_over)


def keep_watch(
    root: Path,
    profile: str,
    ledger: str,
    progress: Progress,
    on_pass: Callable[[Pass], None],
    seen: Observation | None = None,
    *,
    queue: bool = False,
    take_over: bool = False,
) -> None:
    """Passes until a signal asks for the end; ``on_pass`` is called with each one in which anything happened.

    A company whose work stopped early rests for ``watch_retry`` seconds, so that a password that is refused is not
    tried every minute; the others go on. Raises like ``look_once`` for what is wrong at the start.
    """
    clock, ending = Clock(), Ending()
    unchanged = Remembered(clock.monotonic)
    check_drop_folder(root)
    with owned(root), listening(ending):
        settings = load_settings(profile, ledger)
        troubles: list[str] = []
        resting: dict[Path, float] = {}
        changes = _changes(root / INBOX)
        while True:
            now = clock.monotonic()
            tired = {inbox for inbox, until in resting.items() if until > now}
            result = one_pass(
                root,
                profile,
                ledger,
                unchanged,
                progress,
                ending,
                resting=tired,
                seen=seen,
                queue=queue,
                take_over=take_over,
            )
            take_over = take_over and not result.handled  # said once, for what it finds
            resting |= dict.fromkeys(result.stopped, clock.monotonic() + settings.watch_retry)
            news = [trouble.sentence for trouble in result.troubles]
            if any(one.news for one in result.handled) or news != troubles:
                on_pass(result)
            troubles = news
            for warning in seen.pass_over() if seen is not None else ():
                progress.warn(warning)
            unchanged.forget_others({one.path for folder in _inboxes(root) for one in arrivals(folder)})
            quiet = settings.watch_quiet / 2 if result.left else settings.watch_every
            _wait(changes, clock, max(STEP_S, min(settings.watch_every, quiet)), ending)
            if ending.asked:
                return


def _wait(changes: Iterator[bool], clock: Clock, seconds: float, ending: Ending) -> None:
    """``seconds``, or until something changes in the inbox, or until asked to end."""
    until = clock.monotonic() + seconds
    for changed in changes:
        if ending.asked or clock.monotonic() >= until or changed:
            return


def _inboxes(root: Path) -> list[Path]:
    inbox = root / INBOX
    return [inbox, *(Path(one.path) for one in os.scandir(inbox) if one.is_dir(follow_symlinks=False))]


def _changes(inbox: Path) -> Iterator[bool]:
    """True when something changed below ``inbox``, False about every ``STEP_S`` seconds; never ends.

    The system's own notice is a convenience: where there is none (a network disk, too many watchers) time alone does.
    """
    try:
        from watchfiles import watch

        for changed in watch(
            inbox, debounce=200, rust_timeout=int(STEP_S * 1000), yield_on_timeout=True, raise_interrupt=False
        ):
            yield bool(changed)
    except (ImportError, OSError, RuntimeError):
        pass
    while True:
        time.sleep(STEP_S)
        yield False
