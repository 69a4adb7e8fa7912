"""What the program leaves to processes that it starts: neither the ledger nor its lock (reliability.md F50)."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from pipeline.domain.errors import AnotherRun
from pipeline.ledger.storage.location import exclusive


def in_a_fork(work) -> str:
    """What ``work`` says in a forked process, which ends without any goodbye."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        words = "said nothing"
        try:
            words = str(work())
        except BaseException as error:
            words = f"{type(error).__name__}: {error}"
        finally:
            os.write(write, words.encode())
            os._exit(0)
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@pytest.mark.parametrize("how", ["read", "write"])
def test_f50_a_fork_cannot_use_the_connection_of_its_parent(book, row, how):
    info = book.take([row(1)])

    def use():
        if how == "read":
            return book.views.lines(info)
        return book.store.begin_run(book.now)

    assert in_a_fork(use) == "Bug: a forked process used the ledger of its parent"
    assert len(book.views.lines(info)) == 1
    assert book.store.begin_run(book.now) == 2


def test_f50_a_fork_that_closes_what_it_inherited_harms_nobody(book, row):
    assert in_a_fork(book.database.close) == "None"
    assert len(book.views.lines(book.take([row(1)]))) == 1


def test_f50_the_lock_stays_the_parents_when_a_fork_leaves_the_block(ledger_url):
    url = ledger_url
    with ExitStack() as stack:
        stack.enter_context(exclusive(url))
        in_a_fork(stack.close)

        with pytest.raises(AnotherRun), exclusive(url):
            pass
        assert in_a_fork(lambda: exclusive(url).__enter__()).startswith("AnotherRun")
    with exclusive(url):
        pass


@pytest.mark.sqlite
def test_f50_a_program_that_is_started_inherits_neither_the_ledger_nor_its_lock(book):
    """Else the lock would stay taken for as long as a grandchild lives, and the file be open to it."""
    with exclusive(book.url):
        assert {str(book.database.path), f"{book.database.path}.lock"} <= open_files(os.getpid())
        child = subprocess.Popen([sys.executable, "-c", "input()"], close_fds=False, stdin=subprocess.PIPE)
        inherited = open_files(child.pid)
        child.communicate(b"\n")

    assert inherited
    assert not [name for name in inherited if "registro" in name]


def open_files(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.add(str(link.readlink()))
    return found
