"""Ownership: where a ledger may be, and on which machine it may be used (reliability.md 2.1, F49, F54).

Two copies of one ledger know nothing of each other, and each would send. So a ledger remembers its machine; on
another one it is refused until a person says that it was moved. It must be in a place with reliable locks and durable
writes, where no other user can write.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import stat
import subprocess  # nosec B404 - /sbin/mount, no shell
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select

from pipeline.domain.commands import order
from pipeline.domain.errors import StorageTrouble
from pipeline.ledger import codec, tables
from pipeline.ledger.ledger_events import adopted, append_deed
from pipeline.ledger.storage.database import Database
from pipeline.runtime.drives import against_on_mac, against_on_windows
from pipeline.runtime.machine import MACHINE_ID, hardware_of_mac, machine_text
from pipeline.runtime.windows import Windows, this_windows

_MOUNTS = Path("/proc/self/mountinfo")

NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "smb2", "9p", "afs", "ceph", "glusterfs", "lustre", "beegfs", "virtiofs"}
)
TEMPORARY = frozenset({"tmpfs", "ramfs"})
_WITHOUT_MODES = frozenset({"vfat", "msdos", "exfat", "ntfs", "ntfs3", "drvfs", *NETWORK})


def host_id(
    sources: Sequence[Path] = MACHINE_ID,
    windows: Windows | None = None,
    hardware: Callable[[], str] = hardware_of_mac,
) -> str:
    """A stable mark of this machine: the hash of its own id, else of its name. The id itself is never revealed."""
    return _mark(machine_text(sources, windows, hardware))


LEDGER = ("El historial de envíos", "ANULAR_LEDGER")
OFFICE = ("La base de datos de la oficina", "ANULAR_OFFICE")


def check_place(
    path: Path,
    *,
    strict: bool,
    mounts: str | None = None,
    what: tuple[str, str] = LEDGER,
    windows: Windows | None = None,
) -> None:
    """Raises ``StorageTrouble`` when ``path`` is in a place that cannot be trusted. ``what`` names it, and its setting.

    ``strict`` is False in the local sandbox, where nothing has legal effect: there only a file that other users may
    write is refused. ``mounts`` is the text of the system's mount table; without it the file system type is unknown and
    this part of the check is skipped. ``windows`` answers for a system that has none.
    """
    windows = windows or this_windows()
    why = ""
    if strict and windows is not None:
        why = against_on_windows(str(path), windows)
    elif strict and sys.platform == "darwin":
        why = against_on_mac(path, Path.home(), _mounts_of_mac())
    if why:
        raise _refused(path, what, why)
    if windows is not None:
        return
    kind = file_system(path, _read_mounts() if mounts is None else mounts)
    if strict and (kind in NETWORK or kind.startswith("fuse")):
        raise _refused(path, what, f"está en un disco de red o prestado ({kind}), donde los bloqueos no son de fiar.")
    if strict and kind in TEMPORARY:
        raise _refused(path, what, f"está en memoria ({kind}): se perdería al apagar el equipo.")
    if kind in _WITHOUT_MODES or kind.startswith("fuse"):
        return
    if sys.platform != "win32":
        if path.exists():
            _check_file(path, path.stat(), what, strict=strict)
        if strict and path.parent.exists():
            _check_folder(path.parent, what)


def file_system(path: Path, mounts: str) -> str:
    """The file system type of ``path``, which need not exist; "" when the table does not show it."""
    place = path.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    place = place.resolve()
    best, kind = -1, ""
    for line in mounts.splitlines():
        left, found, right = line.partition(" - ")
        fields = left.split()
        if not found or len(fields) < 5:
            continue
        mounted = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4]))
        if place.is_relative_to(mounted) and len(mounted.parts) >= best:  # of two on one place, the later is on top
            best, kind = len(mounted.parts), right.split()[0]
    return kind


def own(database: Database, now: datetime, *, host: str, name: str) -> None:
    """Makes the ledger this machine's on its first use. Raises ``StorageTrouble`` when it is another one's."""
    with database.write() as connection:
        newest = connection.execute(select(tables.owner).order_by(tables.owner.c.id.desc()).limit(1)).first()
        if newest is None:
            connection.execute(insert(tables.owner).values(_owner(host, name, now, who="", why="primer uso")))
        elif newest.host != host:
            raise StorageTrouble(
                f"Este historial de envíos es de otro equipo («{newest.name}»). Con dos copias se enviaría dos veces.",
                code="other-host",
                where=database.name,
                remedy=f"Si lo movió y allá ya nadie lo usa, vea aquí cómo decirlo: {order('adopt', '--help')}",
            )


def is_owner(database: Database, host: str) -> bool:
    """Whether the ledger already belongs to the machine with this mark."""
    newest = database.read(select(tables.owner).order_by(tables.owner.c.id.desc()).limit(1))
    return bool(newest) and newest[0].host == host


def adopt(database: Database, now: datetime, *, host: str, name: str, who: str, why: str) -> None:
    """Records that a person moved the ledger to this machine; who, when and why are in the chain of events."""
    with database.write() as connection:
        owner = _owner(host, name, now, who=who, why=why)
        connection.execute(insert(tables.owner).values(owner))
        append_deed(connection, adopted(owner))


def _owner(host: str, name: str, now: datetime, *, who: str, why: str) -> dict[str, str]:
    return {"host": host, "name": name, "since_utc": codec.to_text(now), "who": who, "why": why}


if sys.platform != "win32":

    def _check_file(path: Path, found: os.stat_result, what: tuple[str, str], *, strict: bool) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise _refused(path, what, "no es un archivo normal.")
        if os.geteuid() not in (0, found.st_uid):
            raise _refused(path, what, "es de otro usuario de este equipo.")
        if found.st_mode & (0o077 if strict else 0o022):
            closing = f"Ejecute: chmod 600 {path.name}"
            raise _refused(path, what, "tiene permiso de lectura o escritura para otros usuarios.", closing)

    def _check_folder(folder: Path, what: tuple[str, str]) -> None:
        found = folder.stat()
        by_group = found.st_mode & stat.S_IWGRP and found.st_gid != os.getegid()
        if found.st_mode & stat.S_IWOTH or by_group:
            whose = ("La carpeta", what[1])
            raise _refused(folder, whose, "la pueden modificar otros usuarios.", "Use una carpeta propia: chmod 700.")


def _refused(path: Path, what: tuple[str, str], why: str, remedy: str = "") -> StorageTrouble:
    name, setting = what
    return StorageTrouble(
        f"{name} {why} No se envió nada.",
        code="ledger-place",
        where=str(path),
        remedy=remedy or f"Use un lugar en un disco de este equipo ({setting}).",
    )


def _read_mounts() -> str:
    try:
        return _MOUNTS.read_text("utf-8", errors="replace")
    except OSError:  # not Linux
        return ""


def _mounts_of_mac() -> str:
    try:
        told = subprocess.run(["/sbin/mount"], capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.decode("utf-8", "replace")


def _mark(text: str) -> str:
    return hashlib.sha256(f"anular {text}".encode("utf-8", "replace")).hexdigest()


def who_am_i() -> str:
    """The system's user name, for the record."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a user entry
        return "desconocido"
