"""Downloads of a batch: what ``anular report`` writes, made by a child and kept for the state that the batch had."""

from __future__ import annotations

from typing import Any

from django.http import Http404

from pipeline.approvals.downloads import EMPTY, KINDS, ready
from pipeline.approvals.readers import DOWNLOAD
from pipeline.approvals.store import FILE
from pipeline.approvals.uploads import has_file
from pipeline.web import audit, trouble
from pipeline.web.screens.review import XLSX, preparing
from pipeline.web.screens.shared import attachment, download, places
from pipeline.web.texts import batch as words

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


def _original(request: Any, batch: str) -> Any:
    """The file as it was handed in. Raises ``Http404`` where it is not kept."""
    store = request.company.proposals
    proposal = store.of_batch(batch)
    if proposal is None or proposal.source != FILE or not has_file(store, proposal.id):
        raise Http404
    audit.note(request, "descarga", about=f"lote {batch}", detail=ORIGINAL)
    book = proposal.file_name.lower().endswith(".xlsx")
    return download(store.file(proposal.id), XLSX if book else "text/csv", proposal.file_name)
