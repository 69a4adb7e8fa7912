"""How much one input file may hold (interface.md 4), and how much reading it may take (reliability.md P10)."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024
PATIENCE = 4
"""Seconds on the clock for each second of computing: a busy machine is no reason to refuse a file."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``size`` and ``unpacked`` in bytes, ``rows`` of data, ``columns`` of the table; ``members`` of the zip.

    ``memory`` (bytes of address space) and ``cpu`` (whole seconds) bound the process that reads.
    """

    size: int = 25 * MEGABYTE
    rows: int = 100_000
    columns: int = 50
    unpacked: int = 200 * MEGABYTE
    members: int = 200
    memory: int = 1536 * MEGABYTE
    cpu: int = 60

    @property
    def last_line(self) -> int:
        """The last physical row that may hold data: a thousand more than rows, for titles and blank rows."""
        return self.rows + 1_000

    @property
    def wall(self) -> float:
        """Seconds on the clock after which the reading process is ended, on every platform."""
        return float(self.cpu * PATIENCE)
