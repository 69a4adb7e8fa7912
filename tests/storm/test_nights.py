"""Nights of a drop folder, lived through in moments: whatever came and broke, in the end all is accounted for.

Three nights that are always the same, and many at random. Time is virtual: a night moves the program's calendar and
eDoc's. In front of a queue, where workers send, each night takes longer: there are fewer of them unless ``NIGHTS`` says
how many.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from pipeline.domain.lifecycle import FOLLOWED, State
from tests.storm.scene import REASON, Scene, Service, make_cufe, running_service
from tests.storm.test_watch_crash import ALSO, KILLED, POINTS, Drop
from tests.storm.workers import QUICK
from tests.support import ledgers

FEW, NIGHTS = 3, 10 if ledgers.on_a_server() else 30  # a night on a server takes much longer
NIGHTS_AT_THE_QUEUE = int(os.environ.get("NIGHTS") or 9)
FIXED = 1
QUIET_NIGHTS = (0, 1, 2, 3, 4, 8)
# What eDoc does with a row: mostly nothing remarkable; lost and late answers, errors and work for a person between.
WAYS = [*["000"] * 10, "903", "905", "907", "910", "916", "920", "904", "906", "915", "918", "931", "941", "970", "973"]
QUIET_S = 3600.0
LONG_AGO_S = 2 * QUIET_S
LONGEST_S = 300.0
CRASHES = (*((point, nth) for point in POINTS for nth in (1, 2)), *ALSO)
CRASHES_AT_THE_QUEUE = (*CRASHES, ("queue-taken-in", 1), ("queue-handed-in", 1), ("watch-waits", 1))
CRASHES_OF_A_WORKER = (*ALSO[1:], ("job-sent", 1), ("job-written", 1))
BROKEN = (b"PK\x03\x04 no es un libro", b"\x00\x01\x02", b"CUFE;Motivo\n", b"<html><table></table></html>", b"")


@dataclass
class World:
    """What was put into the folder so far, and what it will be judged by."""

    scene: Scene
    drop: Drop
    dice: random.Random
    whole: dict[str, list[str]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    half: list[tuple[Path, bytes]] = field(default_factory=list)
    today: timedelta = timedelta(0)
    crashes: int = 0
    queue: bool = False

    @property
    def inbox(self) -> Path:
        return self.drop.root / "inbox"

    def comes(self, night: int) -> None:
        """Files at a random moment: new ones, the same again, some rows again, broken ones, half of one."""
        for number in range(self.dice.choice((0, 1, 1, 2))):
            who = self.dice.choice(("ñandú", "ACME, S.A.", "mes"))
            self._new(f"noche {night:02d} lote {number} {who}-{len(self.whole)}.csv")
        if self.whole and self.dice.random() < 0.3:
            again = self.dice.choice(sorted(self.whole))
            self._put(f"otra vez {night:02d} {again}", self.whole[again])
        if self.dice.random() < 0.2:
            name = f"dañado {night:02d}-{len(self.broken)}.{self.dice.choice(('xlsx', 'csv'))}"
            self._ready(self.inbox / name, self.dice.choice(BROKEN))
            self.broken.append(name)
        if self.dice.random() < 0.3:
            self._half(f"a medias {night:02d}-{len(self.whole)}.csv")

    def finishes(self) -> None:
        """Uploads that were half done come to their end."""
        for path, content in self.half:
            assert path.exists(), f"{path.name} was taken before it was whole"
            self._ready(path, content)
        self.half.clear()

    def _new(self, name: str) -> None:
        cufes = [make_cufe(next(self.scene.numbers), self.dice.choice(WAYS)) for _ in range(self.dice.randint(1, 5))]
        earlier = [cufe for codes in self.whole.values() for cufe in codes]
        if earlier and self.dice.random() < 0.4:
            cufes.insert(self.dice.randrange(len(cufes) + 1), self.dice.choice(earlier))
        self._put(name, cufes)

    def _put(self, name: str, cufes: list[str]) -> None:
        self.whole[name] = cufes
        self._ready(self.inbox / name, self._content(cufes))

    def _half(self, name: str) -> None:
        cufes = [make_cufe(next(self.scene.numbers), "000") for _ in range(3)]
        self.whole[name] = cufes
        content = self._content(cufes)
        self._at(self.inbox / name, content[: len(content) // 2], ago=60.0)  # not unchanged for long enough
        self.half.append((self.inbox / name, content))

    def _content(self, cufes: list[str]) -> bytes:
        self.scene.cufes += [cufe for cufe in cufes if cufe not in self.scene.cufes]
        lines = [f"{number};{cufe};{REASON}" for number, cufe in enumerate(cufes, start=1)]
        return "\n".join(["No.;CUFE;Motivo", *lines, ""]).encode()

    def _ready(self, path: Path, content: bytes) -> None:
        self._at(path, content, ago=LONG_AGO_S)

    def _at(self, path: Path, content: bytes, *, ago: float) -> None:
        """Writes a file that last changed so many seconds before this night."""
        path.write_bytes(content)
        then = time.time() + self.today.total_seconds() - ago
        os.utime(path, (then, then))

    def night(self, number: int) -> None:
        """Two passes and the follow-up; every third night the plug is pulled somewhere in one of them."""
        self.today = later = timedelta(days=number)
        where = self.dice.randrange(4 if self.queue else 3) if number % 3 == 2 else None
        self.finishes()
        self.comes(number)
        self.looks(later, crash=where == 0)
        if self.queue:
            self.serves(later, crash=where == 3)
        self.comes(number)
        self.looks(later, crash=where == 1)
        if self.queue:
            self.serves(later)
        self.scene.service.advance(24 * 3600)
        crash = ":".join(map(str, self.dice.choice(CRASHES))) if where == 2 else ""
        self.lives("poll", "--all", later=later + timedelta(hours=4), crash=crash)

    def looks(self, later: timedelta, *, crash: bool = False) -> None:
        """A pass over the folder."""
        points = CRASHES_AT_THE_QUEUE if self.queue else CRASHES
        point = ":".join(map(str, self.dice.choice(points))) if crash else ""
        self.lives("watch", self.drop.root, "--once", *(["--queue"] if self.queue else []), later=later, crash=point)

    def serves(self, later: timedelta, *, crash: bool = False) -> None:
        """A worker, until nothing waits; with ``crash`` the processes that carry its jobs out die."""
        point = ":".join(map(str, self.dice.choice(CRASHES_OF_A_WORKER))) if crash else ""
        ended = self.lives("worker", "--once", later=later, crash=point)
        self.crashes += crash and "Se interrumpe" in ended["words"]

    def lives(self, *arguments: object, later: timedelta, crash: str = "") -> dict[str, Any]:
        rig = [["files-of-a-night", later.total_seconds()]]
        ended = self.scene.anular(*arguments, crash=crash, later=later, rig=rig, most=LONGEST_S)
        if ended["code"] == KILLED:
            self.crashes += 1
        else:
            # What stops a pass, and the next one goes on: many answers in a row that nobody understands, tokens that
            # were taken back again and again (941), and files that a worker has not done for a day.
            told = ("no se entendieron", "tokens que después rechaza", "espera en la cola de trabajo desde")
            assert ended["code"] in (0, 1, 3, 4) or any(words in ended["words"] for words in told), ended["words"]
        return ended


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """An eDoc of its own: its time goes on by days."""
    with running_service(tmp_path) as service:
        yield service


@pytest.fixture
def world(scene: Scene) -> World:
    drop = Drop(scene)
    scene.env |= {
        "ANULAR_WATCH_QUIET": f"{QUIET_S:g}",
        "ANULAR_WATCH_MAX_ROWS": "1000",
        "ANULAR_WATCH_MAX_NIGHT": "1000",
    }
    return World(scene, drop, random.Random(FIXED))


@pytest.mark.long
def test_a_few_nights_leave_every_row_and_every_file_accounted_for(world: World) -> None:
    live(world, FEW, quiet=(0, 4, 8))
    assert world.whole
    assert world.crashes, "a night has to be broken off for this to mean anything"


@pytest.mark.long
def test_many_nights_leave_every_row_and_every_file_accounted_for(world: World, seed: int) -> None:
    world.dice = random.Random(seed)
    live(world, NIGHTS)


@pytest.mark.long
@pytest.mark.postgres
def test_nights_in_front_of_a_queue_leave_every_row_and_every_file_accounted_for(world: World, seed: int) -> None:
    world.dice, world.queue = random.Random(seed), True
    world.scene.env |= QUICK
    live(world, NIGHTS_AT_THE_QUEUE)


def live(world: World, nights: int, quiet: tuple[int, ...] = QUIET_NIGHTS) -> None:
    """So many nights, then ``quiet`` ones that bring nothing new, until the last of which all comes to its end."""
    scene, drop = world.scene, world.drop
    for number in range(nights):
        world.night(number)
        if "attempt" in scene.tables():  # the queue has its tables before the first file makes the ledger
            scene.check_promises(finished=False)
    world.today = timedelta(days=nights)
    world.finishes()
    for extra in (nights + later for later in quiet):
        world.looks(timedelta(days=extra))
        if world.queue:
            world.serves(timedelta(days=extra))
        world.lives("poll", "--all", later=timedelta(days=extra, hours=4))
    world.looks(timedelta(days=nights + 8, hours=5))

    scene.check_promises()
    open_still = {cufe: state for cufe, state in scene.states().items() if state in FOLLOWED | {State.SENDING}}
    assert not open_still, "not one row is left without an end"
    assert drop.files("inbox") == drop.files("processing") == []
    everything(world)
    files, rows = len(world.whole) + len(world.broken), len(scene.cufes)
    print(f"{nights} nights, {files} files, {rows} CUFEs, {world.crashes} nights broken off")  # noqa: T201


def everything(world: World) -> None:
    """Every file lies in ``done`` or ``failed`` with its note, every row stands in a workbook, in its file's order."""
    done, failed = ({p.name for p in (world.drop.root / name).iterdir()} for name in ("done", "failed"))
    for name in world.whole:
        stem = Path(name).stem
        assert {f"{stem}.csv", f"{stem}.txt"} <= done or {f"{stem}_DUPLICADO.csv", f"{stem}_DUPLICADO.txt"} <= done, (
            name
        )
    for name in world.broken:
        assert {name, f"{Path(name).stem}.txt"} <= failed, name
    books = {tuple(cufes_of(path)) for path in (world.drop.root / "done").glob("*__resultados.xlsx")}
    for name, cufes in world.whole.items():
        assert tuple(cufes) in books, f"{name}: no workbook holds exactly its rows"


def cufes_of(path: Path) -> list[str]:
    book = load_workbook(path, read_only=True)
    head, *rows = list(book["Resultados"].iter_rows(values_only=True))
    book.close()
    return [str(row[head.index("CUFE")]) for row in rows]
