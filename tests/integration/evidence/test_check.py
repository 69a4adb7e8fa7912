"""Whatever is changed in an evidence pack is found and named, and no pack can do harm (P15, ASVS 5.2)."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.evidence import check as check_module
from pipeline.evidence import format as m
from pipeline.evidence.check import check, check_file
from pipeline.evidence.pack import fill, write_pack
from pipeline.evidence.unzip import LIMITS, open_box
from pipeline.ledger.chain import link, link_digest
from pipeline.ledger.storage.location import open_ledger
from pipeline.ledger.views import Views
from pipeline.read.limits import Limits
from pipeline.report.xlsx_writer import FixedZip
from tests.integration.conftest import ENV
from tests.integration.evidence import forge
from tests.integration.evidence.conftest import CREDENTIAL
from tests.support import ledgers
from tests.support.long import long

EXAMPLES = 40 if settings.default is not None and settings.default.derandomize else 120
SLOW = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def codes(data: bytes) -> list[tuple[str, str]]:
    return [(fault.code, fault.member) for fault in check(data).faults]


def signed(parts: dict[str, bytes]) -> dict[str, bytes]:
    """The manifest that goes with ``parts`` now: somebody who changes a member makes that new as well."""
    told = json.loads(parts[m.MANIFEST])
    head = json.loads(parts[m.HEAD])
    seal, control = (told["sello"]["suceso"], told["sello"]["huella"]), told["control"]
    sums = {name: m.sum_of(content) for name, content in parts.items()}
    pack = (told["sello_paquete"]["suceso"], told["sello_paquete"]["huella"]) if "sello_paquete" in told else None
    made = m.manifest(head, sums, events=control["sucesos"], seal=seal, counts=control["resultados"], pack=pack)
    return {**parts, m.MANIFEST: made}


@SLOW
@given(data=st.data())
def test_a_flipped_bit_in_any_byte_of_any_member_is_found_in_that_member(pack, repack, unzipped, data):
    name = data.draw(st.sampled_from(m.MEMBERS))
    content = bytearray(unzipped(pack)[name])
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    found = {fault.member for fault in check(repack(pack, {name: bytes(content)})).faults}
    assert name in found or (found and name == m.MANIFEST), "a sum in the manifest that differs is told of its member"


@pytest.mark.parametrize("step", [89, *long(1)])
def test_there_is_no_place_in_the_manifest_that_does_not_count(pack, repack, unzipped, step):
    content = unzipped(pack)[m.MANIFEST]
    missed = []
    for place in range(0, len(content), step):
        changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        if not check(repack(pack, {m.MANIFEST: changed})).faults:
            missed.append(place)

    assert missed == []


@SLOW
@given(data=st.data())
def test_a_flipped_bit_in_the_packed_bytes_of_a_member_is_found(pack, data):
    whole = pack.read_bytes()
    with zipfile.ZipFile(pack) as box:
        member = data.draw(st.sampled_from(box.infolist()))
    start = member.header_offset + 30 + len(member.filename)
    place = start + data.draw(st.integers(0, member.compress_size - 1))
    changed = whole[:place] + bytes([whole[place] ^ (1 << data.draw(st.integers(0, 7)))]) + whole[place + 1 :]

    found = {fault.member for fault in check(changed).faults}
    assert member.filename in found or unpacks_to_the_same(whole, changed)


def unpacks_to_the_same(one: bytes, other: bytes) -> bool:
    """Deflate has bits that mean nothing, as those after the end of its last block."""
    with zipfile.ZipFile(io.BytesIO(one)) as left, zipfile.ZipFile(io.BytesIO(other)) as right:
        return all(left.read(name) == right.read(name) for name in m.MEMBERS)


def change_event(parts: dict[str, bytes], number: int, **changes: object) -> dict[str, bytes]:
    lines = parts[m.EVENTS].splitlines(keepends=True)
    values = {**json.loads(lines[number]), **changes}
    lines[number] = (json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
    return signed({**parts, m.EVENTS: b"".join(lines)})


@pytest.mark.parametrize(
    "change",
    [
        {"to_": "CANCELLED"},
        {"message": "otra cosa"},
        {"estado": 11},
        {"who": "otra"},
        {"utc": "2026-01-01T00:00:00.000000Z"},
        {"body": "AAAA"},
        {"hash": "00" * 32},
        {"attempt": 99},
    ],
)
def test_a_changed_event_is_named_by_its_number_although_every_sum_was_made_anew(pack, repack, unzipped, change):
    parts = unzipped(pack)
    number = next(n for n, line in enumerate(parts[m.EVENTS].splitlines()) if b'"claimed"' in line)
    seq = json.loads(parts[m.EVENTS].splitlines()[number])["seq"]

    found = check(repack(pack, change_event(parts, number, **change)))

    assert ("chain", seq) in {(fault.code, fault.seq) for fault in found.faults}


def test_a_removed_event_is_named(pack, repack, unzipped):
    parts = unzipped(pack)
    lines = parts[m.EVENTS].splitlines(keepends=True)
    gone = json.loads(lines.pop(20))["seq"]

    found = check(repack(pack, signed({**parts, m.EVENTS: b"".join(lines)})))

    assert found.faults[0].seq == gone
    assert found.faults[0].code == "gap"


def test_the_event_after_an_exchanged_digest_of_another_batch_does_not_hold(pack, repack, unzipped):
    parts = unzipped(pack)
    first = parts[m.CHAIN].decode().splitlines()[1]
    other = parts[m.CHAIN].replace(first.encode(), first[:-2].encode() + (b"00" if first[-2:] != "00" else b"11"))

    found = check(repack(pack, signed({**parts, m.CHAIN: other})))

    assert found.faults[0].code == "chain"


def rechained(parts: dict[str, bytes]) -> dict[str, bytes]:
    """Every hash from the events as they are now: what only somebody who can make a whole ledger anew would do."""
    start, before, foreign = m.read_chain(parts[m.CHAIN])
    told = {one.seq: one for one in foreign}
    lines = []
    events = {event["seq"]: event for event in map(m.read_event, parts[m.EVENTS].splitlines())}
    for seq in range(start + 1, start + 1 + len(events) + len(told)):
        if seq in told:
            before = link_digest(before, told[seq].value)
            continue
        before = events[seq]["hash"] = link(before, events[seq])
        lines.append(m.event_line(events[seq]))
    changed = {**parts, m.EVENTS: b"".join(lines)}
    made = json.loads(changed[m.MANIFEST])
    for seal in (made["sello"], made["sello_paquete"]):
        seal["huella"] = events[seal["suceso"]]["hash"].hex()
    return signed({**changed, m.MANIFEST: json.dumps(made).encode()})


def test_a_pack_that_was_made_anew_from_the_chain_on_has_another_seal(pack, repack, unzipped):
    parts = unzipped(pack)
    number = next(n for n, line in enumerate(parts[m.EVENTS].splitlines()) if b'"claimed"' in line)
    made_up = rechained(change_event(parts, number, utc="2026-11-20T15:00:01.000000Z"))

    found = check(repack(pack, made_up))

    assert found.seal != check_file(pack).seal
    assert {fault.code for fault in found.faults} == {"workbook"}, "and the workbook still tells the true time"


def test_an_outcome_that_follows_from_no_step_of_the_program_is_found(pack, repack, unzipped):
    parts = unzipped(pack)
    number = next(n for n, line in enumerate(parts[m.EVENTS].splitlines()) if b'"unclear"' in line)
    found = check(repack(pack, rechained(change_event(parts, number, to_="CANCELLED"))))

    assert "move" in {fault.code for fault in found.faults}


def test_a_row_that_is_not_the_one_received_is_named(pack, repack, unzipped):
    parts = unzipped(pack)
    lines = parts[m.ROWS].splitlines(keepends=True)
    lines[3] = lines[3].replace(b"Error en el monto facturado", b"Error en el monto cobrado", 1)

    found = check(repack(pack, signed({**parts, m.ROWS: b"".join(lines)})))

    assert ("row", "fila 8") in {(fault.code, fault.row) for fault in found.faults}


def test_a_missing_row_is_found(pack, repack, unzipped):
    parts = unzipped(pack)
    rows = b"".join(parts[m.ROWS].splitlines(keepends=True)[:-1])

    assert ("rows", m.ROWS) in codes(repack(pack, signed({**parts, m.ROWS: rows})))


@pytest.mark.parametrize("key", ["approved_by", "sha256", "env", "file", "credential"])
def test_a_head_that_says_something_else_is_found(pack, repack, unzipped, key):
    parts = unzipped(pack)
    head = {**json.loads(parts[m.HEAD]), key: "production"}
    changed = signed({**parts, m.HEAD: m.head_text(head)})

    assert "row" in {code for code, _ in codes(repack(pack, changed))}


def test_the_batch_that_is_corrected_is_named_and_a_false_name_is_found(case, row, repack, unzipped):
    info = replace(case.info, id="20261121-corregido", sha256="d" * 64, rows=1, corrects=case.info.id)
    case.book.store.intake(info, [replace(row(81), pos=1)])
    pack = replace(case, info=info).pack()
    parts = unzipped(pack)
    head = json.loads(parts[m.HEAD])

    assert check_file(pack).faults == []
    assert head["corrects"] == case.info.id
    assert check_file(case.pack()).faults == []  # «Corregido en el lote …» stands in its workbook now
    for other in ("20261120-otro", None):
        changed = signed({**parts, m.HEAD: m.head_text({**head, "corrects": other})})
        assert ("row", m.ROWS) in codes(repack(pack, changed))


@pytest.mark.parametrize("word", [b"RESULTADO DESCONOCIDO", b"DEVUELTA", b"NO ENVIADA", b"SIGUE AUTORIZADA", b"0600"])
def test_a_workbook_that_claims_more_than_the_events_is_found_with_its_row(pack, repack, unzipped, word):
    parts = unzipped(pack)
    book = _edited(parts[m.WORKBOOK], word, b"ANULADA")

    found = check(repack(pack, signed({**parts, m.WORKBOOK: book})))

    assert [(f.code, f.member) for f in found.faults if f.row] != []
    assert any("según los eventos es" in fault.words for fault in found.faults)


def test_a_workbook_with_an_original_cell_changed_is_found(pack, repack, unzipped):
    parts = unzipped(pack)
    book = _edited(parts[m.WORKBOOK], b"Error en el monto facturado", b"Otro motivo")

    assert ("workbook", m.WORKBOOK) in codes(repack(pack, signed({**parts, m.WORKBOOK: book})))


def _edited(book: bytes, old: bytes, new: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, zipfile.ZipFile(target, "w") as made:
        for name in source.namelist():
            content = source.read(name)
            made.writestr(name, content.replace(old, new) if name == "xl/worksheets/sheet2.xml" else content)
    return target.getvalue()


def test_control_totals_that_do_not_add_up_are_named(pack, repack, unzipped):
    parts = unzipped(pack)
    told = json.loads(parts[m.MANIFEST])
    told["control"]["resultados"]["ANULADA"] += 1
    text = (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()

    (fault,) = check(repack(pack, {m.MANIFEST: text})).faults
    assert (fault.code, "«control»" in fault.words) == ("manifest", True)


# --- what binds a pack


def test_a_summary_that_says_more_is_found_although_the_pack_was_bound_anew(pack, unzipped):
    parts = unzipped(pack)
    book = forge.in_part(parts[m.WORKBOOK], "xl/worksheets/sheet1.xml", b"2 de 13 facturas", b"13 de 13 facturas")

    for how in (forge.signed, forge.rebound):
        found = check(forge.packed(how({**parts, m.WORKBOOK: book})))
        assert any("en la hoja «Resumen», celda B4, dice «13 de 13 facturas" in fault.words for fault in found.faults)


def test_a_readme_of_another_version_is_judged_by_its_digest(case, unzipped, monkeypatch):
    """In five years: what this program lays out otherwise is the one that was bound, and says how it was judged."""
    parts = unzipped(case.pack())
    monkeypatch.setattr(check_module, "layout", lambda: "libro-de-otra-version")
    monkeypatch.setattr(m, "readme", lambda head: b"LEEME de otra forma")
    found = check(forge.packed(parts))
    assert (found.faults, found.not_covered) == ([], [check_module._OTHER_LAYOUT])

    found = check(forge.packed(forge.signed({**parts, m.README: parts[m.README] + b"4 de 4 anuladas.\n"})))
    assert [(fault.code, fault.member) for fault in found.faults] == [("digest", m.README)]


def test_a_pack_that_was_made_older_than_it_is_is_found(pack, unzipped):
    """Without its own event it would be one of format 1, of which only rows, events and one sheet are compared."""
    parts = forge.as_format_1(unzipped(pack))

    assert codes(forge.packed(forge.signed(parts))) == [("unbound", m.EVENTS)]


def test_a_pack_of_an_earlier_version_says_what_its_chain_does_not_cover(case, unzipped):
    ledgers.as_before_0007(case.book.url)
    parts = unzipped(case.pack())
    now, before = check(forge.packed(parts)), check(forge.packed(forge.signed(forge.as_format_1(parts))))

    assert (now.faults, before.faults) == ([], [])
    assert now.not_covered == [check_module._TAKEN_IN_BEFORE]
    assert before.not_covered == [check_module._OF_BEFORE]


def test_a_pack_of_a_batch_that_an_earlier_version_took_in_has_its_credential_and_an_edit_is_found(case, unzipped):
    case.book.database.close()
    ledgers.as_before_0010(case.book.url)
    database = open_ledger(case.book.url)
    later = replace(case, book=replace(case.book, database=database, views=Views(database, ENV)))
    parts = unzipped(later.pack())
    database.close()
    head = json.loads(parts[m.HEAD])
    assert (check(forge.packed(parts)).faults, head["credential"]) == ([], CREDENTIAL)

    for other in ("0" * 32, None):
        changed = forge.signed({**parts, m.HEAD: m.head_text({**head, "credential": other})})
        assert ("credential", m.HEAD) in codes(forge.packed(changed))
    told = [line for line in parts[m.EVENTS].splitlines(keepends=True) if b'"event":"credential"' not in line]
    assert codes(forge.packed(forge.signed({**parts, m.EVENTS: b"".join(told)}))) != []


def test_a_remark_in_the_container_is_found(pack):
    data = io.BytesIO(pack.read_bytes())
    with zipfile.ZipFile(data, "a") as box:
        box.comment = b"todo anulado"

    assert codes(data.getvalue()) == [("unexpected", "")]


# --- hostile packs


def zipped(members: list[tuple[str, bytes]], **more: object) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as box:
        for name, content in members:
            box.writestr(name, content)
    return target.getvalue()


@pytest.mark.parametrize("data", [b"", b"PK", b"no es un zip", b"PK\x05\x06" + b"\0" * 18, b"\0" * 5000])
def test_what_is_no_pack_is_one_sentence(data):
    (fault,) = check(data).faults
    assert fault.code in ("container", "missing")


@pytest.mark.parametrize("name", ["../fuera.txt", "/etc/passwd", "C:\\x", "MANIFIESTO.json"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_do_not_belong_are_refused_unread(pack, unzipped, name):
    data = zipped([*unzipped(pack).items(), (name, b"x")])

    assert [code for code, _ in codes(data)] == ["unexpected"]


@pytest.mark.parametrize("name", m.MEMBERS)
def test_a_missing_member_is_named(pack, unzipped, name):
    data = zipped([pair for pair in unzipped(pack).items() if pair[0] != name])

    assert codes(data) == [("missing", name)]


def test_a_bomb_is_not_unpacked(pack, unzipped):
    data = zipped([(name, b"0" * 300_000_000 if name == m.EVENTS else text) for name, text in unzipped(pack).items()])

    assert codes(data) == [("bomb", m.EVENTS)]


def test_all_members_together_have_one_bound(pack, unzipped):
    small = Limits(size=LIMITS.size, unpacked=20_000, members=LIMITS.members)
    with open_box(io.BytesIO(zipped([*unzipped(pack).items()])), small) as (box, faults):
        assert (box.sums, [fault.code for fault in faults]) == ({}, ["bomb"])


def test_a_link_a_folder_or_nothing_is_one_sentence(pack, tmp_path):
    link_ = tmp_path / "enlace.zip"
    link_.symlink_to(pack)
    (tmp_path / "carpeta.zip").mkdir()

    for path in (link_, tmp_path / "carpeta.zip", tmp_path / "nada.zip"):
        assert len(check_file(path).faults) == 1


NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@SLOW
@given(data=st.data())
def test_whatever_a_pack_holds_is_a_fault_and_never_a_crash(pack, repack, unzipped, data):
    parts = unzipped(pack)
    name = data.draw(st.sampled_from([m.HEAD, m.ROWS, m.EVENTS, m.CHAIN, m.MANIFEST]))
    if name in (m.ROWS, m.EVENTS) and data.draw(st.booleans()):
        keys = m.ROW_KEYS if name == m.ROWS else (*m.EVENT_KEYS, "body", "hash")
        lines = parts[name].splitlines(keepends=True)
        number = data.draw(st.integers(0, len(lines) - 1))
        values = json.loads(lines[number])
        values[data.draw(st.sampled_from(keys))] = data.draw(NONSENSE)
        lines[number] = (json.dumps(values) + "\n").encode()
        made = b"".join(lines)
    else:
        made = data.draw(st.binary(max_size=50) | NONSENSE.map(lambda value: json.dumps(value).encode()))

    found = check(repack(pack, {name: made}))

    assert found.faults or made == parts[name]


def test_a_pack_is_made_of_the_ledger_alone(case, pack, unzipped):
    """Nothing in it comes from anywhere but the ledger and the workbook."""
    made = io.BytesIO()
    extract = case.book.views.extract(case.book.views.whole(case.info).info)
    fill(made, extract, io.BytesIO(unzipped(pack)[m.WORKBOOK]), lambda _: extract.span()[1])

    assert made.getvalue() == pack.read_bytes()


def test_a_workbook_that_is_the_very_file_is_not_read_cell_by_cell_too(pack, monkeypatch):
    """Its events lead to every byte of it, so that a second reading could find nothing."""

    def never(*_):
        raise AssertionError

    monkeypatch.setattr("pipeline.evidence.check.compare", never)

    assert check_file(pack).good


def test_a_workbook_packed_by_another_zip_program_is_read_cell_by_cell_and_good(case, pack, unzipped):
    """The same parts, other bytes: the pack was bound with them, as a version with another library would."""
    before, target = unzipped(pack)[m.WORKBOOK], io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(before)) as theirs, FixedZip(target, "w") as ours:
        for name in theirs.namelist():
            info = ours.member(name)
            info.compress_type = zipfile.ZIP_STORED
            ours.writestr(info, theirs.read(name))
    book = next(pack.parent.glob("*resultados.xlsx"))
    book.write_bytes(target.getvalue())
    made = write_pack(case.book.views.extract(case.book.views.whole(case.info).info), book, case.book.now, who="ana")

    found = check_file(made)

    assert found.good, found.faults
    assert unzipped(made)[m.WORKBOOK] == target.getvalue() != before
