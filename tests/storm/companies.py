"""Two companies on one machine: random commands under either, broken off at random, judged by eDoc's own journal.

A sequence is made from its seed alone: which command, under whose profile, on which file, batch and row, and at which
point the plug is pulled. ``python -m tests.storm.companies --sequences 50 --seed 7`` prints the seed of what fails.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.domain.cufe import check_digit
from tests.storm.scene import Nursery, Scene, Service, running_nursery, running_service
from tests.support import ledgers

RUC = {"norte": "29-29-29", "sur": "155668001-2-2018"}
OTHER = {"norte": "sur", "sur": "norte"}
ROWS = ["000", "000", "950", "970", "940"]
CRASHES = (
    *("intake-after-commit:1", "claim-after:1", "claim-after:2", "departure:1", "post-after:1", "post-after:2"),
    *("exchange-after:1", "outcome-after:1", "apply-before-commit:2", "apply-after-commit:1", "apply-after-commit:3"),
    *("recover-found:1", "query-after:1", "poll-recorded:1", "watch-claimed:1", "watch-handed-in:1"),
    *("watch-results-published:1", "watch-note-written:1", "reopen-before-commit:1"),
)
COMMANDS: tuple[str, ...] = ("run", "run", "run-some", "drop", "drop-loose", "watch", "release", "poll", "poll-all")
COMMANDS += ("resend", "resolve", "withdraw", "other-run", "other-release", "other-poll")
QUEUED = ("run-queue", "worker", "worker")
KILLED = -9


def code_of(company: str, scenario: str, number: int) -> str:
    """A valid code of a company's document; the sandbox behaves by its ``scenario``."""
    issuer = RUC[company].rjust(20, "0")
    text = f"FE012{issuer}-56000{number % 10}20261118{number:010d}001012{number % 1000000:06d}{scenario}"
    return text + check_digit(text)


@dataclass
class Pair:
    """Two companies in a scene: their settings, their folder, their files, and whose each document is."""

    scene: Scene
    chance: random.Random
    one_ledger: bool
    owner: dict[str, str] = field(default_factory=dict)
    files: dict[str, list[Path]] = field(default_factory=lambda: {"norte": [], "sur": []})
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        folder = self.scene.folder
        self.root = folder / "carpeta"
        secret = folder / "clave"
        secret.touch(0o600)
        secret.write_text("sandbox")
        self.urls = {name: self.scene.url if self.one_ledger else f"sqlite:///{folder}/{name}/r.db" for name in RUC}
        lines = []
        for name, ruc in RUC.items():
            (self.root / "inbox" / name).mkdir(parents=True)
            lines += [f"[profile.{name}]", f'company = "Comercial {name.title()}, S.A."', f'issuers = "{ruc}"']
            lines += [f'user = "sandbox-{name}"', f'password_file = "{secret}"', f'ledger = "{self.urls[name]}"']
            lines += ["watch_max_rows = 3"]
        config = folder / "anular.toml"
        config.write_text("\n".join([*lines, ""]), "utf-8")
        more = {"ANULAR_CONFIG": str(config), "ANULAR_LEDGER": "", "ANULAR_OUT": "", "ANULAR_WATCH_QUIET": "0"}
        self.scene.env |= more

    # --- material

    def write(self, company: str, rows: int) -> Path:
        """A file of a company; now and then with a document of the other one, which has to be rejected."""
        codes = [self._code(company, self.chance.choice(ROWS)) for _ in range(rows)]
        self.owner |= dict.fromkeys(codes, company)
        if self.chance.random() < 0.3:
            stranger = self._code(OTHER[company], "000")
            self.owner[stranger] = OTHER[company]
            codes.append(stranger)
        file = self.scene.write([], name=f"{company}-{len(self.files[company])}.csv", cufes=codes)
        self.files[company].append(file)
        return file

    def _code(self, company: str, scenario: str) -> str:
        return code_of(company, scenario, next(self.scene.numbers))

    def batches(self, company: str) -> list[str]:
        url = self.urls[company]
        if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
            return []
        if "batch" not in ledgers.tables(url):
            return []
        return sorted(line["id"] for line in ledgers.lines(url, "SELECT id FROM batch"))

    # --- steps

    def step(self, name: str, company: str, crash: str) -> dict[str, Any]:
        """One command, whatever it ends with; a refusal is as good as anything."""
        self.done.append(f"{name} {company} {crash}".strip())
        go = getattr(self, f"_{name.replace('-', '_')}")
        ended: dict[str, Any] = go(company, crash)
        assert ended["code"] in (0, 1, 2, 3, 4, 5, 6, 7, KILLED), ended["words"]
        assert "error interno" not in ended["words"], ended["words"]
        return ended

    def _as(self, company: str, crash: str, *arguments: object) -> dict[str, Any]:
        return self.scene.anular(*arguments, "--profile", company, crash=crash)

    def _run(self, company: str, crash: str, *more: str) -> dict[str, Any]:
        known = self.files[company]
        file = self.chance.choice(known) if known and self.chance.random() < 0.6 else self.write(company, 3)
        return self._as(company, crash, "run", file, "--yes", *more)

    def _run_some(self, company: str, crash: str) -> dict[str, Any]:
        return self._run(company, crash, "--only", "1")

    def _run_queue(self, company: str, crash: str) -> dict[str, Any]:
        return self._run(company, crash, "--queue")

    def _other_run(self, company: str, crash: str) -> dict[str, Any]:
        """The same file, under the other company's profile: a person who forgot which one it is."""
        file = self.chance.choice(self.files[company] or [self.write(company, 2)])
        return self._as(OTHER[company], crash, "run", file, "--yes")

    def _drop(self, company: str, crash: str) -> dict[str, Any]:
        """A new file of up to five rows, of which the folder sends three by itself; or one that was given before."""
        known = self.files[company]
        file = self.chance.choice(known) if known and self.chance.random() < 0.4 else self.write(company, 5)
        where = company if self.chance.random() < 0.8 else OTHER[company]
        (self.root / "inbox" / where / file.name).write_bytes(file.read_bytes())
        return self._watch(company, crash)

    def _drop_loose(self, company: str, crash: str) -> dict[str, Any]:
        """Into inbox/ itself, which is nobody's."""
        file = self.chance.choice(self.files[company] or [self.write(company, 2)])
        (self.root / "inbox" / file.name).write_bytes(file.read_bytes())
        return self._watch(company, crash)

    def _watch(self, _company: str, crash: str) -> dict[str, Any]:
        return self.scene.anular("watch", self.root, "--once", crash=crash)

    def _release(self, company: str, crash: str) -> dict[str, Any]:
        return self._as(company, crash, "release", self._a_batch(company), "--yes")

    def _other_release(self, company: str, crash: str) -> dict[str, Any]:
        return self._as(OTHER[company], crash, "release", self._a_batch(company), "--yes")

    def _poll(self, company: str, crash: str) -> dict[str, Any]:
        return self._as(company, crash, "poll")

    def _other_poll(self, company: str, crash: str) -> dict[str, Any]:
        return self._as(OTHER[company], crash, "poll", self._a_batch(company))

    def _poll_all(self, _company: str, crash: str) -> dict[str, Any]:
        return self.scene.anular("poll", "--all", crash=crash)

    def _worker(self, company: str, crash: str) -> dict[str, Any]:
        return self._as(company, crash, "worker", "--once")

    def _resend(self, company: str, crash: str) -> dict[str, Any]:
        return self._decide(company, crash, "resend")

    def _withdraw(self, company: str, crash: str) -> dict[str, Any]:
        return self._decide(company, crash, "withdraw")

    def _resolve(self, company: str, crash: str) -> dict[str, Any]:
        return self._decide(company, crash, "resolve", "--as", self.chance.choice(("cancelled", "not-cancelled")))

    def _decide(self, company: str, crash: str, command: str, *more: str) -> dict[str, Any]:
        """About any row of any batch in the ledger, the other company's too where they share one."""
        batch = self._a_batch(company)
        rows = ledgers.lines(self.urls[company], f"SELECT line, cufe FROM row WHERE batch = '{batch}'") if batch else []
        one = self.chance.choice(rows) if rows else {"line": 2, "cufe": "00000000"}
        signed = ("--by", "Ana", "--reason", "Lo revisó con el cliente", "--confirm", str(one["cufe"])[-8:])
        return self._as(company, crash, command, batch or "20261120-00000000", "--row", one["line"], *signed, *more)

    def _a_batch(self, company: str) -> str:
        found = self.batches(company)
        return self.chance.choice(found) if found else "20261120-00000000"

    # --- the judge

    def check(self) -> None:
        """Each document only under its own company's credential, asked about or sent; sent once, and once more only for
        each resend that a person decided."""
        mine = [entry for entry in self.scene.service._entries() if entry["cufe"] in self.owner]
        told = "\n".join(self.done)
        for entry in mine:
            if entry["route"] in ("cancel", "query"):
                own = f"sandbox-{self.owner[entry['cufe']]}"
                assert entry["user"] == own, f"{entry['route']} of a document of {own} by {entry['user']}\n{told}"
        allowed = Counter[str]()
        for url in set(self.urls.values()):
            if self.batches(next(name for name in RUC if self.urls[name] == url)):
                query = "SELECT a.cufe AS cufe FROM event e JOIN attempt a ON a.id = e.attempt WHERE e.event = 'resend'"
                allowed.update(line["cufe"] for line in ledgers.lines(url, query))
        for cufe, posts in self.scene.service.posts(set(self.owner)).items():
            assert posts <= 1 + allowed[cufe], f"{cufe} was sent {posts} times\n{told}"


def one_sequence(scene: Scene, seed: int, steps: int, *, one_ledger: bool, queue: bool = False) -> Pair:
    """A sequence of ``steps`` from its seed, carried to its end and judged."""
    chance = random.Random(seed)
    pair = Pair(scene, chance, one_ledger)
    commands = (*COMMANDS, *QUEUED) if queue else COMMANDS
    for company in RUC:
        pair.step("run", company, chance.choice(CRASHES))
    for _ in range(steps):
        crash = chance.choice(CRASHES) if chance.random() < 0.5 else ""
        pair.step(chance.choice(commands), chance.choice(tuple(RUC)), crash)
    pair.step("watch", "norte", "")
    pair.step("poll-all", "norte", "")
    pair.check()
    return pair


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=50)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    options = parser.parse_args()
    sys.stdout.write(f"seed {options.seed}\n")
    posts = Counter[str]()
    with tempfile.TemporaryDirectory() as folder, running_nursery() as nursery:
        for number in range(options.sequences):
            posts.update(many(Path(folder), nursery, options.seed + number, options.steps))
    sys.stdout.write(f"{options.sequences} sequences, {dict(posts)}: each document once, under its own credential\n")


def many(folder: Path, nursery: Nursery, seed: int, steps: int) -> Counter[str]:
    """One sequence with an eDoc of its own, on one ledger or on two; what it came to."""
    place = folder / str(seed)
    place.mkdir()
    with running_service(place) as service, ledgers.fresh(place, tables=False) as url:
        return tally(Scene(place, service, nursery, url=url), service, seed, steps)


def tally(scene: Scene, service: Service, seed: int, steps: int) -> Counter[str]:
    server = ledgers.on_a_server()
    pair = one_sequence(scene, seed, steps, one_ledger=server or seed % 2 == 0, queue=server)
    sent = service.posts(set(pair.owner))
    return Counter(commands=scene.runs, documents=len(pair.owner), posts=sent.total())


if __name__ == "__main__":
    main()
