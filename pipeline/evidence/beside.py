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
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from os import getpid
from pathlib import Path
from typing import IO, Any

from pipeline.evidence.check import CHECKED, Checked, check_texts
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
    for the result. None at once for a small batch, or where no file or no process can be had: it only saves time, and
    whoever writes into that folder next says what is wrong with it."""
    with ExitStack() as held:
        process = None
        if extract.info.rows >= least:
            with suppress(OSError):
                process = held.enter_context(_begun(extract, folder))
        if process is None:
            yield lambda: None
        else:
            yield lambda: _told(process.communicate()[0], process.returncode)


@contextmanager
def _begun(extract: Extract, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process, with the texts. Raises ``OSError`` when it cannot be begun."""
    with tempfile.TemporaryFile(dir=folder) as texts:
        write_texts(texts, extract)
        texts.flush()
        texts.seek(0)
        process = _started(texts)
        try:
            yield process
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
    """What the process found; None when it found nothing, or what it wrote is no answer of ours."""
    if code or not words:
        return None
    try:
        told = json.loads(words)
        sums = {name: _sum(told["sums"][name]) for name in CHECKED}
        seal, last = _event(told["seal"]), _event(told["last"])
        return Checked(sums, _sum(told["workbook"]), int(told["events"]), seal, dict(told["counts"]), last)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _sum(told: Mapping[str, Any]) -> Sum:
    return Sum(int(told["size"]), str(told["sha256"]))


def _event(told: Iterable[Any]) -> tuple[int, str]:
    seq, hash_ = told
    return int(seq), bytes.fromhex(hash_).hex()


def main() -> None:
    """Checks standard input and writes what it found, as JSON; nothing when there is anything to object."""
    die_with(int(sys.argv[1]))
    with open(sys.stdin.fileno(), "rb", closefd=False) as texts:
        found = check_texts(texts)
    if found is not None:
        sys.stdout.write(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
