"""Log-in and the two forgotten pages for a known and an unknown name: the same time, so that it says nothing (S13)."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.bench.runner import Figure, Numbers, Scale, apart, build, column, in_turn

CASES: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "iniciar sesión": (
        "/entrar",
        {"usuario": "ana", "clave": "no es esta clave"},
        {"usuario": "nadie.aqui", "clave": "no es esta clave"},
    ),
    "olvidó su contraseña": ("/entrar/olvide-clave", {"usuario": "ana"}, {"usuario": "nadie.aqui"}),
    "olvidó su usuario": ("/entrar/olvide-usuario", {"ruc": "155999991-2-2026"}, {"ruc": "155999888-2-2026"}),
}
KNOWN, UNKNOWN = "conocido", "desconocido"


def bench(scale: Scale) -> list[Figure]:
    found = []
    for case in CASES:
        ways: dict[str, Callable[[], Numbers]] = {
            who: partial(apart, "tests.bench.access", "asks", case=case, who=who, times=scale.of(60, 2))
            for who in (KNOWN, UNKNOWN)
        }
        told = column(in_turn(ways, scale.turns), "seconds")
        pair = [median(told[who]) for who in (KNOWN, UNKNOWN)]
        value = round(max(pair) / min(pair), 4)
        found.append(Figure("access", case, "s", told, "el mayor ÷ el menor", value, ("<=", 1.1)))
    return found


def asks(case: str, who: str, times: int) -> Numbers:
    """Median of the seconds of a request."""
    from tests.support import pages

    path, *given = CASES[case]
    form = given[(KNOWN, UNKNOWN).index(who)]
    seconds = []
    with tempfile.TemporaryDirectory(dir=build()) as folder, pytest.MonkeyPatch.context() as patch:
        with pages.house(Path(folder), patch, mail_host="mail.example") as house:
            for _ in range(times):
                house.later(hours=1)  # nobody is limited
                client: Any = house.client()
                start = time.perf_counter()
                assert client.post(path, form).status_code in (200, 422)
                seconds.append(time.perf_counter() - start)
        pages.forget()
    return {"seconds": median(seconds)}


WAYS = {"asks": asks}
