"""Rebuilds the files of this folder: ``python sample_data/build.py [FOLDER]``. The same bytes every time."""

from __future__ import annotations

import sys
from pathlib import Path

from sample_data.mistakes import mistakes_xlsx
from sample_data.monthly import monthly_csv, monthly_xlsx

FILES = {
    "lote_mensual.xlsx": monthly_xlsx,
    "lote_mensual.csv": monthly_csv,
    "lote_con_errores.xlsx": mistakes_xlsx,
}


def build(folder: Path) -> list[Path]:
    """Writes every sample file into ``folder``, which exists, and says which they are."""
    written = []
    for name, make in FILES.items():
        path = folder / name
        path.write_bytes(make())
        written.append(path)
    return written


if __name__ == "__main__":
    for path in build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent):
        print(path)
