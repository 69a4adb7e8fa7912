"""The same table is read, whichever program wrote the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.dialects import DIALECTS, by_libreoffice, expected, rows_of
from tests.support.reading import read_sheet


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_is_read_to_the_same_rows(name: str, tmp_path: Path) -> None:
    dialect = DIALECTS[name]
    path = tmp_path / f"lote{dialect.kind}"
    dialect.write(path)
    sheet = read_sheet(path)
    assert rows_of(sheet) == expected(wide=dialect.wide, first=dialect.first)
    assert sheet.oddities == {}


@pytest.mark.long
def test_what_libreoffice_writes_is_read_to_the_same_rows(tmp_path: Path) -> None:
    """One test for all its files: the program takes seconds to start."""
    files = by_libreoffice(tmp_path)
    assert list(files) == ["ods to xlsx", "xlsx to xlsx", "ods to csv", "xlsx to csv"]
    for name, path in files.items():
        assert rows_of(read_sheet(path)) == expected(wide=True), name
