"""Connections to the queue that a pass of the drop folder keeps: one for each use at the same time, no more."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest

from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.queue import app
from pipeline.queue.app import Connections
from tests.support import ledgers


def test_a_ledger_in_a_file_has_no_queue(tmp_path: Path) -> None:
    with (
        Connections() as connections,
        pytest.raises(WrongUsage),
        connections.connected(f"sqlite:///{tmp_path}/registro.db"),
    ):
        pass


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with ledgers.fresh(tmp_path) as url:
        yield url


def number(connection: psycopg.Connection[Any]) -> int:
    return connection.info.backend_pid


@pytest.mark.postgres
def test_the_next_use_has_the_connection_of_the_one_before_and_sees_what_it_committed(url: str) -> None:
    with Connections() as connections:
        with connections.connected(url) as one:
            first = number(one)
            one.execute("CREATE TABLE visto (n int)")
        with connections.connected(url) as other:
            assert number(other) == first
            other.execute("INSERT INTO visto VALUES (1)")
    assert ledgers.lines(url, "SELECT n FROM visto") == [{"n": 1}]
    assert one.closed
    ledgers.change(url, "DROP TABLE visto")


@pytest.mark.postgres
def test_what_fails_is_rolled_back_and_its_connection_is_not_used_again(url: str) -> None:
    used: list[int] = []

    def use() -> None:
        with connections.connected(url) as one:
            used.append(number(one))
            one.execute("CREATE TABLE visto (n int)")
            one.execute("SELECT * FROM no_hay")

    with Connections() as connections:
        with pytest.raises(StorageTrouble):
            use()
        with connections.connected(url) as other:
            assert number(other) not in used
    assert "visto" not in ledgers.tables(url)


@pytest.mark.postgres
def test_uses_at_the_same_time_have_one_each_and_a_lock_of_one_ends_with_it(url: str) -> None:
    together = Barrier(3)

    def use(key: int) -> int:
        with connections.connected(url) as one:
            one.execute("SELECT pg_advisory_xact_lock(%s)", (key,))
            together.wait(30)
            return number(one)

    with Connections() as connections, ThreadPoolExecutor(3) as pool:
        first = set(pool.map(use, (1, 2, 3)))
        assert len(first) == 3
        assert set(pool.map(use, (3, 1, 2))) == first  # nobody waits for a lock of before


def end(url: str, *numbers: int) -> None:
    """The server ends these connections, and they are gone."""
    for one in numbers:
        ledgers.tell_server(f"SELECT pg_terminate_backend({one}, 10000)")


@pytest.mark.postgres
def test_a_connection_that_the_server_ended_between_two_uses_costs_nothing(url: str) -> None:
    with Connections() as connections:
        with connections.connected(url) as one, connections.connected(url) as two:
            first = {number(one), number(two)}
        end(url, *first)
        with connections.connected(url) as other:
            assert number(other) not in first
            assert (one.closed, two.closed) == (True, True)
            assert other.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)


@pytest.mark.postgres
def test_a_connection_that_was_closed_between_two_uses_costs_nothing(url: str) -> None:
    with Connections() as connections:
        with connections.connected(url) as one:
            pass
        one.close()
        with connections.connected(url) as other:
            assert other is not one


@pytest.mark.postgres
def test_a_connection_that_the_server_ends_during_a_use_is_a_trouble_once_and_nothing_is_done_twice(url: str) -> None:
    uses: list[int] = []

    def use() -> None:
        with connections.connected(url) as one:
            uses.append(number(one))
            if len(uses) == 2:
                end(url, uses[-1])
            one.execute("SELECT 1")

    with Connections() as connections:
        use()
        with pytest.raises(StorageTrouble):
            use()
        assert uses[0] == uses[1]
        use()
        assert len(uses) == 3
        assert uses[2] != uses[1]


@pytest.mark.postgres
@pytest.mark.parametrize("step", ["configure", "_create"])
def test_a_connection_that_cannot_be_made_ready_is_closed(step: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[psycopg.Connection[Any]] = []

    def broken(connection: psycopg.Connection[Any]) -> None:
        seen.append(connection)
        raise psycopg.OperationalError("x")

    monkeypatch.setattr(app, step, broken)
    with Connections() as connections:
        with pytest.raises(StorageTrouble), connections.connected(url):
            pass
        assert [one.closed for one in seen] == [True]
