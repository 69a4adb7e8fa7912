"""Corrections: the rows that a person can correct, and what is wrong with each. Pure.

A row is included when correcting its data lets it be sent: rows rejected for their data, and rows that contradict each
other within the file. Excluded are rows past the deadline (they need a credit note) and rows whose CUFE reached eDoc
or another batch: loading them again sends nothing (decision 0030).

If the workbook comes back unchanged, every row is rejected again: a faulty cell whose content cannot be written as it
was received (a formula, a control character) gets ``MARKER``, which no column accepts; the comment shows the content.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.domain.actions import CORRECTED, GIVEN_BACK
from pipeline.domain.columns import PLACE_COLUMN, asks_whether, result_column_of, role_of
from pipeline.domain.pasted import MARKER, is_invoice, shows_code
from pipeline.domain.problems import shorten
from pipeline.domain.records import BatchInfo, Cell, Problem, ResultLine
from pipeline.ledger.moves import future_id
from pipeline.report.inert import one_line, visible
from pipeline.report.labels import banner, book_of
from pipeline.report.lines import action_of
from pipeline.report.model import Banner
from pipeline.report.summary import PREVIEW_ID

_UNSEEN = frozenset({"celda-formula", "celda-formula-vacia", "rechazada-antes"})
"""Codes of faults that the content of the cell does not show."""
_RECEIVED = 300


@dataclass(frozen=True, slots=True)
class Fix:
    """A row to correct."""

    #: where it was in the input
    place: str
    cells: tuple[Cell, ...]
    #: by index of the heading, why that cell is faulty
    wrong: dict[int, str]
    #: all of them, a line each
    reasons: str


@dataclass(frozen=True)
class Corrections:
    """Content of the corrections workbook of a batch (or of a validation): headings and rows in input order."""

    batch: BatchInfo
    lines: Sequence[ResultLine]
    #: rows that eDoc or the authority gave back: corrected here, they are sent again by ``resend``, one by one
    returned: Sequence[ResultLine] = ()
    title: str = "Filas por corregir"

    @property
    def preview(self) -> bool:
        return self.batch.id == PREVIEW_ID

    @property
    def origin(self) -> str:
        """The batch that it corrects; of a validation, the one that its file would become."""
        batch = self.batch
        return future_id(batch.env, batch.sha256, batch.sheet) if self.preview else batch.id

    @property
    def banner(self) -> Banner:
        return banner(self.batch.env, preview=self.preview)

    @property
    def headings(self) -> tuple[str, ...]:
        """The person's own headings, without the place column of an earlier correction."""
        return self.batch.headings[1:] if self._corrected_before else self.batch.headings

    @property
    def rows(self) -> Iterator[Fix]:
        """Created one by one during iteration."""
        return (self._fix(line) for line in self.lines)

    @property
    def holds(self) -> str:
        """How many rows are in it, in words: empty for none."""
        return book_of(len(self.lines), len(self.returned)) if len(self) else ""

    def __len__(self) -> int:
        return len(self.lines) + len(self.returned)

    @property
    def _corrected_before(self) -> bool:
        headings = self.batch.headings
        return bool(headings) and result_column_of(headings[0]) == PLACE_COLUMN

    def _place(self, column: str) -> int | None:
        """The index of the heading of a problem's column; None when that is no column that is sent.

        A person may have said which columns those are, with headings of her own.
        """
        if asks_whether(column):
            return None
        found = [at for at, heading in enumerate(self.headings) if column and heading.strip() == column]
        found = found or [at for at, heading in enumerate(self.headings) if role_of(heading) == (role_of(column) or "")]
        return found[-1] if found else None

    def _unseen(self, cells: Sequence[Cell], wrong: dict[int, str], problems: Sequence[Problem]) -> list[int]:
        """The places of faulty codes that do not show as one, in a row that has no reason either."""
        places: dict[str | None, list[int]] = {}
        for at, heading in enumerate(self.headings):
            places.setdefault(role_of(heading), []).append(at)
        if "cufe" not in places:  # headings of her own: what is wrong says which column is not the code's
            others = {self._place(one.column) for one in problems if one.code.startswith(("motivo", "correo"))}
            return [at for at in sorted(wrong) if at not in others and not shows_code(_text(cells, at))]
        reasons = [_text(cells, at) for at in places.get("reason", [])]
        reason = min(reasons, key=lambda text: bool(text.strip()), default="")
        return [at for at in places["cufe"] if at in wrong and not is_invoice(_text(cells, at), reason)]

    def _fix(self, line: ResultLine) -> Fix:
        cells, place = list(line.cells), str(line.position)
        if self._corrected_before:  # a person can look up the place in the very first file
            place = one_line(str(cells.pop(0) or "")) or place
        wrong: dict[int, str] = {}
        for problem in line.problems:
            at = self._place(problem.column)
            if at is None or at >= len(cells):
                continue
            reason = f"{problem.message} [{problem.code}]"
            if problem.code in _UNSEEN or _changes(cells[at]):
                reason += f"\nRecibido: {shorten(str(line.cells[at + self._corrected_before] or 'nada'), _RECEIVED)}"
                cells[at] = MARKER
            wrong[at] = f"{wrong[at]}\n{reason}" if at in wrong else reason
        for at in self._unseen(cells, wrong, line.problems)[:1]:
            cells[at] = MARKER  # or it would come back as a line that is no invoice
        return Fix(place, tuple(cells), wrong, "\n".join(_reason(problem) for problem in line.problems))


def corrections_of(batch: BatchInfo, lines: Sequence[ResultLine]) -> Corrections:
    """The rows of ``batch`` that a person can correct, in input order; may be empty."""
    preview = batch.id == PREVIEW_ID
    actions = [(line, action_of(line, preview=preview)) for line in lines]
    wrong = [line for line, action in actions if action in CORRECTED]
    return Corrections(batch, wrong, [line for line, action in actions if action in GIVEN_BACK])


def _text(cells: Sequence[Cell], at: int | None) -> str:
    return str(cells[at] or "") if at is not None and at < len(cells) else ""


def _changes(value: Cell) -> bool:
    """Whether the workbook shows something else than was received, which might be accepted unlike the original."""
    return isinstance(value, str) and visible(value) != value


def _reason(problem: Problem) -> str:
    where = f"{one_line(problem.column)}: " if problem.column else ""
    return f"{where}{problem.message} [{problem.code}]"
