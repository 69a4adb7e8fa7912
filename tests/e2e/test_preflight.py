"""`ANULAR_PREFLIGHT=on` at the command line."""

from __future__ import annotations


def test_what_another_ledger_cancelled_is_found_cancelled_and_what_edoc_does_not_know_is_not_sent(place):
    journal = {"ANULAR_SANDBOX_JOURNAL": str(place.folder / "ledger" / "registro.db.sandbox.jsonl")}
    assert place.anular("run", place.batch(["000"]), "--yes", **journal).code == 0
    other = {**journal, "ANULAR_LEDGER": f"sqlite:///{place.folder / 'otro' / 'registro.db'}", "ANULAR_PREFLIGHT": "on"}

    done = place.anular("run", place.batch(["000", "000"], "otro.xlsx"), "--yes", "--json", **other)

    assert done.data[0]["outcomes"] == {"YA ANULADA": 1, "NO ENCONTRADA": 1}
    assert sum(place.posts().values()) == 1
    assert place.anular("run", place.folder / "otro.xlsx", "--yes", ANULAR_PREFLIGHT="tal vez").code == 2
