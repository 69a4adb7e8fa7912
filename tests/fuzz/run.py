"""``make fuzz``: every target for so many seconds, one after the other, and a table; exit code 1 for findings.

python -m tests.fuzz.run --seconds 60 [--target csv] [--folder build/fuzz]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.fuzz.hunt import MEMORY_MB, TIMEOUT_S
from tests.fuzz.targets import TARGETS

_STAT = re.compile(r"^stat::(\w+):\s+(\d+)", re.MULTILINE)
_EDGES = re.compile(r"cov: (\d+)")

Figures = dict[str, int | float | str]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--target", choices=list(TARGETS), action="append", help="this one only; may be repeated")
    parser.add_argument("--folder", type=Path, default=Path("build/fuzz"))
    chosen = parser.parse_args(arguments)
    figures: dict[str, Figures] = {}
    for name in chosen.target or TARGETS:
        print(f"{name}: {chosen.seconds} s ...", file=sys.stderr)
        figures[name] = hunt(name, chosen.seconds, chosen.folder)
    (chosen.folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(table(figures))
    found = [name for name, figure in figures.items() if figure["ended"] != 0]
    for name in found:
        print(f"\n{name}: a promise was broken; see {chosen.folder}/{name}.log and", file=sys.stderr)
        print(f"  python -m tests.fuzz.replay {name} {figures[name]['finding']}", file=sys.stderr)
    return 1 if found else 0


def hunt(name: str, seconds: int, folder: Path) -> Figures:
    """One target in its own process; its words are kept in ``folder/NAME.log``."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{name}.log"
    with log.open("wb") as stream:
        command = [sys.executable, "-m", "tests.fuzz.hunt", name, str(seconds), str(folder)]
        ended = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, check=False).returncode
    words = log.read_text(encoding="utf-8", errors="replace")
    stats = dict(_STAT.findall(words))
    edges = _EDGES.findall(words)
    written = re.findall(r"Test unit written to (\S+)", words)
    return {
        "ended": ended,
        "seconds": seconds,
        "inputs": int(stats.get("number_of_executed_units", 0)),
        "slowest_s": int(stats.get("slowest_unit_time_sec", 0)),
        "peak_mb": int(stats.get("peak_rss_mb", 0)),
        "edges": int(edges[-1]) if edges else 0,
        "corpus": sum(1 for _ in (folder / "corpus" / name).iterdir()),
        "finding": written[-1] if written else "",
    }


def table(figures: Mapping[str, Figures]) -> str:
    """The figures for people; limits in the heading."""
    lines = [
        f"limits for each input: {TIMEOUT_S} s, {MEMORY_MB} MB for the whole process",
        f"{'target':12} {'inputs':>10} {'slowest':>8} {'peak':>8} {'edges':>7} {'corpus':>7}  findings",
    ]
    for name, one in figures.items():
        slowest, peak = f"{one['slowest_s']} s", f"{one['peak_mb']} MB"
        found = "none" if one["ended"] == 0 else one["finding"] or f"ended with {one['ended']}"
        lines.append(
            f"{name:12} {one['inputs']:>10,} {slowest:>8} {peak:>8} {one['edges']:>7,} {one['corpus']:>7,}  {found}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
