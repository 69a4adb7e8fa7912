"""How a password is kept: Argon2id, a few at once, so that a flood of log-ins does not take all memory."""

from __future__ import annotations

import threading
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher

AT_ONCE = threading.BoundedSemaphore(4)


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
