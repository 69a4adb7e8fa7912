"""Downloads of a batch: the files that ``anular report`` writes, made from the ledger alone and kept for its state.

Each is kept under the number of the newest event of the batch: as long as nothing happens to a row, it is not made
again; once something does, the old one is not given out any more.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pipeline.approvals import row_index
from pipeline.approvals.pending import FILE, write_summary
from pipeline.approvals.places import Places
from pipeline.domain.errors import WrongUsage
from pipeline.domain.records import BatchInfo
from pipeline.ledger.views import Views
from pipeline.settings.model import Settings
from pipeline.wiring.views import open_views


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of download."""

    #: end of the file's name
    ending: str
    #: type of the answer
    mime: str
    #: what it is called on screen
    words: str


_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS: dict[str, Kind] = {
    "resultados": Kind("__resultados.xlsx", _XLSX, "Libro de resultados (.xlsx)"),
    "corregir": Kind("__corregir.xlsx", _XLSX, "Filas para corregir (.xlsx)"),
    "csv": Kind("__resultados.csv", "text/csv; charset=utf-8", "Resultados en CSV"),
    "jsonl": Kind("__resultados.jsonl", "application/jsonl; charset=utf-8", "Resultados en JSON"),
    "constancia": Kind("__constancia.pdf", "application/pdf", "Constancia del lote (PDF)"),
    "constancias": Kind("__constancias.pdf", "application/pdf", "Una constancia por factura anulada (PDF)"),
}
"""What a batch can be downloaded as."""
EVIDENCE = "evidencia"
"""The evidence pack: an event of the ledger, so that the sender makes it (``packs.py``), and only once for a state."""
PACK = Kind("__evidencia.zip", "application/zip", "Paquete de evidencia para la auditoría (.zip)")
PENDING = "pendientes"
"""What people have to do about a batch, for a page that shows it."""
INDEX = "filas"
"""Which rows of a batch have which problem and issuer, for a page that filters them; the same for ever."""
EMPTY = "vacio"
"""Name of the file that says that there is nothing of this kind."""


def index_ready(settings: Settings, batch: str, places: Places) -> Path | None:
    """The file of the row index of a batch, if it was made."""
    return places.file(places.of_batch(settings, batch, INDEX), row_index.FILE)


def ready(settings: Settings, info: BatchInfo, kind: str, places: Places) -> Path | None:
    """The file, if it was made for this state of the batch; the one named ``EMPTY`` where the batch has none."""
    folder = places.of_download(settings, info.id, newest(info), kind)
    ending = FILE if kind == PENDING else (PACK if kind == EVIDENCE else KINDS[kind]).ending
    return places.file(folder, ending) or places.file(folder, EMPTY)


def write_download(settings: Settings, batch: str, kind: str, places: Places) -> None:
    """Writes one download of a batch of this company, and lets go of those of earlier states. Raises ``WrongUsage``
    for a batch that is not there, ``StorageTrouble``."""
    with open_views(settings, mine=True) as views:
        info = views.batch(batch) if views is not None else None
        if views is None or info is None or info.id != batch or views.of_another(batch):
            raise WrongUsage(f"No existe el lote «{batch}».", code="no-batch")
        with places.new() as folder:
            if kind == INDEX:
                row_index.write_index(views.pages(), info, folder)
                places.put(folder, places.of_batch(settings, batch, INDEX))
                return
            if kind == PENDING:
                write_summary(views, info, folder)
            else:
                info = _write(info, views, kind, folder)  # it may have moved on since it was looked up
            keep(settings, info, kind, folder, places)


def keep(settings: Settings, info: BatchInfo, kind: str, folder: Path, places: Places) -> None:
    """Keeps what is in ``folder`` as the download of a batch in this state, and lets go of those of earlier ones."""
    target = places.of_download(settings, info.id, newest(info), kind)
    places.put(folder, target)
    for old in target.parent.parent.iterdir():
        if old.name.isdecimal() and int(old.name) < newest(info):
            shutil.rmtree(old, ignore_errors=True)


def _write(info: BatchInfo, views: Views, kind: str, folder: Path) -> BatchInfo:
    """The batch as it was when its file was written, alone in ``folder``."""
    from pipeline.run.results import write_results  # only the child that writes loads what makes workbooks

    wanted = {name: name == kind for name in ("csv", "jsonl", "constancias")}
    written = write_results(info, views, folder, pdf=kind == "constancia", **wanted)
    if kind == EVIDENCE:
        from pipeline.evidence.pack import copy_pack

        copy_pack(views.extract(written.batch), written.workbook)
    for file in folder.iterdir():
        if not file.name.endswith((PACK if kind == EVIDENCE else KINDS[kind]).ending):
            file.unlink()
    if not any(folder.iterdir()):
        (folder / EMPTY).touch()
    return written.batch


def newest(info: BatchInfo) -> int:
    """Number of the newest event of a row of a batch."""
    return info.seal.seq if info.seal is not None else 0
