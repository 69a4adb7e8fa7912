"""Addresses of the screens about files, batches and rows."""

from __future__ import annotations

from pipeline.web.roles import May
from pipeline.web.routes import Door, Route
from pipeline.web.screens import approve, batch, certificates, downloads, review, rows, search, upload
from pipeline.web.screens.configuration import configuration
from pipeline.web.screens.help import help_page, template
from pipeline.web.screens.start import start

BOTH, POST = ("GET", "POST"), ("POST",)
_PROPOSAL = "propuestas/<int:number>"
_BATCH, _ROW = "lotes/<slug:batch>", "lotes/<slug:batch>/filas/<int:line>"
_CERTIFICATE = "certificados/<int:number>"

ROUTES = [
    Route("", start, "start", Door.SIGNED_IN),
    Route("cargar", upload.upload, "upload", May.UPLOAD, BOTH),
    Route(_PROPOSAL, review.review, "review", May.SEE),
    Route(f"{_PROPOSAL}/estado", review.state, "review_state", May.SEE, passive=True),
    Route(f"{_PROPOSAL}/enviar", review.submit, "submit", May.UPLOAD, POST),
    Route(f"{_PROPOSAL}/descartar", review.discard, "discard", May.UPLOAD, POST),
    Route(f"{_PROPOSAL}/otra-vez", review.again, "check_again", May.UPLOAD, POST),
    Route(f"{_PROPOSAL}/filas", review.rows, "review_rows", May.SEE, BOTH),
    Route(f"{_PROPOSAL}/libros/<slug:kind>", review.book, "review_book", May.SEE, BOTH),
    Route(f"{_PROPOSAL}/aprobar", approve.approve, "approve", May.APPROVE, BOTH),
    Route(f"{_PROPOSAL}/no-aprobar", approve.decline, "decline", May.APPROVE, BOTH),
    Route(_BATCH, batch.batch, "batch", May.SEE),
    Route(f"{_BATCH}/avance", batch.progress, "progress", May.SEE, passive=True),
    Route(f"{_BATCH}/detener", batch.stop, "stop", May.STOP, POST),
    Route(f"{_BATCH}/continuar", batch.go_on, "continue", May.STOP, POST),
    Route(f"{_BATCH}/terminar", batch.end, "end", May.APPROVE, POST),
    Route(f"{_BATCH}/proponer", batch.propose, "propose", May.UPLOAD, POST),
    Route(f"{_BATCH}/filas", rows.rows, "rows", May.SEE),
    Route(_ROW, rows.row, "row", May.SEE),
    Route(f"{_ROW}/estado", rows.state, "row_state", May.SEE, passive=True),
    Route(f"{_ROW}/retirar", rows.withdraw, "withdraw", May.WITHDRAW, BOTH),
    Route(f"{_ROW}/resolver", rows.resolve, "resolve", May.RESOLVE, BOTH),
    Route(f"{_ROW}/reenviar", rows.resend, "resend", May.ASK_RESEND, BOTH),
    Route(f"{_ROW}/consultar", rows.ask, "ask_edoc", May.WITHDRAW, POST),
    Route("buscar", search.search, "search", May.SEE),
    Route("descargas/<slug:batch>/evidencia", downloads.evidence, "evidence", May.EVIDENCE, BOTH),
    Route("descargas/<slug:batch>/<slug:kind>", downloads.of_batch, "download", May.SEE, BOTH),
    Route("certificados", certificates.certificates, "certificates", May.SEE_CERTIFICATES),
    Route("certificados/nuevo", certificates.add, "certificate_new", May.EDIT_CERTIFICATES, BOTH),
    Route("certificados/importar", certificates.import_csv, "certificate_import", May.EDIT_CERTIFICATES, BOTH),
    Route(_CERTIFICATE, certificates.certificate, "certificate", May.SEE_CERTIFICATES),
    Route(f"{_CERTIFICATE}/<slug:step>", certificates.change, "certificate_step", May.EDIT_CERTIFICATES, BOTH),
    Route("configuracion", configuration, "configuration", May.ADMINISTER),
    Route("ayuda", help_page, "help", Door.SIGNED_IN),
    Route("ayuda/plantilla.xlsx", template, "template", Door.SIGNED_IN),
]
