"""`anular backup`: a copy that can be put back, made at any time."""

from __future__ import annotations

import shutil

import pytest

from tests.support.warm import LONGEST_S


@pytest.fixture
def copies(lab):
    folder = lab.folder / "copias"
    folder.mkdir()
    return folder


def test_a_copy_is_verified_and_stands_with_its_seal_and_how_to_use_it(lab, copies):
    assert lab.anular("run", lab.numbered("uno.xlsx", 1, 1), "--yes").code == 0

    done = lab.anular("backup", copies, "--json")

    assert (done.code, done.data["head"]) == (0, lab.anular("verify", "--json").data["head"])
    note = copies.joinpath(done.data["seal"]).read_text("utf-8")
    for words in (done.data["head"], done.data["sha256"], "--restored", "hora de Panamá", done.data["backup"]):
        assert words in note
    assert sorted(path.name for path in copies.iterdir()) == sorted(
        path.rpartition("/")[2] for path in (done.data["backup"], done.data["seal"])
    )
    assert lab.anular("verify", done.data["backup"]).code == 0
    assert copies.joinpath(done.data["seal"]).stat().st_mode & 0o777 == 0o600


def test_a_copy_put_back_is_refused_until_a_person_says_so_and_then_nothing_is_sent_twice(lab, copies):
    assert lab.anular("run", lab.numbered("uno.xlsx", 1, 1), "--yes").code == 0
    made = lab.anular("backup", copies, "--json").data["backup"]
    file = lab.numbered("dos.xlsx", 50, 2)
    assert lab.anular("run", file, "--yes").code == 0

    shutil.copyfile(made, lab.folder / "ledger" / "registro.db")

    assert lab.anular("run", file, "--yes").code == 5
    assert lab.anular("adopt", "--restored", "--by", "Ana", "--reason", "se dañó el disco").code == 0
    went_on = lab.anular("run", file, "--yes", "--json")
    assert went_on.data[0]["outcomes"] == {"YA ANULADA": 2}
    assert max(lab.posts().values()) == 1


@pytest.mark.long
def test_it_works_while_a_run_is_going_on_which_goes_on(lab, copies, end_group):
    run = lab.start("run", lab.numbered("uno.xlsx", 1, 30), "--yes", ANULAR_RATE="10", ANULAR_CONCURRENCY="1")
    try:
        lab.wait_for_posts(2, unless=lambda: run.poll() is not None)
        assert run.poll() is None

        done = lab.anular("backup", copies, "--json")

        assert run.poll() is None, "the copy was to be made beside the run"
        assert run.wait(LONGEST_S) == 0
    finally:
        end_group(run)
    assert (done.code, done.data["rows"]) == (0, 30)
    assert lab.anular("verify", done.data["backup"]).code == 0
    assert lab.anular("status", "--json").data[0]["outcomes"] == {"ANULADA": 30}


def test_without_a_ledger_there_is_nothing_to_copy_and_none_is_made(place):
    done = place.anular("backup", place.folder / "copias")

    assert (done.code, "[no-ledger]" in done.err) == (2, True)
    assert not (place.folder / "ledger").exists()
    assert not (place.folder / "copias").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((), "Falta indicar CARPETA"), (("",), "[backup-folder]"), (("no/hay/esta",), "No existe la carpeta")],
)
def test_a_folder_that_is_missing_is_one_sentence(place, arguments, words):
    assert place.anular("run", place.batch(["000"]), "--yes").code == 0

    done = place.anular("backup", *arguments)

    assert (done.code, words in done.err) == (2, True)


def test_a_copy_beside_the_ledger_is_made_with_a_warning(place):
    assert place.anular("run", place.batch(["000"]), "--yes").code == 0

    done = place.anular("backup", place.folder / "ledger")

    assert (done.code, "misma carpeta" in done.err) == (0, True)
    assert place.anular("run", place.folder / "lote.xlsx", "--yes").code == 0


def test_every_companys_ledger_is_copied_and_where_there_is_none_nothing_fails(place):
    place.env.pop("ANULAR_LEDGER")
    config = place.folder / "anular.toml"
    config.write_text(
        f'[profile.uno]\nissuers = "29-29-29"\nledger = "sqlite:///{place.folder}/uno.db"\n'
        f'[profile.dos]\nissuers = "8-442-445"\nledger = "sqlite:///{place.folder}/dos.db"\n'
    )
    place.env["ANULAR_CONFIG"] = str(config)
    copies = place.folder / "copias"
    copies.mkdir()
    none = place.anular("backup", copies, "--all", "--json")
    assert (none.code, none.data["backups"]) == (0, [])
    assert place.anular("run", place.batch(["000"]), "--yes", "--profile", "uno").code == 0
    done = place.anular("backup", copies, "--all", "--json")
    assert done.code == 0
    assert [one["ledger"] for one in done.data["backups"]] == [f"{place.folder}/uno.db"]
    assert place.anular("backup", copies, "--all", "--profile", "uno").code == 2


def test_before_an_update_a_ledger_in_use_is_not_copied_and_the_command_says_so(lab, copies):
    from pipeline.ledger.storage.location import exclusive

    assert lab.anular("run", lab.numbered("uno.xlsx", 1, 1), "--yes").code == 0
    with exclusive(lab.env["ANULAR_LEDGER"]):
        busy = lab.anular("backup", copies, "--all", "--idle")
        assert busy.code == 6, busy.words
        assert list(copies.iterdir()) == []
        assert lab.anular("backup", copies).code == 0, "without --idle it is made beside"
    assert lab.anular("backup", copies, "--idle").code == 0
