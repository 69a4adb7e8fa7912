"""Drives: what Windows and macOS say against a folder for data that must not be lost, copied behind our back or shared.

A reason is a Spanish phrase that continues «El historial de envíos …»; "" where nothing speaks against the place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

from pipeline.runtime.windows import FIXED, Windows

_KINDS = {2: "en una memoria o un disco extraíble", 4: "en una unidad de red", 5: "en un CD o DVD", 6: "en memoria"}
_SOUND = frozenset({"NTFS", "REFS"})
_ATTRIBUTES = 0x400 | 0x1000 | 0x4_0000 | 0x8_0000 | 0x40_0000
"""REPARSE_POINT, OFFLINE, RECALL_ON_OPEN, PINNED, RECALL_ON_DATA_ACCESS: files that a synchronising program manages."""
_SYNCED = re.compile(
    r"(?P<name>onedrive|dropbox|google ?drive|icloud ?drive|nextcloud|owncloud|mega|pcloud ?drive|synologydrive"
    r"|creative cloud files)( ?\(.*\)| - .*)?|(?P<exact>box|box sync|my drive|mi unidad|megasync)",
    re.IGNORECASE,
)
_COPIED = "que se copia sola a otro lugar: se dañaría, o se enviaría dos veces."

NETWORK_ON_MAC = frozenset({"smbfs", "afpfs", "nfs", "webdav", "ftp", "cifs", "macfuse", "osxfuse", "fusefs", "vboxsf"})
_ON_MAC = (
    ("Library/Mobile Documents", "iCloud Drive"),
    ("Library/CloudStorage", "una carpeta sincronizada (OneDrive, Dropbox, Google Drive …)"),
    ("Desktop", "el Escritorio, que iCloud puede sincronizar"),
    ("Documents", "Documentos, que iCloud puede sincronizar"),
)


def against_on_windows(path: str, windows: Windows) -> str:
    """Reason against ``path``, which need not exist."""
    if "windowsapps" in windows.python_home().casefold():
        return (
            "no se puede guardar con el Python de Microsoft Store, que lo escribe en una carpeta aparte: "
            "habría otro, invisible para los demás."
        )
    places = [PureWindowsPath(_without_prefix(one)) for one in (path, windows.resolved(path))]
    for place in places:
        if place.drive.startswith("\\\\"):
            return "está en una carpeta de red, donde los bloqueos no son de fiar."
        if not re.fullmatch(r"[A-Za-z]:", place.drive) or not place.root:
            return "no está en un disco con letra de este equipo."
        if name := _synced_by(place, windows):
            return f"está en {name}, {_COPIED}"
    place = places[-1]
    kind = windows.drive_kind(place.anchor)
    if kind != FIXED:
        return f"está {_KINDS.get(kind, 'en un disco que el sistema no conoce')} ({place.drive})."
    system = windows.file_system(place.anchor)
    if system.upper() not in _SOUND:
        return f"está en un disco con formato {system or 'desconocido'}, y no NTFS: ni privado ni a prueba de cortes."
    for one in (place, *place.parents):
        if windows.attributes(str(one)) & _ATTRIBUTES:
            return f"está en una carpeta que otro programa administra (OneDrive u otro, «{one.name or one}»), {_COPIED}"
    return ""


def _without_prefix(path: str) -> str:
    if path.upper().startswith("\\\\?\\UNC\\"):
        return "\\\\" + path[8:]
    return path[4:] if re.match(r"\\\\[?.]\\[A-Za-z]:", path) else path


def _synced_by(place: PureWindowsPath, windows: Windows) -> str:
    for name, folder in _registered(windows):
        if folder and place.is_relative_to(PureWindowsPath(folder)):
            return name
    for part in place.parts[1:]:
        found = _SYNCED.fullmatch(part)
        if found and (found["name"] or found["exact"]):
            return f"«{part}»"
    return ""


def _registered(windows: Windows) -> Iterator[tuple[str, str]]:
    """Folders that synchronising programs say they keep."""
    for name in ("OneDrive", "OneDriveCommercial", "OneDriveConsumer"):
        yield "OneDrive", windows.variable(name)
    yield from (("OneDrive", folder) for folder in windows.onedrive_folders())
    for root in ("APPDATA", "LOCALAPPDATA"):
        try:
            accounts = json.loads(windows.text(f"{windows.variable(root)}\\Dropbox\\info.json"))
        except ValueError:
            continue
        for account in accounts.values() if isinstance(accounts, dict) else ():
            yield "Dropbox", str(account.get("path", "")) if isinstance(account, dict) else ""


def against_on_mac(path: Path, home: Path, mounts: str) -> str:
    """Reason against ``path``; ``mounts`` is what the command ``mount`` prints."""
    place = path.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    for one in (path.absolute(), place.resolve()):
        for folder, name in _ON_MAC:
            if _below(one, home / folder) or _below(one, home.resolve() / folder):
                return f"está en {name}: se dañaría, o se enviaría dos veces."
    kind = mac_file_system(place.resolve(), mounts)
    if kind in NETWORK_ON_MAC or kind.startswith("fuse"):
        return f"está en un disco de red o prestado ({kind}), donde los bloqueos no son de fiar."
    if kind in ("msdos", "exfat"):
        return f"está en un disco con formato {kind}: ni privado ni a prueba de cortes."
    return ""


def _below(place: Path, folder: Path) -> bool:
    """Whether ``place`` is in ``folder``, where capitals do not count."""
    inner, outer = (str(one).casefold().split("/") for one in (place, folder))
    return inner[: len(outer)] == outer


def mac_file_system(place: Path, mounts: str) -> str:
    """Type of the file system of ``place`` by lines ``… on /Volumes/x (smbfs, nodev)``; "" when none shows it."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        found = re.fullmatch(r".+? on (/.*) \(([^,)]+).*\)", line)
        if found and _below(place, Path(found[1])) | (found[1] == "/") and len(Path(found[1]).parts) >= best:
            best, kind = len(Path(found[1]).parts), found[2]
    return kind
