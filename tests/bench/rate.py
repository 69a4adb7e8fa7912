"""The permitted rate over half a minute: how much of it is used, and whether the server ever sees more than it permits.

Judged by the server's own journal. Beside ours the loop that people write: send, then sleep for one interval.
"""

from __future__ import annotations

import bisect
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from tests.bench import submit
from tests.bench.runner import Figure, Numbers, Scale, apart, journal, server

RATES = {5.0: 4, 50.0: 16, 200.0: 64}
LATENCY_MS = 50.0


def sleeping(base: str, rate: float, rows: int, seconds: float) -> Numbers:
    """One request, a sleep of one interval, the next request."""
    import httpx

    end = time.monotonic() + seconds
    with httpx.Client() as client:
        for number in range(1, rows + 1):
            if time.monotonic() >= end:
                break
            client.post(f"{base}Anulacion", content=submit.body(number))
            time.sleep(1 / rate)
    return {}


WAYS: dict[str, Callable[..., Numbers]] = {"anular": submit.anular, "sleeping": sleeping}


def bench(scale: Scale) -> list[Figure]:
    figures = []
    seconds = scale.of(30, 6)
    slow, fast = list(RATES)[:-1], list(RATES)[-1]
    with ThreadPoolExecutor() as pool:  # the slow ones at the same time: they leave the machine idle
        told = dict(zip(slow, pool.map(partial(_journals, seconds=seconds), slow), strict=True))
    told[fast] = _journals(fast, seconds)
    for rate, (said, other) in told.items():
        in_flight = RATES[rate]
        used = {"anular": [used_of(said["arrivals"], rate, seconds)]}
        used["enviar y dormir"] = [used_of(other["arrivals"], rate, seconds)]
        most = busiest_second(said["arrivals"])
        more = {"most_in_a_second": most, "refused_429": said["refused"], "seconds": seconds, "in_flight": in_flight}
        name = "anular ÷ ritmo permitido"
        case = f"{rate:g} por segundo"
        figures.append(Figure("rate", case, "del ritmo", used, name, used["anular"][0], (">=", 0.99), more))
        busy = {"anular": [float(most)], "permitido": [rate + 1]}
        figures.append(
            Figure(
                "rate", f"{case}: lo más en un segundo", "solicitudes", busy, "máximo", float(most), ("<=", rate + 1)
            )
        )
        refused = {"anular": [float(said["refused"])]}
        figures.append(
            Figure("rate", f"{case}: 429 provocados", "respuestas", refused, "429", float(said["refused"]), ("<=", 0.0))
        )
    return figures


def _journals(rate: float, seconds: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the servers saw of ours and of the loop beside it, at this rate."""
    in_flight = RATES[rate]
    rows = int(rate * seconds) + in_flight
    run = partial(apart, "tests.bench.rate")
    with server(LATENCY_MS, limit=rate) as ours, server(LATENCY_MS) as theirs, ThreadPoolExecutor(1) as pool:
        beside = pool.submit(run, "sleeping", base=theirs, rate=rate, rows=rows, seconds=seconds)
        run("anular", base=ours, in_flight=in_flight, rows=rows, rate=rate)
        beside.result()
        return journal(ours), journal(theirs)


def used_of(arrivals: Sequence[float], rate: float, seconds: float) -> float:
    """What share of the permitted requests arrived in the first ``seconds`` after the first one."""
    inside = bisect.bisect_left(arrivals, arrivals[0] + seconds)
    return round(inside / (rate * seconds), 4)


def busiest_second(arrivals: Sequence[float]) -> int:
    """The most requests in any second, wherever it begins."""
    ends = (bisect.bisect_left(arrivals, start + 1.0) - place for place, start in enumerate(arrivals))
    return max(ends, default=0)
