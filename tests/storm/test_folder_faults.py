"""F60 to F65: whatever lies in the drop folder, nothing blocks, nothing is followed, and nothing odd is ever sent."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from pathlib import Path

import pytest

from tests.storm.test_watch_crash import Drop
from tests.support.long import long


@pytest.fixture
def drop(scene):
    return Drop(scene)


def put_good(scene, drop, name="bueno.csv"):
    drop.put(scene.write(["000"]), name)


def manifest_beside(path, rows):
    told = {"rows": rows, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    path.with_name(path.name + ".manifest.json").write_text(json.dumps(told))


def test_f60_a_slow_writer_that_rests_ten_minutes_is_not_taken_before_its_manifest_agrees(scene, drop):
    """The quiet time alone would have taken the half; where manifests are demanded the file waits for its own."""
    scene.env |= {"ANULAR_WATCH_MANIFEST": "required", "ANULAR_WATCH_QUIET": "0", "ANULAR_WATCH_MANIFEST_WAIT": "3600"}
    whole = scene.write(["000", "000", "000"]).read_bytes()
    target = drop.root / "inbox" / "lote.csv"
    target.write_bytes(whole[: len(whole) // 2])
    assert "No hay archivos completos" in drop.go()["words"]
    target.write_bytes(whole)
    assert "No hay archivos completos" in drop.go()["words"]
    manifest_beside(target, 3)
    assert drop.go()["code"] == 0
    assert drop.files("done")[:2] == ["lote.csv", "lote.txt"]
    scene.check_promises()


def test_f60_a_manifest_of_the_whole_keeps_the_half_waiting(scene, drop):
    scene.env |= {"ANULAR_WATCH_QUIET": "600"}
    whole = scene.write(["000", "000", "000"])
    target = drop.root / "inbox" / "lote.csv"
    target.write_bytes(whole.read_bytes())
    manifest_beside(target, 3)
    target.write_bytes(whole.read_bytes()[:200])
    assert "No hay archivos completos" in drop.go()["words"]
    target.write_bytes(whole.read_bytes())
    assert drop.go()["code"] == 0


@pytest.mark.parametrize(
    "name", [".lote.csv", "~$lote.xlsx", *long("lote.csv.part", "lote.csv.tmp", "a.crdownload", "Thumbs.db")]
)
def test_f60_a_name_that_says_unfinished_is_left_alone(scene, drop, name):
    put_good(scene, drop, name)
    assert drop.go()["code"] == 0
    assert drop.files("inbox") == [name]


def test_f61_what_is_written_into_the_file_after_it_was_read_is_not_sent_and_the_note_says_so(scene, drop):
    put_good(scene, drop, "lote.csv")
    before = scene.cufes[0]
    assert drop.go(crash="watch-handed-in")["code"] == -9
    (left,) = [path for path in (drop.root / "processing").rglob("lote.csv") if ".copia" not in path.parts]
    more = scene.write(["000"], "otro.csv").read_text().splitlines()[1]
    with left.open("a") as slow:
        slow.write(more + "\n")

    assert drop.go()["code"] == 0
    assert "ATENCIÓN: alguien cambió el archivo" in (drop.root / "done" / "lote.txt").read_text()
    assert scene.service.posts(set(scene.cufes)) == {before: 1}


def make_fifo(path):
    os.mkfifo(path)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's name may not be long
        listening.bind(path.name)
        os.chdir(here)


def make_link(path):
    path.with_name("aparte.csv").rename(path.parent.parent / "aparte.csv")
    path.symlink_to(path.parent.parent / "aparte.csv")


def make_hard_link(path):
    path.with_name("aparte.csv").rename(path.parent.parent / "aparte.csv")
    path.hardlink_to(path.parent.parent / "aparte.csv")


def make_device(path):
    os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))  # what /dev/zero is


@pytest.mark.parametrize(
    "make",
    [make_fifo, make_link, make_hard_link, *long(make_socket, make_device)],
    ids=lambda make: make.__name__[5:],
)
def test_f62_what_is_no_plain_file_goes_to_failed_and_the_others_go_on(scene, drop, make):
    if make is make_device and os.geteuid() != 0:
        make = make_fifo  # only an administrator can make one
    put_good(scene, drop, "aparte.csv")
    make(drop.root / "inbox" / "raro.csv")
    put_good(scene, drop)
    done = drop.go()
    assert done["code"] == 3, done["words"]
    assert done["seconds"] < 60
    assert {path.name for path in (drop.root / "failed").iterdir()} == {"raro.csv", "raro.txt"}
    assert "[archivo-especial]" in (drop.root / "failed" / "raro.txt").read_text()
    assert "bueno.csv" in drop.files("done")
    assert scene.service.posts({scene.cufes[-1]}) == {scene.cufes[-1]: 1}


def test_f62_a_folder_named_like_a_workbook_is_told_and_left_where_it_is(scene, drop):
    (drop.root / "inbox" / "lote.xlsx").mkdir()
    put_good(scene, drop)
    done = drop.go()
    assert done["code"] == 2
    assert "«lote.xlsx»" in done["words"]
    assert (drop.root / "inbox" / "lote.xlsx").is_dir()
    assert "bueno.csv" in drop.files("done")


NAMES = [
    ("-rf.csv", "rf.csv"),
    ("a\nb.csv", "a_b.csv"),
    (b"mal\xff\xfe.csv", "mal__.csv"),
    (";rm -rf $HOME;.csv", ";rm -rf $HOME;.csv"),
    ("=cmd.csv", "=cmd.csv"),
    ("CON.csv", "_CON.csv"),
    ("fac\u202evsc.csv", "fac_vsc.csv"),
    ("a\\..\\x.csv", "a_.._x.csv"),
    ("\x1b[31mrojo.csv", "_[31mrojo.csv"),
    ("%s%n.csv", "%s%n.csv"),
]


@pytest.mark.parametrize(("name", "safe"), [*NAMES[:4], *long(*NAMES[4:])], ids=[ascii(name) for name, _ in NAMES])
def test_f63_a_name_is_data_and_nothing_else(scene, drop, name, safe):
    put_good(scene, drop, os.fsdecode(name))
    done = drop.go()
    assert done["code"] == 0, done["words"]
    assert safe in drop.files("done"), drop.files("done")
    assert not [c for c in done["words"] if not c.isprintable() and c != "\n"]
    note = (drop.root / "done" / safe).with_suffix(".txt").read_text("utf-8")
    assert not [c for c in note if not c.isprintable() and c != "\n"]
    scene.check_promises()


def test_f63_a_name_of_255_bytes_is_shortened_and_everything_beside_it_has_room(scene, drop):
    put_good(scene, drop, "ñ" * 125 + "a.csv")
    assert drop.go()["code"] == 0
    assert len([name for name in drop.files("done") if name.startswith("ñ" * 50)]) == 3
    assert max(len(name.encode()) for name in drop.files("done")) <= 205


@pytest.mark.parametrize("files", [500, *long(10_000)])
def test_f64_of_ten_thousand_files_a_pass_takes_the_oldest_up_to_its_cap(scene, drop, files):
    scene.env |= {"ANULAR_WATCH_MAX_FILES": "2"}
    now = time.time()
    for number in range(files):
        path = drop.root / "inbox" / f"{number:05}.csv"
        path.touch()
        os.utime(path, (now, now))
    put_good(scene, drop, "z-vieja.csv")
    os.utime(drop.root / "inbox" / "z-vieja.csv", (now - 500, now - 500))
    done = drop.go()
    assert "z-vieja.csv" in drop.files("done")
    assert len(drop.files("failed")) == 2, "an empty file is refused, with its note"
    assert f"esperan en inbox: {files - 1}" in done["words"]


def test_f64_a_file_of_five_gigabytes_is_refused_without_being_read(scene, drop):
    with (drop.root / "inbox" / "enorme.csv").open("wb") as sparse:
        sparse.truncate(5 * 1024**3)
    done = drop.go()
    assert done["code"] == 3
    assert done["seconds"] < 60
    assert "[archivo-grande]" in (drop.root / "failed" / "enorme.txt").read_text()


def test_f64_folders_below_a_company_are_told_and_not_entered(scene, drop):
    (drop.root / "inbox" / "a" / "b").mkdir(parents=True)
    put_good(scene, drop, "a/b/lote.csv")
    done = drop.go()
    assert done["code"] == 2
    assert (drop.root / "inbox" / "a" / "b" / "lote.csv").exists()
    assert not scene.service.posts(set(scene.cufes))


@pytest.mark.parametrize("where", ["", "inbox", *long("processing", "done", "failed")])
def test_f65_a_folder_that_anybody_may_write_into_is_refused(scene, drop, where):
    put_good(scene, drop)
    (drop.root / where).mkdir(exist_ok=True)
    (drop.root / where).chmod(0o777)
    done = drop.go()
    assert done["code"] == 5, done["words"]
    assert "[watch-place]" in done["words"]
    assert drop.files("inbox") == ["bueno.csv"]
    assert not scene.service.posts(set(scene.cufes))


def test_f65_a_folder_of_another_user_and_group_is_refused(scene, drop):
    if os.geteuid() == 0:
        os.chown(drop.root / "inbox", 65534, 65534)
    else:
        (drop.root / "inbox").chmod(0o707)  # only an administrator can give a folder away
    put_good(scene, drop)
    assert drop.go()["code"] == 5
    assert not scene.service.posts(set(scene.cufes))


def test_f65_a_link_in_place_of_a_folder_is_refused(scene, drop):
    (drop.root / "done").symlink_to(scene.folder)
    put_good(scene, drop)
    assert drop.go()["code"] == 5
    assert not scene.service.posts(set(scene.cufes))
