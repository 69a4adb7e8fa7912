"""Check beside: a process of its own checks what a large pack rests on, while this one writes the workbook.

It gets the texts alone (``fill`` without workbook), checks them as those of any pack, and makes the workbook from their
events. Of the finished pack only the rest is left to prove (``check.proven``): that its members are the bytes that were
checked, its workbook the one that was made, and its last event the one that binds them. Whatever else comes of it, or
nothing, the whole pack is checked as it would have been.

Run as ``python -m pipeline.evidence.beside PARENT`` with the texts as standard input.
"""

from __future__ import annotations

import io
import json
import subprocess  # nosec B404 - starts this very program, no shell
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from os import getpid
from pathlib import Path
from typing import IO

from pipeline.evidence.check import Checked, check_texts
from pipeline.evidence.format import Sum
from pipeline.evidence.pack import fill
from pipeline.ledger.extract import Extract
from pipeline.read.child import die_with
from pipeline.read.process import environment
from pipeline.runtime.own_process import NO_WINDOW, own_module

LEAST = 5_000
"""Rows from which on it is worth a process."""


@contextmanager
def checking(extract: Extract, folder: Path, least: int = LEAST) -> Iterator[Callable[[], Checked | None]]:
    """Begins the check of a batch's texts, which are in ``folder`` meanwhile and gone afterwards; what it gives waits
    for the result. None at once for a small batch, or where no process can be had."""
    if extract.info.rows < least or not folder.is_dir():
        yield lambda: None
        return
    with tempfile.TemporaryFile(dir=folder) as texts:
        write_texts(texts, extract)
        texts.flush()
        texts.seek(0)
        try:
            process = _started(texts)
        except OSError:
            yield lambda: None
            return
        try:
            yield lambda: _told(process.communicate()[0], process.returncode)
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def write_texts(stream: IO[bytes], extract: Extract) -> None:
    """Writes the texts up to the last event of the batch's rows: a pack without its workbook and its own event."""
    seal = extract.info.seal
    assert seal is not None, "a batch has rows, and each row an event"
    fill(stream, extract, io.BytesIO(), lambda _: seal.seq, level=1)


def _started(texts: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 # nosec B603 - our own interpreter and module
        own_module("pipeline.evidence.beside", str(getpid())),
        stdin=texts,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        creationflags=NO_WINDOW,
    )


def _told(words: bytes, code: int) -> Checked | None:
    if code or not words:
        return None
    told = json.loads(words)
    sums = {name: Sum(**one) for name, one in told["sums"].items()}
    seal, last = tuple(told["seal"]), tuple(told["last"])
    return Checked(sums, Sum(**told["workbook"]), told["events"], seal, told["counts"], last)


def main() -> None:
    """Checks standard input and writes what it found, as JSON; nothing when there is anything to object."""
    die_with(int(sys.argv[1]))
    with open(sys.stdin.fileno(), "rb", closefd=False) as texts:
        found = check_texts(texts)
    if found is not None:
        sys.stdout.write(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
