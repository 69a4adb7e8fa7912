"""Answers of the commands: the stable keys of ``--json`` (interface.md 2), and the Spanish text of plan and results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.domain import outcomes
from pipeline.domain.approved_by import DIGEST_LABEL, digest_of, people
from pipeline.domain.certificates import Finding
from pipeline.domain.columns import LABELS
from pipeline.domain.commands import order
from pipeline.domain.deadline import PANAMA, Window
from pipeline.domain.outcomes import Outcome
from pipeline.domain.problems import shorten
from pipeline.domain.records import COMPANY, BatchInfo, CheckedRow, Verdict, column_letters
from pipeline.domain.visible import duration, thousands
from pipeline.report.lineage import lineage
from pipeline.run.figures import batch_head, ordered, path_text
from pipeline.settings.model import ENV_WORDS, Settings

if TYPE_CHECKING:
    from pipeline.evidence.book import Book
    from pipeline.evidence.check import Pack
    from pipeline.ledger.transfer import Transfer
    from pipeline.ledger.verify import Examination
    from pipeline.read.sheet import Sheet
    from pipeline.run.plan import Plan
    from pipeline.run.results import Previewed

_OTHERS_SHOWN, _WORDS_SHOWN = 3, 60


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
    rows, counts = plan.checked.rows, plan.checked.counts
    return {
        "file": str(file),
        "sha256": plan.sheet.sha256,
        "sheet": plan.sheet.sheet,
        "rows": len(rows),
        "accepted": counts.get(Verdict.ACCEPTED, 0),
        "rejected": counts.get(Verdict.REJECTED, 0),
        "duplicates": counts.get(Verdict.DUPLICATE, 0),
        "conflicts": counts.get(Verdict.CONFLICT, 0),
        "held": counts.get(Verdict.HELD, 0),
        "not_applicable": counts.get(Verdict.NOT_APPLICABLE, 0),
        "late": plan.checked.late,
        "repaired": plan.checked.repaired,
        "hidden": plan.sheet.hidden.count,
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
            for row in rows
            for problem in row.problems
        ],
        "certificates": [{"issuer": one.issuer, "code": one.code, "message": one.words} for one in certificates],
        "workbook": str(written.workbook),
        "corrections": path_text(written.corrections),
    }


def plan_facts(plan: Plan, settings: Settings) -> list[tuple[str, str]]:
    """Facts of a plan, for the person who approves it."""
    sheet = plan.sheet
    facts = [
        ("Archivo", f"{plan.file} · código de verificación {plan.sha256[:12]}…"),
        ("Ambiente", ENV_WORDS[settings.env]),
        ("Emisores", ", ".join(plan.issuers) or "ninguno"),
    ]
    if settings.company:
        facts.insert(0, ("Empresa", settings.company))
    if sheet is not None and sheet.sheet is not None:
        facts.insert(1, ("Hoja", sheet.sheet))
    if sheet is not None:
        facts.append(("Columnas", recognised(plan, sheet)))
        facts.extend(lineage(sheet.corrects, known=plan.parent_known))
    if plan.known is not None:
        facts.append(("Lote", f"{plan.known.id}, ya recibido: se continúa, no se repite ningún envío"))
        facts.append(("Por enviar", thousands(plan.to_send)))
        for why, rows in Counter(plan.barred).items():
            facts.append(("No se envían", f"{thousands(rows)}, por las reglas de hoy: {why}"))
        if plan.held:
            facts.append(("Retenidas", f"{thousands(len(plan.held))}, que usted aprueba con este comando"))
        if plan.elsewhere:
            also = "se envían igual" if plan.known_elsewhere else f"para enviarlas: --known-elsewhere {plan.elsewhere}"
            facts.append(("Enviadas según otro historial", f"{thousands(plan.elsewhere)}; {also}"))
    elif plan.checked is not None:
        facts.extend(_counted(plan))
    if plan.to_send:
        pace = f"{settings.rate:g} solicitudes por segundo"
        facts.append(("Duración", f"unos {duration(plan.to_send / settings.rate)} de envío, a {pace}"))
    noted = sheet.notes if sheet is not None else plan.known.notes if plan.known is not None else ()
    facts.extend(("Nota", note) for note in noted if not note.startswith(COMPANY))
    return facts


def plan_problems(plan: Plan) -> list[str]:
    """Lines of the rows that will not be sent, each with its first problem."""
    rows = plan.checked.rows if plan.checked is not None else ()
    return [_why_not(row) for row in rows if row.verdict not in (Verdict.ACCEPTED, Verdict.NOT_APPLICABLE)]


def _counted(plan: Plan) -> list[tuple[str, str]]:
    assert plan.checked is not None
    counts = plan.checked.counts
    others = counts.get(Verdict.NOT_APPLICABLE, 0)
    invoices = len(plan.checked.rows) - others
    facts = [("Facturas", thousands(invoices)), ("Por enviar", thousands(plan.to_send))]
    if others:
        facts.insert(1, ("Renglones", f"{_not_invoices(others)}: {_others(plan.checked.rows)}"))
    words = {
        Verdict.REJECTED: "Rechazadas",
        Verdict.DUPLICATE: "Duplicadas",
        Verdict.CONFLICT: "En conflicto",
        Verdict.HELD: "Retenidas",
    }
    facts.extend((word, thousands(counts[verdict])) for verdict, word in words.items() if counts.get(verdict))
    limit_day = sum(
        row.verdict is Verdict.ACCEPTED and row.deadline is not None and row.deadline.window is Window.LIMIT_DAY
        for row in plan.checked.rows
    )
    if plan.checked.late:
        facts.append(("Plazo vencido", thousands(plan.checked.late)))
    if limit_day:
        facts.append(("En día límite", f"{thousands(limit_day)}, se envían primero"))
    if plan.checked.repaired:
        facts.append(("CUFE reparados", f"{thousands(plan.checked.repaired)} (vea «observaciones»)"))
    if plan.dates is not None:
        facts.append(("Emitidas", f"del {plan.dates[0]:%d/%m/%Y} al {plan.dates[1]:%d/%m/%Y}"))
    return facts


def recognised(plan: Plan, sheet: Sheet) -> str:
    """Columns as recognised: ``CUFE ← H · Motivo ← I («Factura repetida») · Correo ← J (2 con dirección, 6 sin)``."""
    told = []
    rows = plan.checked.rows if plan.checked is not None else ()
    lines = {row.position.line for row in rows if row.verdict is not Verdict.NOT_APPLICABLE}
    for role in ("cufe", "reason", "email"):
        if role not in sheet.roles:
            continue
        values = [value.strip() for line, value in sheet.text[role].items() if not rows or line in lines]
        words = f"{LABELS[role]} ← {column_letters(sheet.columns[sheet.roles[role]])}"
        if role == "reason":
            words += f" («{shorten(next(filter(None, values), ''), _WORDS_SHOWN)}»)"
        if role == "email":
            filled = sum(map(bool, values))
            words += f" ({thousands(filled)} con dirección, {thousands(len(values) - filled)} sin)"
        told.append(words)
    return " · ".join(told)


def _others(rows: Sequence[CheckedRow]) -> str:
    """First few lines that are no invoice, with their text."""
    lines = [row for row in rows if row.verdict is Verdict.NOT_APPLICABLE]
    told = []
    for row in lines[:_OTHERS_SHOWN]:
        words = " ".join(str(value) for value in row.cells if value is not None and str(value).strip())
        told.append(f"{row.position} «{shorten(words, _WORDS_SHOWN)}»")
    return "; ".join(told) + (" …" if len(lines) > _OTHERS_SHOWN else "")


def _not_invoices(count: int) -> str:
    return "1 que no es factura" if count == 1 else f"{thousands(count)} que no son facturas"


def _why_not(row: CheckedRow) -> str:
    if row.problems:
        return str(row.problems[0])
    if row.leader is not None:
        where = f"lote {row.leader.batch}, " if row.leader.batch else ""
        return f"{row.position}: duplicada de {where}{row.leader.position}"
    return f"{row.position}: {row.verdict.value}"


def counts_data(info: BatchInfo) -> dict[str, Any]:
    """``--json`` answer of ``status`` for one batch, from its counts; a corrected row counts as what it became."""
    counted = {word: info.counts.get(word.value, 0) for word in Outcome}
    found = {word: number + info.shift.get(word.value, 0) for word, number in counted.items()}
    person = sum(number for word, number in found.items() if word in _PERSON)
    return {
        **batch_head(info),
        "outcomes": {word.value: number for word, number in counted.items() if number},
        "needs_person": person,
        "pending": sum(number for word, number in found.items() if word in outcomes.OPEN),
        "workbook": None,
        "corrections": None,
        "exit_code": outcomes.exit_code(w for w, n in found.items() if n and w is not Outcome.DUPLICATE),
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
        *([("Renglones", _not_invoices(others))] if others else []),
        *([("Quién", people(info.approved_by)), (DIGEST_LABEL, digest)] if digest else []),
        *lineage(info.corrects, info.corrected_in, known=info.corrects_known),
    ]


_NOBODY = {Outcome.PENDING, Outcome.UNKNOWN, Outcome.DUPLICATE, Outcome.NOT_APPLICABLE}
_PERSON = frozenset(Outcome) - outcomes.DONE - _NOBODY
