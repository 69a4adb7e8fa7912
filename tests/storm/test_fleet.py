"""The small form of ``make fleet``: workers whose plugs are pulled at random send every row once, within the rate."""

from __future__ import annotations

import pytest

from tests.storm.fleet import Fleet, live

pytestmark = pytest.mark.postgres


def test_a_fleet_whose_workers_die_at_random_loses_no_row_and_sends_none_twice(tmp_path, service, nursery):
    fleet = Fleet(3, credentials=4, batches=8, rows=160, rate=10, kills=4, seed=20261120)
    outcome = live(fleet, tmp_path, service, nursery)
    assert outcome.twice == 0
    assert outcome.lost == outcome.untrue == 0
    assert outcome.busiest <= fleet.rate * 1.5, "two sent under one credential at once"
    assert outcome.kills >= 2, "hardly any plug was pulled: this showed nothing"
    assert outcome.good, outcome.states
