"""Being asked to end while files are read and put away: a flag that is looked at between two files."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Ending:
    """Whether the pass was asked to end: no further file is begun."""

    asked: bool = False


@contextmanager
def listening(ending: Ending) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal ask for the end; asked again, what is being read is given up as well."""

    def asked(_number: int, _frame: object) -> None:
        if ending.asked:
            raise KeyboardInterrupt
        ending.asked = True

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, asked) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
