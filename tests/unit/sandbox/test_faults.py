"""Faults that concern every request, and the rate limit."""

from __future__ import annotations

from pipeline.sandbox.faults import Fault, Gate, Route


def test_a_fault_is_used_up() -> None:
    gate = Gate()
    gate.set_fault(_fault(left=2))
    assert [gate.fault_for(Route.CANCEL) is not None for _ in range(4)] == [True, True, False, False]


def test_a_fault_hits_only_its_routes_and_can_be_ended() -> None:
    gate = Gate()
    gate.set_fault(_fault(left=5))
    assert gate.fault_for(Route.QUERY) is None
    gate.set_fault(None)
    assert gate.fault_for(Route.CANCEL) is None


def test_no_second_takes_more_than_the_rate() -> None:
    gate = Gate()
    gate.set_rate(3)
    refused = [gate.too_fast(at) for at in (0.0, 0.1, 0.2, 0.3, 0.99, 1.0, 1.05, 1.1, 1.2)]
    assert refused == [False, False, False, True, True, False, True, False, False]


def test_without_a_rate_nothing_is_too_fast() -> None:
    gate = Gate()
    gate.set_rate(1)
    gate.set_rate(None)
    assert [gate.too_fast(0.0) for _ in range(10)] == [False] * 10


def _fault(left: int) -> Fault:
    return Fault("500", left, frozenset({Route.CANCEL}), processed=False, seconds=0)
