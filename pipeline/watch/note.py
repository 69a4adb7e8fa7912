"""Note next to a file that was put away: what happened, what to do, where the workbook is. For an accountant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from pipeline.domain.commands import Here, order
from pipeline.domain.errors import AnularError
from pipeline.domain.visible import one_line, thousands
from pipeline.notify import Notification
from pipeline.run.notification_texts import (
    Limit,
    due_data,
    first_held,
    limit_words,
    moment_words,
    subject_words,
    trouble_words,
)
from pipeline.watch.policy import SECOND_PERSON


class Fate(Enum):
    """Result for a dropped file; the value is used in the answer of ``--json``."""

    DONE = "done"  # through the five steps; rows may still be pending
    HELD = "held"  # waits for a person: nothing was sent
    DUPLICATE = "duplicate"  # the same content came before: nothing was sent
    REFUSED = "refused"  # the file as a whole: nothing was sent
    QUEUED = "queued"  # handed in for workers; waits in ``processing/`` until they are done
    WAITING = "waiting"  # stopped early; continues with the next pass


HEADS = {
    Fate.DONE: "Este archivo se procesó.",
    Fate.HELD: "ESTE ARCHIVO QUEDÓ RETENIDO. No se envió ninguna anulación.",
    Fate.DUPLICATE: "Este archivo ya se había recibido, con el mismo contenido. No se envió nada otra vez.",
    Fate.REFUSED: "ESTE ARCHIVO SE RECHAZÓ. No se envió ninguna anulación.",
    Fate.WAITING: "Este archivo espera: el proceso se detuvo antes de terminar y continúa en la próxima pasada.",
}
_OTHER_WAYS = {"solo-devueltas": f"Cargue este mismo libro en una terminal: {order('run', 'EL LIBRO')}"}
"""What to do about a refused file that is not to be dropped again, by the code of the refusal."""
HELD_MIDWAY = "ESTE ARCHIVO QUEDÓ RETENIDO a medio enviar. Lo que falta no se envía hasta que una persona lo apruebe."
SHORT = {
    Fate.DONE: "procesado",
    Fate.HELD: "retenido, no se envió nada",
    Fate.DUPLICATE: "ya recibido, no se envió nada otra vez",
    Fate.REFUSED: "rechazado, no se envió nada",
    Fate.QUEUED: "en cola, lo envía un trabajador",
    Fate.WAITING: "queda en processing y continúa en la próxima pasada",
}
ENDINGS = {
    0: "todas las facturas quedaron anuladas (o ya lo estaban)",
    1: "terminó; hay facturas rechazadas o que requieren su revisión",
    3: "el archivo se rechazó entero",
    4: "terminó; hay facturas pendientes o dudosas: se consultan otra vez más tarde",
    5: "se detuvo antes de terminar: credenciales, servicio o almacenamiento",
    6: "otra ejecución usa el mismo historial de envíos o la misma credencial",
    7: "espera la aprobación de una persona: hay facturas retenidas",
    130: "se interrumpió",
}


@dataclass(frozen=True, slots=True)
class Handled:
    """One file of a pass and its result."""

    fate: Fate
    #: the name that it was dropped with
    original: str
    exit_code: int
    profile: str = ""
    company: str = ""
    #: where it is now; None while in ``processing/``, and so for ``note``
    file: Path | None = None
    note: Path | None = None
    #: one sentence: what refused, held or stopped it
    why: str = ""
    #: code of ``why``
    code: str = ""
    batch: str = ""
    sha256: str = ""
    env: str = ""
    #: rows by outcome
    totals: Mapping[str, int] | None = None
    #: what to do next
    todo: Sequence[str] = ()
    #: what falls due, the first first
    limits: Sequence[Limit] = ()
    workbook: Path | None = None
    corrections: Path | None = None
    #: what was to be said of the issuers' digital certificates
    certificates: str = ""
    #: the batch in the form of ``--json``
    answer: Mapping[str, object] | None = None
    #: whether no earlier pass has reported it
    news: bool = True
    #: whether rows were sent before it was held
    begun: bool = False
    #: completes the commands that the texts suggest
    here: Here = field(default_factory=Here)


def text(done: Handled, target: Path, *, changed: bool = False) -> str:
    """The note for ``done``, whose file goes to ``target``. ``changed``: the file was written to after it was read."""
    lines = [HELD_MIDWAY if done.begun else HEADS[done.fate], "", f"Archivo:   {target.name}"]
    if done.company:
        lines.insert(1, f"Empresa:   {one_line(done.company)}")
        lines.insert(1, "")
    if one_line(done.original) != target.name:
        lines.append(f"Llegó como: {one_line(done.original)}")
    if done.why:
        lines += ["", f"Por qué: {done.why}" + (f" [{done.code}]" if done.code else "")]
    if changed:
        lines += [
            "",
            "ATENCIÓN: alguien cambió el archivo después de que se leyera. Vale la versión leída, la del código de "
            "verificación de abajo; lo que se agregó después no se tomó en cuenta. Deje el archivo completo otra vez. "
            "[archivo-cambio]",
        ]
    if done.totals:
        lines += ["", "Totales por resultado:"]
        lines += [f"  {thousands(number):>7}  {word}" for word, number in done.totals.items()]
    if done.fate is Fate.HELD:
        lines += [
            "",
            "Qué hacer ahora:",
            *_how_to_release(done),
        ]
        if (until := first_held(done.limits)) is not None:
            lines += [
                f"  - Plazo: la primera factura retenida vence {moment_words(until)}. Después la DGI puede no "
                "aceptarla y haría falta una nota de crédito (tipo 04)."
            ]
    elif done.fate is Fate.REFUSED:
        again = "Corrija el archivo y déjelo otra vez en la carpeta inbox."
        lines += ["", "Qué hacer ahora:", f"  - {_OTHER_WAYS.get(done.code, again)}"]
    elif done.todo:
        lines += ["", "Qué hacer ahora:", *(f"  - {one}" for one in done.todo)]
    if done.limits:
        lines += ["", "Vence:", *(f"  - {words}" for words in limit_words(done.limits))]
    if done.certificates:
        lines += ["", f"Certificados digitales: {one_line(done.certificates)}"]
    if done.exit_code == 4 and done.batch:
        lines += ["", f"Para consultar lo pendiente: {order('poll', done.batch)}"]
    if done.workbook is not None:
        lines += ["", f"Libro de resultados: {_shown(done.workbook, target)}"]
    if done.corrections is not None:
        lines += [f"Libro para corregir: {_shown(done.corrections, target)}"]
    lines += ["", "Para soporte y auditoría:"]
    facts = [
        ("lote", done.batch),
        ("código de verificación del archivo (SHA-256)", done.sha256),
        ("ambiente", done.env),
        ("perfil", done.profile),
    ]
    lines += [f"  {name}: {value}" for name, value in facts if value]
    lines += [f"  código de salida: {done.exit_code} ({ENDINGS.get(done.exit_code, 'otro')})", ""]
    return done.here.complete("\n".join(lines))


def _how_to_release(done: Handled) -> list[str]:
    if f"[{SECOND_PERSON}]" in done.why:
        return [
            f"  - Revise el archivo y, si es correcto, pida su aprobación: {order('propose', '--batch', done.batch)}",
            "    Otra persona lo aprueba con el comando que ese muestra, y entonces se envía.",
        ]
    return [
        f"  - Revise el archivo y, si es correcto, apruébelo: {order('release', done.batch)}",
        "    Ese comando muestra cuántas anulaciones son, de qué emisores, y pregunta antes de enviar.",
    ]


def line(done: Handled) -> str:
    """One line about ``done`` for a log or a terminal."""
    totals = ", ".join(f"{word} {thousands(number)}" for word, number in (done.totals or {}).items())
    where = f" → {done.file}" if done.file is not None else ""
    lane = f"[{done.company or done.profile}] " if done.company or done.profile else ""
    why = f" {done.why}" if done.why else ""
    sign = "✓" if done.exit_code == 0 else "•" if done.fate in (Fate.DONE, Fate.DUPLICATE, Fate.QUEUED) else "✗"
    told = f"{sign} {lane}{done.original}{where}: {_short(done)}{f' ({totals})' if totals else ''}.{why}"
    return done.here.complete(one_line(told))


def notification(handled: Sequence[Handled], troubles: Sequence[AnularError]) -> Notification:
    """Notification of a pass: a line per file with its totals, what falls due, and the workbook's path; no CUFE."""
    lines = []
    for one in handled:
        lines.append(line(one))
        lines += [f"  Vence {words}" for words in limit_words(one.limits)]
        lines += [f"  - {words}" for words in one.todo]
        lines += [f"  Libro de resultados: {one.workbook}"] if one.workbook is not None else []
        lines += [f"  Nota: {one.note}", ""] if one.note is not None else [""]
    lines += [f"✗ {trouble.sentence} [{trouble.code}]" for trouble in troubles]
    told = [data(one) for one in handled]
    for answer in told:
        answer.pop("problems", None)
    subject = ", ".join(_subject(handled) + trouble_words(troubles)) or "nada que procesar"
    return Notification(subject, lines, told, [one.workbook for one in handled if one.workbook is not None])


_FILES = {
    Fate.DUPLICATE: ("archivo repetido", "archivos repetidos"),
    Fate.REFUSED: ("archivo rechazado", "archivos rechazados"),
    Fate.QUEUED: ("archivo en cola", "archivos en cola"),
    Fate.WAITING: ("archivo en espera", "archivos en espera"),
}
"""Files whose rows are not told of, one and several."""


def _subject(handled: Sequence[Handled]) -> list[str]:
    """What was done with the rows of all files, then the files without any."""
    rows: Counter[str] = Counter()
    limits: list[Limit] = []
    for one in handled:
        if one.fate not in _FILES:
            rows.update(one.totals or {})
            limits += one.limits
    files = Counter(one.fate for one in handled)
    told = [f"{files[fate]} {words[files[fate] > 1]}" for fate, words in _FILES.items() if files[fate]]
    return subject_words(rows, sorted(limits, key=lambda limit: limit.at)) + told


def _short(done: Handled) -> str:
    return "retenido a medio enviar, no se envía nada más" if done.begun else SHORT[done.fate]


def data(done: Handled) -> dict[str, object]:
    """The ``--json`` form of one file: the batch as in ``run``, and the result for the file."""
    return {
        **(done.answer or {"file": one_line(done.original)}),
        "fate": done.fate.value,
        "profile": done.profile,
        "dropped_as": one_line(done.original),
        "moved_to": str(done.file) if done.file is not None else None,
        "note": str(done.note) if done.note is not None else None,
        "why": done.why or None,
        "due": due_data(done.limits),
        "code": done.code or None,
        "exit_code": done.exit_code,
    }


def _shown(path: Path, target: Path) -> str:
    return path.name if path.parent == target.parent else str(path)
