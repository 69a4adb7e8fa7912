"""``anular watch DIR --once``: files in, results and a note out, under the written policy (interface.md 6, P2, P13)."""

from __future__ import annotations

import json

import pytest
from openpyxl import load_workbook

from pipeline.ledger.storage.driver import sqlite3
from pipeline.watch.manifest import seal
from tests.support.books import rows_of

REASON = "Factura emitida con el monto equivocado"


class Drop:
    """A drop folder and what lies in it."""

    def __init__(self, place):
        self.place = place
        self.root = place.folder / "carpeta"
        (self.root / "inbox").mkdir(parents=True, mode=0o750)
        self.root.chmod(0o750)
        del place.env["ANULAR_OUT"]
        place.env["ANULAR_WATCH_QUIET"] = "0"

    def put(self, scenarios, name="lote.xlsx", first=1, profile=""):
        """A good workbook in the inbox, one row for each scenario."""
        made = self.place.batch(scenarios, "hecho.xlsx", first)
        inbox = self.root / "inbox" / profile
        inbox.mkdir(exist_ok=True)
        return made.rename(inbox / name)

    def go(self, **more):
        return self.place.anular("watch", self.root, "--once", "--json", **more)

    def files(self, folder):
        """Names below ``folder``, without the program's own."""
        paths = (self.root / folder).rglob("*")
        return sorted(str(p.relative_to(self.root / folder)) for p in paths if p.is_file())

    def note(self, name, folder="done"):
        return (self.root / folder / name).read_text("utf-8")


@pytest.fixture
def drop(place):
    return Drop(place)


def summary_of(path):
    book = load_workbook(path, read_only=True)
    told = [[value for value in row if value not in (None, "")] for row in book["Resumen"].iter_rows(values_only=True)]
    book.close()
    return [row for row in told if len(row) == 2]


def test_a_file_goes_through_and_lies_in_done_with_its_workbook_and_its_note(drop):
    drop.put(["000", "000"])
    done = drop.go()
    (answer,) = done.data
    batch = answer["batch"]

    assert done.code == answer["exit_code"] == 0, done.words
    assert answer["outcomes"] == {"ANULADA": 2}
    assert drop.files("done") == ["lote.txt", "lote.xlsx", f"lote__{batch}__resultados.xlsx"]
    assert drop.files("inbox") == drop.files("processing") == drop.files("failed") == []
    note = drop.note("lote.txt")
    assert "2  ANULADA" in note
    assert f"lote__{batch}__resultados.xlsx" in note
    assert f"lote: {batch}" in note
    assert "código de salida: 0" in note
    assert max(drop.place.posts().values()) == 1


def test_the_same_content_again_is_answered_from_the_ledger_and_marked(drop):
    drop.put(["000", "000"])
    content = (drop.root / "inbox" / "lote.xlsx").read_bytes()
    first = drop.go()
    (drop.root / "inbox" / "otra vez.xlsx").write_bytes(content)
    again = drop.go()

    assert (first.code, again.code) == (0, 0)
    assert again.data[0]["fate"] == "duplicate"
    assert again.data[0]["batch"] == first.data[0]["batch"]
    assert {"otra vez_DUPLICADO.xlsx", "otra vez_DUPLICADO.txt"} <= set(drop.files("done"))
    assert "ya se había recibido" in drop.note("otra vez_DUPLICADO.txt")
    assert sum(drop.place.posts().values()) == 2


def test_two_files_of_one_name_and_two_of_one_content_in_one_pass_all_end(drop):
    drop.put(["000"], "a.xlsx")
    content = (drop.root / "inbox" / "a.xlsx").read_bytes()
    (drop.root / "inbox" / "b.xlsx").write_bytes(content)
    assert drop.go().code == 0
    drop.put(["000"], "a.xlsx", first=50)
    assert drop.go().code == 0
    assert {"a.xlsx", "a.txt", "b_DUPLICADO.xlsx", "a (2).xlsx", "a (2).txt"} <= set(drop.files("done"))
    assert "1  ANULADA" in drop.note("b_DUPLICADO.txt"), "it tells what became of the rows, not what was once unsent"
    assert sum(drop.place.posts().values()) == 2


def test_a_file_that_cannot_be_read_goes_to_failed_with_the_sentence(drop):
    (drop.root / "inbox" / "nota.csv").write_text("esto no es una tabla\n", "utf-8")
    done = drop.go()

    assert done.code == 3, done.words
    assert done.data[0]["refused"]["code"] == "sin-encabezado"
    assert drop.files("failed") == ["nota.csv", "nota.txt"]
    note = drop.note("nota.txt", "failed")
    assert "SE RECHAZÓ" in note
    assert "[sin-encabezado]" in note
    assert drop.place.entries() == []


def test_pending_rows_end_in_done_with_exit_code_4(drop):
    drop.put(["000", "950"])
    done = drop.go(ANULAR_POLL_FOR="0.5")
    assert done.code == 4, done.words
    assert f"«anular poll {done.data[0]['batch']} --ledger " in drop.note("lote.txt")


@pytest.mark.long
@pytest.mark.parametrize("by", ["file", "number"])
def test_what_the_policy_does_not_allow_is_held_until_a_person_approves_it(drop, by):
    drop.put(["000", "000", "000"])
    held = drop.go(ANULAR_WATCH_MAX_ROWS="2")
    (answer,) = held.data

    assert held.code == 7
    assert (answer["fate"], answer["outcomes"]) == ("held", {"RETENIDA": 3})
    assert drop.place.entries() == []
    note = drop.note("lote.txt")
    assert "QUEDÓ RETENIDO" in note
    assert "[politica-filas]" in note
    assert f"«anular release {answer['batch']} --ledger " in note
    assert drop.place.anular("status", "--json").data[0]["outcomes"] == {"RETENIDA": 3}
    row = rows_of(answer["workbook"])[0]
    assert row["resultado"] == "RETENIDA"
    assert "[retenida-carpeta]" in row["observaciones"]

    # dropped again it is still held; nobody approved it
    (drop.root / "inbox" / "lote.xlsx").write_bytes((drop.root / "done" / "lote.xlsx").read_bytes())
    assert drop.go().data[0]["outcomes"] == {"RETENIDA": 3}
    assert drop.place.entries() == []

    command = ["run", drop.root / "done" / "lote.xlsx"] if by == "file" else ["release", answer["batch"]]
    released = drop.place.anular(*command, "--yes", "--json")
    assert released.code == 0, released.words
    assert released.data[0]["outcomes"] == {"ANULADA": 3}
    assert sorted(drop.place.posts().values()) == [1, 1, 1]
    note = drop.note("lote.txt")
    assert "RETENIDO" not in note
    assert "Estaba retenido y lo aprobó" in note
    assert "3  ANULADA" in note
    facts = [row for row in summary_of(released.data[0]["workbook"]) if row[0] == "Retenido al llegar; lo aprobó"]
    assert [row[1].endswith(": 3 filas") for row in facts] == [True]


def hold(drop, scenarios=("000", "000"), name="lote.xlsx", first=1):
    """A file that lies in ``done/``, held; its batch."""
    drop.put(scenarios, name, first)
    (answer,) = drop.go(ANULAR_WATCH_MAX_ROWS="0").data
    assert answer["fate"] == "held"
    return answer["batch"]


def test_the_note_of_what_was_released_is_written_where_the_file_lies_and_its_orders_are_whole(drop):
    other, batch = hold(drop), hold(drop, ("000", "950"), first=50)
    before = drop.note("lote.txt")
    assert f"lote: {other}" in before
    assert f"lote: {batch}" in drop.note("lote (2).txt")

    released = drop.place.anular("release", batch, "--yes", ANULAR_POLL_FOR="0.5")
    assert released.code == 4, released.words
    assert drop.note("lote.txt") == before, "another batch's, which is held still"
    note = drop.note("lote (2).txt")
    assert "Archivo:   lote (2).xlsx" in note
    assert "Estaba retenido y lo aprobó" in note
    assert f"«anular poll {batch} --ledger " in note


def test_where_the_workbooks_lie_elsewhere_the_file_that_is_run_gets_its_note_again(drop):
    drop.place.env["ANULAR_OUT"] = str(drop.place.folder / "libros")
    hold(drop)
    assert drop.place.anular("run", drop.root / "done" / "lote.xlsx", "--yes").code == 0
    note = drop.note("lote.txt")
    assert "Estaba retenido y lo aprobó" in note
    assert str(drop.place.folder / "libros") in note


@pytest.mark.parametrize("meddling", ["changed", "gone", "moved", "no note", "own words"])
def test_a_note_beside_anything_but_the_file_that_was_held_stays_as_it_is(drop, meddling):
    batch = hold(drop)
    done = drop.root / "done"
    file, note = done / "lote.xlsx", done / "lote.txt"
    if meddling == "changed":
        file.write_bytes(file.read_bytes() + b"more")
    elif meddling == "gone":
        file.unlink()
    elif meddling == "moved":
        file.rename(drop.place.folder / "lote.xlsx")
    elif meddling == "no note":
        note.unlink()
    else:
        note.write_text(f"Visto.\n  lote: {batch}\n", "utf-8")
    before = note.read_bytes() if note.exists() else None

    released = drop.place.anular("release", batch, "--yes", "--json")
    assert (released.code, released.err.count("✗")) == (0, 0), released.words
    assert released.data[0]["outcomes"] == {"ANULADA": 2}
    assert (note.read_bytes() if note.exists() else None) == before


def test_the_cap_of_a_night_counts_what_was_sent_in_the_24_hours_before(drop):
    for number, name in ((1, "a.xlsx"), (11, "b.xlsx"), (21, "c.xlsx")):
        drop.put(["000", "000"], name, first=number)
    done = drop.go(ANULAR_WATCH_MAX_NIGHT="4")
    assert [one["fate"] for one in done.data] == ["held", "done", "done"]
    assert "[politica-noche]" in done.data[0]["why"]
    drop.put(["000"], "d.xlsx", first=31)
    assert drop.go(ANULAR_WATCH_MAX_NIGHT="4").data[0]["fate"] == "held"
    tomorrow = {"ANULAR_SANDBOX_NOW": "2026-11-21T10:00:05-05:00", "ANULAR_WATCH_MAX_NIGHT": "4"}
    drop.put(["000"], "e.xlsx", first=41)
    assert drop.go(**tomorrow).data[0]["fate"] == "done"


def test_outside_the_sandbox_the_environment_and_the_issuers_have_to_be_written_down(lab):
    drop = Drop(lab)
    drop.place.env["ANULAR_WATCH_MAX_ROWS"] = "10"
    made = lab.numbered("lote.xlsx", 1, 2)
    (drop.root / "inbox" / "lote.xlsx").write_bytes(made.read_bytes())
    held = drop.go()
    assert held.data[0]["fate"] == "held", held.words
    assert "[politica-ambiente]" in held.data[0]["why"]
    assert "[politica-emisores]" in held.data[0]["why"]

    made = lab.numbered("otro.xlsx", 11, 2)
    (drop.root / "inbox" / "otro.xlsx").write_bytes(made.read_bytes())
    allowed = drop.go(ANULAR_WATCH_ENV="lab", ANULAR_WATCH_ISSUERS="29-29-29")
    assert (allowed.code, allowed.data[0]["fate"]) == (0, "done"), allowed.words
    assert sum(lab.posts().values()) == 2


def manifest_for(path, rows, key, changes):
    import hashlib

    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    told = {"rows": rows, "sha256": sha, "hmac": seal(key, sha, rows), **changes}
    path.with_name(path.name + ".manifest.json").write_text(json.dumps(told), "utf-8")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (None, "manifiesto-falta"),
        ({"rows": 3}, "manifiesto-filas"),
        ({"sha256": "0" * 64}, "manifiesto-sha256"),
        ({"hmac": "0" * 64}, "manifiesto-hmac"),
        ({"rows": "2"}, "manifiesto-ilegible"),
        ({}, ""),
    ],
    ids=["missing", "count", "hash", "HMAC", "nonsense", "good"],
)
def test_f66_a_batch_without_a_manifest_that_agrees_is_held(drop, changes, code):
    key = b"una clave que nadie adivina"
    (drop.place.folder / "clave").write_bytes(key + b"\n")
    path = drop.put(["000", "000"])
    if changes is not None:
        manifest_for(path, 2, key, changes)
    env = {"ANULAR_WATCH_MANIFEST": "required", "ANULAR_WATCH_MANIFEST_WAIT": "0"}
    done = drop.go(**env, ANULAR_WATCH_HMAC_FILE=str(drop.place.folder / "clave"))

    assert done.data[0]["fate"] == ("held" if code else "done"), done.words
    assert drop.files("inbox") == []
    if code:
        assert f"[{code}]" in drop.note("lote.txt")
        assert drop.place.entries() == []
    else:
        assert sum(drop.place.posts().values()) == 2


@pytest.mark.long
def test_each_company_has_its_own_subfolder_profile_and_ledger(drop):
    config = drop.place.folder / "anular.toml"
    config.write_text(
        f'[profile.norte]\nledger = "sqlite:///{drop.place.folder}/norte/n.db"\n'
        f'[profile.sur]\nledger = "sqlite:///{drop.place.folder}/sur/s.db"\nwatch_max_rows = 0\n'
    )
    env = {"ANULAR_CONFIG": str(config), "ANULAR_LEDGER": ""}
    for number, profile in ((1, "norte"), (2, "sur")):
        drop.put(["000"], first=number, profile=profile)
    (drop.root / "inbox" / "otra").mkdir()
    done = drop.go(**env)

    assert {one["profile"]: one["fate"] for one in done.data} == {"norte": "done", "sur": "held"}
    assert done.code == 2, "a subfolder without a profile is told, the others go on"
    assert "«otra»" in done.err
    assert "norte/lote.xlsx" in drop.files("done")
    with sqlite3.connect(drop.place.folder / "sur" / "s.db") as ledger:
        assert ledger.execute("SELECT count(*) FROM attempt WHERE state = 'HELD'").fetchone() == (1,)
    ledger.close()


@pytest.mark.long
def test_when_the_service_is_not_there_the_file_stays_and_the_next_pass_goes_on(drop):
    drop.put(["000", "000"])
    stopped = drop.go(ANULAR_BASE_URL="http://127.0.0.1:9/nada/")
    assert (stopped.code, stopped.data[0]["fate"]) == (5, "waiting"), stopped.words
    assert drop.files("done") == []
    waiting = [name for name in drop.files("processing") if name.endswith("/lote.xlsx")]
    assert len([name for name in waiting if "/.copia/" not in name]) == 1
    done = drop.go()
    assert done.code == 0, done.words
    assert sorted(drop.place.posts().values()) == [1, 1]
    assert drop.files("processing") == []


def test_a_pass_while_another_holds_the_folder_ends_with_6(drop):
    from pipeline.watch.scan import owned

    drop.put(["000"])
    with owned(drop.root):
        busy = drop.go()
    assert busy.code == 6, busy.words
    assert drop.files("inbox") == ["lote.xlsx"]


def test_a_pass_while_another_run_holds_the_ledger_ends_with_6_and_loses_nothing(drop):
    from pipeline.ledger.storage.location import exclusive

    drop.put(["000"])
    with exclusive(drop.place.env["ANULAR_LEDGER"]):
        busy = drop.go()
    assert (busy.code, busy.data[0]["fate"]) == (6, "waiting"), busy.words
    assert drop.go().code == 0
    assert sorted(drop.place.posts().values()) == [1]


def test_a_young_file_waits_and_a_marker_ends_the_waiting(drop):
    path = drop.put(["000"])
    assert drop.go(ANULAR_WATCH_QUIET="600").data == []
    assert drop.files("inbox") == ["lote.xlsx"]
    path.with_name("lote.xlsx.ok").touch()
    done = drop.go(ANULAR_WATCH_QUIET="600")
    assert [one["fate"] for one in done.data] == ["done"]
    assert drop.files("inbox") == []


def test_without_a_server_there_is_no_queue_to_hand_files_in_to(drop):
    drop.put(["000"])
    ended = drop.place.anular("watch", drop.root, "--once", "--queue")
    assert ended.code == 2, ended.words
    assert "La cola de trabajo necesita un historial de envíos en PostgreSQL" in ended.err
    assert drop.files("inbox") == ["lote.xlsx"], "nothing was taken"


def test_a_file_that_is_held_after_a_part_of_it_was_sent_says_so(drop):
    drop.put(["000", "000", "000"])
    drop.go(ANULAR_TEST_CRASH="post-after:2", ANULAR_CONCURRENCY="1")
    held = drop.go(ANULAR_WATCH_MAX_ROWS="0")
    assert held.data[0]["fate"] == "held", held.words
    note = drop.note("lote.txt")
    assert "QUEDÓ RETENIDO a medio enviar" in note
    assert "No se envió ninguna" not in note
    assert drop.place.anular("run", drop.root / "done" / "lote.xlsx", "--yes").code in (0, 4)
    assert max(drop.place.posts().values()) == 1
    assert len(drop.place.posts()) == 3


def test_a_folder_belongs_to_one_ledger_and_another_one_takes_it_over_only_by_a_persons_word(lab):
    drop = Drop(lab)
    lab.env |= {"ANULAR_WATCH_ENV": "lab", "ANULAR_WATCH_ISSUERS": "29-29-29", "ANULAR_PREFLIGHT": "off"}
    file = lab.numbered("uno.xlsx", 1, 2)
    copy = file.read_bytes()
    file.rename(drop.root / "inbox" / "uno.xlsx")
    assert drop.go().code == 0
    assert len(json.loads((drop.root / ".anular-ledger").read_text())[""]) == 32
    other = {
        "ANULAR_LEDGER": f"sqlite:///{lab.folder / 'otro' / 'registro.db'}",
        "XDG_STATE_HOME": str(lab.folder / "another-machine"),  # which remembers nothing
    }
    (drop.root / "done" / "uno.xlsx").unlink()
    for book in (drop.root / "done").glob("*.xlsx"):
        book.unlink()
    (drop.root / "inbox" / "otra vez.xlsx").write_bytes(copy)

    refused = drop.go(**other)

    assert (refused.code, "es de otro historial de envíos" in refused.words) == (5, True)
    assert sum(lab.posts().values()) == 2
    taken = lab.anular("watch", drop.root, "--once", "--json", "--take-over", **other)
    assert [one["outcomes"] for one in taken.data] == [{"YA ANULADA": 2}], "eDoc was asked first"
    assert sum(lab.posts().values()) == 2
    (drop.root / "inbox" / "mas.xlsx").write_bytes(lab.numbered("mas.xlsx", 50, 1).read_bytes())
    assert drop.go().code == 5, "the first one has lost it"


def test_a_file_that_a_killed_pass_of_another_ledger_left_is_not_sent_by_this_one(lab):
    drop = Drop(lab)
    lab.env |= {"ANULAR_WATCH_ENV": "lab", "ANULAR_WATCH_ISSUERS": "29-29-29"}
    lab.numbered("uno.xlsx", 1, 2).rename(drop.root / "inbox" / "uno.xlsx")
    assert lab.anular("watch", drop.root, "--once", ANULAR_TEST_CRASH="post-after").code != 0
    (drop.root / ".anular-ledger").unlink()
    (claim,) = (path for path in (drop.root / "processing").iterdir() if path.is_dir())
    assert json.loads((claim / ".registro.json").read_text())["batch"].startswith("20")
    elsewhere = {"ANULAR_LEDGER": f"sqlite:///{lab.folder / 'o' / 'r.db'}", "XDG_STATE_HOME": str(lab.folder / "o2")}

    refused = drop.go(**elsewhere)

    assert (refused.code, "es de otro historial de envíos" in refused.words) == (5, True)
    assert max(lab.posts().values()) == 1


# --- what was given back (6, 15) is a person's to send again, never the folder's


def given_back(drop, rows):
    """Drops the corrections workbook of a file with ``rows``: the one that was given back is corrected."""
    drop.put(rows)
    drop.go(ANULAR_POLL_FOR="0.5")
    (path,) = (drop.root / "done").glob("*__corregir.xlsx")
    book = load_workbook(path)
    book["Devueltas"]["C2"] = "Monto equivocado: se facturó dos veces el flete"
    book.save(drop.root / "inbox" / "corregido.xlsx")


def test_a_dropped_book_of_rows_that_were_given_back_is_put_away_with_one_clear_note(drop):
    given_back(drop, ["000", "906"])
    posts = drop.place.posts()
    done = drop.go()

    assert (done.code, done.data[0]["code"]) == (3, "solo-devueltas"), done.words
    assert drop.files("failed") == ["corregido.txt", "corregido.xlsx"]
    note = drop.note("corregido.txt", "failed")
    assert "se reenvían una por una" in note
    assert "Cargue este mismo libro en una terminal" in note
    assert "inbox" not in note
    assert drop.place.posts() == posts
    assert len(drop.place.anular("status", "--json").data) == 1


def test_a_dropped_book_with_corrected_rows_of_both_kinds_says_which_were_not_sent_again(drop):
    drop.put(["000", "906"], "una.xlsx")
    drop.go(ANULAR_POLL_FOR="0.5")
    first = drop.place.batch(["000", "906"], "hecho.xlsx", first=10)
    book = load_workbook(first)
    book["Hoja1"]["D2"] = "corto"
    book.save(drop.root / "inbox" / "dos.xlsx")
    drop.go(ANULAR_POLL_FOR="0.5")
    (path,) = (drop.root / "done").glob("dos__*__corregir.xlsx")
    fixes = load_workbook(path)
    fixes["Corregir"]["E2"] = REASON
    fixes["Devueltas"]["C2"] = "Monto equivocado: se facturó dos veces el flete"
    fixes.save(drop.root / "inbox" / "corregido.xlsx")
    done = drop.go(ANULAR_POLL_FOR="0.5")

    assert (done.code, done.data[0]["outcomes"]) == (0, {"ANULADA": 1}), done.words
    assert "1 factura devuelta viene corregida en la hoja «Devueltas» y no se reenvió" in drop.note("corregido.txt")
    assert set(drop.place.posts().values()) == {1}
