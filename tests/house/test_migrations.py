"""The steps of the two schemas: one after the other, each with the number of its file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.ledger.storage import schema
from pipeline.office import place

PIPELINE = Path(__file__).resolve().parents[2] / "pipeline"


@pytest.mark.parametrize(
    ("folder", "newest"), [("ledger/storage", schema.SCHEMA), ("office", place.SCHEMA)], ids=["ledger", "office"]
)
def test_each_step_follows_the_one_before_and_the_last_is_the_schema(folder: str, newest: str) -> None:
    files = sorted((PIPELINE / folder / "migrations/versions").glob("*.py"))
    said = [
        re.findall(r'^(?:down_)?revision(?:: \S+)? = "?(\w+)"?', path.read_text("utf-8"), re.MULTILINE)
        for path in files
    ]
    numbers = [path.name[:4] for path in files]

    assert numbers == [f"{number:04d}" for number in range(1, len(files) + 1)]
    assert said == [[number, before] for number, before in zip(numbers, ["None", *numbers], strict=False)]
    assert numbers[-1] == newest
