"""Loading of a command's libraries: without a search for garbage among modules, which make none and stay for good.

The search takes a tenth of the time, and again whenever it comes to everything that there is.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Until the end of the block nothing is searched; what is there then is never searched again."""
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if searched:
            gc.enable()
