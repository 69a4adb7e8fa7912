"""Checks an evidence pack with nothing but the pack: no ledger, no network, nothing written to the disk.

Manifest, chain, rows and workbook are each drawn again from the parts they rest on and compared; what differs is
named by member, event and row. Never raises for what a pack may hold.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, TypeVar

from pipeline.domain.errors import InputRefused
from pipeline.domain.lifecycle import MOVES, Event, State
from pipeline.domain.records import ResultLine
from pipeline.evidence import members as m
from pipeline.evidence.box import LIMITS, Box, Fault, open_box
from pipeline.evidence.workbook import compare
from pipeline.ledger.chain import fingerprint, head_digest, holds, link_digest, row_digest
from pipeline.ledger.deeds import is_a_deed
from pipeline.ledger.extract import Foreign
from pipeline.ledger.replay import Replay
from pipeline.ledger.whole import Shared
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
    return check_stream(io.BytesIO(data))


def check_stream(stream: IO[bytes]) -> Pack:
    """The pack in a ``stream`` that nobody changes meanwhile: its parts are read more than once."""
    found = Pack()
    with open_box(stream) as (box, faults):
        found.faults = faults
        try:
            _check(found, box)
        except Exception as error:  # only a pack that somebody made up can hold what no program writes
            found.add("nonsense", f"su contenido no se puede interpretar ({type(error).__name__}).", m.MANIFEST)
    return found


def _check(found: Pack, box: Box) -> None:
    whole = set(box.sums) == set(m.MEMBERS)
    if m.MANIFEST in box.sums:
        _sums(found, box)
    head = _parsed(found, box, m.HEAD, lambda: _head(box.content(m.HEAD)))
    chain = _parsed(found, box, m.CHAIN, lambda: m.read_chain(box.content(m.CHAIN)))
    if head is None or chain is None or m.EVENTS not in box.sums:
        return
    found.batch, found.file, found.env = str(head["id"]), str(head["file"]), str(head["env"])
    found.foreign = len(chain[2])
    told = _Told(found, head["id"], *chain)
    if not _parsed(found, box, m.EVENTS, lambda: told.all_of(map(m.read_event, box.lines(m.EVENTS)))):
        return
    faults = _parsed(found, box, m.ROWS, lambda: _taken_in(found, head, _rows(box), told.taken))
    if faults is None:
        return
    for fault in faults:
        found.add(fault.code, fault.words, fault.member, fault.seq, fault.row)
    told.taken.clear()
    counts: Counter[str] = Counter()
    lines = _counted(told.replay.lines(head["sheet"], lambda: _rows(box)), counts)
    if m.WORKBOOK in box.sums:
        for fault in compare(box.content(m.WORKBOOK), head["headings"], lines, found.rows):
            found.add(fault.code, fault.words, fault.member, fault.seq, fault.row)
    for _ in lines:  # what the comparison did not come to is counted all the same
        pass
    found.counts = dict(sorted(counts.items()))
    if whole and not any(fault.code == "sha256" for fault in found.faults):
        _manifest(found, head, box)


def _counted(lines: Iterator[ResultLine], counts: Counter[str]) -> Iterator[ResultLine]:
    for line in lines:
        counts[outcome_of(line).value] += 1
        yield line


def _sums(found: Pack, box: Box) -> None:
    """Every member against the SHA-256 that the manifest tells."""
    try:
        told = {one["nombre"]: one["sha256"] for one in json.loads(box.content(m.MANIFEST))["miembros"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        found.add("manifest", "no se puede leer.", m.MANIFEST)
        return
    for name, one in box.sums.items():
        if name != m.MANIFEST and told.get(name) != one.sha256:
            found.add("sha256", "su SHA-256 no es el que dice el manifiesto.", name)


def _parsed(found: Pack, box: Box, name: str, read: Callable[[], T]) -> T | None:
    if name not in box.sums:
        return None
    try:
        return read()
    except (ValueError, KeyError, TypeError, RecursionError):
        found.add("format", "no tiene la forma que debe tener.", name)
        return None


def _head(text: bytes) -> dict[str, Any]:
    head: dict[str, Any] = json.loads(text)
    if tuple(head) != m.head_keys(head) or type(head["n_rows"]) is not int:
        raise ValueError("keys")
    headings = tuple(str(heading) for heading in json.loads(head["headings"]))
    return {**head, "headings": headings, "headings_text": head["headings"]}


def _rows(box: Box) -> Iterator[dict[str, Any]]:
    """The rows, parsed anew each time they are gone through. Raises ``ValueError`` for what is none."""
    keys = set(m.ROW_KEYS)
    for line in box.lines(m.ROWS):
        row = json.loads(line)
        if set(row) != keys:
            raise ValueError("keys")
        yield row


class _Told:
    """Goes through the events once: their chain, whether each is a step of the program, and what they say of the rows.

    ``taken`` is the first event of each row: its number, the state after it, and the row's fingerprint.
    """

    def __init__(self, found: Pack, batch: str, start: int, before: bytes, foreign: Sequence[Foreign]) -> None:
        self._found, self._batch, self._prev, self._next = found, batch, before, start + 1
        self._foreign = {one.seq: one for one in foreign}
        self._broken = False
        self._states: dict[int, str] = {}
        self.taken: dict[int, tuple[int, str, bytes | None]] = {}
        self.replay = Replay(batch)
        self._shared = Shared()

    def all_of(self, events: Iterable[dict[str, Any]]) -> bool:
        """Hears all events, in the order of the file. Raises ``ValueError`` and the like for what is none."""
        for event in events:
            if not self._broken:
                self._link(event)
            self._step(event)
            self.replay.see(event)
        if self._foreign and not self._broken:
            self._found.add("chain", "cuenta sucesos que no están entre los del lote.", m.CHAIN)
        return True

    def _link(self, event: dict[str, Any]) -> None:
        """The chain up to ``event``: no gap, each hash from the one before it. After a break nothing can be said."""
        while self._next < event["seq"] and (one := self._foreign.pop(self._next, None)) is not None:
            self._prev = link_digest(self._prev, one.value) if one.walkable else one.value
            self._next += 1
        seq = self._next
        if event["seq"] != seq:
            words = (
                f"falta el suceso {seq}." if event["seq"] > seq else f"el suceso {event['seq']} está fuera de orden."
            )
            self._broken = True
            self._found.add("gap", words, m.EVENTS, min(seq, event["seq"]))
        elif not holds(self._prev, event, event["hash"]):
            words = f"el suceso {seq} no coincide con su huella: él, o uno de los anteriores, fue alterado."
            self._broken = True
            self._found.add("chain", words, m.EVENTS, seq)
        else:
            self._prev, self._next = event["hash"], seq + 1

    def _step(self, event: dict[str, Any]) -> None:
        seq, pos = event["seq"], event["pos"]
        if event["batch"] == self._batch:
            self._found.events += 1
            self._found.seal = (seq, event["hash"].hex())
            legal = event["from_"] == self._states.get(pos, State.RECEIVED.value) and _legal(event)
            state = self._states[pos] = self._shared(event["to_"])
            if pos not in self.taken:
                self.taken[pos] = seq, state, event["body"]
        else:
            legal = event["batch"] == "" and is_a_deed(SimpleNamespace(**event))
        if not legal:
            self._found.add("move", f"el suceso {seq} es un paso que el programa nunca da.", m.EVENTS, seq)


def _legal(event: Mapping[str, Any]) -> bool:
    try:
        return MOVES.get((State(event["from_"]), Event(event["event"]))) is State(event["to_"])
    except ValueError:
        return False


def _taken_in(
    found: Pack,
    head: Mapping[str, Any],
    rows: Iterable[Mapping[str, Any]],
    taken: Mapping[int, tuple[int, str, bytes | None]],
) -> list[Fault]:
    """Every row is there once, in order, and is the one whose fingerprint the chain holds; else what is wrong."""
    faults: list[Fault] = []
    in_order, digest = True, head_digest({**head, "headings": head["headings_text"]})
    for row in rows:
        found.rows += 1
        in_order = in_order and row["pos"] == found.rows
        where = f"fila {row['line']}"
        if len(faults) >= MOST_FAULTS:
            continue
        if row["pos"] not in taken:
            faults.append(Fault("row", f"la {where} no consta en los sucesos.", m.ROWS, row=where))
            continue
        seq, state, body = taken[row["pos"]]
        if state != row["state"] or not _same(body, head, digest, row):
            faults.append(Fault("row", f"la {where} no es la que se recibió (suceso {seq}).", m.ROWS, seq, where))
    if not in_order or found.rows != head["n_rows"]:
        words = f"no están las {head['n_rows']} filas del lote, una vez cada una y en orden."
        faults.insert(0, Fault("rows", words, m.ROWS))
    return faults


def _same(kept: bytes | None, head: Mapping[str, Any], digest: str, row: Mapping[str, Any]) -> bool:
    if kept is None:
        return True
    whole = {**row, "batch": head["id"]}
    return kept in (row_digest(digest, whole), fingerprint(head, whole))


def _manifest(found: Pack, head: Mapping[str, Any], box: Box) -> None:
    """The manifest is the very one that these parts ask for."""
    asked = m.manifest(head, box.sums, events=found.events, seal=found.seal, counts=found.counts)
    given = box.content(m.MANIFEST)
    if asked == given:
        return
    ours, theirs = json.loads(asked), json.loads(given)
    wrong = [key for key in ours if ours[key] != theirs.get(key)] if isinstance(theirs, dict) else []
    where = f" en «{'», «'.join(wrong)}»" if wrong else " en su forma"
    found.add("manifest", f"no coincide con el contenido del paquete{where}.", m.MANIFEST)
