"""``anular web --only sender``: what was approved leaves by itself, with results and log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.warm import LONGEST_S, ROOT


def turn(place, **more: str) -> list[str]:
    """A turn of the sender, which goes on while its standard input is open."""
    read, write = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.approvals.turn", "", ""],
            cwd=place.folder,
            env={**place.env, "PYTHONPATH": str(ROOT), **more},
            stdin=read,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
    finally:
        os.close(read)
        os.close(write)
    assert done.returncode == 0, done.stdout + done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def test_a_part_that_there_is_not_is_refused_by_its_name(place):
    done = place.anular("web", "--only", "otra")
    assert done.code == 2
    assert "No existe la parte «otra»." in done.err


def test_what_was_approved_leaves_by_itself_and_is_in_the_log(place):
    place.env |= {"ANULAR_OFFICE": f"sqlite:///{place.folder / 'office' / 'oficina.db'}", "ANULAR_POLL_FOR": "0"}
    log = Path(place.folder, "anular.log")
    place.anular("propose", place.batch(["000", "000"]))
    assert place.anular("approve", "1", "--confirm", "2").code == 0
    assert turn(place, ANULAR_LOG=str(log)) == ["Propuesta 1: Terminada."]
    assert place.anular("proposals", "--json").data == []
    told = place.anular("status", "--json").data[0]
    assert told["outcomes"] == {"ANULADA": 2}
    assert "; huella " in told["approved_by"]
    events = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    carried = [line for line in events if line["event"] == "proposal_carried"]
    assert [(line["proposal"], line["state"], line["command"]) for line in carried] == [(1, "ENDED", "web")]
    assert list(Path(place.folder, "out").glob("*.xlsx"))
