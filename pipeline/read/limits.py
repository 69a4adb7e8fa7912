"""Limits: how much one input file may hold (interface.md 4), and the cost of reading it (reliability.md P10)."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024
PATIENCE = 4
"""Seconds of real time per second of computing: a busy machine is no reason to refuse a file."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for one file and for the process that reads it."""

    #: bytes of the file
    size: int = 25 * MEGABYTE
    #: of data
    rows: int = 100_000
    #: of the table
    columns: int = 50
    #: bytes of the unpacked workbook
    unpacked: int = 200 * MEGABYTE
    #: of the zip
    members: int = 200
    #: bytes of address space of the reading process
    memory: int = 1536 * MEGABYTE
    #: whole seconds of processor time
    cpu: int = 60

    @property
    def last_line(self) -> int:
        """The last physical row that may hold data: a thousand more than ``rows``, for titles and blank rows."""
        return self.rows + 1_000

    @property
    def wall(self) -> float:
        """Seconds of real time after which the reading process is ended, on every platform."""
        return float(self.cpu * PATIENCE)
