"""What some tests need and not every machine has: without it they are skipped, and one line at the end says so.

With ``CI=true`` they fail: there everything can be had, and what was not tested must not pass unseen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
_MISSING = "NOT TESTED: "


def missing(what: str) -> NoReturn:
    """Ends a test for which something is missing; ``what`` says what, and how to get it."""
    if os.environ.get("CI") == "true":
        pytest.fail(what, pytrace=False)
    pytest.skip(_MISSING + what)


def libreoffice() -> None:
    """Ends the test where there is no LibreOffice."""
    if shutil.which("soffice") is None:
        missing(_how_to_get_libreoffice())


def chromium() -> str:
    """The system's own browser; ends the test where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    missing(
        "the page in a browser needs chromium on this machine: install it "
        "(Debian/Ubuntu: apt-get install chromium; macOS: brew install chromium)"
    )


def pdftotext() -> str:
    """Poppler's reader of a PDF's words; ends the test where there is none."""
    return _poppler("pdftotext")


def pdfinfo() -> str:
    """Poppler's reader of what a PDF says of itself; ends the test where there is none."""
    return _poppler("pdfinfo")


def _poppler(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        missing(
            "what is printed needs poppler on this machine: install it "
            "(Debian/Ubuntu: apt-get install poppler-utils; macOS: brew install poppler)"
        )
    return found


def proc() -> None:
    """Ends the test where the system does not show the variables of a process."""
    if not Path("/proc/self/environ").exists():
        missing("what a process has in its variables is seen on Linux alone")


def postgres() -> Path:
    """The folder of PostgreSQL's own programs, the newest; ends the test where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    found += [Path(one).parent for one in [shutil.which("pg_basebackup")] if one]
    for folder in found:
        if all((folder / name).exists() for name in ("initdb", "postgres", "pg_ctl", "pg_basebackup")):
            return folder
    missing(
        "servers of a test's own need the programs of PostgreSQL on this machine (initdb, pg_ctl, pg_basebackup): "
        "install them (Debian/Ubuntu: apt-get install postgresql; macOS: brew install postgresql)"
    )


def pgbouncer() -> str:
    """The program, installed where that is possible; ends the test where it cannot be had."""
    said = _pgbouncer()
    if said.returncode:
        missing(said.stderr.strip().rpartition("anular: ")[2])
    return said.stdout.strip()


@cache
def _pgbouncer() -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / ".ci" / "pgbouncer"], check=False, capture_output=True, text=True)


@cache
def _how_to_get_libreoffice() -> str:
    said = subprocess.run([ROOT / ".ci" / "deps", "--check"], check=False, capture_output=True, text=True)
    return said.stderr.strip().removeprefix("anular: ")


def lines(skipped: Iterable[pytest.TestReport]) -> list[str]:
    """The end of a report: for each thing that was missing how many tests were not run, and how to get it."""
    reasons = [report.longrepr[2] for report in skipped if isinstance(report.longrepr, tuple)]
    mine = Counter(reason.partition(_MISSING)[2] for reason in reasons if _MISSING in reason)
    return [f"!!! {_MISSING}{count} skipped; {what}" for what, count in mine.items()]
