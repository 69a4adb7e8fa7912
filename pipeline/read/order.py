"""What the reading process is asked to do, and how it says with its exit code what no answer can say."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pipeline.read.limits import Limits

OUT_OF_MEMORY = 65
"""The exit code that says that the memory allowed was not enough."""
NOTHING_TO_DO = 66
"""The exit code of a process that was not given all of what it should read: whoever started it has gone."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to read: ``parent`` is the process that asks, ``size`` the bytes that follow, ``name`` the file's own.

    ``prefer`` is the sheet where nobody can be asked; ``columns`` says which column is which (``cufe=H,motivo=I``).
    """

    parent: int
    size: int
    name: str
    sheet: str | None
    include_hidden: bool
    limits: Limits
    prefer: str = ""
    columns: str = ""

    def line(self) -> bytes:
        """The order as one line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def of(cls, line: bytes) -> Order:
        """The order in ``line``. Raises ``ValueError`` for less than a whole one."""
        values = json.loads(line)
        return cls(**{**values, "limits": Limits(**values["limits"])})
