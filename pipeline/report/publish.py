"""Publishing: a report is written to a temporary file, checked, then renamed into place (reliability.md 2.6).

The folder always shows the old workbook or the new one, never half of one.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pipeline.domain.commands import order
from pipeline.domain.errors import StorageTrouble
from pipeline.ledger.moves import future_id
from pipeline.report.corrections import Corrections
from pipeline.report.edit_check import untouched
from pipeline.report.inert import one_line
from pipeline.report.model import Report
from pipeline.report.names import LONGEST_PATH, corrections_name, preview_name, results_name, room
from pipeline.report.temporary import new_aside
from pipeline.report.verify import verify, verify_corrections
from pipeline.report.workbook import write_corrections, write_workbook
from pipeline.runtime.atomic_file import sync_file, sync_folder
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.patience import Patience, replace

MOST_NAMES = 20
"""How many numbered names are tried when the workbook is open in Excel."""

_SOME_BATCH = "20261120-3f9a2c71"
_TROUBLES = {
    errno.EACCES: "no hay permiso para escribir ahí, o el archivo está abierto en otro programa",
    errno.EPERM: "no hay permiso para escribir ahí",
    errno.EROFS: "el disco es de solo lectura",
    errno.ENOSPC: "no queda espacio en el disco",
    errno.EDQUOT: "se agotó la cuota de disco",
    errno.EFBIG: "el archivo es demasiado grande para ese disco",
    errno.EEXIST: "la ruta existe y no es una carpeta",
    errno.ENOTDIR: "la ruta existe y no es una carpeta",
    errno.EISDIR: "ya existe una carpeta con ese nombre",
    errno.ENAMETOOLONG: "la ruta es demasiado larga",
    errno.ENOENT: "la ruta no existe, o es demasiado larga",
    errno.EIO: "el disco falló al escribir",
}
_TOO_LONG = f"la ruta es demasiado larga (con el nombre del libro pasa de {LONGEST_PATH} caracteres)"
_OTHER = "el sistema no lo permitió"


AGAIN = "el mismo comando"


def publish(report: Report, folder: Path, stem: str) -> Path:
    """Writes the results workbook of ``report`` into ``folder`` and returns its path.

    ``stem`` is the input's name without suffix. The same batch replaces its own workbook; when that cannot be
    replaced (open in Excel, a folder of that name) a numbered name is used. Raises ``StorageTrouble`` when nothing can
    be written, ``Bug`` when the rows break their schema or the file read back is not the report. In both cases
    the folder stays unchanged.
    """

    def name(number: int) -> str:
        if report.preview:
            return preview_name(stem, number, room(folder))
        return results_name(stem, report.batch.id, number, room(folder))

    remedy = AGAIN if report.preview else order("report", report.batch.id)
    with _in_words("el libro de resultados", folder, remedy):
        folder.mkdir(parents=True, exist_ok=True)
        with new_aside(folder, report.batch.id) as temporary:
            _write(temporary, lambda stream: write_workbook(report, stream))
            verify(temporary, report)
            crashpoint("results-verified")
            return _put_in_place(temporary, folder, name)


def check_folder(folder: Path, stem: str) -> None:
    """Refuses a folder in which the results of an input called ``stem`` could not be written, before anything is sent.

    Creates nothing that stays. Raises ``StorageTrouble``.
    """
    why = _TOO_LONG if len(results_name(stem, _SOME_BATCH, MOST_NAMES, room(folder)).encode()) > room(folder) else ""
    place = folder.absolute()
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    try:
        with new_aside(place, "prueba"):
            pass
    except OSError as error:
        why = why or _TROUBLES.get(error.errno or 0, _OTHER)
    if why:
        raise StorageTrouble(
            f"No se podría guardar el libro de resultados: {why}. No se envió nada.",
            code="resultados-sin-lugar",
            where=one_line(str(folder)),
            remedy="Revise el espacio y los permisos de la carpeta, o indique otra en ANULAR_OUT.",
        )


def publish_corrections(fixes: Corrections, folder: Path, stem: str) -> Path | None:
    """Writes the corrections workbook into ``folder`` and returns its path; None when nothing is wrong.

    A workbook that a person has saved since is never overwritten or removed: that of a batch, in which no row is added,
    stays as it is; that of a validation gets a numbered name. A batch's replaces that of the validation of the same
    file, so that there is one. Where nothing is wrong any more, the earlier workbook is removed if it is unchanged.
    Raises like ``publish``.
    """
    batch = "" if fixes.preview else fixes.batch.id

    def name(number: int) -> str:
        return corrections_name(stem, batch, number, room(folder))

    target = folder / name(1)
    checked = folder / corrections_name(stem, "", 1, room(folder))
    if batch and untouched(checked, future_id(fixes.batch.env, fixes.batch.sha256, fixes.batch.sheet)):
        with suppress(OSError):
            checked.unlink()
    if not len(fixes):
        if untouched(target):
            with suppress(OSError):
                target.unlink()
        return None
    if batch and target.is_file() and not untouched(target):
        return target
    remedy = AGAIN if fixes.preview else order("report", fixes.batch.id)
    with _in_words("el libro de correcciones", folder, remedy):
        folder.mkdir(parents=True, exist_ok=True)
        with new_aside(folder, f"{fixes.batch.id}-corregir") as temporary:
            _write(temporary, lambda stream: write_corrections(fixes, stream))
            verify_corrections(temporary, fixes)
            return _put_in_place(temporary, folder, name, spare=lambda path: path.is_file() and not untouched(path))


def publish_export(report: Report, target: Path, write: Callable[[Report, IO[bytes]], object]) -> Path:
    """Writes ``report`` to ``target`` with ``write`` (``write_csv``, ``write_jsonl``); otherwise like
    ``publish_file``."""
    return publish_file(report.batch.id, target, lambda stream: write(report, stream))


def publish_file(batch: str, target: Path, write: Callable[[IO[bytes]], object]) -> Path:
    """Writes the output of ``write`` about the batch with this id to ``target``, all or nothing.

    When ``target`` cannot be replaced, a numbered name next to it is used. Raises ``StorageTrouble``.
    """

    def name(number: int) -> str:
        return target.name if number == 1 else f"{target.stem} ({number}){target.suffix}"

    with (
        _in_words("la exportación", target.parent, order("report", batch)),
        new_aside(target.parent, batch) as temporary,
    ):
        _write(temporary, write)
        crashpoint("export-written")
        return _put_in_place(temporary, target.parent, name)


@contextmanager
def _in_words(what: str, folder: Path, again: str) -> Iterator[None]:
    """Turns a system error into one Spanish sentence."""
    try:
        yield
    except OSError as error:
        raise StorageTrouble(
            f"no se pudo guardar {what}: {_TROUBLES.get(error.errno or 0, _OTHER)}.",
            code="resultados-no-guardados",
            where=one_line(str(folder)),
            remedy=f"Revise el espacio y los permisos de la carpeta; luego escríbalo otra vez con {again}.",
        ) from error


def _write(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    with path.open("r+b") as stream:
        crashpoint("results-begun")
        write(stream)
        stream.flush()
        crashpoint("results-before-sync")
        sync_file(stream.fileno())
    crashpoint("results-after-sync")
    path.chmod(0o644)


def _put_in_place(
    temporary: Path, folder: Path, name: Callable[[int], str], *, spare: Callable[[Path], bool] = lambda _: False
) -> Path:
    """Moves the file to the first free or replaceable name; a name for which ``spare`` is True is not replaced."""
    trouble: OSError | None = None
    patience = Patience()
    for number in range(1, MOST_NAMES + 1):
        target = folder / name(number)
        if spare(target):
            trouble = FileExistsError(errno.EEXIST, "somebody worked on it")
            continue
        try:
            replace(temporary, target, patience)
        except (PermissionError, IsADirectoryError, FileExistsError) as error:
            trouble = error
            continue
        crashpoint("results-replaced")
        with suppress(OSError):
            sync_folder(folder)
        crashpoint("results-in-place")
        return target
    assert trouble is not None
    raise trouble
