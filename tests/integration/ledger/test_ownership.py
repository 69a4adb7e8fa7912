"""Where a ledger may lie, whose it is, and one run per credential (reliability.md F49, F54, P13)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.domain.errors import AnotherRun, StorageTrouble, WrongUsage
from pipeline.ledger import ownership
from pipeline.ledger.storage.sqlite import sqlite_path
from pipeline.settings.model import Env, Settings
from pipeline.wiring.ledger import adopt_ledger, open_memory

ROOT_MOUNT = "22 1 8:1 / / rw - ext4 /dev/sda rw"


def mounts(kind: str, at: Path | str) -> str:
    return f"{ROOT_MOUNT}\n30 22 0:40 / {str(at).replace(' ', chr(92) + '040')} rw shared:1 - {kind} quelle rw\n"


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "smb3", "fuse.sshfs", "fuseblk", "9p", "tmpfs", "ramfs"])
def test_where_locks_or_durable_writes_cannot_be_trusted_a_ledger_is_refused(tmp_path, kind):
    ledger = tmp_path / "aun no existe" / "registro.db"

    with pytest.raises(StorageTrouble, match=kind):
        ownership.check_place(ledger, strict=True, mounts=mounts(kind, tmp_path))
    ownership.check_place(ledger, strict=False, mounts=mounts(kind, tmp_path))
    assert not ledger.parent.exists()


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "overlay", "apfs"])
def test_a_local_disk_is_good(tmp_path, kind):
    ownership.check_place(tmp_path / "registro.db", strict=True, mounts=mounts(kind, tmp_path))


def test_the_innermost_and_newest_mount_counts(tmp_path):
    inner = tmp_path / "mi carpeta"
    inner.mkdir()
    table = mounts("nfs", tmp_path) + mounts("tmpfs", inner) + mounts("xfs", inner)

    assert ownership.file_system(inner / "registro.db", table) == "xfs"
    assert ownership.file_system(tmp_path / "registro.db", table) == "nfs"
    assert ownership.file_system(tmp_path.parent, table) == "ext4"


@pytest.mark.parametrize("table", ["", "nonsense", "a b - c", "22 1 8:1 / / rw"])
def test_a_table_that_tells_nothing_refuses_nothing(tmp_path, table):
    assert ownership.file_system(tmp_path, table) == ""
    ownership.check_place(tmp_path / "registro.db", strict=True, mounts=table)


@pytest.mark.sqlite
@pytest.mark.parametrize(("mode", "strict", "refused"), [
    (0o600, True, False), (0o644, True, True), (0o620, True, True), (0o666, True, True),
    (0o644, False, False), (0o666, False, True), (0o620, False, True),
])  # fmt: skip
def test_a_file_that_others_can_touch_is_refused(book, mode, strict, refused):
    path = sqlite_path(book.url)
    path.chmod(mode)

    if refused:
        with pytest.raises(StorageTrouble, match="chmod 600"):
            ownership.check_place(path, strict=strict, mounts=ROOT_MOUNT)
    else:
        ownership.check_place(path, strict=strict, mounts=ROOT_MOUNT)


@pytest.mark.sqlite
def test_a_folder_that_others_can_write_is_refused(book):
    path = sqlite_path(book.url)
    path.parent.chmod(0o777)

    with pytest.raises(StorageTrouble, match="La carpeta la pueden modificar otros"):
        ownership.check_place(path, strict=True, mounts=ROOT_MOUNT)
    ownership.check_place(path, strict=False, mounts=ROOT_MOUNT)


@pytest.mark.sqlite
def test_where_the_file_system_keeps_no_modes_they_say_nothing(book):
    path = sqlite_path(book.url)
    path.chmod(0o666)

    ownership.check_place(path, strict=True, mounts=mounts("exfat", path.parent))


@pytest.mark.sqlite
def test_another_users_file_is_refused(book, monkeypatch):
    owner = sqlite_path(book.url).stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 4000)

    with pytest.raises(StorageTrouble, match="otro usuario"):
        ownership.check_place(sqlite_path(book.url), strict=False, mounts=ROOT_MOUNT)


def test_a_machine_has_one_mark_and_its_id_is_not_told(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("3d1219c7c4c5404aaa1f6d2a48adfda4\n")
    second.write_text("4d1219c7c4c5404aaa1f6d2a48adfda4\n")

    assert ownership.host_id([first]) == ownership.host_id([tmp_path / "none", first])
    assert ownership.host_id([first]) != ownership.host_id([second])
    assert ownership.host_id([]) == ownership.host_id([tmp_path / "none"])
    (tmp_path / "early").write_text("uninitialized\n")
    assert ownership.host_id([tmp_path / "early", first]) == ownership.host_id([first])
    assert "3d1219c7" not in ownership.host_id([first])


def test_the_first_machine_owns_the_ledger_and_another_is_refused_until_it_is_adopted(book):
    ownership.own(book.database, book.now, host="uno", name="contabilidad")
    ownership.own(book.database, book.now, host="uno", name="contabilidad")

    with pytest.raises(StorageTrouble, match=r"«contabilidad».*anular adopt"):
        ownership.own(book.database, book.now, host="dos", name="portatil")

    ownership.adopt(book.database, book.now, host="dos", name="portatil", who="Ana", why="equipo nuevo")
    ownership.own(book.database, book.now, host="dos", name="portatil")
    with pytest.raises(StorageTrouble, match="«portatil»"):
        ownership.own(book.database, book.now, host="uno", name="contabilidad")


@pytest.fixture
def configured(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def make(name: str = "a", env: Env = Env.LAB, user: str = "usuario", **more) -> Settings:
        url = f"sqlite:///{tmp_path / name / 'registro.db'}"
        values = {"env": env, "ledger": url, "user": user, "password": SecretStr("clave"), **more}
        bare: dict[str, Any] = {}
        return Settings(**bare).model_copy(update=values)

    return make


def test_two_ledgers_cannot_send_under_one_credential_at_the_same_time(configured):
    with open_memory(configured("a")):
        with pytest.raises(AnotherRun, match="misma credencial"), open_memory(configured("b")):
            pass
        with open_memory(configured("b", user="otro")):
            pass
        with open_memory(configured("c", auth_url="https://otro.example/Autenticacion")):
            pass
        with open_memory(configured("b"), sends=False):
            pass
    with open_memory(configured("b")):
        pass


def test_the_lock_of_a_credential_does_not_tell_whose_it_is(configured, tmp_path):
    with open_memory(configured("a", user="usuario-secreto")):
        names = [path.name for path in (tmp_path / "state").rglob("*")]

    assert names
    assert not [name for name in names if "usuario" in name]


def test_sandboxes_that_runs_start_for_themselves_do_not_exclude_each_other(configured):
    with (
        open_memory(configured("a", env=Env.SANDBOX)),
        open_memory(configured("b", env=Env.SANDBOX)),
    ):
        pass


def test_a_copied_ledger_is_refused_on_another_machine_in_the_lab_and_works_after_adoption(configured, monkeypatch):
    with open_memory(configured()):
        pass
    monkeypatch.setattr(ownership, "host_id", lambda: "otro equipo")

    with pytest.raises(StorageTrouble) as refused, open_memory(configured()):
        pass
    assert refused.value.code == "other-host"
    with open_memory(configured(env=Env.SANDBOX)):
        pass  # nothing has legal effect there

    adopt_ledger(configured(), who="Ana", why="equipo nuevo")
    with open_memory(configured()):
        pass


def test_there_is_nothing_to_adopt_where_there_is_no_ledger(configured):
    with pytest.raises(WrongUsage):
        adopt_ledger(configured("nada"), who="Ana", why="equipo nuevo")
