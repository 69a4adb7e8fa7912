"""Answers to what went wrong: a number and a sentence, never a trace; the same number is in the technical log."""

from __future__ import annotations

import secrets
import sys
import traceback
from typing import Any

from pipeline.domain.errors import AnularError
from pipeline.web.pages import render
from pipeline.web.site import site
from pipeline.web.texts import frame as words

_NOT_DONE = frozenset({409, 422, 429, 503})
"""Answers to something that a person tried to do, and that was not done."""


def page(request: Any, status: int, title: str, text: str, number: str = "") -> Any:
    """A page with one sentence."""
    about = {"title": title, "text": text, "number": number, "wrong": status in _NOT_DONE}
    return render(request, "trouble.html", about, status=status)


def bad_request(request: Any, exception: BaseException | None = None) -> Any:
    del exception
    return page(request, 400, words.BAD_REQUEST, words.BAD_REQUEST_TEXT)


def refused(request: Any, exception: BaseException | None = None) -> Any:
    text = str(exception) if exception is not None and str(exception) else words.REFUSED_TEXT
    return page(request, 403, words.REFUSED, text)


def not_found(request: Any, exception: BaseException | None = None) -> Any:
    del exception
    return page(request, 404, words.NOT_FOUND, words.NOT_FOUND_TEXT)


def forged(request: Any, reason: str = "") -> Any:
    """A form without the page's own token, or from another origin."""
    site().log("web_refused", {"reason": "csrf", "path": _path(request), "detail": reason[:80]})
    return page(request, 403, words.FORGED, words.FORGED_TEXT)


def broken(request: Any) -> Any:
    """What broke outside a view: Django asks for this answer while it handles the error."""
    error = sys.exc_info()[1]
    return answer(request, error) if error is not None else page(request, 500, words.BROKEN, words.BROKEN_TEXT)


def answer(request: Any, error: BaseException) -> Any:
    """Answer to an error of a view. An error of ours has its own sentence; any other gets a number."""
    if isinstance(error, AnularError):
        site().log("web_trouble", {"code": error.code, "path": _path(request)})
        return page(request, 503 if error.exit_code == 5 else 409, words.TROUBLE, error.message)
    number = secrets.token_hex(4)
    told = "".join(traceback.format_exception(error, limit=-8))[-4000:]
    site().log("web_error", {"number": number, "path": _path(request), "kind": type(error).__name__, "trace": told})
    return page(request, 500, words.BROKEN, words.BROKEN_TEXT, number)


def _path(request: Any) -> str:
    """Address as the technical log has it: what opens something by its code alone is named without it (S26)."""
    match = request.resolver_match
    return f"/{match.route}" if match is not None and "code" in match.kwargs else str(request.path)
