"""First step of the set-up where nothing is configured: the company, by the same code as ``anular init``.

eDoc's user and password are no part of it: a page never has them. Production is for ``init``, which tries them first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms

from pipeline.domain.errors import AnularError
from pipeline.runtime.folders import documents_folder
from pipeline.settings import first_settings as first
from pipeline.settings.load import config_path
from pipeline.web.pages import PageForm, render
from pipeline.web.site import Site, site
from pipeline.web.texts import first_office as words
from pipeline.wiring.first_office import made, planned


class FirstOffice(PageForm):
    """The company, where it works, and how many people there are."""

    empresa = forms.CharField(label=words.NAME, help_text=words.NAME_HINT, max_length=40, error_messages=words.MISSING)
    ruc = forms.CharField(label=words.RUC, help_text=words.RUC_HINT, max_length=60, error_messages=words.MISSING)
    ambiente = forms.ChoiceField(label=words.ENV, choices=words.ENVS, widget=forms.RadioSelect)
    personas = forms.ChoiceField(label=words.PEOPLE, choices=words.COUNTS, widget=forms.RadioSelect)
    carpeta = forms.CharField(label=words.FOLDER, help_text=words.FOLDER_HINT, max_length=200)

    @property
    def office(self) -> first.Office:
        """What was answered."""
        said = self.cleaned_data
        company = first.Company(said["empresa"], said["ruc"])
        return first.Office(said["ambiente"], Path(said["carpeta"]), (company,), None, int(said["personas"]))

    def clean(self) -> Any:
        given = super().clean() or {}
        if not self.errors:
            try:
                planned(first.checked(self.office))
            except AnularError as error:
                for line in error.message.splitlines():
                    self.add_error(None, line)
        return given


def is_first_office(here: Site) -> bool:
    """Whether nothing says yet whose page this is: no settings file, and no company in the variables."""
    return not config_path().exists() and not any(one.issuers for one in here.companies.values())


def first_office(request: Any) -> Any:
    """The form, and what it leads to: settings as ``init`` writes them, with which the page opens again by itself."""
    usual = {"ambiente": "probar", "personas": "2", "carpeta": str(documents_folder() / "Anular")}
    form = FirstOffice(request.POST if request.method == "POST" else None, initial=usual)
    if form.is_bound and form.is_valid():
        office, values, _ = planned(first.checked(form.office))
        try:
            made(office, values)
        except AnularError as error:
            form.add_error(None, error.sentence)
        else:
            site().changed.set()
            return render(request, "access/first_office_saved.html")
    return render(request, "access/first_office.html", {"form": form})
