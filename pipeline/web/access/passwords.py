"""Passwords: how one is kept (Argon2id, a few at once, so that a flood of log-ins does not take all memory), and which
are refused (web.md 6).
"""

from __future__ import annotations

import gzip
import re
import threading
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.auth import password_validation
from django.contrib.auth.hashers import Argon2PasswordHasher

from pipeline.web.texts import access as words

SHORTEST, LONGEST = 12, 128
AT_ONCE = threading.BoundedSemaphore(4)
_ESTIMATE = threading.Lock()
OURS = (
    "anular",
    "factura",
    "facturas",
    "panama",
    "edoc",
    "guru",
    "dgi",
    "cufe",
    "ruc",
    "anulacion",
    "contraseña",
    "clave",
)
"""Words that everybody here would think of."""
_SCORE = 3
_OTHER_LETTERS = 6
"""Letters beside known words, at least."""
_ESTIMATED = 72
"""Characters that the estimate looks at; more only make it harder to guess."""


class Hasher(Argon2PasswordHasher):
    """Argon2id with m = 19 MiB, t = 2, p = 1, at most four at once."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with AT_ONCE:
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        with AT_ONCE:
            return bool(super().verify(password, encoded))

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing: the work is that of one check in any case."""

    def must_update(self, encoded: Any) -> bool:
        return bool(super().must_update(encoded))


def fault(password: str, about: Iterable[str] = ()) -> str | None:
    """Sentence for a password that is refused; None for one that is good. ``about``: words of the person and the
    company, which a guess would begin with."""
    if len(password) < SHORTEST:
        return words.TOO_SHORT
    if len(password) > LONGEST:
        return words.TOO_LONG
    if _is_common(password):
        return words.TOO_COMMON
    known = sorted({_plain(part) for text in (*OURS, *about) for part in re.split(r"[\W_]+", text) if len(part) > 2})
    if _is_of_known_words(password, known):
        return words.TOO_EASY
    from zxcvbn import zxcvbn

    with _ESTIMATE:  # its list of the person's words is one for the whole process
        # Accents and case hide nothing from who guesses.
        score = min(zxcvbn(text[:_ESTIMATED], known)["score"] for text in {password, _plain(password)})
    return words.TOO_EASY if score < _SCORE else None


def _is_of_known_words(password: str, known: list[str]) -> bool:
    """Whether little but words that come to mind here makes it: the estimate counts several of them, one
    after the other, as hard to guess."""
    rest = _plain(password)
    for word in sorted(known, key=len, reverse=True):
        rest = rest.replace(word, " ")
    return rest != _plain(password) and len(re.sub(r"[\W\d_]+", "", rest)) < _OTHER_LETTERS


def _is_common(password: str) -> bool:
    """Whether it is a common one, with digits, signs or repetition around it."""
    plain = _plain(password)
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    tried = {plain, core, re.sub(r"[\W\d_]+", "", plain)}
    tried |= {
        one[: len(one) // n]
        for one in tried
        for n in range(2, 9)
        if len(one) % n == 0 and one == one[: len(one) // n] * n
    }
    return bool(tried & _common()) or len(set(plain)) < 5


def _plain(text: str) -> str:
    """``text`` without case and accents."""
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in split if not unicodedata.combining(sign))


@cache
def _common() -> frozenset[str]:
    """Django's list of 20,000."""
    path = Path(password_validation.__file__).parent / "common-passwords.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return frozenset(_plain(line.strip()) for line in lines if len(line.strip()) > 3)
