"""Answers of the commands: the stable keys of ``--json`` (interface.md 2), and the Spanish text of plan and results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.domain.approved_by import DIGEST_LABEL, digest_of, people
from pipeline.domain.certificates import Finding
from pipeline.domain.commands import order
from pipeline.domain.deadline import PANAMA
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import BatchInfo
from pipeline.domain.visible import thousands
from pipeline.report.lineage import lineage
from pipeline.run.figures import ordered, path_text
from pipeline.run.plan_words import not_invoices, plan_figures

if TYPE_CHECKING:
    from pipeline.evidence.book import Book
    from pipeline.evidence.check import Pack
    from pipeline.ledger.transfer import Transfer
    from pipeline.ledger.verify import Examination
    from pipeline.run.plan import Plan
    from pipeline.run.results import Previewed


def verified_data(examination: Examination, ledger: str, batch: str = "") -> dict[str, Any]:
    """``--json`` answer of ``verify`` for a ledger.

    ``head`` is the newest event's hash: noted elsewhere, it proves later that nothing before it was changed. With
    ``batch``, also that batch's part; its ``seal`` is the one of its evidence pack.
    """
    one = examination.batches.get(batch)
    about = {"batch": batch, "events": one.events, "last": one.last, "seal": one.seal.hex()} if one else None
    if one and about and one.packed:
        about = {**about, "pack": {"seq": one.packed, "hash": one.pack_seal.hex()}}
    return {
        "ledger": ledger,
        **({"batch": about} if batch else {}),
        "good": examination.good,
        "events": examination.events,
        "rows": examination.rows,
        "head": examination.head.hex(),
        "not_covered": not_covered(examination),
        "faults": [{"code": f.code, "seq": f.seq, "message": f.words} for f in examination.faults],
    }


def not_covered(examination: Examination) -> list[str]:
    """Text of what could not be compared because an earlier version wrote it; empty for a ledger of this one."""
    batches, sendings = len(examination.older), examination.partly_covered
    told = []
    if batches:
        number = "1 lote lo recibió" if batches == 1 else f"{thousands(batches)} lotes los recibió"
        what = "encabezados, emisores, notas, plazo ni horas restantes"
        told.append(f"{number} una versión anterior: ahí la cadena no cubre {what}.")
    if sendings:
        number = "1 envío" if sendings == 1 else f"{thousands(sendings)} envíos"
        told.append(
            f"De {number} de una versión anterior la cadena no cubre la fecha de autorización ni la próxima consulta."
        )
    return told


def moved_data(found: Transfer) -> dict[str, Any]:
    """``--json`` answer of ``ledger copy``. ``head`` is the seal of both ledgers, which ``verify`` prints in either."""
    return {"from": found.source, "to": found.target, "copied": found.counts, "head": found.head}


def moved_words(found: Transfer) -> list[str]:
    """Text of the same answer, and what to do now."""
    events, rows = found.counts["event"], found.counts["row"]
    return [
        f"✓ Historial de envíos copiado y comparado: {events} eventos y {rows} filas, "
        f"de {found.source} a {found.target}.",
        f"Sello del último evento, el mismo en los dos lugares: {found.head}",
        "Desde ahora se envía solo desde el lugar nuevo (ANULAR_LEDGER). El anterior solo se puede consultar.",
    ]


def pack_data(pack: Pack, path: Path) -> dict[str, Any]:
    """``--json`` answer of ``verify`` for an evidence pack."""
    return {
        "evidence": str(path),
        "good": pack.good,
        "batch": pack.batch,
        "file": pack.file,
        "env": pack.env,
        "rows": pack.rows,
        "events": pack.events,
        "outcomes": pack.counts,
        "seal": {"seq": pack.seal[0], "hash": pack.seal[1]},
        "pack_seal": {"seq": pack.own[0], "hash": pack.own[1]} if pack.own[0] else None,
        "not_covered": pack.not_covered,
        "faults": [
            {"code": f.code, "member": f.member, "seq": f.seq, "row": f.row, "message": f.words} for f in pack.faults
        ],
    }


def book_data(book: Book, path: Path) -> dict[str, Any]:
    """``--json`` answer of ``verify`` for a results workbook."""
    return {
        "workbook": str(path),
        "good": book.good,
        "batch": book.batch,
        "seal": book.seal or None,
        "newest": book.newest,
        "same_bytes": book.same,
        "differences": book.differing,
        "unsure": book.unsure or None,
    }


def book_words(book: Book, path: Path) -> list[str]:
    """Text of the same answer."""
    again = f"Escríbalo otra vez con {order('report', book.batch)} y compare los dos."
    if book.differing:
        head = f"El libro {path.name} no dice lo que dice el historial de envíos del lote {book.batch}."
        return [*(f"✗ {one[0].upper()}{one[1:]}." for one in book.differing), head, again]
    if book.unsure:
        return [f"No se puede comparar {path.name} con el historial de envíos: {book.unsure}.", again]
    again_saved = "celda por celda; el archivo se guardó de nuevo o se empaquetó de otra forma"
    how = "byte por byte" if book.same else again_saved
    told = [f"✓ El libro {path.name} dice lo que dice el historial de envíos del lote {book.batch}, {how}."]
    if not book.newest and not book.same:
        told.append(f"Es el de entonces (evento {book.seal}); el lote siguió después. {again}")
    return told


def checked_data(
    file: Path, plan: Plan, written: Previewed, rate: float, certificates: Sequence[Finding] = ()
) -> dict[str, Any]:
    """``--json`` answer of ``check`` for one file."""
    assert plan.checked is not None
    assert plan.sheet is not None
    return {
        "file": str(file),
        "sha256": plan.sheet.sha256,
        "sheet": plan.sheet.sheet,
        **plan_figures(plan),
        "issuers": list(plan.issuers),
        "seconds_at_rate": round(plan.to_send / rate, 1),
        "problems": [
            {
                "row": str(row.position),
                "cell": problem.cell,
                "column": problem.column,
                "code": problem.code,
                "value": problem.value,
                "message": problem.message,
            }
            for row in plan.checked.rows
            for problem in row.problems
        ],
        "certificates": [{"issuer": one.issuer, "code": one.code, "message": one.words} for one in certificates],
        "workbook": str(written.workbook),
        "corrections": path_text(written.corrections),
    }


def corrected_words(info: BatchInfo) -> str:
    """What became of the rejected rows of a batch in its corrections, where that is another outcome; empty without."""
    became = ordered({word: number for word, number in info.shift.items() if number > 0})
    rows = sum(became.values())
    if not rows:
        return ""
    told = ", ".join(f"{word} {thousands(number)}" for word, number in became.items())
    one = "de ellas tiene" if rows == 1 else "de ellas tienen"
    return f"{thousands(rows)} {one} su resultado en la corrección {', '.join(info.corrected_in)}: {told}"


def status_facts(info: BatchInfo) -> list[tuple[str, str]]:
    """Facts of a batch that ``status`` shows with its counts."""
    digest = digest_of(info.approved_by)
    others = info.counts.get(Outcome.NOT_APPLICABLE.value, 0)
    return [
        ("Archivo", info.file),
        ("Ambiente", info.env),
        ("Recibido", f"{info.created.astimezone(PANAMA):%d/%m/%Y %H:%M}"),
        ("Facturas", thousands(info.rows - others)),
        *([("Renglones", not_invoices(others))] if others else []),
        *([("Quién", people(info.approved_by)), (DIGEST_LABEL, digest)] if digest else []),
        *lineage(info.corrects, info.corrected_in, known=info.corrects_known),
    ]
