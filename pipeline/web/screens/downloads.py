"""Downloads of a batch: what ``anular report`` writes, made by a child and kept for the state that the batch had."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponseRedirect

from pipeline.approvals.asking import ask_for_evidence
from pipeline.approvals.downloads import EMPTY, EVIDENCE, KINDS, PACK, newest, ready
from pipeline.approvals.readers import DOWNLOAD
from pipeline.approvals.store import FILE
from pipeline.approvals.uploads import has_file
from pipeline.domain.orders import OPEN, OrderState
from pipeline.web import audit, trouble
from pipeline.web.pages import render
from pipeline.web.screens.review import XLSX, preparing
from pipeline.web.screens.shared import attachment, download, places, readers
from pipeline.web.site import site
from pipeline.web.texts import batch as words
from pipeline.web.texts.options import on_screen

ORIGINAL = "original"


def of_batch(request: Any, batch: str, kind: str) -> Any:
    """`/descargas/ID/CLASE`."""
    company = request.company
    with company.pages() as pages:
        info = pages.one(batch) if pages is not None else None
    if info is None or (kind not in KINDS and kind != ORIGINAL):
        raise Http404
    if kind == ORIGINAL:
        return _original(request, batch)
    file = ready(company.settings, info, kind, places(company))
    if file is None:
        return preparing(request, f"/lotes/{batch}", DOWNLOAD, batch, kind)
    if file.name == EMPTY:
        return trouble.page(request, 404, words.DOWNLOADS, words.NOTHING_TO_CORRECT)
    audit.note(request, "descarga", about=f"lote {batch}", detail=kind)
    return attachment(file, KINDS[kind].mime)


def evidence(request: Any, batch: str) -> Any:
    """`/descargas/ID/evidencia`: the pack, if it was made for this state of the batch. POST asks the sender for it,
    because it becomes an event of the ledger; and again, where it cannot be made here as the sender had made it."""
    company, store = request.company, request.company.proposals
    with company.pages() as pages:
        info = pages.one(batch) if pages is not None else None
    if info is None:
        raise Http404
    file = ready(company.settings, info, EVIDENCE, places(company))
    if file is not None and file.name != EMPTY:
        audit.note(request, "descarga", about=f"lote {batch}", detail=EVIDENCE)
        return attachment(file, PACK.mime)
    order = store.orders.last_pack(batch, newest(info))
    if order is not None and order.state is OrderState.DONE:  # it lies in the folder of another machine
        job = (DOWNLOAD, batch, EVIDENCE, str(order.id))
        tried = readers().work(company.settings, *job)
        if request.method != "POST" or tried is None or not tried.failed:
            return preparing(request, f"/lotes/{batch}", *job)
    waits = order is not None and order.state in OPEN
    if request.method == "POST" and not waits:
        who, address = request.user.username, audit.address_of(request)
        ask_for_evidence(store.orders, batch, site().now(), who=who, address=address)
        audit.note(request, "pide-evidencia", about=f"lote {batch}")
        return HttpResponseRedirect(f"/descargas/{batch}/evidencia")
    shown = {"info": info, "waits": waits, "answer": on_screen(order.answer) if order is not None else ""}
    return render(request, "batches/evidence.html", shown, status=202 if waits else 200)


def _original(request: Any, batch: str) -> Any:
    """The file as it was handed in. Raises ``Http404`` where it is not kept."""
    store = request.company.proposals
    proposal = store.of_batch(batch)
    if proposal is None or proposal.source != FILE or not has_file(store, proposal.id):
        raise Http404
    audit.note(request, "descarga", about=f"lote {batch}", detail=ORIGINAL)
    book = proposal.file_name.lower().endswith(".xlsx")
    return download(store.file(proposal.id), XLSX if book else "text/csv", proposal.file_name)
