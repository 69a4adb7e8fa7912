"""Parser: from the bytes of a file to its Table. Runs only inside the reading process."""

from __future__ import annotations

from pathlib import Path

from pipeline.domain.problems import refused
from pipeline.read.csv_file import read_csv
from pipeline.read.given import given_columns
from pipeline.read.kinds import Content, kind_of
from pipeline.read.limits import Limits
from pipeline.read.table import Table
from pipeline.read.xlsx_file import read_xlsx


def parse(
    data: bytes,
    name: str,
    limits: Limits,
    *,
    sheet: str | None = None,
    include_hidden: bool = False,
    prefer: str = "",
    columns: str = "",
) -> Table:
    """The table in ``data``, the content of a file called ``name``; the content decides which reader is used.

    ``sheet`` names a worksheet, ``prefer`` the one to take when there is nobody to ask; ``include_hidden`` also takes
    hidden and filtered rows; ``columns`` says which column is which. Raises ``InputRefused`` for any problem with the
    file, and ``MemoryError`` if the process has too little.
    """
    given = given_columns(columns)
    if kind_of(Path(name), data) is Content.WORKBOOK:
        return read_xlsx(data, name, limits, sheet=sheet, include_hidden=include_hidden, prefer=prefer, given=given)
    if sheet is not None:
        raise refused("csv-sin-hojas")
    return read_csv(data, limits, given)
