"""G1, F40: SIGKILLs while eDoc misbehaves, a few over some hundred rows and a hundred over four thousand.

``make storm`` is the longest one.
"""

from __future__ import annotations

import pytest

from tests.storm.storm import Tally, one_round, storm
from tests.support import ledgers


def judge(tally: Tally, kills: int, rows: int) -> None:
    assert tally.kills >= kills
    assert tally.rows >= rows
    assert (tally.doubles, tally.lost, tally.lost_acknowledged, tally.untrue) == (0, 0, 0, 0)
    assert tally.cancelled + tally.review == tally.rows
    assert tally.review < tally.kills * 8, "more rows of unknown outcome than were ever in flight"


def test_f40_no_kill_sends_twice_loses_a_row_or_takes_back_what_was_told(tmp_path, nursery):
    judge(one_round(tmp_path, nursery, kills=4, rows=100, seed=20261120), kills=4, rows=100)


@pytest.mark.long
def test_f40_many_kills_send_nothing_twice_lose_no_row_and_take_nothing_back(seed):
    kills, rows = (40, 1_600) if ledgers.on_a_server() else (100, 4_000)
    tally = storm(kills=kills, rows=rows, streams=1, seed=seed)
    print(f"SEED={seed}", tally)  # noqa: T201 - how to see the same storm again
    judge(tally, kills=kills, rows=rows)
