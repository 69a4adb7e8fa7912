"""Re-authentication: who one is, once more, before what cannot be undone or opens an account (web.md 7: S17)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponseRedirect

from pipeline.web import audit
from pipeline.web.access import factors, limits, sessions
from pipeline.web.access.log_in import right
from pipeline.web.pages import PageForm, inside, render
from pipeline.web.texts import access as words


class Confirm(PageForm):
    """Password, or a code."""

    clave = forms.CharField(
        label=words.CONFIRM_PASSWORD,
        max_length=1000,
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    codigo = forms.CharField(
        label=words.CONFIRM_CODE,
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def clean(self) -> Any:
        given = super().clean() or {}
        if not given.get("clave") and not given.get("codigo"):
            raise forms.ValidationError(words.CONFIRM_MISSING)
        return given


def confirm_page(request: Any) -> Any:
    """`/entrar/confirmar`."""
    form, status = Confirm(request.POST if request.method == "POST" else None), 200
    if form.is_bound and form.is_valid():
        said = check(request, form.cleaned_data["clave"], form.cleaned_data["codigo"])
        if said is None:
            return HttpResponseRedirect(inside(request))
        status = 429 if said == words.TOO_MANY else 422
        form.add_error(None, said)
    kinds = factors.kinds(request.user)
    about = {"form": form, "next": inside(request), "has_app": "totp" in kinds, "has_key": "webauthn" in kinds}
    return render(request, "access/confirm.html", about, status=status)


def check(request: Any, password: str, code: str = "") -> str | None:
    """Confirms the person of a request by password or code, for five minutes; a sentence when it is neither. Also for a
    form that asks for the password itself."""
    person = request.user
    if not limits.take("confirmar", person.username):
        audit.note(request, "limite", ok=False, about="confirmar")
        return words.TOO_MANY
    if (password and right(person, password)) or (code and factors.right_code(person, code)):
        limits.give_back("confirmar", person.username)
        sessions.confirm(request)
        audit.note(request, "confirmacion")
        return None
    audit.note(request, "confirmacion", ok=False)
    return words.CONFIRM_WRONG
