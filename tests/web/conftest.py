"""The page as sample people see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import browsing, pages
from tests.support.browsing import Shown
from tests.support.pages import House
from tests.web.states import State, states


@pytest.fixture(scope="session", autouse=True)
def _template() -> Iterator[None]:
    yield
    pages.forget()


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[House]:
    """The page; ``@pytest.mark.parametrize("house", [{"approval": "none"}], indirect=True)`` changes settings."""
    with pages.house(tmp_path, monkeypatch, **getattr(request, "param", {})) as made:
        yield made


@pytest.fixture
def ana(house: House) -> Any:
    """A client logged in as who prepares."""
    return house.client("ana")


@pytest.fixture
def luis(house: House) -> Any:
    """… as who approves."""
    return house.client("luis")


@pytest.fixture
def marta(house: House) -> Any:
    """… as who looks."""
    return house.client("marta")


@pytest.fixture
def admin(house: House) -> Any:
    """… as who administers."""
    return house.client("admin")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The page as a server, for a browser."""
    with (
        browsing.browser() as chrome,
        pytest.MonkeyPatch.context() as patch,
        browsing.shown(tmp_path_factory.mktemp("shown"), patch, chrome) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def all_states(shown: Shown) -> dict[str, State]:
    """Every screen in every state, by its name."""
    return {one.name: one for one in states(shown)}
