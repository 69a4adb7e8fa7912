"""First office: its settings are tried before they are written, and its folders are made."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.ledger import ownership
from pipeline.ledger.storage.location import is_on_a_server, location_of
from pipeline.ledger.storage.sqlite import sqlite_path
from pipeline.runtime.folders import data_folder
from pipeline.runtime.os_error import os_words
from pipeline.settings.first_settings import (
    Company,
    Office,
    companies_in,
    companies_of,
    settings_before,
    settings_of,
    toml_of,
    write_settings,
)
from pipeline.settings.load import config_path, default_ledger, load_settings
from pipeline.settings.model import Env, Settings


def planned(office: Office) -> tuple[Office, dict[str, Any], list[Settings]]:
    """``office`` over the settings that are there, the values of the new file, and each company's settings by them.
    Nothing is written. Raises like ``tried``."""
    office = replace(office, before=settings_before(config_path()))
    values = settings_of(office, data_folder() / "registro", _in_use(default_ledger()))
    return office, values, tried(office, values)


def made(office: Office, values: Mapping[str, Any]) -> Path | None:
    """Makes the folders and writes the settings file; the path where the one of before is kept. Raises
    ``StorageTrouble``."""
    make_folders(office)
    return write_settings(config_path(), values)


def _in_use(default: str) -> str:
    """Address of the usual ledger, if there is one: whatever is written now must lead to it."""
    return default if location_of(default).exists() else ""


def tried(office: Office, values: Mapping[str, Any]) -> list[Settings]:
    """Settings of each company as the new file would give them. Nothing is written that stays.

    Raises ``WrongUsage`` for values that no command would take, and ``StorageTrouble`` for a ledger in a place that
    cannot be trusted.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "anular.toml"
        file.write_text(toml_of(values), "utf-8")
        found = [load_settings(profile, file=file) for profile in office.profiles]
    for settings in found:
        if not is_on_a_server(settings.ledger):
            ownership.check_place(sqlite_path(settings.ledger), strict=settings.env is not Env.SANDBOX)
    return found


MOST_BYTES = 2_000_000
"""Size of a table of companies; anything larger is none."""


def companies_of_file(path: Path) -> tuple[Company, ...]:
    """Companies of a table ``empresa;RUC;usuario``: the first sheet of a workbook, or a CSV file. Raises
    ``WrongUsage``."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        if path.stat().st_size > MOST_BYTES:
            raise WrongUsage("El archivo es demasiado grande para una tabla de empresas.", code="init-table")
        if path.suffix.casefold() not in (".xlsx", ".xlsm"):
            return companies_in(path.read_text("utf-8-sig"))
        sheet = CalamineWorkbook.from_path(path).get_sheet_by_index(0)
        return companies_of([_text(cell) for cell in row] for row in sheet.to_python())
    except UnicodeDecodeError:
        why = "no es texto UTF-8; guárdelo como .xlsx o como CSV UTF-8"
    except OSError as error:
        why = os_words(error)
    except (CalamineError, IndexError):
        why = "no es un libro de Excel que se pueda leer"
    raise WrongUsage(f"No se puede leer la tabla de empresas ({why}).", code="init-table", where=str(path))


def _text(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def make_folders(office: Office) -> None:
    """Makes the working folder, which is the drop folder too, with an inbox for each company. Raises
    ``StorageTrouble``."""
    places = [office.folder / "inbox", *(office.folder / "inbox" / name for name in office.profiles if name)]
    try:
        for place in places:
            place.mkdir(parents=True, mode=0o750, exist_ok=True)
    except OSError as error:
        raise StorageTrouble(
            f"No se pudo crear la carpeta de trabajo ({os_words(error)}).", code="init-folder", where=str(office.folder)
        ) from error
