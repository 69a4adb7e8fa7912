"""What the page only reads, with ledger and office on a PostgreSQL server, to which ``anular ledger copy`` takes the
same million rows. The copy takes longer than all else, so it is measured on request (``make bench ARGS=page-server``).

The server is the one that ``ANULAR_TEST_PG`` names; without one ``.ci/postgres`` starts one for this.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from tests.bench.pages import (
    LOOK_UPS,
    RATE,
    READS,
    alone,
    figure,
    folders,
    ledger_copy,
    looked_up,
    newest,
    of_the_sandbox,
    pages_of,
    sizes,
    together,
    web,
)
from tests.bench.runner import ROOT, Figure, Scale, build, clean, server
from tests.support import ledgers


def bench(scale: Scale) -> list[Figure]:
    told = json.dumps({"quick": scale.quick, "most": scale.most})
    order = [str(ROOT / ".ci" / "postgres"), sys.executable, "-m", "tests.bench.pages_server", told]
    done = subprocess.run(order, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError("nothing was measured on a server")
    return [Figure(**one) for one in json.loads(done.stdout.splitlines()[-1])]


def on_a_server(url: str, scale: Scale) -> list[Figure]:
    """What is only read, with ledger and office in the database at ``url``, which is empty."""
    where, (rows, largest) = ", en PostgreSQL", sizes(scale)
    with tempfile.TemporaryDirectory(dir=build()) as folder, server(50.0) as base:
        place = Path(folder)
        command = [str(ROOT / ".venv" / "bin" / "anular"), "ledger", "copy", "--to", url]
        command += ["--from", f"sqlite:///{ledger_copy(scale, place)}"]
        start = time.perf_counter()
        subprocess.run(command, cwd=place, env=clean(**folders(place)), check=True, stdout=subprocess.DEVNULL)
        seconds = round(time.perf_counter() - start, 1)
        case = f"anular ledger copy de {rows:,} filas, de un archivo a PostgreSQL"
        figures = [Figure("page-server", case, "s", {"anular": [seconds]}, "segundos", seconds)]
        with web(place, of_the_sandbox(url), url, base, RATE) as here:
            pages = pages_of(newest(here), largest)
            figures += alone(here, pages, scale.of(READS, 3), where)
            figures.append(looked_up(here, 1, rows, scale.of(LOOK_UPS, 2), where))
            together_there = together(here, pages, scale.of(15, 1))
            figures.append(figure(f"ocho personas a la vez{where}", "ms", together_there, 400.0))
    return figures


if __name__ == "__main__":
    found = on_a_server(os.environ[ledgers.SERVER], Scale(**json.loads(sys.argv[1])))
    sys.stdout.write(json.dumps([{**asdict(one), "bench": "page-server"} for one in found]) + "\n")
