"""One way of one benchmark in a process of its own: ``python -m tests.bench.child MODULE WAY PARAMETERS``."""

from __future__ import annotations

import importlib
import json
import resource
import sys


def main(module: str, way: str, parameters: str) -> None:
    numbers = dict(importlib.import_module(module).WAYS[way](**json.loads(parameters)))
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    numbers.setdefault("cpu", own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime)
    numbers["peak_mb"] = own.ru_maxrss / 1024
    sys.stdout.write("\n" + json.dumps(numbers) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
