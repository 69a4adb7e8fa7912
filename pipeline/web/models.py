"""Accounts in the office database: people, roles, sessions, links, requests for access, and the log of accesses.

Nothing of a person is deleted: their name stands in ledgers. The log of accesses is append-only by triggers
(migration 0002).
"""

from __future__ import annotations

from enum import StrEnum

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class PersonState(StrEnum):
    """State of an account (web.md 6); a request that is not accepted yet is an ``AccessRequest``."""

    INVITED = "invitada"
    ACTIVE = "activa"
    SUSPENDED = "suspendida"


class RequestState(StrEnum):
    """State of a request for access."""

    RECEIVED = "recibida"
    INVITED = "invitada"
    REFUSED = "rechazada"


class LinkKind(StrEnum):
    """What a link opens."""

    SET_UP = "inicio"
    INVITATION = "invitacion"
    RESET = "clave"
    REQUEST = "solicitud"
    MAIL = "correo"


class Person(AbstractBaseUser):
    """A person who may log in. The user name never changes and is never given twice."""

    username = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=100)
    #: lower case; accepted as user name
    email = models.CharField(max_length=254, unique=True)
    state = models.CharField(max_length=16, default=PersonState.INVITED.value)
    #: the operating system's user that is the same person, so that one person is not two (web.md 6)
    system_user = models.CharField(max_length=100, unique=True, null=True)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ("name", "email")

    objects = models.Manager()

    class Meta:
        db_table = "web_person"

    @property
    def is_active(self) -> bool:
        """Whether the account may be used; Django's name for it."""
        return bool(self.state == PersonState.ACTIVE)

    def get_full_name(self) -> str:
        return str(self.name)


class Membership(models.Model):
    """One role of one person in one company (profile)."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    profile = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=16)
    given_by = models.CharField(max_length=64)
    given_at = models.DateTimeField()
    #: does not count until another administrator confirms it
    waits = models.BooleanField(default=False)

    class Meta:
        db_table = "web_membership"
        constraints = (models.UniqueConstraint(fields=["person", "profile", "role"], name="web_one_role"),)


class WebSession(AbstractBaseSession):
    """A session on the server. ``last`` is its last use by a person, not by a page that refreshes itself."""

    #: SHA-256 of the key in the cookie
    session_key = models.CharField(max_length=64, primary_key=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="sessions")
    address = models.CharField(max_length=64)
    agent = models.CharField(max_length=200)
    began = models.DateTimeField()
    last = models.DateTimeField()

    class Meta:
        db_table = "web_session"


class AccessRequest(models.Model):
    """Request for an account."""

    #: as typed, without blanks; ``profile`` is None where it is no company of ours
    ruc = models.CharField(max_length=40)
    profile = models.CharField(max_length=100, null=True)
    name = models.CharField(max_length=100)
    email = models.CharField(max_length=254)
    role = models.CharField(max_length=16)
    state = models.CharField(max_length=16, default=RequestState.RECEIVED.value)
    why = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()
    decided_by = models.CharField(max_length=64, blank=True)
    decided_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "web_request"


class Link(models.Model):
    """A link that opens something once: kept as its digest, so that the database opens nothing."""

    kind = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True)
    request = models.ForeignKey(AccessRequest, on_delete=models.PROTECT, null=True)
    #: digest of the password that it would replace: a changed password ends it
    over = models.CharField(max_length=64, blank=True)
    #: address that it confirms
    email = models.CharField(max_length=254, blank=True, default="")
    made_by = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "web_link"


class Attempt(models.Model):
    """One try at something that is limited; ``key`` is an HMAC of who, never what was typed."""

    kind = models.CharField(max_length=32)
    key = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        db_table = "web_attempt"
        indexes = (models.Index(fields=["kind", "key", "at"], name="web_attempt_when"),)


class AuditEvent(models.Model):
    """One line of the log of accesses: no password, no token, no whole mail address, no CUFE."""

    at = models.DateTimeField(db_index=True)
    who = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=64, blank=True)
    event = models.CharField(max_length=40)
    #: None: of the machine, not of one company
    profile = models.CharField(max_length=100, null=True)
    about = models.CharField(max_length=200, blank=True)
    ok = models.BooleanField()
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "web_audit"
        indexes = (models.Index(fields=["profile", "at"], name="web_audit_company"),)
