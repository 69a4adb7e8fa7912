"""A ledger that was deleted, emptied or restored: nothing is sent until a person says how to go on (2.4, D3, F55)."""

from __future__ import annotations

import shutil


def test_a_deleted_ledger_is_missed_and_its_rows_are_not_sent_again(lab):
    file = lab.numbered("uno.xlsx", 1, 2)
    assert lab.anular("run", file, "--yes").code == 0
    ledger, safe = lab.folder / "ledger" / "registro.db", lab.folder / "copia.db"
    ledger.rename(safe)

    refused = lab.anular("run", file, "--yes")

    assert refused.code == 5
    assert "este equipo ya usó un historial de envíos" in refused.err
    assert "--new-ledger" in refused.err
    assert not ledger.exists()
    assert sum(lab.posts().values()) == 2

    safe.rename(ledger)
    assert lab.anular("run", file, "--yes").code == 0
    ledger.unlink()
    went_on = lab.anular("run", file, "--yes", "--new-ledger", "--json")

    assert went_on.data[0]["outcomes"] == {"YA ANULADA": 2}
    assert max(lab.posts().values()) == 1
    assert lab.anular("verify").code == 0

    other = lab.anular("run", lab.numbered("dos.xlsx", 50, 1), "--yes", "--json", ANULAR_PREFLIGHT="off")

    assert other.data[0]["outcomes"] == {"NO ENCONTRADA": 1}, "the sandbox does not know it: it was asked about first"
    assert sum(lab.posts().values()) == 2


def test_a_restored_backup_is_refused_and_continued_only_with_a_query_before_each_row(lab):
    assert lab.anular("run", lab.numbered("uno.xlsx", 1, 1), "--yes").code == 0
    ledger, backup = lab.folder / "ledger" / "registro.db", lab.folder / "copia.db"
    shutil.copy2(ledger, backup)
    file = lab.numbered("dos.xlsx", 50, 2)
    assert lab.anular("run", file, "--yes").code == 0
    shutil.copy2(backup, ledger)

    refused = lab.anular("run", file, "--yes")
    assert (refused.code, "es una copia anterior: termina en el evento" in refused.err) == (5, True)
    assert lab.anular("poll").code == 5

    went_on = lab.anular("run", file, "--yes", "--new-ledger", "--json")
    assert went_on.data[0]["outcomes"] == {"YA ANULADA": 2}
    assert max(lab.posts().values()) == 1
    assert lab.anular("run", file, "--yes").code == 0


def test_an_emptied_ledger_is_not_taken_for_a_new_one(place):
    file = place.batch(["000", "000"])
    assert place.anular("run", file, "--yes").code == 0
    ledger = place.folder / "ledger" / "registro.db"
    ledger.write_bytes(b"")

    refused = place.anular("run", file, "--yes")

    assert (refused.code, "está vacío (0 bytes)" in refused.err, ledger.stat().st_size) == (5, True, 0)
    assert place.anular("status").code == 5
    assert sum(place.posts().values()) == 2
    assert place.anular("run", file, "--yes", "--new-ledger", "--json").data[0]["outcomes"] == {"YA ANULADA": 2}
    assert sum(place.posts().values()) == 2


def test_the_results_of_the_same_file_are_a_trace_of_a_ledger_that_is_not_this_one(lab):
    file = lab.numbered("uno.xlsx", 1, 1)
    assert lab.anular("run", file, "--yes").code == 0
    elsewhere = {
        "ANULAR_LEDGER": f"sqlite:///{lab.folder / 'otro' / 'registro.db'}",
        "XDG_STATE_HOME": str(lab.folder / "another-user"),
    }

    refused = lab.anular("run", file, "--yes", **elsewhere)

    assert (refused.code, "es el resultado de este mismo archivo" in refused.err) == (5, True)
    assert not (lab.folder / "otro" / "registro.db").exists()
    assert sum(lab.posts().values()) == 1
    assert lab.anular("run", file, "--yes", "--new-ledger", **elsewhere).code == 0
    assert lab.anular("run", file, "--yes", **elsewhere).code == 0, "what a person accepted is not asked again"
    assert sum(lab.posts().values()) == 1
