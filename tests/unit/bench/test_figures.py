"""The arithmetic of the benchmarks: a figure that is counted wrong would be believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench import page
from tests.bench.__main__ import NAMES
from tests.bench.rate import busiest_second, used_of
from tests.bench.runner import Figure, Scale, in_turn, over


def figure(value: float, goal: tuple[str, float] | None) -> Figure:
    return Figure("submit", "8 en vuelo", "anulaciones/s", {"anular": [1.0, value, 9.0]}, "anular ÷ x", value, goal)


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [(0.95, (">=", 0.95), True), (0.94, (">=", 0.95), False), (1.5, ("<=", 1.5), True), (1.6, ("<=", 1.5), False)],
)
def test_a_goal_is_met_up_to_its_limit(value: float, goal: tuple[str, float], met: bool) -> None:
    assert figure(value, goal).met is met


def test_a_figure_without_a_goal_is_neither_met_nor_missed() -> None:
    assert figure(1.0, None).met is None


def test_the_ratio_is_that_of_the_medians_so_that_one_bad_turn_does_not_count() -> None:
    assert over({"anular": [2.0, 2.0, 50.0], "httpx": [1.0, 4.0, 4.0]}, "anular", "httpx") == 0.5


def test_the_ways_take_turns_and_a_warm_turn_is_not_counted() -> None:
    order: list[str] = []

    def way(name: str) -> dict[str, float]:
        order.append(name)
        return {"seconds": float(len(order))}

    told = in_turn({"a": lambda: way("a"), "b": lambda: way("b")}, 2, warm=True)
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert [one["seconds"] for one in told["a"]] == [3.0, 5.0]


def test_the_busiest_second_is_found_wherever_it_begins() -> None:
    assert busiest_second([0.0, 0.9, 1.0, 1.5, 1.89, 3.0]) == 4  # from 0.9 up to, not including, 1.9
    assert busiest_second([0.0, 1.0, 2.0]) == 1
    assert busiest_second([]) == 0


def test_the_used_share_counts_what_arrived_in_the_time_from_the_first_request_on() -> None:
    assert used_of([10.0, 10.5, 11.0, 11.5, 12.0], 2.0, 2.0) == 1.0


def test_the_page_is_complete_only_when_every_benchmark_ran_in_full_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "BUILD", tmp_path)
    monkeypatch.setattr(page, "build", lambda: tmp_path)
    for name in NAMES:
        assert not page.complete(NAMES)
        page.keep(name, [figure(0.94, (">=", 0.95))], scale=Scale(quick=False), seconds=1.0)
    assert page.complete(NAMES)
    page.keep(NAMES[0], [figure(0.94, (">=", 0.95))], scale=Scale(quick=True), seconds=1.0)
    assert not page.complete(NAMES)
    text = page.render(NAMES)
    assert "✗ **no alcanzada**" in text
    assert "Prueba rápida" in text


def test_a_line_of_the_results_can_be_read_by_a_machine() -> None:
    line = json.loads(figure(0.97, (">=", 0.95)).as_line())
    assert (line["value"], line["met"], line["medians"]) == (0.97, True, {"anular": 1.0})


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_has_a_title_and_words_on_the_page(name: str) -> None:
    assert page.TITLES[name]
    assert page.ABOUT[name]
