"""Terminal output: tables, lists, progress and errors, in Spanish with the machine code last."""

from __future__ import annotations

import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from pipeline.domain.commands import Here
from pipeline.domain.errors import AnularError
from pipeline.domain.visible import duration, one_line, thousands, visible

if TYPE_CHECKING:
    from rich.live import Live

STYLES = {
    "ANULADA": "green",
    "YA ANULADA": "green",
    "PENDIENTE": "cyan",
    "RESULTADO DESCONOCIDO": "yellow",
    "SIGUE AUTORIZADA": "yellow",
    "RECHAZADA": "red",
    "DEVUELTA": "red",
    "ERROR eDoc": "red",
    "NO ENCONTRADA": "red",
    "CONFLICTO": "red",
}
LINE_EVERY_S, BEAT_S = 5.0, 1.0
"""On a pipe: seconds between two lines, and between two looks at whether it is time."""
PIPE_WIDTH = 80
BAR, LEAST_BAR = 24, 4
"""Characters of the bar, and below which there is none."""


class PlainConsole(Console):
    """Console on which only the program's own colours and moves act: an escape sequence in a text is shown as text.

    Commands that a text suggests are completed for the place ``here``.
    """

    here = Here()

    def render_str(self, text: str, **how: Any) -> Text:
        return super().render_str(self.here.complete(text), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


def make_console(*, stderr: bool) -> Console:
    """Console of a stream: interprets nothing of a file or a server, and never wraps lines on a pipe."""
    stream: TextIO = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 120
    made = PlainConsole(file=stream, highlight=False, emoji=False, soft_wrap=not stream.isatty(), width=width)
    made.here = getattr(stream, "here", made.here)
    return made


def say_error(out: Console, error: AnularError) -> None:
    """Prints an error: one sentence, then its code."""
    out.print(f"[red]✗[/] {escape(one_line(error.sentence))} [dim]\\[{escape(error.code)}][/]")


def facts(out: Console, title: str, pairs: Iterable[tuple[str, str]], *, style: str = "bold") -> None:
    """Prints a two-column table."""
    out.print(f"[{style}]{escape(title)}[/]")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(name, escape(one_line(value)))
    out.print(table)


def counts(out: Console, title: str, totals: Mapping[str, int], note: str = "") -> None:
    """Prints outcomes with their numbers, in the order given, without zeros; ``note`` stands below them."""
    out.print(f"[bold]{escape(title)}[/]")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2))
    table.add_column(justify="right")
    table.add_column()
    for word, number in totals.items():
        if number:
            table.add_row(thousands(number), f"[{STYLES.get(word, 'default')}]{escape(word)}[/]")
    out.print(table)
    if note:
        out.print(f"  {note}", markup=False)


def listing(out: Console, title: str, lines: Sequence[str], most: int = 8) -> None:
    """Prints a list of at most ``most`` lines; the rest is counted."""
    if not lines:
        return
    out.print(f"[bold]{escape(title)}[/]")
    for line in lines[:most]:
        out.print(f"  • {escape(one_line(line))}")
    if len(lines) > most:
        out.print(f"  [dim]… y {thousands(len(lines) - most)} más (vea el libro)[/]")


class Terminal:
    """Progress on a terminal, or in lines on a pipe (``run/progress.py``)."""

    def __init__(self, out: Console) -> None:
        self._out = out

    @contextmanager
    def phase(self, title: str, total: int, most: float | None = None) -> Iterator[Callable[[str], None]]:
        ticker = Ticker(self._out, title, total, most)
        with ticker.running():
            yield ticker.moved

    def say(self, words: str) -> None:
        width = self._out.width if self._out.is_terminal else PIPE_WIDTH
        for line in broken(words, width):
            self._out.print(line, markup=False, soft_wrap=True)

    def warn(self, words: str) -> None:
        self._out.print(f"Aviso: {words}", markup=False)


class Ticker:
    """Progress by outcome: a bar on a terminal, a line every few seconds elsewhere; never a line that is too long.

    ``most``: seconds after which the phase ends at the latest. ``now`` gives the seconds of a clock that only grows.
    """

    def __init__(
        self,
        out: Console,
        title: str,
        total: int,
        most: float | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out, self._title, self._total, self._most, self._now = out, title, total, most, now
        self._seen: Counter[str] = Counter()
        self._began = self._spoke = now()
        self._over = threading.Event()
        self._live: Live | None = None

    def moved(self, word: str) -> None:
        """Counts one more row with outcome ``word``."""
        self._seen[word] += 1
        self.beat()

    def beat(self) -> None:
        """Shows itself when it is time; also while no row moves."""
        if self._live is None and self._now() - self._spoke >= LINE_EVERY_S:
            self._spoke = self._now()
            self._out.print(self.line(PIPE_WIDTH), markup=False, soft_wrap=True)

    @property
    def done(self) -> int:
        return sum(self._seen.values())

    def line(self, width: int) -> str:
        """All of it in one line of at most ``width`` characters; outcomes that do not fit are left out."""
        parts = [f"{self._title}: {self._count()}", self._pace()]
        return _fitting(" · ".join(filter(None, parts)), self._words(), " · ", width)

    def lines(self, width: int) -> list[str]:
        """The bar with count and time left, then the outcomes; each at most ``width`` characters."""
        told = " · ".join(filter(None, [self._count(), self._pace()]))
        room = min(BAR, width - len(self._title) - len(told) - 2)
        filled = round(room * min(1.0, self.done / self._total)) if room > 0 else 0
        bar = ["━" * filled + "─" * (room - filled)] if room >= LEAST_BAR else []
        return [" ".join([self._title, *bar, told])[:width], _fitting("", self._words(), "  ", width)]

    def __rich__(self) -> Text:
        width = self._out.width
        bar, outcomes = self.lines(width)
        return Text.assemble(bar, "\n", (outcomes, "dim"), no_wrap=True, overflow="ellipsis")

    def _count(self) -> str:
        return f"{thousands(self.done)}/{thousands(self._total)}"

    def _words(self) -> list[str]:
        return [f"{word} {thousands(number)}" for word, number in self._seen.most_common() if number]

    def _pace(self) -> str:
        seconds = max(1e-6, self._now() - self._began)
        if self._most is not None:
            return f"faltan {duration(self._most - seconds)} como máximo"
        if not self.done:
            return ""
        pace = self.done / seconds
        return f"{pace:.1f} facturas/s, faltan {duration((self._total - self.done) / pace)}"

    @contextmanager
    def running(self) -> Iterator[Ticker]:
        """Shows the progress until the end of the block, then prints the last state once."""
        if not self._total:
            yield self
            return
        if self._out.is_terminal:
            from rich.live import Live

            with Live(self, console=self._out, refresh_per_second=4) as self._live:
                yield self
            return
        beating = threading.Thread(target=self._keep_beating, name="progress", daemon=True)
        beating.start()
        try:
            yield self
        finally:
            self._over.set()
            beating.join()
        words = self._words()
        told = f"{self._title}: {self._count()}"
        self._out.print(_fitting(told, words, " · ", PIPE_WIDTH), markup=False, soft_wrap=True)

    def _keep_beating(self) -> None:
        while not self._over.wait(BEAT_S):
            self.beat()


def broken(words: str, width: int) -> list[str]:
    """``words`` in lines of at most ``width`` characters: whole if it fits, else parted where a thought ends."""
    if len(words) <= width:
        return [words]
    return [line for part in words.replace("; ", ";\n").split("\n") for line in textwrap.wrap(part, width)]


def _fitting(head: str, words: Sequence[str], mark: str, width: int) -> str:
    """``head`` and as many of ``words`` as fit into ``width``, with a sign where some are left out."""
    told, start = head, mark
    for place, word in enumerate(words):
        longer = f"{told}{start}{word}"
        room = width if place == len(words) - 1 else width - 3
        if len(longer) > room:
            return f"{told}{', …' if place else ''}"[:width]
        told, start = longer, ", "
    return told[:width]
