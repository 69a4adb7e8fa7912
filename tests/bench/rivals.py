"""A thousand rows at 50 ms, from the workbook to the results: ours beside what people use instead.

``newman`` (the runner of Postman) and the ``requests`` script send one after the other; ``xargs -P 32 curl`` sends 32
at a time and reads and writes no workbook at all. None of them keeps a ledger. What is not on this machine is installed
into ``build/``; what cannot be installed is said, and left out.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.bench import whole
from tests.bench.material import REASON, cells, workbook
from tests.bench.runner import BUILD, ROOT, Figure, Numbers, Scale, build, clean, column, command, in_turn, over, server

IN_FLIGHT = 32
LATENCY_MS = 50.0
SLOW = ("newman", "requests")


def bench(scale: Scale) -> list[Figure]:
    rows = scale.of(1_000, 40)
    path = workbook(build() / f"lote-{rows}.xlsx", rows)
    with server(LATENCY_MS) as base, tempfile.TemporaryDirectory(dir=BUILD) as folder:
        ways: dict[str, Callable[[], Numbers]] = {"anular": partial(whole.run, base, path, IN_FLIGHT)}
        missing = []
        for name, make in (("newman", newman), ("requests", requests), ("xargs -P 32 curl", curl)):
            way = make(base, path, rows, Path(folder))
            if way is None:
                missing.append(name)
                sys.stderr.write(f"!!! {name} cannot be had here: its comparison is MISSING from the results\n")
            else:
                ways[name] = way
        slow: dict[str, Callable[[], Numbers]] = {name: ways.pop(name) for name in SLOW if name in ways}
        told = in_turn(ways, min(scale.turns, 3))
        # A minute each, and 1,000 rows one after the other hardly differ: once. Both wait for the server almost all of
        # the time, so they run side by side.
        with ThreadPoolExecutor() as pool:
            told |= {name: [one.result()] for name, one in {n: pool.submit(way) for n, way in slow.items()}.items()}
    seconds = column(told, "seconds")
    figures = []
    for name, goal in (("newman", (">=", 15.0)), ("requests", None), ("xargs -P 32 curl", None)):
        if name in seconds:
            pair = {"anular": seconds["anular"], name: seconds[name]}
            ratio = over(seconds, name, "anular")
            case = f"{rows:,} filas, comando completo: {name}"
            figures.append(Figure("rivals", case, "s", pair, f"{name} ÷ anular", ratio, goal))
    if missing:
        figures.append(Figure("rivals", f"no se pudo medir: {', '.join(missing)}", "", {}))
    return figures


def newman(base: str, _path: Path, rows: int, folder: Path) -> Callable[[], Numbers] | None:
    """The runner with a data file of ``rows`` iterations, its results as JSON."""
    program = BUILD / "newman" / "node_modules" / ".bin" / "newman"
    if not program.exists():
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            return None
        install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(BUILD / "newman"), "newman"]
        if subprocess.run(install, check=False, stdout=subprocess.DEVNULL).returncode:
            return None
    raw = '{"cufe":"{{cufe}}","motivoAnulacion":"{{motivo}}","correoNotificacion":"{{correo}}"}'
    headers = [{"key": "Content-Type", "value": "application/json"}, {"key": "Authorization", "value": "Bearer t"}]
    request = {"method": "POST", "url": f"{base}Anulacion", "header": headers, "body": {"mode": "raw", "raw": raw}}
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    collection = {"info": {"name": "anular", "schema": schema}, "item": [{"name": "Anulacion", "request": request}]}
    data = [{"cufe": v[0], "motivo": REASON, "correo": v[2]} for v in map(cells, range(1, rows + 1))]
    (folder / "collection.json").write_text(json.dumps(collection))
    (folder / "data.json").write_text(json.dumps(data))
    words = [str(program), "run", "collection.json", "-d", "data.json", "-r", "json"]
    return partial(command, [*words, "--reporter-json-export", "out.json"], cwd=folder)


def requests(base: str, path: Path, _rows: int, folder: Path) -> Callable[[], Numbers] | None:
    """``by_hand.py`` with the library installed beside it."""
    place = BUILD / "requests"
    if not (place / "requests").exists():
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*install, "--target", str(place), "requests"], check=False).returncode:
            return None
    script = ROOT / "tests" / "bench" / "by_hand.py"
    arguments = [sys.executable, str(script), f"{base}Anulacion", str(path), str(folder / "by-hand.xlsx")]
    return partial(command, arguments, env=clean(PYTHONPATH=str(place)))


def curl(base: str, _path: Path, rows: int, folder: Path) -> Callable[[], Numbers] | None:
    """A list of codes through the shell, 32 processes at a time."""
    if shutil.which("curl") is None or shutil.which("xargs") is None:
        return None
    (folder / "cufes.txt").write_text("".join(f"{cells(n)[0]}\n" for n in range(1, rows + 1)))
    body = f'{{"cufe":"%","motivoAnulacion":"{REASON}"}}'
    headers = "-H 'Content-Type: application/json' -H 'Authorization: Bearer t'"
    post = f"curl -s -X POST {headers} -d '{body}' {base}Anulacion"
    return partial(command, ["sh", "-c", f"xargs -P 32 -I% {post} < cufes.txt > answers.txt"], cwd=folder)
