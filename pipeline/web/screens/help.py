"""Help: three steps, the template, what each result and message means, the deadline, whom to call."""

from __future__ import annotations

import io
from typing import Any

from django import forms

from pipeline.approvals.causes import TITLES
from pipeline.domain.certificates import day_in
from pipeline.domain.deadline import Window, deadline, limit_of_day
from pipeline.domain.edoc_states import EDOC_STATES
from pipeline.domain.outcomes import Outcome
from pipeline.domain.problems import KINDS
from pipeline.report.labels import MEANINGS
from pipeline.web.pages import PageForm, render
from pipeline.web.screens.review import XLSX
from pipeline.web.screens.shared import download
from pipeline.web.site import site
from pipeline.web.texts import help as words
from pipeline.web.texts.options import on_screen


class Calculator(PageForm):
    """Day of issue of a document."""

    emision = forms.CharField(label=words.DAY, help_text=words.DAY_HINT, required=False, max_length=20)

    def clean_emision(self) -> Any:
        """The day; None for none."""
        text = self.cleaned_data["emision"]
        found = day_in(text) if text else None
        if text and found is None:
            raise forms.ValidationError(words.DAY_WRONG)
        return found


def help_page(request: Any) -> Any:
    """`/ayuda`."""
    here = request.company.settings if request.company is not None else site().settings
    form = Calculator(request.GET if "emision" in request.GET else None)
    day = form.cleaned_data["emision"] if form.is_bound and form.is_valid() else None
    told: dict[str, Any] = {}
    if day is not None:
        found = deadline(day, site().now(), here.deadline_hours)
        verdict = {Window.LATE: words.LATE, Window.LIMIT_DAY: words.LIMIT_DAY}.get(found.window, "")
        verdict = verdict or words.IN_TIME.format(hours=f"{max(0, int(found.hours_left or 0))}")
        told = {"day": day, "due": limit_of_day(f"{day:%Y%m%d}", here.deadline_hours), "verdict": verdict}
    shown = {
        **told,
        "form": form,
        "hours": here.deadline_hours,
        "limits": {"size": f"{here.max_file_mb:g}", "rows": f"{here.max_rows:,}"},
        "outcomes": [(one.value, MEANINGS[one]) for one in Outcome],
        "states": [(code, one.meaning) for code, one in EDOC_STATES.items()],
        "problems": [
            (code, title, on_screen(KINDS[code].remedy.partition("{")[0].strip())) for code, title in TITLES.items()
        ],
    }
    return render(request, "help.html", shown)


def template(request: Any) -> Any:
    """`/ayuda/plantilla.xlsx`."""
    from pipeline.report.template import write_template  # what makes workbooks is loaded by who wants one

    content = io.BytesIO()
    write_template(content, request.company.settings.company if request.company is not None else "")
    return download(content.getvalue(), XLSX, "plantilla.xlsx")
