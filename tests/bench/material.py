"""Synthetic material: codes, rows, workbooks and ledgers of any size, made without the code that is measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.domain.cufe import check_digit
from pipeline.domain.deadline import Deadline, Window
from pipeline.domain.records import BatchInfo, CheckedRow, Position, Verdict

ENV = "sandbox"
REASON = "Factura emitida con el monto equivocado"
HEADINGS = ("CUFE", "Motivo", "Correo", "Cliente", "Monto")
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def make_cufe(number: int) -> str:
    """A valid code: what is no digit before the last ten is always the same."""
    text = f"FE01200000000000029-29-29-56763220261118{number:010d}939012012345678"
    return text + check_digit(text)


def cells(number: int) -> tuple[str, ...]:
    return make_cufe(number), REASON, f"cliente{number % 977}@ejemplo.test", f"Cliente {number}", f"{number % 9973}.50"


def checked(count: int, first: int = 1) -> list[CheckedRow]:
    """``count`` accepted rows as validation would hand them over."""
    rows = []
    for pos in range(1, count + 1):
        values = cells(first + pos - 1)
        rows.append(
            CheckedRow(
                pos=pos,
                position=Position("Hoja1", pos + 1),
                cells=values,
                verdict=Verdict.ACCEPTED,
                cufe=values[0],
                reason=REASON,
                email=values[2],
                deadline=Deadline(Window.IN_TIME, 50.0 + pos),
            )
        )
    return rows


def batch(name: str, count: int, folder: Path, created: datetime = NOW) -> BatchInfo:
    return BatchInfo(
        id=name,
        file=f"{name}.xlsx",
        sha256=f"{abs(hash(name)):064x}"[:64],
        env=ENV,
        sheet="Hoja1",
        rows=count,
        headings=HEADINGS,
        created=created,
        approved_by="banco de pruebas",
        folder=str(folder),
    )


def table(count: int, first: int = 1) -> Iterator[Sequence[str]]:
    yield HEADINGS
    for number in range(first, first + count):
        yield cells(number)


def workbook(path: Path, count: int, first: int = 1) -> Path:
    """An .xlsx with ``count`` rows; made once, kept under its name."""
    if not path.exists():
        from openpyxl import Workbook

        path.parent.mkdir(parents=True, exist_ok=True)
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Hoja1")
        for row in table(count, first):
            sheet.append(list(row))
        book.save(path)
    return path


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)
