"""The search for garbage: none while much is made, as before afterwards, and never among what was loaded."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from types import ModuleType

import pytest

from pipeline.runtime.garbage import gc_paused, loading


@pytest.fixture
def searched():
    """The search as it is outside of these tests, and nothing that is kept from it."""
    before = gc.isenabled()
    gc.enable()
    yield
    gc.unfreeze()
    (gc.enable if before else gc.disable)()


def load(monkeypatch, name: str = "a_module_of_this_test") -> None:
    monkeypatch.setitem(sys.modules, name, ModuleType(name))


def test_the_search_for_cycles_goes_on_as_before_whatever_happens_meanwhile(searched):
    assert gc.isenabled()
    with gc_paused():
        assert not gc.isenabled()
        with gc_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with suppress(RuntimeError), gc_paused():
        raise RuntimeError
    assert gc.isenabled()


def test_nothing_is_searched_while_modules_are_loaded(searched):
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_loaded_is_not_searched_again(searched, monkeypatch):
    before = gc.get_freeze_count()
    with loading():
        load(monkeypatch)
    assert gc.get_freeze_count() > before


def test_where_nothing_was_loaded_garbage_is_still_found(searched):
    before = gc.get_freeze_count()
    with loading():
        pass
    assert gc.get_freeze_count() == before


def test_after_a_module_that_is_missing_the_search_goes_on(searched):
    with pytest.raises(ModuleNotFoundError), loading():
        import_what_is_not_there()
    assert gc.isenabled()


def test_whoever_searches_for_nothing_goes_on_so(searched):
    gc.disable()
    with loading():
        pass
    assert not gc.isenabled()


def import_what_is_not_there() -> None:
    raise ModuleNotFoundError("no_such_module")
