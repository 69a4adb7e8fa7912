"""Progress: protocol by which a run reports how far it is, to a terminal or a page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from pipeline.domain.visible import duration, thousands


class Progress(Protocol):
    """Display of the phases of a run."""

    def phase(self, title: str, total: int, most: float | None = None) -> AbstractContextManager[Callable[[str], None]]:
        """Begins a phase of ``total`` rows; the function is called with the outcome word of each row that got one.

        ``most``: the seconds after which the phase ends, whatever is still open; the time left is counted from them.
        """

    def say(self, words: str) -> None:
        """Shows one sentence about what is going on."""

    def warn(self, words: str) -> None:
        """Shows a warning, one sentence, which changes nothing of what was done."""


class Unseen:
    """Null progress: displays nothing."""

    def phase(
        self,
        title: str,  # noqa: ARG002
        total: int,  # noqa: ARG002
        most: float | None = None,  # noqa: ARG002
    ) -> AbstractContextManager[Callable[[str], None]]:
        return nullcontext(lambda _word: None)

    def say(self, words: str) -> None:
        pass

    def warn(self, words: str) -> None:
        pass


class Aside(Unseen):
    """Progress of one of several companies side by side: of each only the warnings are shown."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def warn(self, words: str) -> None:
        self._progress.warn(words)


def waiting_words(pending: int, others: int, seconds: float, books: int) -> str:
    """What a run waits for: ``pending`` rows for the authority's answer, ``others`` that eDoc is asked about, at most
    ``seconds``. ``books`` workbooks already say what is known now, so nobody has to stay for the answers."""
    parts = [f"Esperando a la DGI por {_invoices(pending)}"] if pending else []
    if others:
        parts.append(f"consultando {thousands(others)} más" if parts else f"Consultando {_invoices(others)}")
    told = f"{' y '.join(parts)}{' en eDoc' if others else ''}, hasta {duration(seconds)}"
    if not books:
        return told
    written = "el libro ya está escrito" if books == 1 else "los libros ya están escritos"
    return f"{told}; puede cerrar: {written}"


def _invoices(number: int) -> str:
    return "1 factura" if number == 1 else f"{thousands(number)} facturas"
