"""Django's settings, made from ours: nothing is connected when this is imported, and no file of settings is read."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url

from pipeline.ledger.storage.location import is_on_a_server
from pipeline.ledger.storage.sqlite import sqlite_path

if TYPE_CHECKING:
    from pipeline.web.site import Site

HERE = Path(__file__).parent
SPACE = "anular_office"
PATIENCE_S = 20
MOST_SESSIONS = 10
"""Sessions that the pages have at most, for their accounts, on the server of the office database."""
FORM_BYTES = 1_048_576
"""Bytes of a form's fields, without files."""


def configure(site: Site) -> None:
    """Configures Django for ``site``: once in a process."""
    import django
    from django.conf import settings

    settings.configure(**django_settings(site))
    django.setup()
    # Django would write addresses to standard error, and some addresses are links that open something.
    logging.getLogger("django").setLevel(logging.CRITICAL + 1)


def configure_tables(url: str) -> None:
    """Configures Django for the tables of the office database at ``url`` alone: no page, no key, no company."""
    import django
    from django.conf import settings

    settings.configure(DATABASES={"default": database(url)}, LOGGING_CONFIG=None, SECRET_KEY="none", **_models())  # noqa: S106 - signs nothing
    django.setup()


def django_settings(site: Site) -> dict[str, Any]:
    """Django's settings for ``site``."""
    return {
        "ANULAR_SITE": site,
        "DEBUG": False,
        "SECRET_KEY": site.keys[0],
        "SECRET_KEY_FALLBACKS": list(site.keys[1:]),
        "ALLOWED_HOSTS": _hosts(site),
        "ROOT_URLCONF": "pipeline.web.urls",
        "DATABASES": {"default": _kept_open(database(site.settings.office))},
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [HERE / "templates"],
                "OPTIONS": {
                    "context_processors": ["django.template.context_processors.csrf", "pipeline.web.frame.frame"],
                    "builtins": ["pipeline.web.templatetags.anular"],
                    "libraries": {"anular": "pipeline.web.templatetags.anular"},
                },
            }
        ],
        "PASSWORD_HASHERS": ["pipeline.web.access.passwords.Hasher"],
        "LANGUAGE_CODE": "es",
        "USE_I18N": True,
        "APPEND_SLASH": False,
        "DATA_UPLOAD_MAX_MEMORY_SIZE": FORM_BYTES,
        "DATA_UPLOAD_MAX_NUMBER_FIELDS": 500,
        "DATA_UPLOAD_MAX_NUMBER_FILES": 2,
        "FILE_UPLOAD_PERMISSIONS": 0o600,
        "LOGGING_CONFIG": None,
        "SILENCED_SYSTEM_CHECKS": [],
        **_models(),
        **_sessions(site),
        **_second_factors(),
    }


def _models() -> dict[str, Any]:
    """What the tables depend on, and what the libraries want to see before they give theirs."""
    return {
        "INSTALLED_APPS": [
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "allauth",
            "allauth.account",
            "allauth.mfa",
            "pipeline.web.apps.WebConfig",
        ],
        "MIDDLEWARE": [
            "pipeline.web.middleware.Outermost",
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
            "pipeline.web.middleware.Sessions",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "allauth.account.middleware.AccountMiddleware",
            "pipeline.web.middleware.Doorkeeper",
        ],
        "AUTH_USER_MODEL": "web.Person",
        "AUTHENTICATION_BACKENDS": ["pipeline.web.access.backend.PersonBackend"],
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "TIME_ZONE": "America/Panama",
        "USE_TZ": True,
    }


def _hosts(site: Site) -> list[str]:
    name = site.host.rpartition(":")[0] if site.host.rpartition(":")[2].isdigit() else site.host
    # At home a person may type either; 127.0.0.1 is led to the name, which passkeys need.
    return [name, "127.0.0.1", "[::1]"] if name == "localhost" else [name]


def _sessions(site: Site) -> dict[str, Any]:
    port = site.host.rpartition(":")[2]
    # Without https a browser takes no __Host- cookie; the port keeps two pages of one machine apart.
    name = "__Host-anular" if site.https else f"anular-{port}"
    return {
        "SESSION_ENGINE": "pipeline.web.access.sessions",
        "SESSION_COOKIE_NAME": name,
        "SESSION_COOKIE_SECURE": site.https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
        "CSRF_COOKIE_NAME": f"{name}-f",
        "CSRF_COOKIE_SECURE": site.https,
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_AGE": None,
        "CSRF_FAILURE_VIEW": "pipeline.web.trouble.forged",
        "CSRF_TRUSTED_ORIGINS": [site.url],
        # The headers are ours (headers.py), on every answer; what is left to Django is that http leads to https.
        "SECURE_SSL_REDIRECT": site.https,
        "SECURE_REDIRECT_EXEMPT": ["^salud$"],
        "SECURE_HSTS_SECONDS": 31_536_000 if site.https else 0,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
        "SECURE_HSTS_PRELOAD": True,
        "X_FRAME_OPTIONS": "DENY",
    }


def _second_factors() -> dict[str, Any]:
    return {
        "MFA_ADAPTER": "pipeline.web.access.adapter.FactorAdapter",
        "MFA_SUPPORTED_TYPES": ["recovery_codes", "totp", "webauthn"],
        "MFA_PASSKEY_LOGIN_ENABLED": True,
        "MFA_TOTP_ISSUER": "anular",
        "MFA_TOTP_TOLERANCE": 1,
        "MFA_WEBAUTHN_USER_VERIFICATION": "required",
        "ACCOUNT_LOGIN_METHODS": {"username"},
        "ACCOUNT_SIGNUP_FIELDS": ["username*", "email*"],
        "ACCOUNT_EMAIL_VERIFICATION": "none",
    }


def _kept_open(address: dict[str, Any]) -> dict[str, Any]:
    """The same address with sessions that the requests share: each request has a thread of its own, so that what Django
    keeps open for a thread would serve nobody else, and a new session on a server costs more than most pages."""
    if not address["ENGINE"].endswith("postgresql"):
        return address
    options = {**address["OPTIONS"], "pool": {"min_size": 1, "max_size": MOST_SESSIONS}}
    return {**address, "OPTIONS": options, "CONN_HEALTH_CHECKS": True}


def database(url: str) -> dict[str, Any]:
    """Django's address of the office database."""
    if is_on_a_server(url):
        there = make_url(url)
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": there.database or "",
            "USER": there.username or "",
            "PASSWORD": there.password or "",  # empty: libpq looks into ~/.pgpass
            "HOST": there.host or "",
            "PORT": str(there.port or ""),
            "OPTIONS": {**there.query, "options": f"-c search_path={SPACE}"},
        }
    return {
        "ENGINE": "pipeline.web.sqlite",
        "NAME": str(sqlite_path(url)),
        "OPTIONS": {
            "timeout": PATIENCE_S,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA synchronous=EXTRA; PRAGMA trusted_schema=OFF",
        },
    }
