"""Order to the reading process, and the exit codes with which it reports what no answer can."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pipeline.read.limits import Limits

OUT_OF_MEMORY = 65
"""Exit code: the allowed memory was not enough."""
NOTHING_TO_DO = 66
"""Exit code: the process did not receive all of its input, because its parent is gone."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to read."""

    #: process id of the parent
    parent: int
    #: bytes of the file, which follow
    size: int
    #: file name
    name: str
    sheet: str | None
    include_hidden: bool
    limits: Limits
    #: the sheet to take when there is nobody to ask
    prefer: str = ""
    #: which column is which (``cufe=H,motivo=I``)
    columns: str = ""

    def line(self) -> bytes:
        """The order as one line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def of(cls, line: bytes) -> Order:
        """Parses ``line``. Raises ``ValueError`` for an incomplete order."""
        values = json.loads(line)
        return cls(**{**values, "limits": Limits(**values["limits"])})
