"""Runs inputs through a target again, without libFuzzer: ``python -m tests.fuzz.replay TARGET FILE_OR_FOLDER…``.

Says for each whether the promise held, with the time it took; the exit code is 1 when one was broken. Under
``coverage run -m`` with the corpus it tells which lines of the readers fuzzing reached.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.fuzz.targets import TARGETS


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.replay")
    parser.add_argument("target", choices=list(TARGETS))
    parser.add_argument("inputs", type=Path, nargs="+", metavar="FILE_OR_FOLDER")
    chosen = parser.parse_args(arguments)
    target = TARGETS[chosen.target]
    total = broken = 0
    slowest = 0.0
    for path in _files(chosen.inputs):
        began = time.perf_counter()
        try:
            target.run(path.read_bytes())
        except Exception:
            broken += 1
            print(f"{path}: broken")
            traceback.print_exc(file=sys.stdout)
        total += 1
        slowest = max(slowest, time.perf_counter() - began)
    print(f"{chosen.target}: {total} inputs, {broken} broken, the slowest took {slowest:.3f} s")
    return 1 if broken or not total else 0


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
