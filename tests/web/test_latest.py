"""A batch that many pages are open on is read once a second for all of them."""

from __future__ import annotations

import threading

import pytest

from pipeline.web.latest import Latest


def test_within_a_second_one_look_is_enough_and_then_there_is_another():
    now, looks = [0.0], list[int]()
    latest = Latest(lambda: now[0])

    def look() -> int:
        looks.append(1)
        return len(looks)

    assert [latest.get("a", look), latest.get("a", look)] == [1, 1]
    now[0] = 1.0
    assert latest.get("a", look) == 2
    assert latest.get("b", look) == 3, "another batch is another look"


def test_who_asks_while_somebody_looks_waits_for_that_look():
    latest, begun, go = Latest(lambda: 0.0), threading.Event(), threading.Event()
    found: list[str] = []

    def look() -> str:
        begun.set()
        go.wait(30)
        return "una vez"

    def ask() -> None:
        found.append(latest.get("a", look))

    first, second = threading.Thread(target=ask), threading.Thread(target=ask)
    first.start()
    begun.wait(30)
    second.start()
    go.set()
    first.join(30)
    second.join(30)
    assert found == ["una vez", "una vez"]


def test_a_look_that_fails_is_not_kept():
    latest, fails = Latest(lambda: 0.0), [True]

    def look() -> int:
        if fails.pop() if fails else False:
            raise OSError
        return 1

    with pytest.raises(OSError):  # noqa: PT011 - whatever it was
        latest.get("a", look)
    assert latest.get("a", look) == 1


def test_what_nobody_looks_at_any_more_does_not_pile_up():
    latest = Latest(lambda: 0.0)
    for key in range(3000):
        latest.get(key, lambda: 1)
    assert len(latest._found) <= 1_001
