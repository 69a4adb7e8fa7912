"""The steps of the ledger's schema: one after the other, each with the number of its file."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.ledger.storage.schema import SCHEMA

STEPS = Path(__file__).resolve().parents[2] / "pipeline/ledger/storage/migrations/versions"


def test_each_step_follows_the_one_before_and_the_last_is_the_schema() -> None:
    files = sorted(path for path in STEPS.glob("*.py") if path.name != "__init__.py")
    said = [
        re.findall(r'^(?:down_)?revision(?:: \S+)? = "?(\w+)"?', path.read_text("utf-8"), re.MULTILINE)
        for path in files
    ]
    numbers = [path.name[:4] for path in files]

    assert numbers == [f"{number:04d}" for number in range(1, len(files) + 1)]
    assert said == [[number, before] for number, before in zip(numbers, ["None", *numbers], strict=False)]
    assert numbers[-1] == SCHEMA
