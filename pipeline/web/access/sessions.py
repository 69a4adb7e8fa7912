"""Sessions on the server: a new id at each log-in, an end without use and in any case, at most four of a person."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import login, logout
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from pipeline.web.access.adapter import FactorAdapter
from pipeline.web.models import WebSession
from pipeline.web.site import site

BEGAN, LAST, CONFIRMED = "began", "last", "confirmed"
ADDRESS, AGENT = "address", "agent"
KEEP_S = 30
"""Seconds of use that are not written down one by one."""
CONFIRMED_FOR = timedelta(minutes=5)
MOST = 4
BACKEND = "pipeline.web.access.backend.PersonBackend"


class SessionStore(DatabaseStore):
    """Session in the office database, by the page's clock; whether it is over ``end_if_over`` judges. What the cookie
    holds is not there: a line's key is its digest, so that who reads the database enters no session (decision 0121)."""

    @classmethod
    def get_model_class(cls) -> Any:
        return WebSession

    def _get_session_from_db(self) -> Any:
        found = self.model.objects.filter(session_key=kept_key(self.session_key)).first()
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return bool(self.model.objects.filter(session_key=kept_key(session_key)).exists())

    def delete(self, session_key: str | None = None) -> None:
        wanted = session_key or self.session_key
        if wanted is not None:
            self.model.objects.filter(session_key=kept_key(wanted)).delete()

    def get_expiry_date(self, **_more: Any) -> datetime:
        return site().now() + site().longest

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        kept, now = super().create_model_instance(data), site().now()
        kept.session_key = kept_key(kept.session_key)
        kept.person_id = int(data["_auth_user_id"]) if "_auth_user_id" in data else None
        kept.address, kept.agent = data.get(ADDRESS, ""), data.get(AGENT, "")
        kept.began, kept.last = _time(data.get(BEGAN)) or now, _time(data.get(LAST)) or now
        return kept


def kept_key(key: str | None) -> str:
    """Key of a session as the database has it, of the one in the cookie."""
    return hashlib.sha256((key or "").encode("utf-8", "surrogatepass")).hexdigest()


def key_of(request: Any) -> str:
    """Key of the session of a request, as the database has it."""
    return kept_key(request.session.session_key)


def begin(request: Any, person: Any) -> None:
    """Begins a session for ``person``: under a new id, and with the oldest ended where there are too many."""
    login(request, person, backend=BACKEND)
    now = site().now().isoformat()
    request.session.update({BEGAN: now, LAST: now, CONFIRMED: now})
    request.session[ADDRESS] = str(request.META.get("REMOTE_ADDR", ""))[:64]
    request.session[AGENT] = str(request.headers.get("User-Agent", ""))[:200]
    request.session.save()
    others = WebSession.objects.filter(person=person).exclude(session_key=key_of(request))
    for one in others.order_by("-last")[MOST - 1 :]:
        one.delete()


def end(request: Any) -> None:
    """Ends the session of a request."""
    logout(request)


def end_all(person: Any, but: str = "") -> int:
    """Ends every session of ``person``, except that with the key ``but`` (``key_of``); returns how many."""
    found = WebSession.objects.filter(person=person).exclude(session_key=but)
    return int(found.delete()[0])


def end_if_over(request: Any) -> bool:
    """Ends the session of a request that was not used for too long, or is too old; returns whether it was so.

    One that was used later than now (a clock that went back) is over as well.
    """
    if "_auth_user_id" not in request.session:
        return False
    here, now = site(), site().now()
    began, last = _time(request.session.get(BEGAN)), _time(request.session.get(LAST))
    alive = began is not None and last is not None and last - timedelta(minutes=1) <= now
    if alive and began is not None and last is not None and now - last <= here.idle and now - began <= here.longest:
        return False
    logout(request)
    return True


def used(request: Any, *, passive: bool) -> None:
    """Notes that a person used the session. What a page asks for by itself (``passive``) is no use."""
    now, last = site().now(), _time(request.session.get(LAST))
    if not passive and (last is None or (now - last).total_seconds() >= KEEP_S):
        request.session[LAST] = now.isoformat()


def keep(request: Any, name: str, value: Any) -> None:
    """Keeps something in the session that is shown once: a copy of the database does not show it."""
    request.session[name] = FactorAdapter().encrypt(json.dumps(value))


def kept(request: Any, name: str, *, once: bool = False) -> Any:
    """What ``keep`` kept; None where there is nothing. With ``once`` it is gone afterwards."""
    found = request.session.pop(name, None) if once else request.session.get(name)
    text = FactorAdapter().decrypt(found) if isinstance(found, str) else ""
    return json.loads(text) if text else None


def confirm(request: Any) -> None:
    """Notes that who one is was confirmed just now; the session gets a new id."""
    request.session.cycle_key()
    request.session[CONFIRMED] = site().now().isoformat()


def is_confirmed(request: Any) -> bool:
    """Whether who one is was confirmed within five minutes."""
    found = _time(request.session.get(CONFIRMED))
    return found is not None and timedelta(0) <= site().now() - found <= CONFIRMED_FOR


def _time(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
