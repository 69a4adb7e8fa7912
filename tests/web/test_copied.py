"""A copy of the office database in a file has the accounts, with the rule that nothing changes the log of accesses."""

from __future__ import annotations

import sqlite3

import pytest

from pipeline.office.copying import back_up, move
from pipeline.office.place import place_of
from tests.support.pages import House

pytestmark = pytest.mark.sqlite


def accounts(path: str) -> list[str]:
    with sqlite3.connect(path) as connection:
        return [name for (name,) in connection.execute("SELECT username FROM web_person ORDER BY username")]


@pytest.mark.parametrize("moved", [False, True], ids=["backup", "move"])
def test_accounts_and_the_rule_of_the_log_are_in_the_copy(house: House, tmp_path, moved):
    house.client().post("/entrar", {"usuario": "ana", "clave": "no es esta"})
    before = accounts(place_of(house.site.settings.office).place)
    if moved:
        there = tmp_path / "otra" / "oficina.db"
        move(place_of(house.site.settings.office), place_of(f"sqlite:///{there}"), house.clock.now())
    else:
        there = back_up(house.site.office, tmp_path, house.clock.now())
    assert accounts(str(there)) == before
    assert "ana" in before
    with sqlite3.connect(there) as connection:
        assert connection.execute("SELECT count(*) FROM web_audit").fetchone() == (1,)
        for change in ("UPDATE web_audit SET ok = 1", "DELETE FROM web_audit"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(change)
