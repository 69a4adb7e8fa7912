"""One target under libFuzzer, in a process of its own: ``python -m tests.fuzz.hunt TARGET SECONDS FOLDER``.

Needs atheris on the path (``make fuzz`` puts it there). What was worth keeping is added to ``FOLDER/corpus/TARGET``,
an input that broke a promise goes to ``FOLDER/findings``.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

TIMEOUT_S = 5
MEMORY_MB = 512


def main(name: str, seconds: str, folder: str) -> None:
    """Does not return: libFuzzer ends the process."""
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=["pipeline"], enable_loader_override=False):
        from tests.fuzz.targets import TARGETS
    from tests.fuzz.mutate import mutate_workbook

    target = TARGETS[name]
    corpus, findings = Path(folder, "corpus", name), Path(folder, "findings")
    for place in (corpus, findings):
        place.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)

    def change(data: bytes, room: int, seed: int) -> bytes:
        rng = Random(seed)
        if target.mutate is mutate_workbook:
            new = mutate_workbook(data, rng, lambda part: atheris.Mutate(part, 2 * len(part) + 64))
        else:
            new = atheris.Mutate(data, room) if rng.random() < 0.6 else target.mutate(data, rng)
        return new if len(new) <= room else data  # half a zip is no zip

    options = {
        "max_total_time": seconds,
        "timeout": TIMEOUT_S,
        "rss_limit_mb": MEMORY_MB,
        "max_len": target.longest,
        "artifact_prefix": f"{findings}/{name}-",
        "print_final_stats": 1,
        "verbosity": 1,
    }
    flags = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], target.run, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:4])
