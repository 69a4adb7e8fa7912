"""The plug pulled at every named point of the drop folder; the next pass finishes what was begun (F58, P14)."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLED = -9
ROWS = ["000", "000", "941", "000"]

# The n-th passage at which to crash: the first file (a new one), the second (the same content under another name).
POINTS = (
    "watch-claim-begun",
    "watch-claim-noted",
    "watch-claimed",
    "watch-tidied",
    "watch-copied",
    "watch-handed-in",
    "watch-results-published",
    "watch-goal-chosen",
    "watch-note-written",
    "watch-moved",
    "watch-put-away",
)
# Passed only where workers send: test_watch_queue.py crashes there.
IN_FRONT_OF_THE_QUEUE = ("watch-waits",)
# What was there before the drop folder, and matters to it: taken in, sent, published.
ALSO = (("intake-after-commit", 1), ("apply-after-commit", 3), ("post-after", 2), ("results-replaced", 2))
# Once in a pass, or for a new file only.
ONCE = ("watch-settled", "watch-belongs")
CASES = [
    *((point, nth) for n, point in enumerate(POINTS) for nth in ((1, 2), (2, 1))[n % 2]),
    *((point, 1) for point in ONCE),
    *ALSO,
]


class Drop:
    """A drop folder of a scene."""

    def __init__(self, scene):
        self.scene, self.root = scene, scene.folder / "carpeta"
        (self.root / "inbox").mkdir(parents=True)
        scene.env |= {"ANULAR_OUT": "", "ANULAR_WATCH_QUIET": "0"}

    def put(self, path, name):
        (self.root / "inbox" / name).write_bytes(path.read_bytes())

    def go(self, crash="", **more):
        return self.scene.anular("watch", self.root, "--once", crash=crash, **more)

    def files(self, folder):
        return sorted(p.name for p in (self.root / folder).rglob("*") if p.is_file())


@pytest.fixture
def drop(scene):
    return Drop(scene)


def test_every_point_of_the_drop_folder_is_in_this_sweep():
    sources = (ROOT / "pipeline" / "watch").glob("*.py")
    found = {point for path in sources for point in re.findall(r'crashpoint\("([^"]+)"\)', path.read_text("utf-8"))}
    assert found == {*POINTS, *ONCE, *IN_FRONT_OF_THE_QUEUE}


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("point", "nth"), CASES)
def test_f58_a_crash_at_any_point_of_a_pass_is_finished_by_the_next_one(scene, drop, point, nth):
    path = scene.write(ROWS)
    drop.put(path, "a.csv")
    drop.put(path, "b.csv")
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    (drop.root / "inbox" / "a.csv.manifest.json").write_text(json.dumps({"rows": len(ROWS), "sha256": sha}))

    ended = drop.go(crash=f"{point}:{nth}")
    assert ended["code"] == KILLED, f"{point}:{nth} was not passed: {ended['words']}"
    again = drop.go()

    assert again["code"] in (0, 4), again["words"]  # 4: one was on its way when the plug was pulled
    assert drop.files("inbox") == drop.files("processing") == drop.files("failed") == []
    assert list((drop.root / "processing").iterdir()) == []
    first, second = ("a", "b") if (drop.root / "done" / "a.csv").exists() else ("b", "a")
    names = drop.files("done")
    assert [name for name in names if "__" not in name] == sorted(
        [f"{first}.csv", f"{first}.txt", f"{second}_DUPLICADO.csv", f"{second}_DUPLICADO.txt"]
    )
    assert any(name.endswith("__resultados.xlsx") for name in names)
    assert not [name for name in names if name.startswith(".")]
    scene.check_promises()
    assert drop.go()["code"] == 0, "nothing is left to do"
    assert drop.files("done") == names
