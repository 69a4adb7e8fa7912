"""Every requirement of the page's security (web.md 7) has a test whose name begins with its number."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
SPEC = HERE.parents[1] / "docs" / "spec" / "web.md"


def with_a_test() -> set[str]:
    names = [
        name
        for file in HERE.glob("test_*.py")
        for name in re.findall(r"def test_((?:s\d\d_)+)", file.read_text("utf-8"))
    ]
    return {number.upper() for name in names for number in re.findall(r"s\d\d", name)}


def test_each_of_the_thirty_requirements_is_found_in_the_name_of_a_test():
    assert {f"S{number:02}" for number in range(1, 31)} - with_a_test() == set()


def test_the_table_of_the_specification_names_each_of_them():
    text = SPEC.read_text("utf-8")
    named = {f"S{int(number):02}" for number in re.findall(r"S(\d\d)", text)}
    for first, last in re.findall(r"S(\d\d) to S(\d\d)", text):
        named |= {f"S{number:02}" for number in range(int(first), int(last) + 1)}
    assert {f"S{number:02}" for number in range(1, 31)} - named == set()
