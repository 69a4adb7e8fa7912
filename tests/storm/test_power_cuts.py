"""G4, F53: what was acknowledged survives any power cut. ``make powercuts`` cuts as often as wanted."""

from __future__ import annotations

import pytest

from pipeline.ledger.storage import wal
from pipeline.ledger.storage.sqlite import PRAGMAS
from tests.storm.powercuts import cut


def with_synchronous(word: str) -> tuple[str, ...]:
    changed = [f"PRAGMA synchronous={word}" if "synchronous" in pragma else pragma for pragma in PRAGMAS]
    assert tuple(changed) != PRAGMAS
    return tuple(changed)


def judge(found, cuts, *, logged):
    assert found.cuts == cuts
    assert found.commits >= 15
    assert (found.lost, found.corrupt) == (0, 0)
    assert (found.refused, found.halved) == (0, 0)
    assert (found.with_log > cuts / 2) == logged


@pytest.mark.parametrize("logged", [False, True])
def test_f53_a_power_cut_never_loses_an_acknowledged_commit_or_the_ledger(logged):
    judge(cut(300, seed=20261120, logged=logged), cuts=300, logged=logged)


@pytest.mark.long
@pytest.mark.parametrize("logged", [False, True])
def test_f53_nor_do_three_thousand_cuts_at_other_moments(seed, logged):
    found = cut(3_000, seed, logged=logged)
    print(f"SEED={seed}", found)  # noqa: T201 - how to see the same cuts again
    judge(found, cuts=3_000, logged=logged)


def test_the_model_has_teeth_full_durability_of_sqlite_is_not_enough():
    found = cut(200, seed=1, pragmas=with_synchronous("FULL"))
    assert found.lost > 0  # the removed journal comes back and undoes the commit
    assert found.corrupt == 0


def test_the_model_has_teeth_no_synchronisation_ruins_the_ledger():
    found = cut(100, seed=1, pragmas=with_synchronous("OFF"))
    assert found.corrupt > 0


def test_the_model_has_teeth_in_wal_a_commit_that_is_not_synchronised_is_lost():
    assert cut(100, seed=1, pragmas=with_synchronous("NORMAL"), logged=True).lost > 0


def test_the_model_has_teeth_a_mark_that_is_taken_away_too_soon_lets_a_copy_pass_for_whole(monkeypatch):
    monkeypatch.setattr(wal, "_checkpointed", lambda _connection: True)
    assert cut(100, seed=1, logged=True).halved > 0


def test_the_model_has_teeth_without_the_mark_every_copy_passes_for_whole(monkeypatch):
    monkeypatch.setattr(wal, "begin", lambda connection, _path: connection.execute("PRAGMA journal_mode=WAL"))
    assert cut(100, seed=1, logged=True).halved > 0


def test_the_model_has_teeth_a_mark_in_the_file_before_there_is_a_log_refuses_a_sound_ledger(monkeypatch):
    begin = wal.begin

    def too_early(connection, path):
        connection.execute(f"PRAGMA user_version={wal.MARK}")
        connection.execute("PRAGMA journal_mode=WAL")
        begin(connection, path)

    monkeypatch.setattr(wal, "begin", too_early)
    assert cut(400, seed=1, logged=True).refused > 0
