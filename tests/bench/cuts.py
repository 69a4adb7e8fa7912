"""Power cuts under the ledger, in a model of a disk: what was acknowledged and is lost, and what is ruined.

A sample of what ``make powercuts`` does 50,000 times in each mode.
"""

from __future__ import annotations

from functools import partial

from tests.bench.runner import Figure, Numbers, Scale, apart

SEED = 20261130
MODES = {"DELETE": False, "WAL": True}
WRONG = {
    "perdidas": "lost",
    "historiales dañados": "corrupt",
    "rechazados sin razón": "refused",
    "copias a medias aceptadas": "halved",
}


def cut(cuts: int, seed: int, logged: bool) -> Numbers:
    """``cuts`` cuts at random operations of the program's own transactions."""
    from tests.storm import powercuts

    return {name: float(value) for name, value in vars(powercuts.cut(cuts, seed, logged=logged)).items()}


WAYS = {"cut": cut}


def bench(scale: Scale) -> list[Figure]:
    cuts, run = scale.of(1_000, 20), partial(apart, "tests.bench.cuts", "cut", seed=SEED)
    figures = []
    for mode, logged in MODES.items():
        told = run(cuts=cuts, logged=logged)
        values = {words: [told[name]] for words, name in WRONG.items()}
        wrong = sum(told[name] for name in WRONG.values())
        more = {"cuts": cuts, "seed": SEED, "commits": told["commits"], "operations": told["operations"]}
        case = f"{cuts:,} cortes de energía, en {mode}"
        figures.append(Figure("cuts", case, "casos", values, "perdido o dañado", wrong, ("<=", 0.0), more))
    return figures
