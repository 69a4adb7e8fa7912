"""F54, F55 by the command itself: a ledger in a place or a state that cannot be trusted is refused before anything is
sent, with the sentence that says why."""

from __future__ import annotations

import pytest

from tests.support import ledgers
from tests.support.long import long

ROWS = ["000", "000", "970", "000"]


@pytest.fixture
def batch(scene):
    scene.write(ROWS)
    return scene


@pytest.fixture
def lab(batch):
    """The same eDoc under the name of the lab: what has legal effect is checked in earnest."""
    batch.env = {
        "ANULAR_ENV": "lab",
        "ANULAR_ISSUERS": "29-29-29",
        "ANULAR_USER": "sandbox",
        "ANULAR_PASSWORD": "sandbox",
        "ANULAR_SANDBOX_NOW": "",
        "XDG_STATE_HOME": str(batch.folder / "state"),
    }
    return batch


def refused(scene, words, **more):
    """The run ends with 5 and one sentence with ``words``, and eDoc heard nothing."""
    ended = scene.go(**more)
    assert ended["code"] == 5, ended["words"]
    (sentence,) = [line for line in ended["words"].splitlines() if line.startswith("✗")]
    for word in words:
        assert word in sentence, sentence
    assert not scene.service.posts(set(scene.cufes))
    return sentence


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("cifs", "en un disco de red o prestado"),
        ("tmpfs", "en memoria"),
        *long(*((kind, "en un disco de red o prestado") for kind in ("nfs", "nfs4", "smb3", "9p", "fuse.sshfs"))),
        *long(("ramfs", "en memoria")),
    ],
)
def test_f54_a_ledger_on_a_network_or_in_memory_is_refused_where_it_has_legal_effect(lab, kind, why):
    refused(lab, [why, f"({kind})", "No se envió nada", "[ledger-place]"], rig=[["mounted", kind]])
    assert not lab.ledger.parent.exists(), "it was made all the same"

    assert lab.go(rig=[["mounted", "ext4"]])["code"] in (0, 4)
    assert set(lab.service.posts(set(lab.cufes)).values()) == {1}


@pytest.mark.parametrize("kind", ["nfs4", *long("tmpfs")])
def test_f54_the_local_sandbox_has_no_legal_effect_and_may_lie_anywhere(batch, kind):
    assert batch.go(rig=[["mounted", kind]])["code"] in (0, 4)
    batch.check_promises()


@pytest.mark.parametrize("mode", [0o644, *long(0o640, 0o660, 0o666)])
def test_f54_a_ledger_that_others_can_read_or_write_is_refused_until_its_mode_is_put_right(lab, mode):
    disk = [["mounted", "ext4"]]
    assert lab.go(crash="intake-after-commit", rig=disk)["code"] == -9
    lab.ledger.chmod(mode)
    refused(lab, ["otros usuarios", "chmod 600 registro.db"], rig=disk)
    assert lab.ledger.stat().st_mode & 0o777 == mode, "whose mistake it is should see it"

    lab.ledger.chmod(0o600)
    assert lab.go(rig=disk)["code"] in (0, 4)
    lab.check_promises()


def test_f54_a_folder_that_others_can_write_is_refused(lab):
    lab.ledger.parent.mkdir()
    lab.ledger.parent.chmod(0o777)
    refused(lab, ["La carpeta la pueden modificar otros usuarios"], rig=[["mounted", "ext4"]])


def test_f54_somebody_elses_ledger_is_refused(batch):
    assert batch.go(crash="intake-after-commit")["code"] == -9
    refused(batch, ["otro usuario"], rig=[["somebody-else"], ["mounted", "ext4"]])
    assert batch.go()["code"] in (0, 4)
    batch.check_promises()


def tamper(scene, statement):
    """Writes past the program and its triggers, as somebody with the file and SQLite can."""
    with ledgers.opened(scene.ledger) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE event SET who='otra' WHERE seq=3", "el evento 3 de la bitácora fue alterado"),
        ("UPDATE event SET hash=x'00' WHERE seq=4", "el evento 4 de la bitácora fue alterado"),
        ("DELETE FROM event WHERE seq=2", "faltan los eventos 2 a 2"),
        ("UPDATE attempt SET state='NOT_SENT' WHERE id=2", "dice «NOT_SENT» y según la bitácora es «READY»"),
        ("UPDATE row SET reason='Otro motivo, escrito después' WHERE pos=1", "no son los que se recibieron"),
        ("DROP INDEX one_live", "falta la regla «one_live»"),
    ],
)
def test_f55_a_ledger_that_was_changed_is_refused_and_verify_names_the_place(batch, statement, words):
    assert batch.go(crash="intake-after-commit")["code"] == -9
    tamper(batch, statement)
    refused(batch, ["El historial de envíos no está íntegro", words])

    told = batch.anular("verify")
    assert told["code"] == 5
    assert words.lower() in told["words"].lower()
