"""Support case: what eDoc's support desk needs about some rows: a text to mail, a table, the raw answers.

Written into a folder of its own beside the results, whole or not at all. No customer, no address, no secret is in it.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.domain.cufe import Cufe
from pipeline.domain.errors import CufeInvalid, StorageTrouble
from pipeline.domain.records import BatchInfo
from pipeline.domain.visible import one_line
from pipeline.ledger.search import Answer, FoundRow
from pipeline.report.exports import write_table
from pipeline.report.inert import visible
from pipeline.report.labels import count
from pipeline.report.lines import row_of
from pipeline.report.model import local
from pipeline.report.names import room, support_name
from pipeline.runtime.os_error import os_words
from pipeline.runtime.patience import rename

TEXT, TABLE, ANSWERS = "caso.txt", "facturas.csv", "respuestas"
_HEADINGS = (
    *("Fila", "CUFE", "Documento", "Punto", "RUC", "Fecha de emisión", "Motivo", "Enviada", "Estado eDoc"),
    *("Descripción", "Mensaje de eDoc", "Código DGI", "Consultada", "Consultas", "Resultado"),
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Sender of a case, as the text names it."""

    name: str
    #: as people read it; "" when it is not set
    company: str
    #: of the environment, in Spanish
    env: str
    #: the integration as eDoc knows it; "" when it has no name
    integration: str


@dataclass(frozen=True, slots=True)
class Case:
    """The parts of a case."""

    text: str
    table: bytes
    #: by file name
    answers: dict[str, bytes]

    @property
    def digest(self) -> bytes:
        """SHA-256 of the text and the table: what the ledger records."""
        return hashlib.sha256(self.text.encode() + b"\n" + self.table).digest()


def make_case(
    info: BatchInfo, rows: Sequence[FoundRow], answers: Sequence[Sequence[Answer]], sender: Sender, now: datetime
) -> Case:
    """The case about ``rows`` of ``info``; ``answers`` are those of each row."""
    stream = io.BytesIO()
    write_table(_HEADINGS, [_table_row(row) for row in rows], stream)
    bodies = {
        f"fila-{row.line.position.line}__evento-{one.seq}{f'__http-{one.http}' if one.http else ''}.txt": one.body
        for row, some in zip(rows, answers, strict=True)
        for one in some
    }
    return Case("\n".join(_text(info, rows, sender, now)) + "\n", stream.getvalue(), bodies)


def publish_case(case: Case, folder: Path, info: BatchInfo, before: Callable[[], None]) -> Path:
    """Writes ``case`` into a new folder in ``folder`` and returns its path; an earlier case stays.

    ``before`` is called when all of it is written, before it gets its name. Raises ``StorageTrouble``.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".anular-soporte-", dir=folder))  # private: 0700
    except OSError as error:
        raise _not_written(folder, error) from error
    try:
        (fresh / TEXT).write_text(case.text, encoding="utf-8", newline="\r\n")
        (fresh / TABLE).write_bytes(case.table)
        (fresh / ANSWERS).mkdir()
        for name, body in case.answers.items():
            (fresh / ANSWERS / name).write_bytes(body)
        before()
        for number in range(1, 10_000):
            path = folder / support_name(Path(info.file).stem, info.id, number, room(folder))
            if not path.exists():
                with suppress(FileExistsError):
                    return rename(fresh, path)
        raise FileExistsError(17, "no free name")
    except OSError as error:
        raise _not_written(folder, error) from error
    finally:
        if fresh.exists():
            shutil.rmtree(fresh, ignore_errors=True)


def _not_written(folder: Path, error: OSError) -> StorageTrouble:
    return StorageTrouble(
        f"No se pudo escribir el caso de soporte ({os_words(error)}).",
        code="support-folder",
        where=str(folder),
        remedy="Revise el espacio y los permisos de esa carpeta.",
    )


def _text(info: BatchInfo, rows: Sequence[FoundRow], sender: Sender, now: datetime) -> list[str]:
    issuers = ", ".join(sorted({code.ruc for row in rows if (code := _code(row)) is not None}))
    invoices = count(len(rows), "anulación", "anulaciones")
    parts = [
        f"Asunto: Caso de soporte: {invoices} sin resolver, RUC {issuers}",
        "",
        "Buenos días:",
        "",
        f"Enviamos a anular por la API de eDoc lo que se detalla abajo ({count(len(rows), 'factura', 'facturas')}) y "
        "recibimos la respuesta que se indica en cada caso."
        + ("" if any(row.line.attempts > 1 for row in rows) else " No hemos vuelto a enviar nada."),
        "Les agradecemos que nos digan, de cada una:",
        "  1. si quedó anulada en la DGI o sigue vigente;",
        "  2. si no quedó anulada, cuál fue la causa y qué debemos corregir;",
        "  3. si podemos enviarla otra vez, o si lo harán ustedes.",
        "",
        *([f"Empresa: {one_line(sender.company)}"] if sender.company else []),
        f"RUC: {issuers}",
        f"Ambiente: {sender.env}",
        *([f"Integración: {one_line(sender.integration)}"] if sender.integration else []),
        f"Lote nuestro: {info.id} ({one_line(info.file)})",
        "",
    ]
    for number, row in enumerate(rows, start=1):
        parts += [*_about(number, row), ""]
    parts += [
        f"Adjuntamos {TABLE} y la carpeta «{ANSWERS}», con cada respuesta tal como llegó y sin datos secretos.",
        "Las horas son de Panamá.",
        "",
        "Quedamos atentos. Muchas gracias.",
        "",
        sender.name,
        local(now, seconds=False),
    ]
    return [visible(line) for line in parts]


def _about(number: int, row: FoundRow) -> list[str]:
    line, added, code = row.line, row_of(row.line).added, _code(row)
    parts = [f"{number}) CUFE: {line.cufe}"]
    if code is not None:
        words = f"número {code.number.lstrip('0')}, punto {code.point}, sucursal {code.branch}"
        parts.append(f"   Documento: {words}, emitido el {code.issued_on:%d/%m/%Y}")
    again = f" (envío n.º {line.attempts})" if line.attempts > 1 else ""
    parts.append(f"   Enviada: {local(line.sent_at) or 'no consta'}{again}")
    answer = [f"HTTP {line.http}"] if line.http is not None else []
    answer += [f"estado {added.estado_edoc}, {added.estado_edoc_descripcion}"] if added.estado_edoc is not None else []
    answer += [f"código DGI {added.codigo_dgi}"] if added.codigo_dgi else []
    parts.append(f"   Respuesta: {'; '.join(answer) or 'ninguna clara'}")
    parts += [f"   Mensaje: {one_line(added.mensaje_edoc)}"] if added.mensaje_edoc else []
    if line.queried_at:
        parts.append(f"   Última consulta: {local(line.queried_at)} ({count(line.queries, 'consulta', 'consultas')})")
    return parts


def _table_row(row: FoundRow) -> list[str | int | None]:
    line, added, code = row.line, row_of(row.line).added, _code(row)
    return [
        added.fila_origen,
        line.cufe,
        code.number if code else None,
        code.point if code else None,
        code.ruc if code else None,
        f"{code.issued_on:%d/%m/%Y}" if code else None,
        line.reason,
        local(line.sent_at) or None,
        added.estado_edoc,
        added.estado_edoc_descripcion,
        added.mensaje_edoc,
        added.codigo_dgi,
        local(added.consultado_en) or None,
        line.queries or None,
        added.resultado,
    ]


def _code(row: FoundRow) -> Cufe | None:
    try:
        return Cufe.parse(row.line.cufe or "", allow_bad_check_digit=True)
    except CufeInvalid:
        return None
