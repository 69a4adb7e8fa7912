"""An answer from a template, and forms whose errors stand above them and beside each field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render as django_render
from django.utils.http import url_has_allowed_host_and_scheme

from pipeline.web.site import site


def render(request: Any, template: str, about: Mapping[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
    """A page. A form with errors in ``about`` (``form``) makes it 422 and its title begin with «Error:»; ``wrong`` the
    title alone, for a page that is itself the answer to what went wrong."""
    about = about or {}
    form = about.get("form")
    failed = bool(form is not None and form.is_bound and form.errors)
    return django_render(
        request, f"anular/{template}", {**about, "failed": failed}, status=422 if failed and status == 200 else status
    )


class PageForm(forms.Form):
    """Form of a page: checked on the server, its messages are ours."""

    use_required_attribute = False
    error_css_class = "wrong"

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", "auto_id": "%s", **more})

    @property
    def summary(self) -> list[tuple[str, str]]:
        """Each error with the id of its field; "" for one of the form as a whole."""
        found = []
        for name, errors in self.errors.items():
            where = "" if name == "__all__" else self[name].id_for_label or self[name].auto_id
            found += [(where, str(error)) for error in errors]
        return found


def inside(request: Any, name: str = "siguiente", otherwise: str = "/") -> str:
    """Address within this page that a request names as the next one; ``otherwise`` for any other."""
    wanted = str(request.POST.get(name) or request.GET.get(name) or "")
    plain = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    safe = plain and url_has_allowed_host_and_scheme(wanted, allowed_hosts=set(), require_https=site().https)
    return wanted if safe and len(wanted) <= 500 else otherwise
