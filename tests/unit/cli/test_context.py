"""Whether a person may be taken to have seen how a command ended."""

from __future__ import annotations

import io
import time

import pytest

from pipeline.cli.context import Talk


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("seconds", "unseen"), [(0, False), (50, False), (61, True)])
def test_at_a_terminal_a_run_of_more_than_a_minute_may_have_ended_unseen(monkeypatch, seconds, unseen) -> None:
    monkeypatch.setattr("sys.stdin", Keyboard())

    assert Talk(False, began=time.monotonic() - seconds).unseen is unseen


def test_without_a_terminal_nobody_sees_it(monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())

    assert Talk(False).unseen
