"""Addresses of the screens about files, batches and rows."""

from __future__ import annotations

from pipeline.web.roles import May
from pipeline.web.routes import Door, Route
from pipeline.web.screens import approve, review, upload
from pipeline.web.screens.start import start

BOTH, POST = ("GET", "POST"), ("POST",)
_PROPOSAL = "propuestas/<int:number>"

ROUTES = [
    Route("", start, "start", Door.SIGNED_IN),
    Route("cargar", upload.upload, "upload", May.UPLOAD, BOTH),
    Route(_PROPOSAL, review.review, "review", May.SEE),
    Route(f"{_PROPOSAL}/estado", review.state, "review_state", May.SEE, passive=True),
    Route(f"{_PROPOSAL}/enviar", review.submit, "submit", May.UPLOAD, POST),
    Route(f"{_PROPOSAL}/descartar", review.discard, "discard", May.UPLOAD, POST),
    Route(f"{_PROPOSAL}/otra-vez", review.again, "check_again", May.UPLOAD, POST),
    Route(f"{_PROPOSAL}/libros/<str:kind>", review.book, "review_book", May.SEE, BOTH),
    Route(f"{_PROPOSAL}/aprobar", approve.approve, "approve", May.APPROVE, BOTH),
    Route(f"{_PROPOSAL}/no-aprobar", approve.decline, "decline", May.APPROVE, BOTH),
]
