"""Figures of a review: its sentence and its tiles, in which every invoice counts once."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.domain.visible import thousands
from pipeline.report.labels import count
from pipeline.report.model import Tile, Tone


@dataclass(frozen=True, slots=True)
class Review:
    """How many invoices a review found in what condition."""

    invoices: int
    #: would be sent
    ready: int
    #: of the ready ones, past the legal limit
    late: int
    #: their data have to be corrected
    to_correct: int
    #: need a person for another reason
    doubtful: int

    @property
    def others(self) -> int:
        """Invoices with which nothing is to be done: they repeat a row, or say that they must not be sent."""
        return self.invoices - self.ready - self.to_correct - self.doubtful

    @property
    def headline(self) -> str:
        """``26 de 30 facturas listas para enviar; 4 por corregir.``"""
        late = f", {thousands(self.late)} de ellas fuera del plazo legal" if self.late else ""
        invoices = count(self.invoices, "factura", "facturas")
        parts = [f"{thousands(self.ready)} de {invoices} {'lista' if self.ready == 1 else 'listas'} para enviar{late}"]
        if self.to_correct:
            parts.append(f"{thousands(self.to_correct)} por corregir")
        if self.doubtful:
            parts.append(count(self.doubtful, "requiere su revisión", "requieren su revisión"))
        if self.others:
            parts.append(f"{thousands(self.others)} sin nada que hacer")
        return "; ".join(parts) + "."

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """The same as key figures."""
        return (
            Tile(self.ready, "listas para enviar", Tone.WAITS),
            Tile(self.to_correct, "por corregir", Tone.REFUSED),
            Tile(self.doubtful, "requieren su revisión", Tone.PERSON),
            Tile(self.others, "sin nada que hacer", Tone.QUIET),
        )
