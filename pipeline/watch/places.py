"""Folders: ``DIR/inbox -> processing -> done | failed``, each with a subfolder per profile that has one.

A folder that other users may write into is refused: whoever can put a file there can cancel invoices (F65).
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.ledger.storage.files import reason_of

INBOX, PROCESSING, DONE, FAILED = "inbox", "processing", "done", "failed"
CLAIM = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
"""The name of a claim's folder in ``processing/``."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Folders of one company's files."""

    #: the settings profile for them
    profile: str
    inbox: Path
    work: Path
    done: Path
    failed: Path
    #: the drop folder
    root: Path
    #: name of the subfolders; "" for files directly in the four folders
    below: str = ""


@contextmanager
def folder_errors(folder: Path) -> Iterator[None]:
    """Turns a system error into one sentence. Raises ``StorageTrouble`` for ``OSError``."""
    try:
        yield
    except OSError as error:
        raise StorageTrouble(
            f"No se pudo usar la carpeta ({reason_of(error)}).",
            code="watch-folder",
            where=str(folder),
            remedy="Revise permisos y espacio. Lo que quedó en processing continúa en la próxima pasada.",
        ) from error


def check_drop_folder(root: Path) -> None:
    """Raises ``WrongUsage`` for a folder that is not a drop folder: nothing is created in it.

    A drop folder has an ``inbox``, or is empty; the root of a disk and a home folder never count.
    """
    with folder_errors(root):
        place = root.resolve()
        if place == Path(place.anchor):
            why = "es la raíz de un disco"
        elif place in _homes():
            why = "es la carpeta personal de un usuario"
        elif (place / INBOX).is_dir() or all(path.name.startswith(".") for path in [*place.iterdir()]):
            return
        else:
            why = "tiene otras cosas dentro y no tiene inbox"
    raise WrongUsage(
        f"Esa no es una carpeta vigilada: {why}. No se creó nada en ella.",
        code="watch-not-a-drop-folder",
        where=str(root),
        remedy="Indique una carpeta vacía, hecha solo para esto; inbox se crea dentro de ella.",
    )


def _homes() -> set[Path]:
    """This user's home folder and the folder of all homes; empty for a service without a home."""
    try:
        home = Path.home().resolve()
    except RuntimeError:
        return set()
    return {home, home.parent}


def lay_out(
    root: Path, default: str, profiles: Collection[str], *, windows: bool = os.name == "nt"
) -> tuple[list[Lane], list[Path]]:
    """The lanes of ``root``, with missing folders created, and the subfolders without a profile.

    ``default`` is the profile of files directly in ``inbox/``. A subfolder of ``inbox/``, or one of
    ``processing/`` in which files wait, is a lane when its name is a profile; on ``windows`` capitals do not count.
    Raises ``StorageTrouble`` for a folder that cannot be used or trusted.
    """
    with folder_errors(root):
        _trusted(root)
        lanes = [_lane(root, default, "")]
        strange: list[Path] = []
        dropped, waiting = _subfolders(root / INBOX), _subfolders(root / PROCESSING, with_claims=True)
        for name in sorted(dropped | waiting):
            profile = _profile_of(name, profiles, windows=windows)
            if profile and not CLAIM.fullmatch(name):
                lanes.append(_lane(root, profile, name))
            else:
                strange += [root / INBOX / name] if name in dropped else []
                strange += [root / PROCESSING / name] if name in waiting else []
        for lane in lanes[1:]:
            strange += [
                Path(entry.path)
                for entry in os.scandir(lane.inbox)
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
            ]
    return lanes, strange


def _profile_of(name: str, profiles: Collection[str], *, windows: bool) -> str:
    """Profile of a subfolder; "" for none. Of two that differ in capitals only the one that is written so counts."""
    alike = [one for one in profiles if one.casefold() == name.casefold()] if windows else []
    return name if name in profiles else alike[0] if len(alike) == 1 else ""


def _subfolders(folder: Path, *, with_claims: bool = False) -> set[str]:
    """Names of the folders in ``folder``; with ``with_claims`` only those with claimed files."""
    return {
        entry.name
        for entry in os.scandir(folder)
        if entry.is_dir(follow_symlinks=False)
        and not entry.name.startswith(".")
        and not (with_claims and not any(CLAIM.fullmatch(one.name) for one in os.scandir(entry.path)))
    }


def _lane(root: Path, profile: str, below: str) -> Lane:
    folders = [root / name / below if below else root / name for name in (INBOX, PROCESSING, DONE, FAILED)]
    for folder in folders:
        folder.mkdir(mode=0o750, exist_ok=True)
        _trusted(folder)
    inbox, work, done, failed = folders
    return Lane(profile, inbox, work, done, failed, root, below)


def _trusted(folder: Path) -> None:
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode) or not stat.S_ISDIR(found.st_mode):
        raise _refused(folder, "no es una carpeta de verdad (es un enlace o un archivo).")
    if sys.platform != "win32":  # there the mode does not show who may write
        ours = {os.getegid(), *os.getgroups()}
        if found.st_uid not in (0, os.geteuid()) and found.st_gid not in ours:
            raise _refused(folder, "es de otro usuario y de otro grupo.")
        if found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and found.st_gid not in ours):
            raise _refused(folder, "la puede modificar cualquier usuario de este equipo.")


def _refused(folder: Path, why: str) -> StorageTrouble:
    return StorageTrouble(
        f"La carpeta {why} Quien deja ahí un archivo anula facturas: no se tomó nada.",
        code="watch-place",
        where=str(folder),
        remedy="Use una carpeta del usuario o del grupo que ejecuta anular: chmod 750.",
    )
