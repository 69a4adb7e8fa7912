"""The page over a ledger of a million rows: how long a person waits for it, alone, among others, and while it sends;
what it takes; and whether a sending is held up by who looks on.

``anular web`` as an office starts it, with a copy of the ledger, against the benchmark's own eDoc. Who visits it speaks
HTTP as a browser does, without one.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from pipeline.ledger.scope import credential_mark
from tests.bench import past
from tests.bench.material import NOW, make_cufe, workbook
from tests.bench.runner import ROOT, Figure, Scale, build, clean, descendants, high_water, journal, reset, server
from tests.support import ledgers
from tests.support.visitor import Visitor, free_port

ROWS, BATCHES, LARGEST = 1_000_000, 361, 100_000
READS, LOOK_UPS, READERS = 40, 25, 8
RATE = 200
FEW, MANY = 10, 100
FRESH = 80_000_000
"""Numbers of documents that the ledger does not have."""


@dataclass
class Web:
    """``anular web`` at work."""

    process: subprocess.Popen[str]
    url: str
    passwords: dict[str, str]
    #: from the command to the first page
    seconds: float
    people: dict[str, Visitor] = field(default_factory=dict)

    def visitor(self, name: str) -> Visitor:
        if name not in self.people:
            self.people[name] = Visitor(self.url, name, self.passwords[name])
        return self.people[name]

    def busy(self) -> float:
        """Milliseconds of a processor that the pages have used so far."""
        fields = Path(f"/proc/{self.part('pages')}/stat").read_text().rpartition(")")[2].split()
        return 1e3 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def part(self, name: str) -> int:
        """Number of the process of the pages or of the sender."""
        for pid in descendants(self.process.pid):
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            if "--only" in words and name in words:
                return pid
        raise RuntimeError(f"no process of the {name}")


@contextmanager
def web(folder: Path, ledger: str, office: str, base: str, rate: float) -> Iterator[Web]:
    """The page with its sample people until the end of the block; ``ledger`` and ``office`` are addresses."""
    port = free_port()
    own = {**folders(folder), "ANULAR_WEB_PORT": str(port), "ANULAR_LEDGER": ledger}
    own |= {"ANULAR_OFFICE": office, "ANULAR_OUT": str(folder / "out")}
    own |= {"ANULAR_BASE_URL": base, "ANULAR_RATE": str(rate), "ANULAR_CONCURRENCY": "32"}
    own |= {"ANULAR_SANDBOX_NOW": NOW.isoformat(), "ANULAR_COMPANY": "Distribuidora Istmo, S.A."}
    (folder / "out").mkdir(exist_ok=True)
    url, start = f"http://localhost:{port}", time.perf_counter()
    command = [str(ROOT / ".venv" / "bin" / "anular"), "web", "--sample"]
    with subprocess.Popen(command, cwd=folder, env=clean(**own), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = ""
            while len(re.findall(r"^ +\w+ +\S+-\d+$", said, re.MULTILINE)) < 4:
                line = process.stdout.readline()
                if not line:
                    raise RuntimeError(f"the page did not start: {said}")
                said += line
            httpx.get(f"{url}/entrar", trust_env=False).raise_for_status()
            seconds = time.perf_counter() - start
            threading.Thread(target=process.stdout.read, daemon=True).start()
            made = Web(process, url, dict(re.findall(r"^ +(\w+) +(\S+-\d+)$", said, re.MULTILINE)), seconds)
            yield made
            for one in made.people.values():
                one.close()
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def folders(folder: Path) -> dict[str, str]:
    """Variables of a home in ``folder``."""
    own = {f"XDG_{kind}_HOME": str(folder / kind) for kind in ("STATE", "CONFIG", "DATA", "CACHE")}
    return {"HOME": str(folder), **own}


# --- reading


def timed(visitor: Visitor, path: str) -> float:
    """Milliseconds until a page is there whole."""
    start = time.perf_counter()
    answer = visitor.get(path)
    taken = 1e3 * (time.perf_counter() - start)
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code}")
    return taken


def p95(values: Sequence[float]) -> float:
    return sorted(values)[max(0, -(-95 * len(values) // 100) - 1)]


def pages_of(batch: str, rows: int) -> dict[str, tuple[str, str]]:
    """Pages by their name: who opens each, and its address."""
    middle = rows // 2
    return {
        "inicio": ("ana", "/"),
        "lote de 100,000 filas": ("ana", f"/lotes/{batch}"),
        "una página de sus filas": ("ana", f"/lotes/{batch}/filas?desde={middle}"),
        "las de un resultado": ("luis", f"/lotes/{batch}/filas?resultado=ANULADA&desde={middle}"),
        "una fila": ("luis", f"/lotes/{batch}/filas/{middle}"),
        "cargar": ("ana", "/cargar"),
        "certificados": ("marta", "/certificados"),
        "ayuda": ("marta", "/ayuda"),
        "mi cuenta": ("marta", "/cuenta"),
        "usuarios": ("admin", "/usuarios"),
        "bitácora": ("admin", "/bitacora"),
        "configuración": ("admin", "/configuracion"),
    }


SPECIAL = {"inicio": 100.0, "una página de sus filas": 50.0, "las de un resultado": 50.0}
"""Goals in milliseconds of what has one of its own; any other page has 100."""


def alone(here: Web, pages: dict[str, tuple[str, str]], reads: int, where: str = "") -> list[Figure]:
    figures = []
    for name, (who, path) in pages.items():
        one = here.visitor(who)
        timed(one, path)
        before = here.busy()
        taken = [timed(one, path) for _ in range(reads)]
        busy = round((here.busy() - before) / reads, 1)
        figures.append(figure(f"{name}, una persona{where}", "ms", taken, SPECIAL.get(name, 100.0), busy))
    return figures


def looked_up(here: Web, first: int, rows: int, times: int, where: str = "") -> Figure:
    """CUFE by CUFE, all over the ledger; within what a person may search for in a minute."""
    one = here.visitor("luis")
    codes = [make_cufe(first + turn * (rows // (times + 1))) for turn in range(times + 1)]
    timed(one, f"/buscar?q={codes.pop()}")
    before = here.busy()
    taken = [timed(one, f"/buscar?q={code}") for code in codes]
    return figure(f"buscar un CUFE{where}", "ms", taken, 20.0, round((here.busy() - before) / len(codes), 1))


def together(here: Web, pages: dict[str, tuple[str, str]], seconds: float) -> list[float]:
    """Eight people, each opening page after page."""
    paths = [path for who, path in pages.values() if who == "luis" or path.startswith(("/lotes", "/ayuda"))]
    until = time.monotonic() + seconds

    def read(turn: int) -> list[float]:
        taken, name = list[float](), ("ana", "luis", "marta")[turn % 3]
        one = Visitor(here.url, name, here.passwords[name])
        while not taken or time.monotonic() < until:
            taken.append(timed(one, paths[turn % len(paths)]))
            turn += 1
        one.close()
        return taken

    with ThreadPoolExecutor(READERS) as pool:
        return [value for taken in pool.map(read, range(READERS)) for value in taken]


def figure(case: str, unit: str, values: Sequence[float], goal: float, busy: float | None = None) -> Figure:
    """``busy``: what each visit took of a processor, which says more than the clock where other programs work too."""
    told = {"p95": [round(p95(values), 1)], "mediana": [round(sorted(values)[len(values) // 2], 1)]}
    told |= {"procesador": [busy]} if busy is not None else {}
    return Figure("page", case, unit, told, "p95", told["p95"][0], ("<=", goal), {"reads": len(values)})


# --- handing in and sending


def uploaded(here: Web, file: Path) -> tuple[int, float, float]:
    """The proposal, seconds until the page says how far it is, and until the review is on screen."""
    ana, start = here.visitor("ana"), time.perf_counter()
    answer = ana.post("/cargar", {}, files={"archivo": (file.name, file.read_bytes())})
    if answer.status_code != 302:
        raise RuntimeError(f"upload: {answer.status_code}")
    where, shown = str(answer.headers["location"]), 0.0
    while True:
        state = ana.get(f"{where}/estado").json()
        shown = shown or time.perf_counter() - start
        if state["done"]:
            break
        time.sleep(0.1)
    timed(ana, where)
    return int(where.rpartition("/")[2]), shown, time.perf_counter() - start


def approved(here: Web, file: Path, rows: int) -> int:
    number, _, _ = uploaded(here, file)
    here.visitor("ana").submit(number)
    here.visitor("luis").approve(number, rows)
    return number


def batch_of(here: Web, number: int) -> str:
    """The batch of a proposal, as soon as it is being sent."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found = re.search(r'href="/lotes/([\w-]+)"', main_of(here.visitor("luis").get(f"/propuestas/{number}").text))
        if found:
            return found[1]
        time.sleep(0.2)
    raise RuntimeError("the sender did not begin")


def main_of(page: str) -> str:
    """What a page says of the proposal itself: the batch before it is named further below."""
    return page.split("<h2", 1)[0]


def send(here: Web, base: str, file: Path, rows: int, meanwhile: Callable[[str], Any]) -> tuple[float, Any]:
    """Rows a second by eDoc's journal, and what was done ``meanwhile`` with the batch."""
    reset(base)
    batch = batch_of(here, approved(here, file, rows))
    told = meanwhile(batch)
    end = time.monotonic() + 60 + 10 * rows / RATE
    while len(cancels := journal(base)["cancels"]) < rows:
        if time.monotonic() > end:
            raise RuntimeError(f"{len(cancels)} of {rows} rows were sent")
        time.sleep(0.5)
    if len(cancels) != rows:
        raise RuntimeError(f"{len(cancels)} requests for {rows} rows")
    return (rows - 1) / (cancels[-1] - cancels[0]), told


def followed(here: Web, batch: str, count: int) -> dict[str, float]:
    """``count`` pages that follow a batch to its end: how many saw it, and what was told to each."""
    return asyncio.run(_followed(here, batch, count))


async def _followed(here: Web, batch: str, count: int) -> dict[str, float]:
    people = [here.visitor(name) for name in ("ana", "luis", "marta")]
    limits = httpx.Limits(max_connections=None)

    async def follow(turn: int) -> tuple[bool, int]:
        messages, ended = 0, False
        cookies = people[turn % len(people)].cookies
        async with httpx.AsyncClient(timeout=120, trust_env=False, limits=limits, cookies=cookies) as client:
            while not ended:  # a stream that lasts too long is opened again, as a browser does
                async with client.stream("GET", f"{here.url}/lotes/{batch}/avance") as answer:
                    if answer.status_code != 200:
                        return False, messages
                    async for line in answer.aiter_lines():
                        messages += line == "event: avance"
                        ended = ended or line == "event: fin"
                        if ended:
                            break
        return ended, messages

    told = await asyncio.gather(*(follow(turn) for turn in range(count)))
    return {"ended": float(sum(one for one, _ in told)), "messages": float(min(count for _, count in told))}


@dataclass(frozen=True)
class Files:
    """What is handed in."""

    #: of as many rows as the largest batch
    large: Path
    #: sent while somebody reads
    read: Path
    #: by who looks on: the file, and its rows
    sent: dict[str, tuple[Path, int]]

    @classmethod
    def made(cls, scale: Scale, largest: int) -> Files:
        few, many = scale.of(2_000, 20), scale.of(10_000, 40)
        sizes = {"nobody": few, "few": few, "many": many}
        sent = {
            name: (workbook(build() / f"web-{name}-{size}.xlsx", size, FRESH + turn * 1_000_000), size)
            for turn, (name, size) in enumerate(sizes.items(), start=1)
        }
        read = workbook(build() / f"web-read-{few}.xlsx", few, FRESH + 9_000_000)
        return cls(workbook(build() / f"web-{largest}.xlsx", largest, FRESH), read, sent)


def bench(scale: Scale) -> list[Figure]:
    rows, largest, figures = *sizes(scale), list[Figure]()
    files = Files.made(scale, largest)
    with tempfile.TemporaryDirectory(dir=build()) as folder, server(50.0) as base:
        place = Path(folder)
        ledger = of_the_sandbox(f"sqlite:///{ledger_copy(scale, place)}")
        with web(place, ledger, f"sqlite:///{place / 'office' / 'anular-office.db'}", base, RATE) as here:
            for one in measured(here, base, scale, rows, largest, files):
                figures.append(one)
                sys.stderr.write(f"{one.case}: {one.medians()}\n")
    return figures


def sizes(scale: Scale) -> tuple[int, int]:
    """Rows of the ledger, and of its largest batch."""
    return scale.of(ROWS, 3_000), scale.of(LARGEST, 1_000)


def ledger_copy(scale: Scale, place: Path) -> Path:
    """A copy of the ledger."""
    rows, largest = sizes(scale)
    ledger = place / "ledger" / "registro.db"
    ledger.parent.mkdir()
    shutil.copyfile(past.ledger(rows, scale.of(BATCHES, 11), largest), ledger)
    ledger.chmod(0o600)
    return ledger


def of_the_sandbox(ledger: str) -> str:
    """The address of a ledger whose batches are of the sandbox's credential from now on."""
    mark = credential_mark("sandbox", "sandbox")  # as the program writes it with every batch
    ledgers.change(ledger, f"UPDATE batch SET credential='{mark}'")
    return ledger


def measured(here: Web, base: str, scale: Scale, rows: int, largest: int, files: Files) -> Iterator[Figure]:
    yield seconds_of("de `anular web` a la primera página", here.seconds, 5.0)
    pages = pages_of(newest(here), largest)
    yield from alone(here, pages, scale.of(READS, 3))
    yield looked_up(here, 1, rows, scale.of(LOOK_UPS, 2))
    yield figure("ocho personas a la vez", "ms", together(here, pages, scale.of(15, 1)), 400.0)
    _, shown, whole = uploaded(here, files.large)
    yield seconds_of(f"cargar {largest:,} filas: se ve el avance", shown, 1.0)
    yield seconds_of(f"cargar {largest:,} filas: revisión en pantalla", whole, 10.0)

    def read(_: str) -> list[float]:
        ana, until = here.visitor("ana"), time.monotonic() + scale.of(6, 1)
        paths, taken = [path for who, path in pages.values() if who == "ana"], list[float]()
        while not taken or time.monotonic() < until:
            taken += [timed(ana, path) for path in paths]
        return taken

    _, taken = send(here, base, files.read, files.sent["few"][1], read)
    yield figure("mientras se envía, una persona", "ms", taken, 300.0)
    yield from looked_on(here, base, files, quick=scale.quick)
    time.sleep(scale.of(20, 0))  # everything is idle
    yield from memory(here)


def looked_on(here: Web, base: str, files: Files, *, quick: bool) -> list[Figure]:
    """Sending with nobody looking on, with ten pages, and with a hundred."""
    rates: dict[str, float] = {}
    seen: dict[str, dict[str, float]] = {}
    for name, count in (("nobody", 0), ("few", FEW), ("many", MANY)):

        def follow(batch: str, count: int = count) -> dict[str, float]:
            return followed(here, batch, count) if count else {}

        rates[name], seen[name] = send(here, base, *files.sent[name], follow)
        if count and seen[name]["ended"] != count:
            raise RuntimeError(f"{seen[name]['ended']:.0f} of {count} pages saw the end")
    words = {"nobody": "sin páginas", "few": f"{FEW} páginas", "many": f"{MANY} páginas"}
    figures = []
    for name, beside in (("few", "nobody"), ("many", "few")):
        case = f"enviar {files.sent[name][1]:,} filas a {RATE} por segundo, {words[name]} abiertas"
        values = {words[one]: [round(rates[one], 1)] for one in (name, beside)}
        ratio = round(rates[name] / rates[beside], 4)
        goal = None if quick else (">=", 0.95)
        above = f"{words[name]} ÷ {words[beside]}"
        figures.append(Figure("page", case, "filas por segundo", values, above, ratio, goal, seen[name]))
    return figures


def memory(here: Web) -> list[Figure]:
    figures = []
    for part, words, goal in (("pages", "las páginas", 200.0), ("sender", "el que envía", 150.0)):
        pid = here.part(part)
        told = {"en reposo": [round(resident(pid), 1)], "máximo": [round(high_water(pid), 1)]}
        case = f"memoria de {words}"
        figures.append(Figure("page", case, "MB", told, "en reposo", told["en reposo"][0], ("<=", goal)))
    return figures


def seconds_of(case: str, seconds: float, goal: float) -> Figure:
    return Figure("page", case, "s", {"anular": [round(seconds, 2)]}, "segundos", round(seconds, 2), ("<=", goal))


def newest(here: Web) -> str:
    found = re.search(r'<th scope="row"><a href="/lotes/([\w-]+)"', here.visitor("ana").get("/").text)
    if found is None:
        raise RuntimeError("no batch on the start page")
    return found[1]


def resident(pid: int) -> float:
    """Resident memory now, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
