"""Search for garbage: paused while much is made at once that is none, records or modules."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Turns the garbage collector off while many records are made: it would search them for cycles and find none."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@contextmanager
def loading() -> Iterator[None]:
    """The same while a command's libraries are loaded, a tenth of the time of its start. They stay for good: if any
    came, what is there at the end is never searched again."""
    modules = len(sys.modules)
    with gc_paused():
        try:
            yield
        finally:
            if len(sys.modules) > modules:  # else a service that comes here with each file would keep their garbage
                gc.freeze()
