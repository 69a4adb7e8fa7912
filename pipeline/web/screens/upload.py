"""Upload of a file: kept as it came, and checked in a reader child."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponseRedirect

from pipeline.approvals import uploads
from pipeline.approvals.readers import CHECK
from pipeline.approvals.scan import scan
from pipeline.approvals.uploads import Choices, Handed
from pipeline.domain.approved_by import people
from pipeline.domain.errors import InputRefused, WrongUsage
from pipeline.settings import model
from pipeline.web import audit, trouble
from pipeline.web.access import limits
from pipeline.web.pages import PageForm, render
from pipeline.web.screens.shared import readers
from pipeline.web.site import site
from pipeline.web.texts import access, options
from pipeline.web.texts import upload as words


class Upload(PageForm):
    """A file and what is said about how it is read."""

    archivo = forms.FileField(
        label=words.CHOOSE,
        allow_empty_file=True,
        max_length=None,
        error_messages={"required": words.CHOOSE_MISSING, "missing": words.CHOOSE_MISSING},
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
    )
    hoja = forms.CharField(label=options.SHEET, help_text=options.SHEET_HINT, required=False, max_length=31)
    columnas = forms.CharField(label=options.COLUMNS, help_text=options.COLUMNS_HINT, required=False, max_length=200)
    lejanas = forms.IntegerField(
        label=options.FAR_ROWS, help_text=options.FAR_ROWS_HINT, required=False, min_value=0, max_value=1_000_000
    )
    ocultas = forms.BooleanField(label=options.HIDDEN, help_text=options.HIDDEN_HINT, required=False)
    formulas = forms.BooleanField(label=options.FORMULAS, help_text=options.FORMULAS_HINT, required=False)
    digito = forms.BooleanField(label=options.BAD_DIGIT, help_text=options.BAD_DIGIT_HINT, required=False)
    vistas = forms.BooleanField(label=options.IGNORE_VIEWS, help_text=options.IGNORE_VIEWS_HINT, required=False)

    @property
    def choices(self) -> Choices:
        """What was said about the file."""
        said = self.cleaned_data
        return Choices(
            sheet=said["hoja"],
            columns=said["columnas"],
            include_hidden=said["ocultas"],
            accept_formulas=said["formulas"],
            allow_bad_check_digit=said["digito"],
            far_rows=said["lejanas"] or 0,
            ignore_views=said["vistas"],
        )


def upload(request: Any) -> Any:
    """`/cargar`."""
    company, about = request.company, dict[str, Any]()
    form = Upload(request.POST, request.FILES) if request.method == "POST" else Upload()
    if form.is_bound and not limits.by_address(request, "previa", request.user.username):
        return trouble.page(request, 429, words.TITLE, access.TOO_MANY)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data["archivo"]
        handed = Handed(given.name, given.read(), form.choices, again=_corrected(request))
        try:
            found = receive(request, handed)
        except (InputRefused, WrongUsage) as refusal:
            where = "archivo" if isinstance(refusal, InputRefused) else None
            form.add_error(where, options.on_screen(refusal.sentence))
        else:
            if found.proposal is not None:
                return HttpResponseRedirect(f"/propuestas/{found.proposal.id}")
            about["known"] = found.batch
            about["known_by"] = people(found.batch.approved_by) if found.batch is not None else ""
    corrected = _corrected(request)
    name = company.proposal(corrected).file_name if corrected is not None else ""
    setting = company.settings
    limits_said = {"size": f"{setting.max_file_mb:g}", "rows": f"{setting.max_rows:,}"}
    return render(
        request, "upload.html", {"form": form, "limits": limits_said, "of": corrected, "of_name": name, **about}
    )


def receive(request: Any, handed: Handed) -> uploads.Received:
    """Keeps a file that a person handed in, and has it checked. Raises ``InputRefused``, ``WrongUsage``."""
    company, now = request.company, site().now()
    settings, store = company.settings, company.proposals
    uploads.forget_files(store, now, settings.web_keep_days)
    scan(settings.web_scan, handed.data, uploads.clean_name(handed.name))  # also one that was kept, and is read again
    with company.ledger() as views:
        who, address = request.user.username, audit.address_of(request)
        found = uploads.receive(store, views, handed, model.limits(settings), now, who=who, address=address)
    if found.new and found.proposal is not None:
        audit.note(request, "carga", about=f"propuesta {found.proposal.id}", detail=found.proposal.file_name)
        readers().ask(settings, CHECK, str(found.proposal.id))
    return found


def _corrected(request: Any) -> int | None:
    """The proposal of which this is the corrected file, as the address says."""
    text = str(request.POST.get("de") or request.GET.get("de") or "")
    return request.company.proposal(int(text)).id if text.isdecimal() and len(text) < 10 else None
