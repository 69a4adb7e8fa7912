"""The evidence pack: the same batch gives the same bytes, and it is enough by itself (issue 3; reliability.md P15)."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace

import pytest

from pipeline.domain.errors import StorageTrouble
from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Correction, Finding, Source, Waiting
from pipeline.evidence import format as m
from pipeline.evidence.book import check_book
from pipeline.evidence.check import check, check_file
from pipeline.evidence.remake import Parts, Places
from pipeline.ledger.decisions import standing
from pipeline.ledger.moves import Move
from pipeline.ledger.replay import Replay
from pipeline.ledger.storage.driver import sqlite3
from pipeline.ledger.storage.sqlite import sqlite_path
from pipeline.ledger.verify import examine
from pipeline.report.layout import layout
from pipeline.report.lines import outcome_of
from pipeline.report.summary import summarise
from tests.integration.evidence import forge
from tests.support import ledgers


def test_a_pack_of_everything_that_can_become_of_a_row_is_good(case):
    found = check_file(case.pack())

    assert found.faults == []
    assert (found.batch, found.rows, found.foreign > 0) == (case.info.id, 13, True)
    assert sum(found.counts.values()) == 13


def test_its_name_stands_beside_the_workbook(case):
    pack = case.pack()

    assert pack.name == f"lote__{case.info.id}__evidencia.zip"
    assert (pack.parent / f"lote__{case.info.id}__resultados.xlsx").is_file()


def test_the_same_batch_gives_the_same_bytes(case, tmp_path):
    assert case.pack().read_bytes() == case.pack(tmp_path / "again").read_bytes()


def test_a_ledger_that_went_on_with_other_batches_gives_the_same_bytes_and_the_old_pack_still_holds(case, row):
    pack = case.pack()
    before = pack.read_bytes()
    case.book.take([replace(row(80), pos=1)], name="luego", sha="c")
    (one,) = case.book.views.ready("20261120-luego")
    case.book.send(one, Event.CANCELLED)

    assert check(before).good
    assert case.pack().read_bytes() == before


def test_an_old_pack_of_a_batch_that_went_on_still_holds(case):
    before = case.pack().read_bytes()
    unsent = next(one for one in case.book.views.ready(case.info.id) if one.pos == 9)
    case.book.send(unsent, Event.CANCELLED)

    assert check(before).good
    assert check(case.pack().read_bytes()).good
    assert case.pack().read_bytes() != before


def test_what_a_corrected_resend_sent_stands_in_the_pack_and_in_its_workbook_and_holds(case, unzipped):
    new = Correction("Otro motivo, más claro", "contabilidad@empresa.com")
    asked = Finding(Source.QUERY, Event.RETURNED, http=200, estado=15)
    returned = standing(case.book.database, case.info, 10)
    wish = Move.of(returned, returned.state, Event.RESEND, case.book.now, asked, "sí", who="ana", retry=True)
    case.book.store.apply([replace(wish, correction=new)])
    (again,) = [one for one in case.book.views.ready(case.info.id) if one.pos == 6]
    case.book.send(again, Event.CANCELLED, Finding(Source.CANCELLATION, Event.CANCELLED, http=200, estado=2))

    pack = case.pack()
    parts = unzipped(pack)
    assert check(pack.read_bytes()).faults == []
    told = [line.note for line in case.book.views.log(case.info) if line.event is Event.RESEND]
    assert f"sí Se reenvía con el motivo «{new.reason}»; correo: «{new.email}»." in told
    for text in (b"m\\\\u00e1s claro", b"contabilidad@empresa.com"):
        assert text in parts[m.EVENTS]
        forged = forge.packed(forge.rechained({**parts, m.EVENTS: parts[m.EVENTS].replace(text, b"x" * 20)}))
        assert not check(forged).good


def test_a_pack_says_what_became_of_a_row_in_the_correction_and_holds_when_that_goes_on(case, row, unzipped):
    other, store = replace(row(10), pos=1, cells=("Hoja1, fila 14", "x")), case.book.store
    take = store.intake
    store.intake = lambda info, rows: take(replace(info, corrects=case.info.id, headings=("fila_origen", "CUFE")), rows)
    case.book.take([other], name="corregido", sha="c")
    before = case.pack().read_bytes()
    (ready,) = case.book.views.ready("20261120-corregido")
    case.book.send(ready, Event.CANCELLED, Finding(Source.CANCELLATION, Event.CANCELLED, http=200, estado=2))

    pack = case.pack()
    assert check(before).faults == []
    assert check(pack.read_bytes()).faults == []
    lines = [json.loads(line) for line in unzipped(pack)[m.OTHERS].splitlines()]
    assert [(one["pos"], one["batch"], one["state"]) for one in lines] == [
        (10, "20261120-corregido", "CANCELLED"),
        (12, "20261120-antes", "CANCELLED"),
    ]
    assert case.pack().read_bytes() == pack.read_bytes()
    parts = unzipped(pack)
    forged = {**parts, m.OTHERS: parts[m.OTHERS].replace(b'"20261120-corregido"', b'"20261120-otro"')}
    assert not check(forge.packed(forge.signed(forged))).good
    assert not check(forge.packed(forge.rebound(forged))).good


def test_the_seal_of_the_batch_stands_on_its_summary_and_no_pack_changes_it(case):
    before = case.book.views.batch(case.info.id)
    pack = check_file(case.pack())
    after = case.book.views.batch(case.info.id)

    assert (before.seal, before.ended) == (after.seal, after.ended)
    assert (after.seal.seq, after.seal.hash) == pack.seal
    assert pack.own[0] == pack.seal[0] + 1
    assert facts(case)["Sello del lote"] == f"{pack.seal[1]} (evento {pack.seal[0]})"


def test_a_workbook_that_calls_an_event_by_the_word_of_before_is_of_another_version(case, tmp_path):
    (path,) = case.pack().parent.glob("*.xlsx")
    seal = case.book.views.batch(case.info.id).seal.seq
    before = forge.in_part(path.read_bytes(), "xl/worksheets/sheet1.xml", b"(evento %d)" % seal, b"(suceso %d)" % seal)
    before = forge.in_part(before, "docProps/custom.xml", layout().encode(), b"libro-de-antes")
    path.write_bytes(before)

    found = check_book(path, case.book.views)
    assert (found.seal, found.newest, found.differing) == (seal, True, [])
    assert found.unsure == "lo escribió otra versión de anular, que escribe el libro de otra forma"


def facts(case) -> dict[str, str]:
    whole = case.book.views.whole(case.info)
    return dict(summarise(whole.info, whole.lines, whole.log).proof)


def test_who_approved_held_rows_and_when_stands_on_the_summary(case):
    label = "Retenido al llegar; lo aprobó"
    assert label not in facts(case)
    (held,) = ledgers.lines(case.book.url, "SELECT id, v, pos FROM attempt WHERE state='HELD'")
    case.book.store.approve([Waiting(held["id"], held["v"], case.info.id, held["pos"])], case.book.now, who="jefa")

    assert facts(case)[label] == "jefa, 20/11/2026 10:00:00 (hora de Panamá): 1 fila"
    assert check_file(case.pack()).faults == []


def test_a_second_pack_of_the_same_state_has_no_second_event(case, tmp_path):
    case.pack()
    case.pack(tmp_path / "otra")

    assert len(ledgers.lines(case.book.url, "SELECT seq FROM event WHERE event='packed'")) == 1


def test_its_seal_is_the_one_that_verify_tells_of_the_batch(case):
    found = check_file(case.pack())
    told = examine(case.book.database).batches[case.info.id]

    assert found.seal == (told.last, told.seal.hex())
    assert found.events == told.events


def test_what_the_events_say_is_what_the_ledger_says(case):
    """Of every column that the events tell at all."""
    extract = case.book.views.extract(case.info)
    replay = Replay(case.info.id)
    for event in extract.events():
        if isinstance(event, dict):
            replay.see(event)
    places = Places()
    for row in extract.rows():
        places.see(row)
    parts = Parts({"sheet": "Hoja1"}, extract.rows, {}, extract.events, replay, places)
    unsaid = {"leader", "mirrored"}  # of a row that repeats one of another batch
    for drawn, kept in zip(parts.lines(parts.leaders()), case.book.views.lines(case.info), strict=True):
        names = [name for name in type(kept).__slots__ if name not in unsaid]
        assert {name: getattr(drawn, name) for name in names} == {name: getattr(kept, name) for name in names}
        assert outcome_of(drawn) is outcome_of(kept)


def test_an_auditor_can_follow_it_without_this_program(case, unzipped):
    """What LEEME.txt tells, with nothing but the standard library."""
    parts = unzipped(case.pack())
    manifest = json.loads(parts["MANIFIESTO.json"])
    for one in manifest["miembros"]:
        assert hashlib.sha256(parts[one["nombre"]]).hexdigest() == one["sha256"]
    start, *others = [line.split(" ") for line in parts["cadena.txt"].decode().splitlines()]
    events = {one["seq"]: one for one in map(json.loads, parts["sucesos.jsonl"].splitlines())}
    foreign = {int(seq): (kind, bytes.fromhex(value)) for seq, kind, value in others}
    names = ["seq", "batch", "pos", "attempt", "from_", "to_", "event", "utc", "run", "who", "http"]
    names += ["estado", "dgi", "message", "note"]
    before = bytes.fromhex(start[2])
    for seq in range(int(start[0]) + 1, manifest["sello"]["suceso"] + 1):
        if seq in foreign:
            assert foreign[seq][0] == "ajeno"
            before = hashlib.sha256(before + foreign[seq][1]).digest()
            continue
        values = [*(events[seq][name] for name in names), *([events[seq]["more"]] if "more" in events[seq] else [])]
        text = json.dumps(values, separators=(",", ":")).encode()
        body = hashlib.sha256(base64.b64decode(events[seq]["body"] or "")).digest()
        before = hashlib.sha256(before + hashlib.sha256(text + body).digest()).digest()
        assert before.hex() == events[seq]["hash"]
    assert before.hex() == manifest["sello"]["huella"]
    words = parts["LEEME.txt"].decode()
    assert [name for name in m.MEMBERS if name not in words and name != "LEEME.txt"] == []
    assert [name for name in names if name not in words] == []


def test_of_other_batches_it_tells_nothing_but_digests(case, unzipped):
    parts = unzipped(case.pack())
    other = f"FE{71:064d}".encode()

    assert not [name for name, content in parts.items() if other in content]
    assert b"20261120-antes" not in parts[m.EVENTS] + parts[m.CHAIN]


def test_the_folder_of_the_results_is_left_out(case, unzipped):
    assert not [content for content in unzipped(case.pack()).values() if b"/resultados" in content]


def test_a_ledger_that_does_not_fit_together_gives_no_evidence(case):
    with sqlite3.connect(sqlite_path(case.book.url)) as connection:
        connection.execute("UPDATE attempt SET message='otra cosa' WHERE batch=? AND pos=6", (case.info.id,))
    connection.close()

    with pytest.raises(StorageTrouble) as refusal:
        case.pack()

    assert refusal.value.code == "evidence-broken"
    assert [path.suffix for path in case.folder.iterdir()] == [".xlsx"]
