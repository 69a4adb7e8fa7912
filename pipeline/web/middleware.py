"""What stands before every page: headers, the name that browsers have to use, the session's end, roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.http import HttpResponseNotAllowed, HttpResponsePermanentRedirect, HttpResponseRedirect, JsonResponse
from django.utils.http import urlencode

from pipeline.web import audit, trouble
from pipeline.web.access import factors, sessions
from pipeline.web.company import companies_of
from pipeline.web.headers import answer_headers
from pipeline.web.roles import May
from pipeline.web.routes import Door, Route
from pipeline.web.site import site

CHOSEN = "empresa"
"""Name in the session of the company that is chosen."""
Answer = Callable[[Any], Any]
LARGEST = 2**31 - 1
"""Number of an address that a row can have, in every database."""
OWN = ("Cache-Control", "Content-Security-Policy")
"""Headers that an answer may have set itself: a static file is kept, a download is in a sandbox."""


class Outermost:
    """Headers on every answer, the host's name, and errors as sentences."""

    def __init__(self, get_response: Answer) -> None:
        self._next = get_response

    def __call__(self, request: Any) -> Any:
        request.company, request.companies = None, []
        answer = self._elsewhere(request) or self._next(request)
        for name, value in answer_headers(https=site().https).items():
            if name not in OWN or name not in answer:
                answer[name] = value
        return answer

    def process_exception(self, request: Any, error: Exception) -> Any:
        """Answer to what a view raised; what Django has its own answer for is left to it."""
        from django.core.exceptions import SuspiciousOperation
        from django.http import Http404

        if isinstance(error, Http404 | PermissionDenied | SuspiciousOperation):
            return None
        return trouble.answer(request, error)

    @staticmethod
    def _elsewhere(request: Any) -> Any:
        """Refusal of a host that is not ours; at home 127.0.0.1 is led to the name, which passkeys need."""
        try:
            host = request.get_host()
        except DisallowedHost:
            return trouble.bad_request(request)
        if host == site().host:
            return None
        is_path = request.path.startswith("/")  # a raw request may ask for what makes another host's address of ours
        if is_path and request.method in ("GET", "HEAD") and site().host.startswith("localhost"):
            return HttpResponsePermanentRedirect(site().url + request.get_full_path())
        return trouble.bad_request(request)


class Sessions(SessionMiddleware):
    """Django's; a session that another request ended meanwhile leads to the log-in, and is no wrong request."""

    def process_response(self, request: Any, response: Any) -> Any:
        try:
            return super().process_response(request, response)
        except SessionInterrupted:
            return HttpResponseRedirect("/entrar?fin=1")


class Doorkeeper:
    """Deny by default: the session's end, the route's door or role, and the company that is chosen."""

    def __init__(self, get_response: Answer) -> None:
        self._next = get_response

    def __call__(self, request: Any) -> Any:
        request.ended = sessions.end_if_over(request)
        if not request.path.startswith("/estatico/") and request.user.is_authenticated:
            _choose(request)  # before any address is looked at: a page about an error shows the company too
        return self._next(request)

    def process_view(self, request: Any, _view: Any, _args: Any, more: Any) -> Any:
        from pipeline.web.urls import ROUTES

        route = ROUTES.get(request.resolver_match.url_name or "")
        if route is None:
            return trouble.not_found(request)
        if request.method not in (*route.methods, *(("HEAD",) if "GET" in route.methods else ())):
            return HttpResponseNotAllowed(route.methods)
        if request.user.is_authenticated:
            sessions.used(request, passive=route.passive)
        if route.access is Door.OPEN:
            return None
        if not request.user.is_authenticated:
            return _to_log_in(request)
        if route.access is not Door.ENTERING and (missing := factors.missing(request)) is not None:
            return HttpResponseRedirect(missing)
        if isinstance(route.access, May):
            _check_role(request, route, route.access)
        if any(isinstance(one, int) and one > LARGEST for one in more.values()):
            return trouble.not_found(request)
        if route.fresh and not sessions.is_confirmed(request):
            return _to_confirm(request, route)
        return None


def _to_log_in(request: Any) -> Any:
    asked = {"siguiente": request.get_full_path()} if request.method == "GET" and request.path != "/" else {}
    asked |= {"fin": "1"} if request.ended else {}
    return HttpResponseRedirect("/entrar" + (f"?{urlencode(asked)}" if asked else ""))


def _to_confirm(request: Any, route: Route) -> Any:
    """Where who one is is confirmed; afterwards back to the page, or to the one with the button that was pressed."""
    back = request.get_full_path()
    if "GET" not in route.methods:
        came = urlsplit(str(request.headers.get("Referer", "")))
        back = came.path if came.netloc == site().host else "/"
    where = f"/entrar/confirmar?{urlencode({'siguiente': back})}"
    if "application/json" in str(request.headers.get("Accept", "")):
        return JsonResponse({"next": where}, status=403)
    return HttpResponseRedirect(where)


def _choose(request: Any) -> None:
    """Sets the person's companies, and the one that the session has chosen, or the first one."""
    found = request.companies = companies_of(request.user)
    wanted = request.session.get(CHOSEN)
    request.company = next((one for one in found if one.profile == wanted), found[0] if found else None)


def _check_role(request: Any, route: Route, what: May) -> None:
    """Raises ``PermissionDenied``, and writes it into the log of accesses."""
    company = request.company
    if company is not None and company.may(what):
        return
    audit.note(request, "sin-permiso", ok=False, about=route.name, detail=what.value)
    raise PermissionDenied
