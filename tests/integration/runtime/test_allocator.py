"""What was large is given back: a process that checks passwords for months takes no more than one that was started."""

from __future__ import annotations

import subprocess
import sys

from tests.support import needs
from tests.support.warm import ROOT

CHECKS = """
import sys, threading
from argon2.low_level import Type, hash_secret_raw

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4 / 1024

if sys.argv[1:] == ["give-back"]:
    from pipeline.runtime.allocator import give_back
    give_back()

def check():
    hash_secret_raw(b"a" * 12, b"b" * 16, 1, 19456, 1, 32, Type.ID)

before = resident()
for _ in range(3):
    threads = [threading.Thread(target=check) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(resident() - before)
"""


def grown(*arguments: str) -> float:
    """Megabytes by which a process grew that checked passwords in four threads."""
    done = subprocess.run(
        [sys.executable, "-c", CHECKS, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def test_memory_of_passwords_that_were_checked_is_given_back():
    needs.proc()
    assert grown("give-back") < 10
