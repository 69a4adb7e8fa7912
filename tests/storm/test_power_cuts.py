"""G4, F53: what was acknowledged survives any power cut. ``make powercuts`` cuts as often as wanted."""

from __future__ import annotations

import pytest

from pipeline.ledger.storage.sqlite import PRAGMAS
from tests.storm.powercuts import cut


def with_synchronous(word: str) -> tuple[str, ...]:
    changed = [f"PRAGMA synchronous={word}" if "synchronous" in pragma else pragma for pragma in PRAGMAS]
    assert tuple(changed) != PRAGMAS
    return tuple(changed)


def judge(found, cuts):
    assert found.cuts == cuts
    assert found.commits >= 15
    assert (found.lost, found.corrupt) == (0, 0)


def test_f53_a_power_cut_never_loses_an_acknowledged_commit_or_the_ledger():
    judge(cut(300, seed=20261120), cuts=300)


@pytest.mark.long
def test_f53_nor_do_three_thousand_cuts_at_other_moments(seed):
    found = cut(3_000, seed)
    print(f"SEED={seed}", found)  # noqa: T201 - how to see the same cuts again
    judge(found, cuts=3_000)


def test_the_model_has_teeth_full_durability_of_sqlite_is_not_enough():
    found = cut(200, seed=1, pragmas=with_synchronous("FULL"))
    assert found.lost > 0  # the removed journal comes back and undoes the commit
    assert found.corrupt == 0


def test_the_model_has_teeth_no_synchronisation_ruins_the_ledger():
    found = cut(100, seed=1, pragmas=with_synchronous("OFF"))
    assert found.corrupt > 0
