"""Which companies may work at the same time, and that each is worked for once."""

from __future__ import annotations

import threading

import pytest

from pipeline.run.side_by_side import chains, side_by_side


@pytest.mark.parametrize(
    ("owned", "expected"),
    [
        ([], []),
        ([{"a"}, {"b"}, {"c"}], [[0], [1], [2]]),
        ([{"a"}, {"b"}, {"a"}], [[1], [0, 2]]),
        ([set(), set()], [[0], [1]]),
        ([{"a"}, {"b"}, {"a", "b"}, {"b"}], [[0, 1, 2, 3]]),
        ([{"a", "x"}, {"b", "x"}, {"c"}, {"c", "b"}], [[0, 1, 2, 3]]),
    ],
)
def test_those_that_share_what_only_one_can_own_work_one_after_the_other(owned, expected):
    assert sorted(chains(owned)) == sorted(expected)


def test_others_work_at_the_same_time():
    """Each waits until all have begun: one after the other would never end."""
    met = threading.Barrier(4, timeout=20)

    def work(number: int) -> int:
        met.wait()
        return number * number

    done = dict(side_by_side(range(4), [{str(n)} for n in range(4)], work, most=4))

    assert done == {0: 0, 1: 1, 2: 4, 3: 9}


def test_at_most_as_many_as_allowed_work_at_the_same_time_and_a_chain_is_one_of_them():
    lock, now, most = threading.Lock(), set[int](), [0]
    order: list[int] = []

    def work(number: int) -> None:
        with lock:
            now.add(number)
            most[0] = max(most[0], len(now))
            assert not {0, 2, 5} <= now
            assert len(now & {0, 2, 5}) <= 1
            order.append(number)
        with lock:
            now.remove(number)

    owned = [{"same"} if number in (0, 2, 5) else {str(number)} for number in range(20)]
    assert len(list(side_by_side(range(20), owned, work, most=3))) == 20
    assert most[0] <= 3
    assert [number for number in order if number in (0, 2, 5)] == [0, 2, 5]


def test_what_one_raises_is_raised_when_all_have_ended():
    ended: list[int] = []

    def work(number: int) -> None:
        if number == 1:
            raise ValueError("a bug")
        ended.append(number)

    with pytest.raises(ValueError, match="a bug"):
        list(side_by_side(range(5), [set()] * 5, work, most=2))
    assert sorted(ended) == [0, 2, 3, 4]
