"""Whatever a comment, a docstring or a page cites can be opened: pages with their sections, decisions, and the numbers
of promises, rules, decisions of the design and faults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")])
WHO_CITES = sorted(
    path
    for pattern in (
        "*.md",
        "*.toml",
        "Makefile",
        ".ci/*",
        "docs/**/*.md",
        "pipeline/**/*.py",
        "schemas/**/*.py",
        "tests/**/*.py",
    )
    for path in ROOT.glob(pattern)
    if path.is_file() and path != Path(__file__)
)
PAGE = re.compile(r"(?<![\w/*.<-])([a-z][a-z-]*\.md)(?: (\d+(?:\.\d+)*))?(?![\w*-])")
DECISION = re.compile(r"decisions?[/ ](\d{4})\b|\((?:docs/decisions/)?(0[01]\d\d)\)")
NUMBER = re.compile(r"(?<![\w-])([PRD]\d{1,2}|F\d\d)(?![\w-])")
HEADING = re.compile(r"^#{2,4} (\d+(?:\.\d+)*)\.? ", re.MULTILINE)
DEFINED = re.compile(r"^(?:\| \**|- \**|\*\*)([PRD]\d{1,2}|F\d\d)\b", re.MULTILINE)


def sections() -> dict[str, set[str]]:
    """The numbered sections of each page, by the page's name."""
    return {page.name: set(HEADING.findall(page.read_text("utf-8"))) for page in PAGES}


def cited(pattern: re.Pattern[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Where something is cited, and the groups of the match."""
    for path in WHO_CITES:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            for found in pattern.finditer(line):
                yield f"{path.relative_to(ROOT)}:{number}", found.groups(default="")


def test_every_page_that_is_cited_is_there_with_its_section() -> None:
    there = sections()
    missing = [
        f"{where}: {page} {section}".rstrip()
        for where, (page, section) in cited(PAGE)
        if page not in there or (section and section not in there[page])
    ]
    assert missing == []


def test_every_decision_that_is_cited_is_there() -> None:
    there = {page.name[:4] for page in (ROOT / "docs" / "decisions").glob("0*.md")}
    cites = {number: where for where, groups in cited(DECISION) for number in groups if number}
    assert len(cites) > 10, "hardly any was found: this shows nothing"
    assert sorted(f"{where}: {number}" for number, where in cites.items() if number not in there) == []


@pytest.mark.parametrize("kind", "PRDF")
def test_every_number_that_is_cited_is_in_the_tables_of_reliability(kind: str) -> None:
    there = set(DEFINED.findall((ROOT / "docs/spec/reliability.md").read_text("utf-8")))
    cites = {(where, number) for where, (number,) in cited(NUMBER) if number[0] == kind}
    assert len(cites) > 5, "hardly any was found: this shows nothing"
    assert sorted(f"{where}: {number}" for where, number in cites if number not in there) == []
