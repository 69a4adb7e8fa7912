"""Standard output and error that cannot stop the program: a full disk or a closed pipe costs output, never the record
of an outcome (reliability.md F57, P17).

The first failure is kept and all output after it is dropped. ``output_lost`` returns it: before the sending it is a
reason to send nothing, after it a reason to report it at the end.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from pipeline.domain.commands import Here
from pipeline.domain.errors import StorageTrouble
from pipeline.runtime.console import in_utf_8, spelled_out
from pipeline.runtime.os_error import os_words

_WHY = {
    errno.EIO: "error de escritura",
    errno.EPIPE: "nadie la está leyendo",
    errno.EBADF: "está cerrada",
}


class Outlet:
    """Text stream in front of ``stream`` that keeps its first error instead of raising it.

    ``lost`` is the error from which on nothing was written, else None.
    """

    def __init__(self, stream: TextIO, lost: OSError | None = None, here: Here | None = None) -> None:
        self._stream = stream
        self.lost = lost
        self.here = here or Here()

    def write(self, text: str) -> int:
        if self.lost is None:
            try:
                self._stream.write(text)
            except UnicodeEncodeError:  # a terminal that knows no accents: ugly is better than silent
                self.write(spelled_out(text, self._stream.encoding))
            except OSError as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        if self.lost is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._lose(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _lose(self, error: OSError) -> None:
        self.lost = error
        # What waits in the buffer would fail again when the interpreter flushes it at its end, with exit code 120.
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def outlets(here: Here | None = None) -> Iterator[tuple[Outlet, Outlet]]:
    """Replaces standard output and error by outlets until the end of the block."""
    before = sys.stdout, sys.stderr
    out, err = _outlet(sys.stdout, here), _outlet(sys.stderr, here)
    sys.stdout, sys.stderr = out, err
    try:
        yield out, err
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before
        for stream, outlet in zip(before, (out, err), strict=True):
            if stream is None:
                outlet.close()


def output_lost(stream: object, remedy: str) -> StorageTrouble | None:
    """Error to report when output for ``stream`` was lost, else None."""
    lost = getattr(stream, "lost", None)
    if not isinstance(lost, OSError):
        return None
    why = _WHY.get(lost.errno or 0, os_words(lost))
    return StorageTrouble(f"No se pudo escribir la salida del programa ({why}).", code="output", remedy=remedy)


def _outlet(stream: TextIO | None, here: Here | None) -> Outlet:
    """Outlet of a stream. Python has no stream where it was started with a closed one; then its number is taken, so
    that no file of ours gets it, and with it what a library prints."""
    if stream is None:
        return Outlet(Path(os.devnull).open("w", encoding="utf-8"), OSError(errno.EBADF, "closed"), here)
    in_utf_8(stream)
    return Outlet(stream, here=here)
