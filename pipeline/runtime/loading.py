"""Loading of a command's libraries: without a search for garbage among modules, which make none and stay for good.

The search takes a tenth of the time of a start, and comes back to all of them whenever it is thorough.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Until the end of the block nothing is searched; if modules came, what is there then is never searched again."""
    searched, modules = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > modules:  # else a service that comes here with every file would keep the garbage of each
            gc.freeze()
        if searched:
            gc.enable()
