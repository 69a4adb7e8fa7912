"""Places: the private folder in which a page keeps what it can make again, such as review workbooks and downloads."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from pipeline.runtime.patience import rename
from pipeline.settings.model import PROGRAM, Settings


@dataclass(frozen=True, slots=True)
class Places:
    """Folders below ``root``; each is there whole or not at all."""

    root: Path

    @classmethod
    def of(cls, settings: Settings) -> Places:
        """Folder that the settings name; by default one in the user's data folder."""
        return cls(settings.web_folder or user_data_path(PROGRAM) / "web")

    def of_proposal(self, settings: Settings, number: int) -> Path:
        """Folder of the workbooks of a proposal."""
        return self.root / "propuestas" / _company(settings) / str(number)

    def of_download(self, settings: Settings, batch: str, newest: int, kind: str) -> Path:
        """Folder of one download of a batch as it is after its ``newest`` event."""
        return self.root / "lotes" / _company(settings) / _safe(batch) / str(newest) / _safe(kind)

    def of_batch(self, settings: Settings, batch: str, kind: str) -> Path:
        """Folder of what is true of a batch whatever happens to it."""
        return self.root / "lotes" / _company(settings) / _safe(batch) / "siempre" / _safe(kind)

    def results(self, settings: Settings) -> Path:
        """Folder into which the results of a batch that came by the page are written."""
        return self.root / "resultados" / _company(settings)

    @contextmanager
    def new(self) -> Iterator[Path]:
        """A new folder, to be put in place (``put``) or gone when the block ends."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(OSError):
            self.root.chmod(0o700)
        folder = self.root / f"nuevo-{uuid.uuid4().hex}"
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def put(self, folder: Path, target: Path) -> None:
        """Puts a new ``folder`` in the place of ``target``."""
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        old = self.root / f"viejo-{uuid.uuid4().hex}"
        with suppress(OSError):  # none there, or another process put the same there meanwhile
            rename(target, old)
        with suppress(OSError):
            rename(folder, target)
        shutil.rmtree(old, ignore_errors=True)

    def file(self, folder: Path, ending: str) -> Path | None:
        """The file of ``folder`` whose name ends so; None while there is none."""
        found = sorted(folder.glob(f"*{ending}")) if folder.is_dir() else []
        return found[0] if found else None


def _company(settings: Settings) -> str:
    """Name of the folder of a company and environment: no two have the same, whatever they are called."""
    return hashlib.sha256(f"{settings.profile}\n{settings.env}\n{settings.ledger}".encode()).hexdigest()[:24]


def _safe(text: str) -> str:
    """``text`` as a name of a folder; only ever an id or a kind of ours."""
    return "".join(char if char.isalnum() or char == "-" else "_" for char in text)
