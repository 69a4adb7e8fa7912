"""`anular report --evidence` and `anular verify PACK.zip`: what an accountant hands over and an auditor checks."""

from __future__ import annotations

import zipfile

import pytest


@pytest.fixture
def done(place):
    """A place whose batch of four rows has ended, and its pack."""
    assert place.anular("run", place.batch(["000", "911", "906", "941"]), "--yes").code == 1
    (batch,) = place.anular("status", "--json").data
    answer = place.anular("report", batch["batch"], "--evidence", "--json")
    place.batch_id, place.pack = batch["batch"], answer.data["evidence"]
    return place


def test_a_pack_is_checked_where_there_is_no_ledger_and_no_setting(done, tmp_path):
    answer = done.anular("verify", done.pack, "--json", ANULAR_LEDGER=f"sqlite:///{tmp_path / 'nada' / 'r.db'}")

    assert (answer.code, answer.data["good"], answer.data["batch"], answer.data["rows"]) == (0, True, done.batch_id, 4)
    assert sum(answer.data["outcomes"].values()) == 4
    assert "Paquete íntegro" in answer.err
    assert not (tmp_path / "nada").exists()


def test_verify_of_the_batch_tells_the_same_seal_and_what_was_found_of_it(done):
    pack = done.anular("verify", done.pack, "--json").data
    ledger = done.anular("verify", done.batch_id[:9], "--json")

    assert ledger.data["batch"]["seal"] == pack["seal"]["hash"]
    assert (ledger.data["batch"]["batch"], ledger.data["batch"]["events"]) == (done.batch_id, pack["events"])
    assert f"Lote {done.batch_id}: {pack['events']} sucesos; sello del lote" in ledger.err


def test_a_changed_pack_ends_with_5_and_says_where(done, tmp_path):
    other = tmp_path / "otro.zip"
    with zipfile.ZipFile(done.pack) as source, zipfile.ZipFile(other, "w") as made:
        for name in source.namelist():
            content = source.read(name)
            made.writestr(
                name, content.replace(b'"to_":"CANCELLED"', b'"to_":"NOT_FOUND"') if name[0] == "s" else content
            )

    answer = done.anular("verify", other, "--json")

    assert answer.code == 5
    assert {fault["code"] for fault in answer.data["faults"]} >= {"sha256", "chain"}
    assert "sucesos.jsonl: el suceso" in answer.err


def test_no_pack_is_made_while_a_run_writes(done, end_group):
    slow = done.batch(["000"] * 30, "lento.xlsx", first=100)
    running = done.start("run", slow, "--yes", ANULAR_RATE="2")
    try:
        done.wait_for_posts(6)
        refused = done.anular("report", done.batch_id, "--evidence")
    finally:
        end_group(running)

    assert (refused.code, "Otra ejecución" in refused.err) == (6, True)
