"""A download is what ``anular report`` writes, kept as long as nothing happens to a row of the batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.approvals.downloads import EMPTY, KINDS, ready, write_download
from pipeline.approvals.places import Places
from pipeline.domain.errors import WrongUsage
from pipeline.domain.records import BatchInfo
from pipeline.run.results import write_results
from pipeline.wiring.views import open_views
from tests.support.desk import Desk


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "web")


def now(desk: Desk, batch: str) -> BatchInfo:
    with open_views(desk.settings) as views:
        assert views is not None
        found = views.batch(batch)
        assert found is not None
        return found


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"corregir"}))
def test_its_bytes_are_those_of_report(desk: Desk, places: Places, kind: str, tmp_path: Path):
    info = desk.run(desk.file([1, 2]))
    desk.settled(info)
    write_download(desk.settings, info.id, kind, places)
    with open_views(desk.settings) as views:
        assert views is not None
        write_results(info, views, tmp_path / "cli", csv=True, jsonl=True, pdf=True, constancias=True)
    found = ready(desk.settings, now(desk, info.id), kind, places)
    assert found is not None
    assert found.read_bytes() == (tmp_path / "cli" / found.name).read_bytes()
    assert found.name.endswith(KINDS[kind].ending)


def test_nothing_to_correct_is_known_and_not_asked_for_again(desk: Desk, places: Places):
    info = desk.run(desk.file([1]))
    write_download(desk.settings, info.id, "corregir", places)
    found = ready(desk.settings, now(desk, info.id), "corregir", places)
    assert found is not None
    assert found.name == EMPTY


def test_once_something_happened_the_old_one_is_not_given_out_and_goes(desk: Desk, places: Places):
    info = desk.run(desk.file([1, 2]))
    write_download(desk.settings, info.id, "csv", places)
    before = ready(desk.settings, now(desk, info.id), "csv", places)
    assert before is not None
    desk.settled(info)
    assert ready(desk.settings, now(desk, info.id), "csv", places) is None
    write_download(desk.settings, info.id, "csv", places)
    assert not before.exists()
    assert ready(desk.settings, now(desk, info.id), "csv", places) is not None


def test_a_batch_that_is_not_there_has_none(desk: Desk, places: Places):
    desk.run(desk.file([1]))
    with pytest.raises(WrongUsage, match="No existe el lote"):
        write_download(desk.settings, "20261120-00000000", "csv", places)


def test_nothing_half_done_is_left(places: Places):
    def broken() -> None:
        with places.new() as folder:
            (folder / "half").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert list(places.root.iterdir()) == []
