"""How much one input file may hold (interface.md 4)."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """``size`` and ``unpacked`` in bytes, ``rows`` of data, ``columns`` of the table; ``members`` of the zip."""

    size: int = 25 * MEGABYTE
    rows: int = 100_000
    columns: int = 50
    unpacked: int = 200 * MEGABYTE
    members: int = 200

    @property
    def last_line(self) -> int:
        """The last physical row that may hold data: a thousand more than rows, for titles and blank rows."""
        return self.rows + 1_000
