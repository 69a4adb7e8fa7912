"""Search by what a person has in hand: a code, a document number, a file, a batch, a checksum."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipeline.domain.deadline import PANAMA
from pipeline.domain.lookup import wanted
from pipeline.ledger.views import Views
from pipeline.report.labels import TONES
from pipeline.report.lines import outcome_of, row_of
from pipeline.web import trouble
from pipeline.web.access import limits
from pipeline.web.models import Person
from pipeline.web.pages import render
from pipeline.web.screens.rows import ROW_TONES
from pipeline.web.screens.start import batch_line
from pipeline.web.site import site
from pipeline.web.texts import access
from pipeline.web.texts import search as words
from pipeline.web.texts.options import on_screen

MOST_ROWS, MOST_BATCHES, LONGEST = 20, 10, 400
MOST_LISTED, MONTHS = 50, 36


def search(request: Any) -> Any:
    """`/buscar?q=`."""
    text = str(request.GET.get("q", ""))[:LONGEST].strip()
    shown: dict[str, Any] = {"q": text, "asked": bool(text)}
    if text and not limits.by_address(request, "buscar", request.user.username):
        return trouble.page(request, 429, words.TITLE, access.TOO_MANY)
    if text:
        with request.company.ledger() as views:
            if views is not None:
                shown |= _found(views, text, str(request.company.settings.env))
    return render(request, "search.html", {**shown, **_listed(request)})


def _listed(request: Any) -> dict[str, Any]:
    """Batches by month, person or state, where one of these is chosen."""
    company, now = request.company, site().now().astimezone(PANAMA)
    month, who, state = (str(request.GET.get(name, ""))[:100] for name in ("mes", "persona", "estado"))
    first = now.year * 12 + now.month - 1
    months = [f"{(first - back) // 12:04}-{(first - back) % 12 + 1:02}" for back in range(MONTHS)]
    members = Person.objects.filter(memberships__profile=company.profile).distinct().order_by("name")
    people = list(members.values_list("username", "name"))
    shown: dict[str, Any] = {
        "months": [(one, f"{words.MONTHS[one[5:]]} {one[:4]}") for one in months],
        "people": people,
        "month": month,
        "who": who,
        "state": state,
        "listed": False,
    }
    if not (month or who or state):
        return shown
    begin = end = None
    if month in months:
        year, number = int(month[:4]), int(month[5:])
        begin = datetime(year, number, 1, tzinfo=PANAMA)
        end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=PANAMA)
    known = who if who in dict(people) else ""
    with company.pages() as pages:
        infos = pages.between(begin, end, known, MOST_LISTED + 1) if pages is not None else []
    lines = [batch_line(info) for info in infos[:MOST_LISTED]]
    wanted = {"abiertos": words.OPEN, "listos": words.SETTLED}.get(state, "")
    found = [one for one in lines if not wanted or one["state"] == wanted]
    return {**shown, "listed": True, "list": found, "more": MOST_LISTED if len(infos) > MOST_LISTED else 0}


def _found(views: Views, text: str, env: str) -> dict[str, Any]:
    """What there is of this company: on a shared ledger the batches of its own credential."""
    wish, find = wanted(text), views.search()
    if not wish.kinds:
        return {}
    foreign: dict[str, bool] = {}

    def own(batch: str) -> bool:
        if batch not in foreign:
            foreign[batch] = views.of_another(batch)
        return not foreign[batch]

    hits = [hit for hit in find.hits(wish) if hit.env == env and own(hit.batch)]
    names = [name for name, of in find.named(wish) if of == env and own(name)]
    rows = []
    for hit in hits[:MOST_ROWS]:
        found = find.row(hit)
        made = row_of(found.line, hours=found.batch.deadline_hours)
        rows.append(
            {
                "batch": hit.batch,
                "line": found.line.position.line,
                "place": str(found.line.position),
                "cufe": found.line.cufe or "",
                "outcome": made.added.resultado,
                "tone": ROW_TONES[TONES[outcome_of(found.line)]],
                "todo": on_screen(made.todo),
                "sent": found.line.sent_at,
            }
        )
    return {
        "rows": rows,
        "batches": [batch_line(info) for info in find.exactly(names[:MOST_BATCHES])],
        "left_rows": max(0, len(hits) - MOST_ROWS),
        "left_batches": max(0, len(names) - MOST_BATCHES),
    }
