"""``anular web``: watches two children, the pages and the sender, and ends with both."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType

from pipeline.cli.context import Talk
from pipeline.cli.web_pages import REOPEN, SECRETS
from pipeline.domain.errors import Interrupted, StoppedEarly, WrongUsage
from pipeline.runtime.clock import Clock
from pipeline.runtime.own_process import NO_WINDOW, own_module, with_our_code
from pipeline.runtime.shutdown import GRACE_S, SIGNALS, handled

LOOK_S = 0.2
AGAIN_AFTER_S = 5.0
"""Seconds until a child that died is started again."""
MOST_STARTS, WITHIN_S = 3, 600.0
"""A sender that dies more often is left; the pages go on and say so."""
YOUNG_S = 10.0
"""Pages that end so soon say why themselves: they are not started again."""
LAST_S = GRACE_S + 10.0


class Watched:
    """One child: started, ended through its standard input, started again when it died."""

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]], clock: Callable[[], float]) -> None:
        self._start, self._clock = start, clock
        self._starts: list[float] = []
        self.process: subprocess.Popen[bytes] | None = None
        self._due = 0.0
        self.given_up = False
        self._wanted = False

    def look(self) -> int | None:
        """Starts it where it is due; returns its exit code in the look that finds it ended."""
        now = self._clock()
        if self.process is None:
            if not self.given_up and now >= self._due:
                self._starts = [at for at in self._starts if now - at < WITHIN_S] + [now]
                self.process = self._start()
            return None
        code = self.process.poll()
        if code is None:
            return None
        self.process = None
        if self._wanted or code == REOPEN:
            told, self._wanted = None if self._wanted else code, False
            self._starts.clear()
            self._due = now
            return told
        self._due = now + AGAIN_AFTER_S
        self.given_up = len(self._starts) > MOST_STARTS
        return code

    @property
    def age(self) -> float:
        """Seconds since its newest start."""
        return self._clock() - self._starts[-1] if self._starts else 0.0

    def start_again(self) -> None:
        """Ends it and starts it at once, with what the settings say now."""
        self._wanted = self.process is not None
        self._due = 0.0
        self.given_up = False
        self.ask_to_end()

    def ask_to_end(self, *, hurry: bool = False) -> None:
        """Closes its standard input; with ``hurry`` what is in flight is given up."""
        if self.process is None:
            return
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()
        elif hurry:
            self.process.send_signal(signal.SIGTERM)


def watch_both(*, sample: bool, show: bool = False) -> int:
    """Starts both and watches them until Ctrl-C; ``show`` has the browser open the page at its first start. Raises
    ``Interrupted`` then, or an error for pages that could not start."""
    from pipeline.settings.load import load_settings
    from pipeline.web.opening import check_place
    from pipeline.wiring.rules import make_clock

    talk, settings = Talk(False), load_settings("")
    check_place(settings)
    clock = make_clock(settings)
    demo = settings.sandbox_now is not None
    more = ["--sample"] if sample else []
    once = ["--open"] if show else []  # at the first start; later ones leave browser and set-up address alone

    def start_pages() -> subprocess.Popen[bytes]:
        words = ["--only", "pages", *more, *once]
        once[:] = ["--again"]
        return _child(words, _environment(clock, demo, secrets=False))

    pages = Watched(start_pages, time.monotonic)
    sender = Watched(lambda: _child(["--only", "sender"], _environment(clock, demo, secrets=True)), time.monotonic)
    asked = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        hurry = asked.is_set()
        asked.set()
        for one in (pages, sender):
            one.ask_to_end(hurry=hurry)

    with handled(dict.fromkeys(SIGNALS, end)):
        try:
            while not asked.wait(LOOK_S):
                _look(talk, pages, sender)
        finally:
            _finish(pages, sender)
    raise Interrupted("La página se cerró; lo que estaba en vuelo terminó.", code="web-stopped")


def _look(talk: Talk, pages: Watched, sender: Watched) -> None:
    code = pages.look()
    if code == REOPEN:
        sender.start_again()
    elif code is not None:
        if pages.age < YOUNG_S or pages.given_up:
            raise _ended(code)
        talk.err.print(f"⚠ La página terminó sin que nadie lo pidiera (código {code}); se abre otra vez.", markup=False)
    code = sender.look()
    if code is not None:
        if code == WrongUsage.exit_code or sender.given_up:
            sender.given_up = True
            words = "⚠ Lo que envía no se pudo mantener en marcha ({code}): nada se envía. La página sigue y lo dice."
        else:
            words = "⚠ Lo que envía terminó sin que nadie lo pidiera ({code}); empieza otra vez en 5 segundos."
        talk.err.print(words.format(code=f"código {code}"), markup=False)


def _ended(code: int) -> WrongUsage | StoppedEarly:
    """Error for pages that ended: they said why themselves, above."""
    words = f"La página no se pudo abrir (código {code}); el motivo está arriba."
    return (
        WrongUsage(words, code="web-pages") if code == WrongUsage.exit_code else StoppedEarly(words, code="web-pages")
    )


def _finish(*both: Watched) -> None:
    """Asks both to end and waits; one that does not is killed, and the next start finds what it left."""
    for one in both:
        one.ask_to_end()
    end = time.monotonic() + LAST_S
    for one in both:
        if one.process is not None:
            try:
                one.process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()


def _environment(clock: Clock, demo: bool, *, secrets: bool) -> Mapping[str, str]:
    """Environment of a child: without ``secrets`` nothing that may hold a password of eDoc. A demo's clock goes on."""
    found = {name: value for name, value in os.environ.items() if secrets or not name.startswith(SECRETS)}
    return {**found, **({"ANULAR_SANDBOX_NOW": clock.now().isoformat()} if demo else {})}


def _child(arguments: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """This program itself, in a session of its own: a Ctrl-C reaches the parent, which passes it on."""
    return subprocess.Popen(  # noqa: S603  # nosec B603 - our own interpreter and module
        own_module("pipeline", "web", *arguments, "--child"),
        stdin=subprocess.PIPE,
        env=with_our_code(environment),
        creationflags=NO_WINDOW,
        start_new_session=os.name == "posix",
    )
