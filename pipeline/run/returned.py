"""Given-back rows that come back corrected, in the sheet ``Devueltas`` of a corrections workbook: a decision each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.columns import PLACE_COLUMN, RETURNED_SHEET, result_column_of
from pipeline.domain.commands import order
from pipeline.domain.errors import AnularError, InputRefused
from pipeline.domain.fields import canonical_email, canonical_reason
from pipeline.domain.lifecycle import GIVEN_BACK
from pipeline.domain.records import BatchInfo
from pipeline.ledger.moves import NO_DAY
from pipeline.ledger.views import Views
from pipeline.read.sheet import Limits, Sheet, read_sheet

_NOTHING_THERE = frozenset({"xlsx-hoja", "sin-filas"})
_NUMBER = re.compile(r"(\d+)\s*$")


@dataclass(frozen=True, slots=True)
class Wish:
    """Corrected row, to be sent again by a person's ``resend`` and by nothing else."""

    batch: str
    #: as ``--row`` takes it
    row: int
    cufe: str
    #: what differs from what was sent last; None for what does not
    reason: str | None
    email: str | None

    @property
    def command(self) -> str:
        """The command that a person completes with name and reason."""
        changed = ["--new-reason", self.reason] if self.reason is not None else []
        changed += ["--new-email", self.email] if self.email is not None else []
        return order("resend", self.batch, "--row", self.row, "--by", "QUIÉN", "--reason", "POR QUÉ", *changed)


def is_returned(sheet: Sheet) -> bool:
    """Whether ``sheet`` is the one of the rows that were given back."""
    return bool(sheet.corrects) and sheet.sheet == RETURNED_SHEET


def returned_beside(file: Path, corrects: str, limits: Limits) -> Sheet | None:
    """That sheet of a workbook whose corrections were read; None when it has none. Raises ``InputRefused``."""
    if not corrects or corrects.startswith(NO_DAY):
        return None
    try:
        return read_sheet(file, sheet=RETURNED_SHEET, limits=limits)
    except InputRefused as refusal:
        if refusal.code not in _NOTHING_THERE:
            raise
    return None


def left_unsent(file: Path, info: BatchInfo, views: Views, limits: Limits) -> list[str]:
    """Lines of a note on the given-back rows that came corrected with a file, which were not sent again."""
    try:
        sheet = returned_beside(file, info.corrects or "", limits) if info.sheet is not None else None
    except InputRefused as refusal:
        return [f"La hoja «{RETURNED_SHEET}» no se pudo leer: {refusal.sentence}"]
    found = list(wishes(sheet, views)) if sheet is not None else []
    if not found:
        return []
    one = len(found) == 1
    many = "1 factura devuelta viene corregida" if one else f"{len(found)} facturas devueltas vienen corregidas"
    not_sent = f"y no se {'reenvió' if one else 'reenviaron'}"
    return [f"{many} en la hoja «{RETURNED_SHEET}» {not_sent}: cargue el libro con run, que pregunta por cada una."]


def wishes(sheet: Sheet, views: Views) -> Iterator[Wish]:
    """Rows of ``sheet`` whose texts were changed, as far as this ledger has them given back with the same code. What is
    not so any more, or was not changed, asks for nothing."""
    info = views.batch(sheet.corrects)
    places = [at for at, heading in enumerate(sheet.headings) if result_column_of(heading) == PLACE_COLUMN]
    if info is None or info.id != sheet.corrects or not places:
        return
    for line in sheet.text.index:
        number = _NUMBER.search(str(sheet.cells.at[line, places[0]] or ""))
        if number is None:
            continue
        try:
            found = views.standing(info, int(number[1]))
        except AnularError:
            continue
        texts = {role: str(sheet.text.at[line, role]) for role in sheet.roles}
        if found.state not in GIVEN_BACK or texts["cufe"].strip() != found.cufe:
            continue
        reason, email = canonical_reason(texts["reason"]), canonical_email(texts.get("email", ""))
        changed = (reason if reason != found.reason else None), (email if email != (found.email or "") else None)
        if changed != (None, None):
            yield Wish(info.id, int(number[1]), found.cufe, *changed)
