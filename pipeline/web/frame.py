"""What every page shows: company, environment, menu, help, and the words."""

from __future__ import annotations

from typing import Any

from pipeline.approvals.work import is_alive
from pipeline.domain.errors import StorageTrouble
from pipeline.settings.model import Env
from pipeline.web.roles import May
from pipeline.web.site import site
from pipeline.web.static_files import address_of
from pipeline.web.texts import (
    access,
    batch,
    certificates,
    configuration,
    first_office,
    options,
    people,
    review,
    search,
    start,
    upload,
)
from pipeline.web.texts import frame as words
from pipeline.web.texts import help as help_words

TEXTS = {
    "frame": words,
    "access": access,
    "batch": batch,
    "certificates": certificates,
    "configuration": configuration,
    "first_office": first_office,
    "help": help_words,
    "options": options,
    "people": people,
    "review": review,
    "search": search,
    "start": start,
    "upload": upload,
}
"""The words, as templates name them: ``t.frame.SKIP``."""

BANDS = {Env.SANDBOX: words.BAND_SANDBOX, Env.LAB: words.BAND_LAB, Env.PRODUCTION: words.BAND_PRODUCTION}

MENU: list[tuple[str, str, May | None]] = [
    ("start", words.MENU_START, None),
    ("upload", words.MENU_UPLOAD, May.UPLOAD),
    ("search", words.MENU_SEARCH, May.SEE),
    ("certificates", words.MENU_CERTIFICATES, May.SEE_CERTIFICATES),
    ("people", words.MENU_PEOPLE, May.ADMINISTER),
    ("log", words.MENU_LOG, May.ACCESS_LOG),
    ("configuration", words.MENU_SETTINGS, May.ADMINISTER),
    ("help", words.HELP, None),
]
"""Name of a route, its word, and what one has to be allowed to do to see it; None: everybody who logged in."""


def _sends() -> bool:
    """Whether a sender gave a sign of life within the last minute."""
    try:
        return is_alive(site().office, site().now())
    except StorageTrouble:
        return False


def frame(request: Any) -> dict[str, Any]:
    """Django's context processor: part of every template's context."""
    here, company = site(), getattr(request, "company", None)
    person = getattr(request, "user", None)
    match = getattr(request, "resolver_match", None)
    found: dict[str, Any] = {
        "t": TEXTS,
        "support": here.settings.web_support,
        "css": address_of("anular.css"),
        "js": address_of("anular.js"),
        "icon": address_of("anular.svg"),
        "here": match.url_name if match is not None else "",
        "company": company,
        "warn_at": int(here.idle.total_seconds()),
    }
    if person is None or not person.is_authenticated:
        return found
    return {
        **found,
        "person": person,
        "companies": getattr(request, "companies", []),
        "band": BANDS[company.settings.env] if company is not None else "",
        "env": company.settings.env.value if company is not None else "",
        "alone": company is not None and not company.two,
        "stalled": not _sends(),
        "roles": company.role_words if company is not None else "",
        "menu": [(name, word) for name, word, what in MENU if what is None or (company and company.may(what))],
    }
