"""``ledger copy``, pulled the plug at each of its points: never two ledgers that send, never none for good (P1, P4)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import ledgers

ROOT = Path(__file__).parents[2]
KILLED = -9
MODULES = ("ledger/transfer.py", "ledger/copying.py")

# What the target says after the kill; nothing where it is a ledger already.
POINTS = {
    "copy-begun": "quedó a medias",
    "copy-filled": "quedó a medias",
    "copy-source-marked": "quedó a medias",
    "copy-done": "",
}


def test_every_point_of_the_copy_is_in_this_sweep():
    words = "".join((ROOT / "pipeline" / name).read_text("utf-8") for name in MODULES)
    assert set(re.findall(r'crashpoint\("([^"]+)"\)', words)) == set(POINTS)


@pytest.fixture(params=["to a file", "to a server"] if ledgers.on_a_server() else ["to a file"])
def places(request, scene, tmp_path):
    """From a file to a server, from a server to a file; without a server from a file to a file."""
    target = f"sqlite:///{tmp_path / 'otro' / 'registro.db'}"
    if request.param == "to a server":
        scene.url, target = target, scene.url
    return scene.url, target


@pytest.mark.one_in(2)
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_in_the_middle_of_a_move_leaves_one_ledger_that_sends_or_none_until_it_is_repeated(scene, places, point):
    source, target = places
    scene.write(["000", "970", "950", "000"])
    assert scene.go()["code"] == 4
    other = scene.write(["000", "000"], name="otro.csv")
    copy = ("ledger", "copy", "--from", source, "--to", target)

    assert scene.anular(*copy, crash=point)["code"] == KILLED

    words = POINTS[point]
    scene.url = target
    ended = scene.anular("run", other, "--yes")
    assert (ended["code"], words in ended["words"]) == (5 if words else 0, True), ended["words"]
    if words:
        assert not scene.service.posts(set(scene.cufes[-2:]))
        again = scene.anular(*copy)
        assert again["code"] == 0, again["words"]
        assert "Sello del último evento" in again["words"]
        assert scene.anular("run", other, "--yes")["code"] == 0
    scene.check_promises()

    scene.url = source
    third = scene.write(["000"], name="tercero.csv")
    ended = scene.anular("run", third, "--yes")
    assert (ended["code"], "Este historial de envíos se movió a" in ended["words"]) == (5, True), ended["words"]
    for arguments in (("status",), ("verify",), ("report", *_batches(scene))):
        assert scene.anular(*arguments)["code"] in (0, 4), "whoever audits may look at it"
    assert "Este historial de envíos se movió a" in scene.anular("poll")["words"]
    assert not scene.service.posts({scene.cufes[-1]})


def _batches(scene):
    return [line["id"] for line in ledgers.lines(scene.url, "SELECT id FROM batch ORDER BY created_utc LIMIT 1")]
