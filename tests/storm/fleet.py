"""A fleet: workers on one PostgreSQL ledger, batches of many credentials, plugs pulled at random (`make fleet`).

Each worker runs on a machine of its own (``machines``) where those can be made, else as a plain process; the journal of
the one eDoc is the judge. The times of many workers and of one are measured without kills, one after the other in one
session, with the same settings, at a rate that a worker keeps up with easily: the rate limits, not this one machine.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.domain.lifecycle import State
from pipeline.sandbox.request_log import busiest_second, posts_by_cufe, read
from tests.storm.machines import Machine, Network, NoMachines, network
from tests.storm.scene import Nursery, Scene, Service, running_nursery, running_service
from tests.storm.workers import Running, jobs, working_on
from tests.support import ledgers

CALM = {State.CANCELLED}
AFTER_KILLS = CALM | {State.PENDING, State.UNKNOWN, State.REVIEW}
"""Where a row may be whose process was killed: its answer was lost, so it waits for its outcome; never sent again."""
QUICK = {"ANULAR_QUEUE_EVERY": "1", "ANULAR_QUEUE_STALE": "3", "ANULAR_QUEUE_RETRY": "5"}
LONGEST_S = 2700.0
"""Three times what one worker needs for the default: 600 s of sending, and some 4 s for the process of each batch."""
EVERY_S = 15.0
Say = Callable[[str], None]


@dataclass(frozen=True)
class Fleet:
    """How much there is to do, and who does it. ``rate``: requests a second for each credential."""

    workers: int
    credentials: int = 12
    batches: int = 60
    rows: int = 6000
    rate: int = 10
    kills: int = 0
    seed: int = 1


@dataclass(frozen=True)
class Outcome:
    """``twice``: CUFEs posted more than once; ``lost``: rows nobody carried through; ``untrue``: rows told as cancelled
    that were never posted; ``busiest``: the most requests of one credential in any second."""

    fleet: Fleet
    seconds: float
    kills: int
    twice: int
    lost: int
    untrue: int
    busiest: int
    states: dict[str, int]

    @property
    def good(self) -> bool:
        """Two that sent under one credential at once would come close to twice the rate. Whether it was the rate and
        one, as ``within_rate`` says, is known only on a quiet machine: one that stands still receives in bunches."""
        allowed = AFTER_KILLS if self.kills else CALM
        return (
            not self.twice
            and not self.lost
            and not self.untrue
            and self.busiest <= self.fleet.rate * 1.5
            and not ({State(one) for one in self.states} - allowed)
        )


def live(
    fleet: Fleet,
    folder: Path,
    service: Service,
    nursery: Nursery,
    net: Network | None = None,
    say: Say = lambda _words: None,
) -> Outcome:
    """Hands everything in, has it done (on machines of ``net``), and judges. ``say`` hears how far it is."""
    before = len(read(service.journal))
    with ledgers.fresh(folder, tables=False) as url:
        scene = Scene(folder, service, nursery, url=url, env={**QUICK, "ANULAR_RATE": str(fleet.rate)})
        say(f"handing in {fleet.batches} batches")
        _hand_all_in(scene, fleet)
        begun = time.monotonic()
        kills = _work(scene, fleet, net, say)
        seconds = time.monotonic() - begun
        states = scene.states()
        scene.check_ledger()
    entries = read(service.journal)[before:]
    posts = posts_by_cufe(entries)
    users = {one["user"] for one in entries if one.get("user")}
    busiest = max(busiest_second([one for one in entries if one.get("user") == user]) for user in users)
    twice = sum(number > 1 for number in posts.values())
    lost = sum(states.get(cufe) in (None, State.READY, State.SENDING) for cufe in scene.cufes)
    untrue = sum(states.get(cufe) is State.CANCELLED and cufe not in posts for cufe in scene.cufes)
    return Outcome(
        fleet,
        round(seconds, 1),
        kills,
        twice,
        lost,
        untrue,
        busiest,
        dict(Counter(state.value for state in states.values())),
    )


def _hand_all_in(scene: Scene, fleet: Fleet) -> None:
    config = scene.folder / "config" / "anular"
    config.mkdir(parents=True)
    names = [f"empresa{number:02}" for number in range(fleet.credentials)]
    lines = [f'[profile.{name}]\nuser = "sandbox-{name}"\npassword_file = "{config / "clave"}"' for name in names]
    (config / "clave").touch(0o600)
    (config / "clave").write_text("sandbox")
    (config / "anular.toml").write_text("\n".join(lines) + "\n", "utf-8")
    each = fleet.rows // fleet.batches
    specs = []
    for number in range(fleet.batches):
        file = scene.write(["000"] * each, name=f"lote{number:03}.csv")
        specs.append(scene.spec("run", file, "--yes", "--queue", "--profile", names[number % fleet.credentials]))
    for start in range(0, len(specs), 4):
        for ended in scene.nursery.run(specs[start : start + 4]):
            assert ended["code"] == 4, ended["words"]


def _work(scene: Scene, fleet: Fleet, net: Network | None, say: Say) -> int:
    """Until the queue is empty; how many plugs were pulled."""
    chance = random.Random(fleet.seed)
    begun = told = time.monotonic()
    kills = 0
    with ExitStack() as stack:
        places: list[Machine | None] = [None] * fleet.workers
        if net is not None:
            places = [stack.enter_context(net.machine()) for _ in places]
        crew: list[Running] = [stack.enter_context(working_on(place, scene, **QUICK)) for place in places]
        pull = begun + 4
        while left := len(jobs(scene)):
            now = time.monotonic()
            assert now < begun + LONGEST_S, "not done in time"
            if now > told + EVERY_S:
                told = now
                say(f"{fleet.workers} workers, {now - begun:.0f} s: {left} batches left, {kills} killed")
            time.sleep(0.2)
            if kills < fleet.kills and time.monotonic() > pull:
                place = chance.randrange(len(crew))
                crew[place].kill(with_job=chance.random() < 0.5)
                crew[place] = stack.enter_context(working_on(places[place], scene, **QUICK))
                kills += 1
                pull = time.monotonic() + chance.uniform(0.5, 4)
        for one in crew:
            one.ask_to_stop()
    return kills


def main() -> None:
    """Prints what was measured as JSON; exit code 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--credentials", type=int, default=12)
    parser.add_argument("--batches", type=int, default=60)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--rate", type=int, default=10)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    _say(f"seed {given.seed}")
    amount = {name: getattr(given, name) for name in ("credentials", "batches", "rows", "rate", "seed")}
    fleets = [
        Fleet(given.workers, kills=given.kills, **amount),
        Fleet(given.workers, **amount),
        Fleet(1, **amount),
    ]
    told: dict[str, Any] = {"runs": []}
    outcomes: list[Outcome] = []
    with running_nursery() as nursery, ExitStack() as stack:
        net: Network | None = None
        try:
            net = stack.enter_context(network())
            told["machines"] = "a network namespace each"
        except NoMachines as why:
            told["machines"] = f"plain processes ({why})"
        _say(f"machines: {told['machines']}")
        for fleet in fleets:
            with tempfile.TemporaryDirectory() as folder, running_service(Path(folder)) as service:
                outcomes.append(live(fleet, Path(folder), service, nursery, net, _say))
            told["runs"].append(
                {
                    **asdict(outcomes[-1]),
                    "good": outcomes[-1].good,
                    "within_rate": outcomes[-1].busiest <= fleet.rate + 1,
                }
            )
            _say(json.dumps(told["runs"][-1]))
    told["share_of_one_workers_time"] = round(outcomes[1].seconds / outcomes[2].seconds, 3)
    _say(f"many workers' time / one's: {told['share_of_one_workers_time']}")
    ledgers.forget()
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(told, indent=2) + "\n")
    raise SystemExit(0 if all(one.good for one in outcomes) else 1)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
