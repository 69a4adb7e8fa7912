"""One memory on one machine: a ledger that went back, or another ledger, sends nothing that was sent before (E2)."""

from __future__ import annotations

import shutil

import pytest

BY = ("--by", "Ana Pérez", "--reason", "Se restauró el respaldo")


def killed_after(lab, end_group, file, posts):
    """A run that is killed when ``posts`` cancellations have arrived."""
    before = sum(lab.posts().values())
    process = lab.start("run", file, "--yes", ANULAR_CONCURRENCY="2")
    lab.wait_for_posts(before + posts)
    end_group(process)


def put_aside(ledger):
    """What a killed run left beside the ledger."""
    for end in ("-journal", "-wal", "-shm"):
        ledger.with_name(f"{ledger.name}{end}").unlink(missing_ok=True)


def test_a_backup_in_the_place_of_a_killed_runs_ledger_is_not_mixed_with_its_log(lab, end_group):
    assert lab.anular("run", lab.numbered("antes.xlsx", 1, 1), "--yes").code == 0
    ledger, backup = lab.folder / "ledger" / "registro.db", lab.folder / "copia.db"
    shutil.copy2(ledger, backup)
    file = lab.numbered("lote.xlsx", 50, 20)
    killed_after(lab, end_group, file, 4)
    if not (log := ledger.with_name("registro.db-wal")).exists():
        pytest.skip("this SQLite is too old for WAL")
    was, posts = ledger.read_bytes(), lab.posts()
    shutil.copy2(backup, ledger)

    for command in (["run", file, "--yes"], ["status"], ["verify"], ["backup", lab.folder / "copias"]):
        refused = lab.anular(*command)
        assert (refused.code, f"«{log.name}», que no es suyo" in refused.err) == (5, True), refused.err

    assert lab.posts() == posts
    ledger.write_bytes(was)
    assert lab.anular("run", file, "--yes").code in (0, 4)
    assert max(lab.posts().values()) == 1


@pytest.mark.long
def test_a_copy_without_the_log_of_a_killed_run_sends_nothing_until_a_person_says_what_it_is(lab, end_group):
    file = lab.numbered("lote.xlsx", 50, 20)
    killed_after(lab, end_group, file, 4)
    ledger = lab.folder / "ledger" / "registro.db"
    if not (log := ledger.with_name("registro.db-wal")).exists():
        pytest.skip("this SQLite is too old for WAL")
    posts = lab.posts()
    log.unlink()

    for command in (["run", file, "--yes"], ["status"], ["verify"]):
        refused = lab.anular(*command)
        assert (refused.code, f"le falta «{log.name}»" in refused.err) == (5, True), refused.err

    assert lab.posts() == posts
    assert lab.anular("adopt", "--restored", *BY).code == 0
    lab.anular("run", file, "--yes")
    assert max(lab.posts().values()) == 1
    assert lab.anular("verify").code == 0


def test_a_backup_restored_after_a_killed_run_is_noticed_and_what_it_says_to_do_sends_nothing_twice(lab, end_group):
    assert lab.anular("run", lab.numbered("antes.xlsx", 1, 2), "--yes").code == 0
    ledger, backup = lab.folder / "ledger" / "registro.db", lab.folder / "copia.db"
    shutil.copy2(ledger, backup)
    file = lab.numbered("lote.xlsx", 50, 30)
    killed_after(lab, end_group, file, 8)
    shutil.copy2(backup, ledger)
    put_aside(ledger)
    for note in (lab.folder / "state" / "anular" / "registros").iterdir():
        note.unlink()  # as they were when the run began: the memory of each claim is enough

    refused = lab.anular("run", file, "--yes")

    assert (refused.code, "este equipo envió con él facturas del lote" in refused.err) == (5, True)
    assert "anular adopt --restored" in refused.err
    sent = lab.posts()
    assert lab.anular("adopt", "--restored", *BY).code == 0
    done = lab.anular("run", file, "--yes", "--json")

    # The sandbox knows no document that was never sent to it, so for those the query before says 18.
    assert done.data[0]["outcomes"] == {"YA ANULADA": len(sent) - 2, "NO ENCONTRADA": 32 - len(sent)}
    assert max(lab.posts().values()) == 1
    assert lab.anular("verify").code == 0


@pytest.mark.long
def test_the_notes_alone_notice_it_too(lab, end_group):
    ledger, backup = lab.folder / "ledger" / "registro.db", lab.folder / "copia.db"
    assert lab.anular("run", lab.numbered("antes.xlsx", 1, 1), "--yes").code == 0
    shutil.copy2(ledger, backup)
    file = lab.numbered("lote.xlsx", 50, 20)
    killed_after(lab, end_group, file, 4)
    shutil.copy2(backup, ledger)
    put_aside(ledger)
    for left in (lab.folder / "state" / "anular").glob("enviados.db*"):
        left.unlink()

    refused = lab.anular("run", file, "--yes")

    assert (refused.code, "es una copia anterior" in refused.err) == (5, True)
    done = lab.anular("run", file, "--yes", "--new-ledger", "--json")
    assert set(done.data[0]["outcomes"]) == {"NO ENCONTRADA", "YA ANULADA"}
    assert max(lab.posts().values()) == 1


@pytest.mark.long
def test_another_ledger_of_the_machine_does_not_send_what_was_sent_and_a_person_may_with_the_count(lab):
    assert lab.anular("run", lab.numbered("uno.xlsx", 1, 2), "--yes").code == 0
    other = {"ANULAR_LEDGER": f"sqlite:///{lab.folder / 'otro' / 'registro.db'}"}
    file = lab.numbered("dos.xlsx", 1, 3)

    done = lab.anular("run", file, "--yes", "--json", **other)

    assert (done.code, done.data[0]["outcomes"]) == (1, {"CONFLICTO": 2, "ANULADA": 1})
    assert "ya consta como enviada en otro historial de envíos de este equipo" in done.err
    assert max(lab.posts().values()) == 1

    again = lab.anular("run", file, "--yes", "--json", **other)
    assert again.data[0]["outcomes"] == {"CONFLICTO": 2, "ANULADA": 1}
    wrong = lab.anular("run", file, "--yes", "--known-elsewhere", "3", **other)
    assert (wrong.code, "hay 2" in wrong.err, "--known-elsewhere 2" in wrong.err) == (2, True, True)

    known = lab.anular("run", file, "--yes", "--known-elsewhere", "2", "--json", **other)
    assert known.data[0]["outcomes"] == {"YA ANULADA": 2, "ANULADA": 1}, "eDoc was asked first"
    assert max(lab.posts().values()) == 1
    assert lab.anular("verify", **other).code == 0


def test_a_memory_that_cannot_be_read_stops_nothing_and_is_told(lab):
    memory = lab.folder / "state" / "anular" / "enviados.db"
    memory.parent.mkdir(parents=True)
    memory.write_bytes(b"no es una memoria" * 1000)

    done = lab.anular("run", lab.numbered("uno.xlsx", 1, 1), "--yes")

    assert (done.code, "empieza de nuevo" in done.words) == (0, True)


@pytest.mark.parametrize("base", [True, False])
def test_in_the_sandbox_it_is_asked_only_where_others_may_share_it(place, base):
    file = place.batch(["000", "000"])
    more = {}
    if base:
        server = place.start("sandbox", "--port", "0")
        more["ANULAR_BASE_URL"] = server.stdout.readline().strip()
    assert place.anular("run", file, "--yes", **more).code == 0
    other = {
        **more,
        "ANULAR_LEDGER": f"sqlite:///{place.folder / 'otro' / 'registro.db'}",
        "ANULAR_OUT": str(place.folder),
    }

    done = place.anular("run", file, "--yes", "--json", **other)

    assert done.data[0]["outcomes"] == ({"CONFLICTO": 2} if base else {"ANULADA": 2})
    if base:
        server.kill()
        server.communicate()
