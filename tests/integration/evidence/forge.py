"""Makes forged packs and edited ledgers: whatever somebody with a zip program, or with all rights on the database, can
change. Each forgery says what it is, so that one that is not found can be told.
"""

from __future__ import annotations

import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from typing import Any

from pipeline.domain.lifecycle import LIVE_NEVER, State
from pipeline.evidence import format as m
from pipeline.ledger.chain import link, link_digest
from pipeline.report.xlsx_writer import FixedZip
from tests.support import ledgers

Members = dict[str, bytes]
Forged = tuple[str, bytes]

NOT_COVERED = {("batch", "folder")}
"""What no event tells: where this machine writes results."""


def packed(parts: Members) -> bytes:
    target = io.BytesIO()
    with FixedZip(target, "w") as box:
        for name, content in parts.items():
            box.writestr(name, content)
    return target.getvalue()


def signed(parts: Members) -> Members:
    """The manifest that goes with ``parts`` now."""
    told = json.loads(parts[m.MANIFEST])
    for one in told["miembros"]:
        one["bytes"], one["sha256"] = (lambda found: (found.size, found.sha256))(m.sum_of(parts[one["nombre"]]))
    return {**parts, m.MANIFEST: (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()}


def rebound(parts: Members) -> Members:
    """The same, the pack's own event made anew as well: what somebody who read this program's source would do."""
    *lines, last = parts[m.EVENTS].splitlines(keepends=True)
    event = m.read_event(last)
    event["body"] = m.bound({name: m.sum_of(parts[name]) for name in m.BOUND})
    return rechained({**parts, m.EVENTS: b"".join([*lines, m.event_line(event)])})


def rechained(parts: Members) -> Members:
    """Every hash from the events as they are now, and the seals in the manifest."""
    start, before, foreign = m.read_chain(parts[m.CHAIN])
    told = {one.seq: one for one in foreign}
    events = {event["seq"]: event for event in map(m.read_event, parts[m.EVENTS].splitlines())}
    lines, seals = [], {}
    for seq in range(start + 1, start + 1 + len(events) + len(told)):
        if seq in told:
            before = link_digest(before, told[seq].value)
            continue
        before = events[seq]["hash"] = link(before, events[seq])
        lines.append(m.event_line(events[seq]))
        seals["sello" if events[seq]["pos"] else "sello_paquete"] = {"suceso": seq, "huella": before.hex()}
    manifest = json.loads(parts[m.MANIFEST])
    manifest.update({name: seal for name, seal in seals.items() if name in manifest})
    return signed({**parts, m.EVENTS: b"".join(lines), m.MANIFEST: json.dumps(manifest).encode()})


def forgery(dice: random.Random, parts: Members) -> Forged:
    """Some forged pack, made from the members of a genuine one."""
    make = dice.choice([_text, _cell, _cell, _cell, _part, _event, _line, _downgraded])
    what, changed = make(dice, dict(parts))
    # Whoever makes an event anew gets another seal of the batch: that is for people to compare, not for this program.
    how = dice.choice([signed, rebound] if make in (_text, _cell, _part) else [signed])
    return f"{what}, {how.__name__}", packed(how(changed))


def _text(dice: random.Random, parts: Members) -> tuple[str, Members]:
    """One character of a text member that a reader sees."""
    name = dice.choice([m.README, m.HEAD, m.ROWS])
    text = parts[name].decode()
    places = [found.start() for found in re.finditer(r"[A-Za-z0-9]", text)]
    place = dice.choice(places)
    other = dice.choice([sign for sign in "abcXYZ0123456789" if sign != text[place]])
    return f"{name} at {place}: {other!r}", {**parts, name: (text[:place] + other + text[place + 1 :]).encode()}


def _cell(dice: random.Random, parts: Members) -> tuple[str, Members]:
    """The content of one cell of any sheet."""
    name = f"xl/worksheets/sheet{dice.randint(1, 5)}.xml"

    def change(content: bytes) -> bytes:
        places = list(re.finditer(rb"<t(?: [^>]*)?>([^<]+)</t>|<v>([^<]+)</v>", content))
        found = dice.choice(places)
        place = 1 if found[1] is not None else 2
        other = b"4 de 4 facturas quedaron anuladas" if place == 1 else b"4" if found[2] != b"4" else b"5"
        return content[: found.start(place)] + other + content[found.end(place) :]

    return f"a cell of {name}", {**parts, m.WORKBOOK: _book(parts[m.WORKBOOK], name, change)}


def _part(dice: random.Random, parts: Members) -> tuple[str, Members]:
    """Something of the workbook that is no cell: a sheet more, a hidden one, a remark, a title, a format."""
    extra = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData/></worksheet>'
    changes: list[tuple[str, str, Callable[[bytes], bytes] | None]] = [
        ("a sheet hidden", "xl/workbook.xml", lambda text: text.replace(b'state="visible"', b'state="hidden"', 1)),
        ("a sheet renamed", "xl/workbook.xml", lambda text: text.replace("Bitácora".encode(), b"Log", 1)),
        ("a column hidden", "xl/worksheets/sheet2.xml", lambda text: text.replace(b"<col ", b'<col hidden="1" ', 1)),
        ("a row hidden", "xl/worksheets/sheet1.xml", lambda text: text.replace(b"<row ", b'<row hidden="1" ', 1)),
        ("a format", "xl/styles.xml", lambda text: text.replace(b"FFFFFF", b"000000", 1)),
        ("a title", "docProps/core.xml", lambda text: text.replace(b"Resultados", b"Anuladas", 1)),
        ("the batch's property", "docProps/custom.xml", lambda text: text.replace(b"2026", b"2027", 1)),
        ("the chart", "xl/charts/chart1.xml", lambda text: re.sub(rb"<v>\d+</v>", b"<v>9</v>", text, count=1)),
        (
            "the page head",
            "xl/worksheets/sheet1.xml",
            lambda text: text.replace(b"oddFooter>", b"oddFooter>x", 1),
        ),
        ("a sheet more", "xl/worksheets/sheet6.xml", None),
        ("a remark", "xl/comments1.xml", None),
    ]
    what, name, change = dice.choice(changes)
    book = _book(parts[m.WORKBOOK], name, change) if change else _book(parts[m.WORKBOOK], "", more={name: extra})
    return what, {**parts, m.WORKBOOK: book}


def _book(
    book: bytes, name: str, change: Callable[[bytes], bytes] = lambda text: text, more: Members | None = None
) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, FixedZip(target, "w", zipfile.ZIP_DEFLATED) as made:
        for part in source.namelist():
            content = source.read(part)
            changed = change(content) if part == name else content
            assert part != name or changed != content, f"nothing was changed in {name}"
            made.writestr(part, changed)
        for part, content in (more or {}).items():
            made.writestr(part, content)
    return target.getvalue()


def _event(dice: random.Random, parts: Members) -> tuple[str, Members]:
    """A column of an event."""
    lines = parts[m.EVENTS].splitlines(keepends=True)
    number = dice.randrange(len(lines))
    values = json.loads(lines[number])
    column = dice.choice([name for name in values if name != "hash"])
    was = values[column]
    values[column] = was + 1 if isinstance(was, int) else "AAAA" if column == "body" else f"{was or ''}x"
    lines[number] = (json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
    return f"{column} of line {number} of {m.EVENTS}", {**parts, m.EVENTS: b"".join(lines)}


def _line(dice: random.Random, parts: Members) -> tuple[str, Members]:
    """A line less, or two in each other's place."""
    name = dice.choice([m.EVENTS, m.ROWS, m.OTHERS, m.CHAIN])
    lines = parts[name].splitlines(keepends=True)
    place = dice.randrange(1 if name == m.CHAIN and len(lines) > 1 else 0, len(lines))
    if name in (m.EVENTS, m.ROWS) and place and dice.random() < 0.5:
        lines[place - 1], lines[place] = lines[place], lines[place - 1]
        what = "exchanged"
    else:
        del lines[place]
        what = "removed"
    return f"line {place} of {name} {what}", {**parts, name: b"".join(lines)}


def _downgraded(dice: random.Random, parts: Members) -> tuple[str, Members]:
    """What is left when everything that binds the members is taken away, and the workbook is another."""
    what, parts = _cell(dice, parts)
    return f"{what}, as format 1", as_format_1(parts)


def as_format_1(parts: Members) -> Members:
    """The pack that an earlier version would have made: without the event that binds it."""
    head = {key: value for key, value in json.loads(parts[m.HEAD]).items() if not key.startswith("corrected")}
    head.pop("corrects_known", None)
    *lines, _ = parts[m.EVENTS].splitlines(keepends=True)
    manifest = json.loads(parts[m.MANIFEST])
    manifest["formato"] = m.FORMAT_OF_BEFORE
    del manifest["sello_paquete"]
    manifest["miembros"] = [one for one in manifest["miembros"] if one["nombre"] != m.OTHERS]
    made = {name: content for name, content in parts.items() if name != m.OTHERS}
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    return {**made, m.HEAD: m.head_text(head), m.EVENTS: b"".join(lines), m.MANIFEST: text.encode()}


def in_part(book: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """``book`` with some words of one part changed."""
    return _book(book, name, lambda text: text.replace(old, new, 1))


def edit(dice: random.Random, url: str) -> tuple[str, str, str]:
    """An edit of some column of some line of a ledger: what it is, the statement, and the one that takes it back."""
    while True:
        table = dice.choice(["attempt", "attempt", "batch", "row", "row", "event"])
        line: dict[str, Any] = dice.choice(ledgers.lines(url, f"SELECT * FROM {table}"))
        column = dice.choice(list(line))
        if (table, column) in NOT_COVERED or column in ("prev", "hash"):
            continue
        was, key = line[column], {"attempt": "id", "batch": "id", "event": "seq"}.get(table)
        where = f"{key}='{line[key]}'" if key else f"batch='{line['batch']}' AND pos={line['pos']}"
        other = sql(_state(dice, was)) if (table, column) == ("attempt", "state") else _other(dice, was)
        if column in ("id", "seq", "batch", "pos", "cufe"):  # what others hang on
            continue
        there, again = (f"UPDATE {table} SET {column}={value} WHERE {where}" for value in (other, sql(was)))
        return f"{table}.{column} of {where}: {was!r} -> {other}", there, again


def _other(dice: random.Random, was: Any) -> str:
    if isinstance(was, bytes | memoryview):
        return f"x'{dice.randrange(1 << 32):08x}'"
    if isinstance(was, int | float):
        return str(was + dice.randint(1, 9))
    if was is None:
        return f"'{dice.randint(1, 9)}'"  # every kind of column takes it so
    return sql(was[:-1] + dice.choice([sign for sign in "abc" if sign != was[-1:]]))


def _state(dice: random.Random, was: str) -> str:
    return dice.choice([state.value for state in State if state.value != was and state not in LIVE_NEVER])


def sql(value: Any) -> str:
    """``value`` as a literal of SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes | memoryview):
        return f"x'{bytes(value).hex()}'"
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"
