"""A ledger belongs to one machine, a credential to one run (reliability.md F49, F54, P13)."""

from __future__ import annotations

import shutil
import time

from pipeline.ledger.storage.driver import sqlite3
from tests.support.warm import LONGEST_S


def test_f49_a_copied_ledger_sends_nothing_until_a_person_says_that_it_was_moved(lab):
    file = lab.numbered("uno.xlsx", 1, 1)
    assert lab.anular("run", file, "--yes").code == 0
    moved = lab.folder / "movido"
    shutil.copytree(lab.folder / "ledger", moved)
    with sqlite3.connect(moved / "registro.db") as connection:
        connection.execute("UPDATE owner SET host='de otro equipo', name='contabilidad'")
    connection.close()
    lab.env["ANULAR_LEDGER"] = f"sqlite:///{moved / 'registro.db'}"
    other = lab.numbered("dos.xlsx", 50, 1)

    refused = lab.anular("run", other, "--yes")
    assert (refused.code, "«contabilidad»" in refused.err, "anular adopt" in refused.err) == (5, True, True)
    assert lab.anular("status", "--json").code == 0

    assert lab.anular("adopt", "--by", "Ana", "--reason", "equipo nuevo").code == 0
    assert lab.anular("run", other, "--yes").code == 0
    (moved / "registro.db").chmod(0o666)
    refused = lab.anular("run", other, "--yes")
    assert (refused.code, "chmod 600" in refused.err) == (5, True)


def test_two_ledgers_with_one_credential_exclude_each_other(lab, end_group):
    first = lab.start("run", lab.numbered("uno.xlsx", 1, 40), "--yes", ANULAR_CONCURRENCY="1")
    try:
        end = time.monotonic() + LONGEST_S
        while not list((lab.folder / "state").rglob("*.lock")):
            assert first.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        second = lab.anular(
            "run", lab.numbered("dos.xlsx", 60, 1), "--yes", ANULAR_LEDGER=f"sqlite:///{lab.folder / 'b' / 'r.db'}"
        )
    finally:
        end_group(first)

    assert (second.code, "misma credencial" in second.err) == (6, True)
