"""Log of accesses of a company, as a page and as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.db.models import Q
from django.http import HttpResponse

from pipeline.web import audit
from pipeline.web.headers import SANDBOX
from pipeline.web.mail import when
from pipeline.web.models import AuditEvent, Membership
from pipeline.web.pages import render
from pipeline.web.texts import access
from pipeline.web.texts import people as words

AT_ONCE = 50
MOST = 50_000
"""Lines of a CSV, the newest."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def log_page(request: Any) -> Any:
    """`/bitacora`."""
    found, chosen = _found(request)
    before = str(request.GET.get("antes", ""))
    if before.isascii() and before.isdigit() and len(before) < 18:
        found = found.filter(id__lt=int(before))
    lines = list(found.order_by("-id")[: AT_ONCE + 1])
    about = {
        "lines": [
            {"one": one, "what": words.EVENTS.get(one.event, one.event), "about": _about(one)}
            for one in lines[:AT_ONCE]
        ],
        "older": lines[AT_ONCE - 1].pk if len(lines) > AT_ONCE else None,
        "events": sorted(words.EVENTS.items(), key=lambda pair: pair[1]),
        **chosen,
    }
    return render(request, "access/log.html", about)


def log_csv(request: Any) -> Any:
    """`/bitacora.csv`: every field quoted, and none that a reader takes for a formula."""
    found, _ = _found(request)
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([access.WHEN, words.LOG_WHO, access.ADDRESS, words.LOG_WHAT, words.LOG_ABOUT, access.RESULT])
    for one in found.order_by("-id")[:MOST].iterator():
        told = [when(one.at), one.who, one.address, words.EVENTS.get(one.event, one.event), _about(one)]
        writer.writerow([_inert(part) for part in told] + [access.OK if one.ok else access.NOT_OK])
    audit.note(request, "bitacora-csv")
    answer = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="bitacora.csv"'
    answer["Content-Security-Policy"] = SANDBOX
    return answer


def _about(one: AuditEvent) -> str:
    return " · ".join(part for part in (one.about, one.detail) if part)


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _found(request: Any) -> tuple[Any, dict[str, str]]:
    """Lines of the company that is chosen: its own, and the log-ins of its people; and the filter."""
    profile = request.company.profile
    people = Membership.objects.filter(profile=profile).values_list("person__username", flat=True)
    found = AuditEvent.objects.filter(Q(profile=profile) | Q(profile__isnull=True, who__in=list(people)))
    who, event = str(request.GET.get("quien", "")).strip()[:64], str(request.GET.get("que", ""))
    if who:
        found = found.filter(who=who.casefold())
    if event in words.EVENTS:
        found = found.filter(event=event)
    return found, {"who": who, "event": event}
