"""Approval digest: a SHA-256 over everything that a person approves, and the rule of what may be sent under it.

What is approved is a canonical JSON text (approvals.md 2): the file's bytes by their hash, how they were read, what
came of every row, and the hash of the ordered payloads that would be sent. ``departure`` says whether a plan that was
made again stays within it: the same file, read in the same way, for the same ledger, with a subset of those payloads.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.domain.payload import payload_sha256

FORMAT = "anular-aprobacion-1"
HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Content:
    """What a person approves: one file as it was read, and what would be sent of it."""

    company: str
    #: sandbox, lab or production
    env: str
    #: id of the ledger
    ledger: str
    #: hex, of the file's bytes
    sha256: str
    #: worksheet; None for CSV
    sheet: str | None
    #: how the file was read, where a person said something about it
    options: Mapping[str, Any]
    #: of the file
    rows: int
    #: rows by verdict
    verdicts: Mapping[str, int]
    #: RUCs, sorted
    issuers: tuple[str, ...]
    first_issue: date | None
    last_issue: date | None
    #: rows past the legal limit
    late: int
    #: rows and columns that were hidden but taken
    hidden: int
    deadline_hours: int
    #: SHA-256 of each payload to be sent, in order
    payloads: tuple[bytes, ...]

    @property
    def to_send(self) -> int:
        return len(self.payloads)

    @property
    def canonical(self) -> str:
        """The canonical JSON: sorted names, no spaces, ASCII only, so that the same content has one text."""
        return canonical_json(
            {
                "format": FORMAT,
                "company": self.company,
                "env": self.env,
                "ledger": self.ledger,
                "sha256": self.sha256,
                "sheet": self.sheet,
                "options": dict(self.options),
                "rows": self.rows,
                "verdicts": {name: count for name, count in self.verdicts.items() if count},
                "issuers": sorted(self.issuers),
                "first_issue": self.first_issue.isoformat() if self.first_issue else None,
                "last_issue": self.last_issue.isoformat() if self.last_issue else None,
                "late": self.late,
                "hidden": self.hidden,
                "deadline_hours": self.deadline_hours,
                "payloads": payloads_sha256(self.payloads),
                "to_send": self.to_send,
            }
        )

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON."""
        return digest_of(self.canonical)


def canonical_json(value: Mapping[str, Any]) -> str:
    """The one JSON text of ``value``. Raises ``TypeError`` and ``ValueError`` for what JSON does not have."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":"))


def digest_of(canonical: str) -> str:
    """SHA-256 (hex) of a canonical JSON text."""
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def payload_hash(cufe: str, reason: str | None, email: str | None) -> bytes:
    """SHA-256 of what is sent for one row; the name of the program is no part of it."""
    return bytes.fromhex(payload_sha256(cufe, reason, email))


def payloads_sha256(payloads: Sequence[bytes]) -> str:
    """SHA-256 (hex) of the hashes one after the other. Each has 32 bytes, so that no two lists have the same bytes."""
    assert all(len(one) == HASH_BYTES for one in payloads), "each is a SHA-256"
    return hashlib.sha256(b"".join(payloads)).hexdigest()


def joined(payloads: Sequence[bytes]) -> bytes:
    """The hashes as they are kept beside the canonical JSON."""
    return b"".join(payloads)


def split(kept: bytes) -> tuple[bytes, ...]:
    """The hashes again. Raises ``ValueError`` when the bytes are not a list of them."""
    if len(kept) % HASH_BYTES:
        raise ValueError("not a list of SHA-256")
    return tuple(kept[start : start + HASH_BYTES] for start in range(0, len(kept), HASH_BYTES))


def same_digest(given: str, digest: str) -> bool:
    """Whether a person named this ``digest``: whole, or its short form ``3f9c-81aa-…`` of 16 digits."""
    text = given.strip().casefold().replace("-", "").rstrip("…")
    return text in (digest, digest[:16])


def beyond(approved: Iterable[bytes], now: Iterable[bytes]) -> int:
    """How many payloads of ``now`` are not among the ``approved``; one that was approved once counts once."""
    return (Counter(now) - Counter(approved)).total()


def departure(approved: Mapping[str, Any], hashes: Iterable[bytes], now: Content) -> str:
    """Why ``now`` is not within what was ``approved`` (its canonical JSON, read), in Spanish; "" when it is.

    ``hashes`` are the payloads that were approved. Rows may have dropped out since then, and their counts may differ.
    """
    here = json.loads(now.canonical)
    for name, words in FIXED.items():
        if approved.get(name) != here[name]:
            return words
    if set(now.issuers) - set(approved.get("issuers", ())):
        return "hay emisores que no estaban entre los aprobados"
    if (others := beyond(hashes, now.payloads)) == 1:
        return "1 factura no está entre las aprobadas, o cambió su motivo o su correo"
    if others:
        return f"{others} facturas no están entre las aprobadas, o cambió su motivo o su correo"
    return ""


FIXED = {
    "format": "la aprobación es de otra versión del programa",
    "company": "el nombre de la empresa ya no es el mismo",
    "env": "el ambiente ya no es el mismo",
    "ledger": "el historial de envíos ya no es el mismo",
    "sha256": "el archivo ya no es el mismo",
    "sheet": "la hoja ya no es la misma",
    "options": "las opciones con que se lee el archivo ya no son las mismas",
    "rows": "el archivo ya no se lee con la misma cantidad de filas",
    "hidden": "lo oculto del archivo ya no es lo mismo",
    "deadline_hours": "el plazo legal configurado ya no es el mismo",
}
"""What may not differ at all between approval and sending, and how that is said."""
