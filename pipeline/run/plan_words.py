"""Plan in words and figures: what a person reads before anything is sent, at a terminal or on a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.domain.columns import LABELS
from pipeline.domain.deadline import Window
from pipeline.domain.problems import shorten
from pipeline.domain.records import COMPANY, CheckedRow, Verdict, column_letters
from pipeline.domain.visible import duration, thousands
from pipeline.report.lineage import lineage
from pipeline.settings.model import ENV_WORDS, Settings

if TYPE_CHECKING:
    from pipeline.read.sheet import Sheet
    from pipeline.run.plan import Plan

_OTHERS_SHOWN, _WORDS_SHOWN = 3, 60


def plan_figures(plan: Plan) -> dict[str, int]:
    """Counts of a new file, by the keys of ``check --json``: every row counts once among the verdicts."""
    assert plan.checked is not None
    assert plan.sheet is not None
    counts = plan.checked.counts
    return {
        "rows": len(plan.checked.rows),
        "accepted": counts.get(Verdict.ACCEPTED, 0),
        "rejected": counts.get(Verdict.REJECTED, 0),
        "duplicates": counts.get(Verdict.DUPLICATE, 0),
        "conflicts": counts.get(Verdict.CONFLICT, 0),
        "held": counts.get(Verdict.HELD, 0),
        "not_applicable": counts.get(Verdict.NOT_APPLICABLE, 0),
        "late": plan.checked.late,
        "repaired": plan.checked.repaired,
        "hidden": plan.sheet.hidden.count,
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
        facts.insert(1, ("Renglones", f"{not_invoices(others)}: {_others(plan.checked.rows)}"))
    words = {
        Verdict.REJECTED: "Rechazadas",
        Verdict.DUPLICATE: "Duplicadas",
        Verdict.CONFLICT: "En conflicto",
        Verdict.HELD: "Retenidas",
    }
    facts.extend((word, thousands(counts[verdict])) for verdict, word in words.items() if counts.get(verdict))
    limit_day = on_limit_day(plan)
    if plan.checked.late:
        facts.append(("Plazo vencido", thousands(plan.checked.late)))
    if limit_day:
        facts.append(("En día límite", f"{thousands(limit_day)}, se envían primero"))
    if plan.checked.repaired:
        facts.append(("CUFE reparados", f"{thousands(plan.checked.repaired)} (vea «observaciones»)"))
    if plan.dates is not None:
        facts.append(("Emitidas", f"del {plan.dates[0]:%d/%m/%Y} al {plan.dates[1]:%d/%m/%Y}"))
    return facts


def on_limit_day(plan: Plan) -> int:
    """How many of the rows that would be sent have their legal limit today."""
    assert plan.checked is not None
    return sum(
        row.verdict is Verdict.ACCEPTED and row.deadline is not None and row.deadline.window is Window.LIMIT_DAY
        for row in plan.checked.rows
    )


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


def not_invoices(count: int) -> str:
    return "1 que no es factura" if count == 1 else f"{thousands(count)} que no son facturas"


def _why_not(row: CheckedRow) -> str:
    if row.problems:
        return str(row.problems[0])
    if row.leader is not None:
        where = f"lote {row.leader.batch}, " if row.leader.batch else ""
        return f"{row.position}: duplicada de {where}{row.leader.position}"
    return f"{row.position}: {row.verdict.value}"
