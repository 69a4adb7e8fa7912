"""Checks an evidence pack with nothing but the pack: no ledger, no network, nothing written to the disk.

Manifest, chain, rows and workbook are each drawn again from the parts they rest on and compared; what differs is
named by member, event and row. Never raises for what a pack may hold.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from pipeline.domain.errors import InputRefused
from pipeline.domain.lifecycle import MOVES, Event, State
from pipeline.evidence import members as m
from pipeline.evidence.box import LIMITS, Fault, open_box
from pipeline.evidence.replay import replay
from pipeline.evidence.workbook import compare
from pipeline.ledger.chain import fingerprint, holds, link_digest
from pipeline.ledger.deeds import is_a_deed
from pipeline.ledger.extract import Foreign
from pipeline.read.source import take
from pipeline.report.lines import outcome_of

MOST_FAULTS = 20
T = TypeVar("T")


@dataclass
class Pack:
    """What was found in a pack. ``seal`` is the number and hash (hex) of the batch's last event."""

    batch: str = ""
    file: str = ""
    env: str = ""
    rows: int = 0
    events: int = 0
    foreign: int = 0
    seal: tuple[int, str] = (0, "")
    counts: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.faults

    def add(self, code: str, words: str, member: str, seq: int | None = None, row: str | None = None) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(code, words, member, seq, row))


def is_a_pack(path: Path) -> bool:
    """Whether ``path`` is meant as a pack: by its name, or by how it begins."""
    try:
        with path.open("rb") as file:
            return path.suffix.lower() == ".zip" or file.read(2) == b"PK"
    except OSError:
        return False


def check_file(path: Path) -> Pack:
    """The pack at ``path``; a file that cannot be taken is a fault as well."""
    try:
        return check(take(path, LIMITS).data)
    except InputRefused as refusal:
        return Pack(faults=[Fault(refusal.code, refusal.sentence)])


def check(data: bytes) -> Pack:
    """The pack in ``data``, gone through from the manifest to the cells of the workbook."""
    found = Pack()
    parts, found.faults = open_box(data)
    try:
        _check(found, parts)
    except Exception as error:  # only a pack that somebody made up can hold what no program writes
        found.add("nonsense", f"su contenido no se puede interpretar ({type(error).__name__}).", m.MANIFEST)
    return found


def _check(found: Pack, parts: Mapping[str, bytes]) -> None:
    if m.MANIFEST in parts:
        _sums(found, parts)
    head = _parsed(found, parts, m.HEAD, _head)
    rows = _parsed(found, parts, m.ROWS, _rows)
    events = _parsed(found, parts, m.EVENTS, _events)
    chain = _parsed(found, parts, m.CHAIN, m.read_chain)
    if head is None or rows is None or events is None or chain is None:
        return
    own = [event for event in events if event["batch"] == head["id"]]
    found.batch, found.file, found.env = str(head["id"]), str(head["file"]), str(head["env"])
    found.rows, found.events, found.foreign = len(rows), len(own), len(chain[2])
    _walk(found, events, *chain)
    _moves(found, head, events)
    _taken_in(found, head, rows, own)
    lines = replay(head, rows, own)
    found.counts = dict(sorted(Counter(outcome_of(line).value for line in lines).items()))
    if m.WORKBOOK in parts:
        for fault in compare(parts[m.WORKBOOK], head["headings"], lines):
            found.add(fault.code, fault.words, fault.member, fault.seq, fault.row)
    if set(parts) == set(m.MEMBERS) and not any(fault.code == "sha256" for fault in found.faults):
        _manifest(found, head, parts)


def _sums(found: Pack, parts: Mapping[str, bytes]) -> None:
    """Every member against the SHA-256 that the manifest tells."""
    try:
        told = {one["nombre"]: one["sha256"] for one in json.loads(parts[m.MANIFEST])["miembros"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        found.add("manifest", "no se puede leer.", m.MANIFEST)
        return
    for name, content in parts.items():
        if name != m.MANIFEST and told.get(name) != hashlib.sha256(content).hexdigest():
            found.add("sha256", "su SHA-256 no es el que dice el manifiesto.", name)


def _parsed(found: Pack, parts: Mapping[str, bytes], name: str, read: Callable[[bytes], T]) -> T | None:
    if name not in parts:
        return None
    try:
        return read(parts[name])
    except (ValueError, KeyError, TypeError, RecursionError):
        found.add("format", "no tiene la forma que debe tener.", name)
        return None


def _head(text: bytes) -> dict[str, Any]:
    head: dict[str, Any] = json.loads(text)
    if tuple(head) != m.head_keys(head) or type(head["n_rows"]) is not int:
        raise ValueError("keys")
    return {**head, "headings": tuple(str(heading) for heading in json.loads(head["headings"]))}


def _rows(text: bytes) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in text.splitlines()]
    if any(set(row) != set(m.ROW_KEYS) for row in rows):
        raise ValueError("keys")
    return rows


def _events(text: bytes) -> list[dict[str, Any]]:
    return [m.read_event(line) for line in text.splitlines()]


def _walk(found: Pack, events: Sequence[dict[str, Any]], start: int, before: bytes, foreign: Sequence[Foreign]) -> None:
    """The chain from the hash before the batch to its last event: no gap, and each hash from the one before it."""
    told: dict[int, dict[str, Any] | Foreign] = {one.seq: one for one in foreign}
    told |= {event["seq"]: event for event in events}
    if len(told) != len(events) + len(foreign):
        found.add("chain", "un suceso aparece dos veces.", m.EVENTS)
    prev = before
    for seq in range(start + 1, start + 1 + len(told)):
        one = told.get(seq)
        if one is None:
            found.add("gap", f"falta el suceso {seq}.", m.EVENTS, seq)
            return
        if isinstance(one, Foreign):
            prev = link_digest(prev, one.value) if one.walkable else one.value
            continue
        if not holds(prev, one, one["hash"]):
            words = f"el suceso {seq} no coincide con su huella: él, o uno de los anteriores, fue alterado."
            found.add("chain", words, m.EVENTS, seq)
            return
        prev = one["hash"]
    if events:
        found.seal = (events[-1]["seq"], events[-1]["hash"].hex())


def _moves(found: Pack, head: Mapping[str, Any], events: Iterable[dict[str, Any]]) -> None:
    """Every event is a step that the program makes, from where the one before it left the row."""
    states: dict[int, str] = {}
    for event in events:
        if event["batch"] != head["id"]:
            legal = event["batch"] == "" and is_a_deed(SimpleNamespace(**event))
        else:
            before = states.get(event["pos"], State.RECEIVED.value)
            legal = event["from_"] == before and _legal(event)
            states[event["pos"]] = event["to_"]
        if not legal:
            found.add("move", f"el suceso {event['seq']} es un paso que el programa nunca da.", m.EVENTS, event["seq"])


def _legal(event: Mapping[str, Any]) -> bool:
    try:
        return MOVES.get((State(event["from_"]), Event(event["event"]))) is State(event["to_"])
    except ValueError:
        return False


def _taken_in(
    found: Pack, head: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]
) -> None:
    """Every row is there once, in order, and is the one whose fingerprint the chain holds."""
    if [row["pos"] for row in rows] != [*range(1, head["n_rows"] + 1)]:
        found.add("rows", f"no están las {head['n_rows']} filas del lote, una vez cada una y en orden.", m.ROWS)
    first = {event["pos"]: event for event in reversed([*events]) if event["from_"] == State.RECEIVED.value}
    for row in rows:
        event, where = first.get(row["pos"]), f"fila {row['line']}"
        if event is None:
            found.add("row", f"la {where} no consta en los sucesos.", m.ROWS, row=where)
        elif event["to_"] != row["state"] or not _same(event["body"], head, row):
            found.add(
                "row", f"la {where} no es la que se recibió (suceso {event['seq']}).", m.ROWS, event["seq"], where
            )


def _same(kept: bytes | None, head: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return kept is None or kept == fingerprint(head, {**row, "batch": head["id"]})


def _manifest(found: Pack, head: Mapping[str, Any], parts: Mapping[str, bytes]) -> None:
    """The manifest is the very one that these parts ask for."""
    asked = m.manifest(head, parts, events=found.events, seal=found.seal, counts=found.counts)
    if asked == parts[m.MANIFEST]:
        return
    ours, theirs = json.loads(asked), json.loads(parts[m.MANIFEST])
    wrong = [key for key in ours if ours[key] != theirs.get(key)] if isinstance(theirs, dict) else []
    where = f" en «{'», «'.join(wrong)}»" if wrong else " en su forma"
    found.add("manifest", f"no coincide con el contenido del paquete{where}.", m.MANIFEST)
