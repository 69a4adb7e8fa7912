"""First office: its settings are tried before they are written, and its folders are made."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.domain.errors import StorageTrouble
from pipeline.ledger import ownership
from pipeline.ledger.storage.location import is_on_a_server
from pipeline.ledger.storage.sqlite import sqlite_path
from pipeline.runtime.os_error import os_words
from pipeline.settings.first_settings import Office, toml_of
from pipeline.settings.load import load_settings
from pipeline.settings.model import Env, Settings


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
