"""What a disk says, in a few Spanish words."""

from __future__ import annotations

import errno

import pytest

from pipeline.ledger.storage.files import reason_of


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "el disco está lleno"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "el archivo está dañado"),
        (ValueError("database disk image is malformed"), "el archivo está dañado"),
        (ValueError("something that nobody foresaw\nSELECT secret"), "something that nobody foresaw"),
    ],
)
def test_a_trouble_is_told_without_the_statement(error: Exception, words: str) -> None:
    assert reason_of(error) == words
