"""Approved-by text of a batch: who prepared it, who approved it, and the digest of exactly what was approved.

The ledger keeps it in ``batch.approved_by`` and, for rows that were held, as ``who`` of their approval; both are in the
chain (docs/decisions/0108). This module is the only place that knows its form. A batch that one person loaded and sent
has that user's name there, which ``ApprovedBy.read`` returns as None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

WAYS = ("terminal", "web")
"""Where an approval is given: each has its own user names."""
LONGEST_NAME = 100
DIGEST_LABEL = "Huella de lo aprobado"
"""What a reader sees before the digest."""

_PEOPLE = r"(?P<way>[a-z]+): (?P<approver>[^;]+) aprobó; (?P<preparer>[^;]+) preparó"
_FORM = re.compile(_PEOPLE + r"; huella (?P<digest>[0-9a-f]{64})")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ApprovedBy:
    """An approval given to content. ``str()`` is its text in the ledger; raises ``ValueError`` for what cannot be one.

    ``terminal: lgomez aprobó; aperez preparó; huella 3f9c…``
    """

    #: where it was given, one of ``WAYS``
    way: str
    #: user name of who approved
    approver: str
    #: user name of who prepared
    preparer: str
    #: SHA-256 (64 hex digits) of the canonical JSON of what was approved
    digest: str

    def __post_init__(self) -> None:
        if self.way not in WAYS:
            raise ValueError(f"not a way to approve: {self.way!r}")
        for name in (self.approver, self.preparer):
            if not is_name(name):
                raise ValueError(f"not a user name: {name!r}")
        if not _DIGEST.fullmatch(self.digest):
            raise ValueError(f"not a digest: {self.digest!r}")

    def __str__(self) -> str:
        return f"{self.signature}; huella {self.digest}"

    @property
    def signature(self) -> str:
        """The people without the digest, for an event of each of many rows: ``terminal: lgomez aprobó; …``."""
        return f"{self.way}: {self.approver} aprobó; {self.preparer} preparó"

    @classmethod
    def read(cls, text: str | None) -> ApprovedBy | None:
        """The approval that ``text`` is, exactly; None for any other text, as a plain user name."""
        found = _FORM.fullmatch(text or "")
        if found is None:
            return None
        try:
            return cls(**found.groupdict())
        except ValueError:
            return None

    @property
    def people(self) -> str:
        """The two people in words: ``Preparó: aperez · Aprobó: lgomez``."""
        if self.alone:
            return f"Preparó y aprobó la misma persona: {self.approver}"
        return f"Preparó: {self.preparer} · Aprobó: {self.approver}"

    @property
    def alone(self) -> bool:
        """Whether both are one user: an office of one person, which no other one approved for."""
        return self.approver == self.preparer

    @property
    def short_digest(self) -> str:
        """The first 16 digits in fours, as a screen shows them and a person types them: ``3f9c-81aa-…``."""
        return short_digest(self.digest)


def short_digest(digest: str) -> str:
    """The first 16 digits of ``digest`` in fours: ``3f9c-81aa-0b12-77de``."""
    return "-".join(digest[start : start + 4] for start in range(0, 16, 4))


def is_name(name: str) -> bool:
    """Whether ``name`` can stand for a user in the text: printable, without ``;``, and not too long."""
    return 0 < len(name) <= LONGEST_NAME and name == name.strip() and name.isprintable() and ";" not in name


def signature(text: str | None) -> str | None:
    """The people of the approval ``text``, without its digest; any other text unchanged."""
    found = ApprovedBy.read(text)
    return found.signature if found else text


@lru_cache(1_000)  # of a large batch the same few people are asked for with every event
def people(text: str | None) -> str:
    """``text`` for a reader: who prepared and who approved in words, without the digest; any other text unchanged."""
    text = text or ""
    found = ApprovedBy.read(text if "; huella " in text else f"{text}; huella {'0' * 64}")
    return found.people if found else text


def digest_of(text: str | None) -> str:
    """The digest in the approval ``text``; "" in any other text."""
    found = ApprovedBy.read(text)
    return found.digest if found else ""
