"""From the bytes of a file to its Table: what the reading process does, and nothing of it outside that process."""

from __future__ import annotations

from pathlib import Path

from pipeline.domain.problems import refused
from pipeline.read.csv_file import read_csv
from pipeline.read.header import given_columns
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
    """The table in ``data``, the content of a file called ``name``; the reader is picked by the content.

    ``sheet`` names a worksheet, ``prefer`` the one to take where nobody can be asked; ``include_hidden`` takes hidden
    and filtered rows too; ``columns`` says which column is which. Raises ``InputRefused`` for whatever is wrong with
    the file, and ``MemoryError`` where the process has too little.
    """
    given = given_columns(columns)
    if kind_of(Path(name), data) is Content.WORKBOOK:
        return read_xlsx(data, name, limits, sheet=sheet, include_hidden=include_hidden, prefer=prefer, given=given)
    if sheet is not None:
        raise refused("csv-sin-hojas")
    return read_csv(data, limits, given)
