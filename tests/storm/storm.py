"""G1: SIGKILL at random, again and again, while eDoc loses answers and delivers late; then what the journal says.

``python -m tests.storm.storm --kills 2000 --rows 60000 --streams 2 --json build/storm.json`` prints seed and figures.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import tests.support.own_sqlite  # noqa: F401 - before the program
from pipeline.domain.lifecycle import SUCCESS, State
from tests.storm.scene import Nursery, Scene, running_nursery, running_service
from tests.support import ledgers

PER_FILE = 500
PER_ROUND = 4_000

# Of each twenty rows two are processed and their answer lost, two are transitory, one is delivered late.
FAULTS = ["970", "971", "905", "905", "973", *["000"] * 15]


@dataclass
class Tally:
    """What happened, summed over rounds."""

    kills: int = 0
    rows: int = 0
    posts: int = 0
    acknowledged: int = 0
    cancelled: int = 0
    review: int = 0
    doubles: int = 0
    lost: int = 0
    lost_acknowledged: int = 0
    untrue: int = 0
    processes: int = 0
    seconds: float = 0.0

    def add(self, other: Tally) -> None:
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def good(self) -> bool:
        return not (self.doubles or self.lost or self.lost_acknowledged or self.untrue)


def one_round(folder: Path, nursery: Nursery, kills: int, rows: int, seed: int) -> Tally:
    """``rows`` rows in files of a few hundred on one ledger, killed ``kills`` times; then run to the end and judged."""
    rng, started, tally = random.Random(seed), time.monotonic(), Tally()
    with running_service(folder) as service, ledgers.fresh(folder, tables=False) as url:
        scene = Scene(folder, service, nursery, in_flight=8, url=url)
        while tally.rows < rows or tally.kills < kills:
            count = min(PER_FILE, max(rows - tally.rows, PER_FILE // 5))
            tally.rows += count
            scene.write([rng.choice(FAULTS) for _ in range(count)], name=f"lote{tally.rows}.csv")
            share = -(-(kills - tally.kills) * count // max(count, rows - tally.rows + count))
            _kill(scene, rng, share, count, tally)
            if scene.go()["code"] not in (0, 1, 4):
                scene.go()  # the breaker opened three times, as it may: the same command again
        _settle(scene)
        _judge(scene, tally)
        tally.processes = scene.runs
    tally.seconds = time.monotonic() - started
    return tally


def _kill(scene: Scene, rng: random.Random, kills: int, rows: int, tally: Tally) -> None:
    """Lives of random length: most are cut after so many commits, a quarter after so long, wherever they are then."""
    told = len(scene.acks.read_bytes()) if scene.acks.exists() else 0
    for _ in range(3 * kills):
        if kills <= 0:
            return
        if rng.random() < 0.25:
            after, wait = 0, rng.uniform(0.0, 0.3)
        else:
            after, wait = rng.randint(1, max(4, 3 * rows // (kills + 1))), rng.uniform(0.0, 0.004)
        ended = scene.go(signals=[[wait, signal.SIGKILL]], after=after)
        assert ended["code"] in (-signal.SIGKILL, 0, 1, 4, 5), ended["words"]
        assert ended["code"] != 5 or "no se entendieron" in ended["words"], ended["words"]
        if ended["code"] == -signal.SIGKILL:
            kills -= 1
            tally.kills += 1
        told = _check_acks(scene, told, tally)
        if ended["code"] in (0, 1, 4):
            return  # this file is through; the next one gets the rest


def _settle(scene: Scene) -> None:
    """Late deliveries arrive, the authority decides; what never arrived goes to a person."""
    scene.service.advance(10)
    for later in (timedelta(hours=1), timedelta(hours=2), timedelta(hours=80)):
        scene.anular("poll", later=later, env={"ANULAR_POLL_FOR": "10"})


def _check_acks(scene: Scene, start: int, tally: Tally) -> int:
    """Whether what was acknowledged since ``start`` is in the ledger; gives the new end."""
    if not scene.acks.exists():
        return start
    try:
        scene.check_acks(start)
    except AssertionError as lost:
        sys.stderr.write(f"{lost}\n")
        tally.lost_acknowledged += 1
    return scene.acks.stat().st_size


def _judge(scene: Scene, tally: Tally) -> None:
    cufes = set(scene.cufes)
    posts, taken, states = scene.service.posts(cufes), scene.service.taken(cufes), scene.states()
    _check_acks(scene, 0, tally)
    scene.check_ledger()
    tally.posts = posts.total()
    tally.acknowledged = scene.acks.read_bytes().count(b"\n")
    tally.doubles = sum(count - 1 for count in posts.values())
    tally.lost = len(cufes - set(states)) + sum(state not in _ENDS for state in states.values())
    tally.untrue = sum((states.get(cufe) in SUCCESS) != (cufe in taken) for cufe in cufes)
    ends = Counter(states.values())
    tally.cancelled = sum(ends[state] for state in SUCCESS)
    tally.review = ends[State.REVIEW]
    if not tally.good:
        sys.stderr.write(f"{tally}\n{ends}\n")


_ENDS = SUCCESS | {State.REVIEW}


def storm(kills: int, rows: int, streams: int, seed: int, say: Callable[[str], None] = lambda _: None) -> Tally:
    """Rounds of some thousand rows, ``streams`` at a time, each round with a ledger and an eDoc of its own."""
    rounds = max(streams, -(-rows // PER_ROUND))
    total, started = Tally(), time.monotonic()

    def stream(first: int) -> list[Tally]:
        found = []
        with running_nursery() as nursery:
            for number in range(first, rounds, streams):
                with tempfile.TemporaryDirectory(prefix="storm") as folder:
                    found.append(
                        one_round(Path(folder), nursery, -(-kills // rounds), -(-rows // rounds), seed + number)
                    )
                say(f"round {number + 1} of {rounds}: {json.dumps(asdict(found[-1]))}")
        return found

    with ThreadPoolExecutor(streams) as pool:
        for tallies in pool.map(stream, range(streams)):
            for tally in tallies:
                total.add(tally)
    total.seconds = round(time.monotonic() - started, 1)
    return total


def main() -> int:
    """The command of ``make storm``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=2_000)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--streams", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    sys.stdout.write(f"seed {given.seed}\n")
    tally = storm(given.kills, given.rows, given.streams, given.seed, lambda line: print(line, flush=True))  # noqa: T201
    summary = json.dumps({"seed": given.seed, "streams": given.streams, **asdict(tally)}, indent=2)
    sys.stdout.write(summary + "\n")
    if given.json is not None:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(summary + "\n", "utf-8")
    return 0 if tally.good else 1


if __name__ == "__main__":
    sys.exit(main())
