"""Terminal output: tables, lists, progress and errors, in Spanish with the machine code last."""

from __future__ import annotations

import sys
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
from pipeline.domain.visible import one_line, thousands, visible

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

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
LINE_EVERY_S = 3.0


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
    made = PlainConsole(file=stream, highlight=False, soft_wrap=not stream.isatty(), width=width)
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


def counts(out: Console, title: str, totals: Mapping[str, int]) -> None:
    """Prints outcomes with their numbers, in the order given, without zeros."""
    out.print(f"[bold]{escape(title)}[/]")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2))
    table.add_column(justify="right")
    table.add_column()
    for word, number in totals.items():
        if number:
            table.add_row(thousands(number), f"[{STYLES.get(word, 'default')}]{escape(word)}[/]")
    out.print(table)


def listing(out: Console, title: str, lines: Sequence[str], most: int = 8) -> None:
    """Prints a list of at most ``most`` lines; the rest is counted."""
    if not lines:
        return
    out.print(f"[bold]{escape(title)}[/]")
    for line in lines[:most]:
        out.print(f"  • {escape(one_line(line))}")
    if len(lines) > most:
        out.print(f"  [dim]… y {thousands(len(lines) - most)} más (vea el libro)[/]")


def duration(seconds: float) -> str:
    """Duration as text: ``45 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


class Terminal:
    """Progress on a terminal, or in lines on a pipe (``pipeline/progress.py``)."""

    def __init__(self, out: Console) -> None:
        self._out = out

    @contextmanager
    def phase(self, title: str, total: int) -> Iterator[Callable[[str], None]]:
        ticker = Ticker(self._out, title, total)
        with ticker.running():
            yield ticker.moved

    def warn(self, words: str) -> None:
        self._out.print(f"Aviso: {words}", markup=False)


class Ticker:
    """Progress by outcome: a bar on a terminal, a line every few seconds elsewhere."""

    def __init__(self, out: Console, title: str, total: int) -> None:
        self._out, self._title, self._total = out, title, total
        self._seen: Counter[str] = Counter()
        self._began = self._spoke = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def moved(self, word: str) -> None:
        """Counts one more row with outcome ``word``."""
        self._seen[word] += 1
        self._show()

    @property
    def done(self) -> int:
        return sum(self._seen.values())

    def _words(self) -> str:
        return ", ".join(f"{word} {number}" for word, number in sorted(self._seen.items()) if number)

    def _show(self) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self.done, words=self._words(), pace=self._pace())
        elif time.monotonic() - self._spoke >= LINE_EVERY_S:
            self._spoke = time.monotonic()
            self._out.print(f"{self._title}: {self.done}/{self._total} · {self._pace()} · {self._words()}")

    def _pace(self) -> str:
        seconds = max(1e-6, time.monotonic() - self._began)
        pace = self.done / seconds
        left = (self._total - self.done) / pace if pace else 0.0
        return f"{pace:.1f} facturas/s, faltan {duration(left)}"

    @contextmanager
    def running(self) -> Iterator[Ticker]:
        """Shows the progress until the end of the block, then prints the last state once."""
        if not self._total:
            yield self
            return
        if self._out.is_terminal:
            with self._make_bar() as self._bar:
                self._task = self._bar.add_task(self._title, total=self._total, words="", pace="")
                yield self
        else:
            yield self
            words = f" · {self._words()}" if self.done else ""
            self._out.print(f"{self._title}: {self.done}/{self._total}{words}")

    def _make_bar(self) -> Progress:
        from rich.progress import BarColumn, Progress, TextColumn

        return Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed}/{task.total}"),
            TextColumn("[dim]{task.fields[pace]}[/]"),
            TextColumn("{task.fields[words]}", markup=False),
            console=self._out,
        )
