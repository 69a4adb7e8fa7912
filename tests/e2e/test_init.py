"""``anular init`` makes an office of a file of answers: once, without a secret, and nothing is lost."""

from __future__ import annotations

import tomllib

import pytest

from pipeline.domain.ruc import dv


def answers(place, count, **more):
    lines = [f'carpeta = "{place.folder / "Anular"}"', *(f"{name} = {value}" for name, value in more.items())]
    for n in range(1, count + 1):
        ruc = f"1555967{n:02d}-2-2015"
        lines += ["[[empresa]]", f'nombre = "empresa{n}"', f'ruc = "{ruc} DV {dv(ruc)}"', f'usuario = "api-{n}"']
    path = place.folder / "respuestas.toml"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def office(place):
    del place.env["ANULAR_SANDBOX_NOW"]
    place.env.pop("ANULAR_LEDGER")
    return place


def state(folder):
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("count", [1, 20])
def test_every_company_gets_its_settings_and_a_ledger_of_its_own_and_again_changes_nothing(office, count):
    file = answers(office, count, personas=1)
    done = office.anular("init", "--respuestas", file)
    assert (done.code, done.err) == (0, "")
    made = tomllib.loads((office.folder / "config" / "anular" / "anular.toml").read_text())
    own = list(made["profile"].values()) if count > 1 else [made]
    assert len({one["ledger"] for one in own}) == len({one["issuers"] for one in own}) == count
    boxes = sorted(path.name for path in (office.folder / "Anular" / "inbox").iterdir())
    assert boxes == (sorted(made["profile"]) if count > 1 else [])
    for text in (path.read_text("utf-8", "replace") for path in state(office.folder)):
        assert "contrase" not in text
        assert "password" not in text

    before = state(office.folder)
    assert office.anular("init", "--respuestas", file).code == 0
    assert state(office.folder) == before


def test_what_init_made_works_from_the_file_to_the_results(office):
    file = answers(office, 2, personas=1)
    file.write_text(file.read_text().replace("155596702-2-2015 DV " + str(dv("155596702-2-2015")), "29-29-29"))
    assert office.anular("init", "--respuestas", file).code == 0
    done = office.anular("run", office.batch(["000"]), "--yes", "--profile", "empresa2")
    assert done.code == 0, done.words
    ledgers = sorted(path.name for path in (office.folder / "data" / "anular" / "registro").glob("*.db"))
    assert ledgers == ["empresa2.db"]


def test_a_ledger_that_was_used_before_stays_where_it_is(office):
    assert office.anular("run", office.batch(["000"]), "--yes").code == 0
    (usual,) = (office.folder / "data").rglob("*.db")
    done = office.anular("init", "--respuestas", answers(office, 1, personas=1))
    assert str(usual) in done.out
    assert office.anular("status").out.count("lote.xlsx") == 1


def test_production_is_refused_until_edoc_knows_the_user_and_nothing_is_changed(office):
    done = office.anular("init", "--respuestas", answers(office, 1, ambiente='"produccion"'))
    assert done.code == 2
    assert "Producción no queda lista" in done.err
    assert not (office.folder / "config" / "anular" / "anular.toml").exists()
    assert not (office.folder / "Anular").exists()


@pytest.mark.parametrize("text", ["personas = 7", 'ambiente = "x"', "= ="])
def test_a_faulty_answer_is_a_sentence(office, text):
    path = office.folder / "r.toml"
    path.write_text(text)
    done = office.anular("init", "--respuestas", path)
    assert done.code == 2
    assert "✗" in done.err
    assert "Traceback" not in done.words


def test_without_a_terminal_it_asks_nothing(office):
    done = office.anular("init")
    assert done.code == 2
    assert "--respuestas" in done.err


def test_a_task_is_written_and_how_to_install_it(office):
    folder = office.folder / "Tareas"
    done = office.anular("schedule", "poll", "--at", "04:35", "--for", "windows", "--out", folder)
    assert done.code == 0, done.words
    assert (folder / "anular-poll.xml").read_bytes().decode("utf-16").count("T04:35:00") == 1
    assert "schtasks /Create" in done.out
    shown = office.anular("schedule", "watch", office.folder / "Anular", "--every", "15", "--for", "cron")
    assert f"*/15 * * * * XDG_DATA_HOME={office.folder}/data" in shown.out
    assert f"watch {office.folder}/Anular --once" in shown.out
    assert office.anular("schedule", "poll", "--every", "7").code == 2
