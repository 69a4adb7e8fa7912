"""Metrics file: Prometheus' text format (version 0.0.4) for node exporter's textfile collector.

Several commands and companies may share one file: each write reads it under a lock, replaces its own samples
(by ``env`` and ``profile``) and keeps the rest. The file is whole at every moment: it is renamed into place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pipeline.runtime.atomic_file import replace_file

Labels = tuple[tuple[str, str], ...]
Samples = dict[tuple[str, Labels], float]
"""(metric name, its labels in order of name) -> value."""

METRICS = {
    "anular_rows": ("gauge", "Rows in the ledger by outcome (the words of the results workbook)."),
    "anular_oldest_pending_seconds": (
        "gauge",
        "Age of the oldest row still pending or uncertain; 0 when there is none.",
    ),
    "anular_oldest_pending_timestamp_seconds": ("gauge", "When that row was sent (Unix time); 0 when there is none."),
    "anular_held_limit_timestamp_seconds": (
        "gauge",
        "First legal limit of a row that waits for a person's approval (Unix time); 0 when there is none.",
    ),
    "anular_rate_used_ratio": ("gauge", "Requests that left within the last minute / permitted by ANULAR_RATE."),
    "anular_requests_total": ("counter", "Requests to eDoc by kind and class of the HTTP status (none: no answer)."),
    "anular_last_run_timestamp_seconds": ("gauge", "When the command, or a pass of it, ended last (Unix time)."),
    "anular_last_run_exit_code": ("gauge", "Exit code of that command or pass."),
    "anular_build_info": ("gauge", "1; the version of anular is a label."),
}
LOCK_S = 2.0
_SAMPLE = re.compile(r'([a-z_]+)\{((?:[a-z_]+="(?:[^"\\]|\\["\\n])*",?)+)\} (\S+)')
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\["\\n])*)"')


def sample(name: str, **labels: str) -> tuple[str, Labels]:
    """The key of one sample."""
    return name, tuple(sorted(labels.items()))


def render(samples: Samples) -> str:
    """The text of ``samples``: each metric once, with its HELP and TYPE, in the order of ``METRICS``."""
    lines = []
    for name, (kind, words) in METRICS.items():
        mine = sorted((labels, value) for (of, labels), value in samples.items() if of == name)
        if mine:
            lines += [f"# HELP {name} {_escaped(words)}", f"# TYPE {name} {kind}"]
        for labels, value in mine:
            told = ",".join(f'{key}="{_escaped(text, quote=True)}"' for key, text in labels)
            lines.append(f"{name}{{{told}}} {_number(value)}")
    return "".join(f"{line}\n" for line in lines)


def parse(text: str) -> Samples:
    """The samples that ``render`` wrote; other lines are ignored."""
    found: Samples = {}
    for line in text.split("\n"):
        match = _SAMPLE.fullmatch(line)
        if match is None or match[1] not in METRICS:
            continue
        with suppress(ValueError):
            if math.isfinite(value := float(match[3])):
                labels = sorted((key, _plain(text)) for key, text in _LABEL.findall(match[2]))
                found[match[1], tuple(labels)] = value
    return found


def update(path: Path, change: Callable[[Samples], Samples]) -> None:
    """Replaces the file at ``path`` with the result of ``change``, readable by all users. Raises ``OSError``."""
    from filelock import FileLock

    path.parent.stat()  # the lock would create the folder, although its name is mistyped
    with FileLock(f"{path}.lock", timeout=LOCK_S):  # its Timeout is an OSError
        try:
            before = parse(path.read_text("utf-8"))
        except (FileNotFoundError, UnicodeDecodeError):
            before = {}
        replace_file(path, render(change(before)).encode("utf-8"), mode=0o644)


def _escaped(text: str, *, quote: bool = False) -> str:
    """Escapes backslash and line feed, and the quote in label values (Prometheus: exposition formats, "Comments, help
    text, and type information")."""
    text = text.encode("utf-8", "replace").decode().replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quote else text


def _plain(text: str) -> str:
    return re.sub(r'\\(["\\n])', lambda found: "\n" if found[1] == "n" else found[1], text)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 6))
