"""Evidence pack format: the members and how each is written. Texts only, one fact per line, in a fixed order.

Names and keys are part of the format ``anular-evidencia-2``: an auditor may read them with any program.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.domain.lifecycle import State
from pipeline.domain.records import Leader, Position, ResultLine, Source
from pipeline.ledger.extract import Foreign

FORMAT = "anular-evidencia-2"
FORMAT_OF_BEFORE = "anular-evidencia-1"
README, MANIFEST = "LEEME.txt", "MANIFIESTO.json"
HEAD, ROWS, EVENTS, CHAIN = "lote.json", "filas.jsonl", "sucesos.jsonl", "cadena.txt"
WORKBOOK = "resultados.xlsx"
OTHERS = "ajenas.jsonl"
MEMBERS = (README, WORKBOOK, HEAD, ROWS, OTHERS, EVENTS, CHAIN, MANIFEST)
"""All members, in their order. No other member is allowed."""
MEMBERS_OF_BEFORE = tuple(name for name in MEMBERS if name != OTHERS)
"""All members of a pack of format 1, which is bound to the chain by its rows and events alone."""
BOUND = (README, WORKBOOK, HEAD, ROWS, OTHERS)
"""Members whose SHA-256 is in the event of the pack; the bytes of the others follow from the chain."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A member in the manifest."""

    #: bytes
    size: int
    #: hex
    sha256: str


def sum_of(content: bytes) -> Sum:
    """The sum of a member that is in memory."""
    return Sum(len(content), hashlib.sha256(content).hexdigest())


HEAD_KEYS: tuple[str, ...] = (
    *("id", "env", "sha256", "sheet", "file", "n_rows", "headings", "issuers", "notes", "deadline_hours"),
    *("created_utc", "approved_by"),
)
ROW_KEYS: tuple[str, ...] = (
    *("pos", "line", "cells", "state", "cufe", "reason", "email", "payload_sha256", "leader_batch", "leader_pos"),
    *("remarks", "deadline_window", "hours_left"),
)
EVENT_KEYS: tuple[str, ...] = (
    *("seq", "batch", "pos", "attempt", "from_", "to_", "event", "utc", "run", "who", "http", "estado", "dgi"),
    *("message", "note"),
)


def head_keys(head: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of this ``lote.json``. Only a batch that corrects another has ``corrects``, and only one with the mark
    of a credential has ``credential``; format 1 has no keys about what other batches of the ledger say of it."""
    some = tuple(key for key in ("corrects", "credential") if head.get(key))
    return (*HEAD_KEYS, *some, *(key for key in ("corrects_known", "corrected_in") if key in head))


def head_text(head: Mapping[str, Any]) -> bytes:
    """``lote.json``: what was approved, and by whom; without the folder of the results, which concerns only this
    machine."""
    return (json.dumps({key: head[key] for key in head_keys(head)}, ensure_ascii=False, indent=1) + "\n").encode()


def row_line(row: Mapping[str, Any]) -> bytes:
    """A line of ``filas.jsonl``: an input row as it was taken in; ``cells`` and ``remarks`` are JSON texts."""
    return _line({key: row[key] for key in ROW_KEYS})


def other_line(pos: int, leader: Leader, found: ResultLine) -> bytes:
    """A line of ``ajenas.jsonl``: the state of the row of another batch that row ``pos`` repeats, or in which it was
    corrected."""
    values = {
        "pos": pos,
        "batch": leader.batch,
        "leader_pos": leader.pos,
        "sheet": found.position.sheet,
        "line": found.position.line,
        "state": found.state.value,
        "estado": found.estado,
        "source": found.source.value if found.source else None,
        "dgi": found.dgi,
        "message": found.message,
        "authorised_at": found.authorised_at,
        "note": found.note,
        "again": found.again,
    }
    return _line(values)


def read_other(line: bytes) -> tuple[int, Leader, ResultLine]:
    """Parses such a line. Raises ``ValueError``, ``KeyError`` or ``TypeError``."""
    told = json.loads(line)
    position = Position(told["sheet"], told["line"])
    found = ResultLine(
        pos=told["leader_pos"],
        position=position,
        cells=(),
        state=State(told["state"]),
        estado=told["estado"],
        source=Source(told["source"]) if told["source"] else None,
        dgi=told["dgi"],
        message=told["message"],
        authorised_at=told["authorised_at"],
        note=told["note"],
        again=told["again"],
    )
    return told["pos"], Leader(told["batch"], told["leader_pos"], position), found


def bound(sums: Mapping[str, Sum]) -> bytes:
    """The body of the pack's event: the SHA-256 of every member of ``BOUND``."""
    return _line({name: sums[name].sha256 for name in BOUND})


def event_line(event: Mapping[str, Any]) -> bytes:
    """A line of ``sucesos.jsonl``: every chained column, the raw body in base64, the hash in hex. An event of schema
    0006 or older has no ``more``."""
    body = event["body"]
    coded = None if body is None else base64.b64encode(body).decode("ascii")
    told = {key: event[key] for key in EVENT_KEYS}
    more = {} if event.get("more") is None else {"more": event["more"]}
    return _line({**told, **more, "body": coded, "hash": event["hash"].hex()})


def read_columns(line: bytes) -> dict[str, Any]:
    """Parses a line of ``sucesos.jsonl`` or ``filas.jsonl``: columns and values, as they are written. Raises
    ``ValueError``, or ``TypeError`` where it is not an object."""
    values = json.loads(line.decode("utf-8", "surrogatepass"))
    if not isinstance(values, dict):
        raise TypeError(type(values))
    return values


_EVENT, _MAYBE = {*EVENT_KEYS, "body", "hash"}, {"more"}


def read_event(line: bytes) -> dict[str, Any]:
    """Parses the columns of an event. Raises ``ValueError``, ``KeyError`` or ``TypeError``."""
    values = read_columns(line)
    if values.keys() - _MAYBE != _EVENT or type(values["seq"]) is not int:
        raise ValueError("keys")
    if "more" in values and not isinstance(values["more"], str):
        raise ValueError("more")
    body = values["body"]
    return {
        **values,
        "body": None if body is None else base64.b64decode(body, validate=True),
        "hash": bytes.fromhex(values["hash"]),
    }


def start_line(seq: int, before: bytes) -> bytes:
    """The first line of ``cadena.txt``: the event before ours and its hash."""
    return f"{seq} inicio {before.hex()}\n".encode("ascii")


def foreign_line(foreign: Foreign) -> bytes:
    """A line of ``cadena.txt``: an event of another batch, by its digest (``ajeno``) or its hash (``anterior``)."""
    return f"{foreign.seq} {'ajeno' if foreign.walkable else 'anterior'} {foreign.value.hex()}\n".encode("ascii")


def read_chain(text: bytes) -> tuple[int, bytes, list[Foreign]]:
    """Parses ``cadena.txt``: its start, the hash there, and the foreign events. Raises ``ValueError``."""
    first, *rest = text.decode("ascii").splitlines()
    seq, word, value = first.split(" ")
    if word != "inicio":
        raise ValueError(word)
    foreign = []
    for line in rest:
        number, kind, content = line.split(" ")
        if kind not in ("ajeno", "anterior"):
            raise ValueError(kind)
        foreign.append(Foreign(int(number), bytes.fromhex(content), kind == "ajeno"))
    return int(seq), bytes.fromhex(value), foreign


def manifest(
    head: Mapping[str, Any],
    sums: Mapping[str, Sum],
    *,
    events: int,
    seal: tuple[int, str],
    counts: dict[str, int],
    pack: tuple[int, str] | None,
) -> bytes:
    """``MANIFIESTO.json``: the batch, its control totals, its seal, and the SHA-256 of every other member.

    ``seal`` is the number and the hash (hex) of the last event of the batch's rows, which covers all events before it.
    ``pack`` is the same for the event of the pack itself; None for format 1.
    """
    own = {} if pack is None else {"sello_paquete": {"suceso": pack[0], "huella": pack[1]}}
    value = {
        "formato": FORMAT_OF_BEFORE if pack is None else FORMAT,
        "lote": head["id"],
        "ambiente": head["env"],
        "archivo": head["file"],
        "archivo_sha256": head["sha256"],
        "aprobado_por": head["approved_by"],
        "recibido_utc": head["created_utc"],
        "control": {"filas": head["n_rows"], "sucesos": events, "resultados": counts},
        "sello": {"suceso": seal[0], "huella": seal[1]},
        **own,
        "miembros": [
            {"nombre": name, "bytes": sums[name].size, "sha256": sums[name].sha256}
            for name in MEMBERS
            if name in sums and name != MANIFEST
        ],
    }
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def readme(head: Mapping[str, Any]) -> bytes:
    """``LEEME.txt``, for the auditor."""
    return _README.format(batch=head["id"], file=head["file"]).encode()


def _line(values: Mapping[str, Any]) -> bytes:
    return (_ENCODER.encode(values) + "\n").encode("utf-8", "surrogatepass")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


_README = """\
PAQUETE DE EVIDENCIA DEL LOTE {batch}
Archivo recibido: {file}

Qué es. Todo lo que el historial de envíos de anular guarda de este lote, para comprobarlo sin él, sin red y sin el
equipo donde se hizo. No contiene contraseñas ni tokens.

  resultados.xlsx   el libro de resultados
  lote.json         qué archivo se recibió, su código de verificación (SHA-256), cuándo, y quién lo aprobó. Si una
                    persona lo preparó y otra lo aprobó, "approved_by" dice quién hizo qué y la huella (SHA-256) de lo
                    que se aprobó. "credential" es una marca del usuario de eDoc, que no lo revela
  filas.jsonl       cada fila como se recibió, una por línea ("cells" son las celdas originales, en JSON)
  ajenas.jsonl      de cada fila que repite una de otro lote, o que se corrigió en otro, cómo estaba aquella al hacer el
                    paquete
  sucesos.jsonl     cada evento del lote, en orden, con la respuesta cruda de eDoc ("body", en base64) y su huella
                    ("hash"); los que no tienen lote hablan del historial mismo. Si un reenvío llevó otro motivo o
                    correo que la fila, su evento "resend" los tiene en "more" (reason, email)
  cadena.txt        los eventos de otros lotes que quedaron en medio: solo su número y su huella
  MANIFIESTO.json   control de totales, sello, y el código de verificación (SHA-256) de los demás archivos

Cómo comprobarlo con anular:   anular verify ESTE_PAQUETE.zip
Dice qué está bien o qué difiere exactamente: archivo, número de evento, fila. Termina con código 0 si todo coincide y 5
si no.

Cómo comprobarlo sin anular:
1. Descomprima el paquete y compare el SHA-256 de cada archivo con MANIFIESTO.json (sha256sum; en Windows, certutil
   -hashfile ARCHIVO SHA256).
2. Recalcule la cadena, en orden de "seq". El primer «anterior» es la huella de la línea "inicio" de cadena.txt.
   Para cada línea de sucesos.jsonl:
     texto   = lista JSON de los valores de seq, batch, pos, attempt, from_, to_, event, utc, run, who, http, estado,
               dgi, message, note, y de more si lo tiene, sin espacios y con todo carácter que no es ASCII como
               \\uXXXX
     cuerpo  = SHA-256 de los bytes de "body" (de cero bytes si es null)
     resumen = SHA-256(texto + cuerpo)
     huella  = SHA-256(anterior + resumen), que debe ser igual a "hash" y es el «anterior» del evento siguiente
   Para una línea "ajeno" de cadena.txt, el resumen es el valor que trae. El de una línea "anterior" es la huella
   misma: la escribió una versión en la que huella = SHA-256(anterior + texto + cuerpo).
   La huella del último evento de una fila es el sello del lote; la del último evento, el sello del paquete. Los dos
   están en MANIFIESTO.json, y el del lote también en la hoja «Resumen».
   Ese último evento, "packed", lleva en "body" el SHA-256 de LEEME.txt, resultados.xlsx, lote.json, filas.jsonl y
   ajenas.jsonl tal como se escribieron.
3. El primer evento de cada fila lleva en "body" el SHA-256 de una lista JSON, escrita como arriba: el SHA-256 (en
   hexadecimal) de la lista id, env, sha256, sheet, file, n_rows, created_utc, approved_by, headings, issuers, notes,
   deadline_hours, corrects (null si no lo tiene) de lote.json, y credential al final si la tiene y el lote no trae un
   evento "credential"; luego id del lote, y pos, line, cells, state, cufe, reason, email, payload_sha256, leader_batch,
   leader_pos, remarks, deadline_window, hours_left de la fila.
   Un evento "credential" lo escribió una versión posterior a la que recibió el lote: su "message" es esa credential.
   Si el evento no tiene "more" lo escribió una versión anterior, con una sola lista: id, env, sha256, sheet, file,
   n_rows, created_utc, approved_by, id, y las mismas de la fila sin hours_left; y corrects al final, si lo tiene.
4. El estado de una fila es "to_" de su último evento; compárelo con resultados.xlsx y con docs/auditoria.md.

Qué no prueba por sí solo. Quien controla el equipo donde se hizo puede rehacer el historial de envíos entero, y con él
un paquete coherente. Por eso compare los sellos con los que se anotaron fuera de ese equipo («anular verify {batch}»
los imprime).
"""
