"""Evidence check: verifies a pack with nothing but the pack: no ledger, no network, nothing written to the disk.

Manifest, chain, rows and workbook are each rebuilt from the parts they rest on and compared; differences are named by
member, event and row. Never raises, whatever a pack contains.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, TypeVar

from pipeline.domain.errors import InputRefused
from pipeline.domain.lifecycle import MOVES, State
from pipeline.evidence import format as m
from pipeline.evidence.remake import Parts, Places, differences, workbook
from pipeline.evidence.unzip import BLOCK, LIMITS, Box, PackFault, open_box
from pipeline.evidence.workbook import compare
from pipeline.ledger.chain import fingerprint, head_digest, holds, link_digest, row_digest
from pipeline.ledger.extract import Foreign
from pipeline.ledger.ledger_events import (
    SEVERAL,
    is_a_deed,
    is_credential,
    is_packed,
    is_support_case,
)
from pipeline.ledger.replay import Replay
from pipeline.ledger.snapshot import Shared
from pipeline.read.source import take
from pipeline.report.layout import layout
from pipeline.report.lines import outcome_of

MOST_FAULTS = 20
T = TypeVar("T")


@dataclass
class Pack:
    """Result of the check."""

    batch: str = ""
    file: str = ""
    env: str = ""
    rows: int = 0
    events: int = 0
    foreign: int = 0
    #: number and hash (hex) of the last event of the batch's rows
    seal: tuple[int, str] = (0, "")
    #: the same of the pack's event; 0 when an earlier version made it
    own: tuple[int, str] = (0, "")
    #: whether an earlier version took rows of the batch in
    older: bool = False
    #: Spanish texts on what could not be compared
    not_covered: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    faults: list[PackFault] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.faults

    def add(self, code: str, words: str, member: str, seq: int | None = None, row: str | None = None) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(PackFault(code, words, member, seq, row))


def check_file(path: Path) -> Pack:
    """Checks the pack at ``path``; a file that cannot be read is a fault too."""
    try:
        return check(take(path, LIMITS).data)
    except InputRefused as refusal:
        return Pack(faults=[PackFault(refusal.code, refusal.sentence)])


def check(data: bytes) -> Pack:
    """Checks the pack in ``data``, from the manifest to the cells of the workbook."""
    return check_stream(io.BytesIO(data))


def check_stream(stream: IO[bytes]) -> Pack:
    """Checks the pack in a ``stream`` that does not change meanwhile: its parts are read more than once."""
    found = Pack()
    with open_box(stream) as (box, faults):
        found.faults = faults
        try:
            _check(found, box)
        except Exception as error:  # only a forged pack can contain what no program writes
            found.add("nonsense", f"su contenido no se puede interpretar ({type(error).__name__}).", m.MANIFEST)
    return found


def _check(found: Pack, box: Box) -> None:
    whole = set(box.sums) in (set(m.MEMBERS), set(m.MEMBERS_OF_BEFORE))
    if m.MANIFEST in box.sums:
        _sums(found, box)
    read = _texts(found, box)
    if read is None:
        return
    head, told, places = read
    _bound(found, box, told)
    parts = _parts(found, box, head, told, places)
    if m.WORKBOOK in box.sums:
        made = _made_again(found, told, parts)
        if made is None or m.sum_of(made) != box.sums[m.WORKBOOK]:
            _results(found, box, parts)  # else it is the very file, sheet by sheet
        _compared(found, box, told, parts, made)
    if whole and not any(fault.code in ("sha256", "missing") for fault in found.faults):
        _manifest(found, head, box, told)


def _texts(found: Pack, box: Box) -> tuple[dict[str, Any], _Events, Places] | None:
    """The head, the events and where each row is, once the chain and the rows are checked; None when one of them cannot
    be read."""
    head = _parsed(found, box, m.HEAD, lambda: _head(box.content(m.HEAD)))
    chain = _parsed(found, box, m.CHAIN, lambda: m.read_chain(box.content(m.CHAIN)))
    if head is None or chain is None or m.EVENTS not in box.sums:
        return None
    found.batch, found.file, found.env = str(head["id"]), str(head["file"]), str(head["env"])
    found.foreign = len(chain[2])
    told = _Events(found, head["id"], *chain)
    if not _parsed(found, box, m.EVENTS, lambda: told.all_of(box.lines(m.EVENTS))):
        return None
    places, counts = Places(), Counter[str]()
    taken = _parsed(found, box, m.ROWS, lambda: _taken_in(found, head, _rows(box), told, places, counts))
    if taken is None:
        return None
    faults, found.older = taken
    for fault in faults:
        found.add(fault.code, fault.words, fault.member, fault.seq, fault.row)
    told.taken.clear()
    found.counts = dict(sorted(counts.items()))
    return head, told, places


def _parts(found: Pack, box: Box, head: Mapping[str, Any], told: _Events, places: Places) -> Parts:
    others = _parsed(found, box, m.OTHERS, lambda: _others(box)) or {}
    return Parts(head, lambda: _rows(box), others, partial(_columns, box), told.replay, places)


@dataclass(frozen=True, slots=True)
class Checked:
    """What the texts of a pack that is still to be written were found to be: sound, and leading to one workbook."""

    #: of the members that were checked
    sums: dict[str, m.Sum]
    #: that these events lead to
    workbook: m.Sum
    #: of the batch's rows; with ``seal`` and ``counts`` what the manifest says
    events: int
    seal: tuple[int, str]
    counts: dict[str, int]
    #: number and hash (hex) of the last event
    last: tuple[int, str]


CHECKED = (m.HEAD, m.ROWS, m.OTHERS, m.EVENTS, m.CHAIN)
"""The members whose bytes ``check_texts`` checks."""


def check_texts(stream: IO[bytes]) -> Checked | None:
    """Checks the texts in a pack without the workbook and the event of its own, and makes the workbook from them; None
    when anything is wrong, or when no workbook follows from them."""
    found = Pack()
    with open_box(stream) as (box, found.faults):
        read = _texts(found, box)
        if read is None:
            return None
        head, told, places = read
        _forms(found, box, told)
        parts = _parts(found, box, head, told, places)
        if found.faults or found.older or told.broken or told.replay.has_old_events:
            return None
        made = m.sum_of(workbook(parts, found.counts))
        sums = {name: box.sums[name] for name in CHECKED}
        return Checked(sums, made, found.events, found.seal, found.counts, told.last)


def proven(stream: IO[bytes], checked: Checked) -> Pack | None:
    """The pack in ``stream``, when it is good because it is made of the very texts that were ``checked``, the workbook
    that they lead to, and the one event that binds these; None when that is not so: then the whole is to be checked."""
    with open_box(stream) as (box, faults):
        same = (m.HEAD, m.ROWS, m.OTHERS)
        if faults or any(box.sums.get(name) != checked.sums[name] for name in same):
            return None
        event = _event_after(box, checked)
        if event is None or box.sums.get(m.WORKBOOK) != checked.workbook:
            return None
        head = _head(box.content(m.HEAD))
        own = event["seq"], event["hash"].hex()
        found = Pack(head["id"], head["file"], head["env"], head["n_rows"], checked.events, own=own)
        found.seal, found.counts = checked.seal, checked.counts
        manifest = m.manifest(head, box.sums, events=found.events, seal=found.seal, counts=found.counts, pack=found.own)
        bound = event["batch"] == head["id"] and event["body"] == m.bound(box.sums)
        good = bound and event["message"] == layout() and box.content(m.README) == m.readme(head)
        return found if good and box.content(m.MANIFEST) == manifest else None


def _event_after(box: Box, checked: Checked) -> dict[str, Any] | None:
    """The event of the pack, if it is all that follows those that were checked, in the chain too; events of other
    batches may lie between."""
    line, more = (_grown(box, name, checked.sums[name]) for name in (m.EVENTS, m.CHAIN))
    seq, prev = checked.last[0], bytes.fromhex(checked.last[1])
    try:
        if line is None or more is None:
            return None
        others = m.read_chain(m.start_line(seq, prev) + more)[2]
        event = m.read_event(line)
        same = m.event_line(event) == line and b"".join(map(m.foreign_line, others)) == more
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    for one in others:
        seq += 1
        if one.seq != seq:
            return None
        prev = link_digest(prev, one.value) if one.walkable else one.value
    follows = same and event["seq"] == seq + 1 and holds(prev, event, event["hash"])
    return event if follows and is_packed(SimpleNamespace(**event)) else None


def _grown(box: Box, name: str, before: m.Sum) -> bytes | None:
    """What a member holds after the bytes with this sum; None when it does not begin with them."""
    digest, left = hashlib.sha256(), before.size
    with box.open(name) as stream:
        while left and (block := stream.read(min(left, BLOCK))):
            digest.update(block)
            left -= len(block)
        rest = stream.read()
    return rest if not left and digest.hexdigest() == before.sha256 else None


def _bound(found: Pack, box: Box, told: _Events) -> None:
    """Every member must be the one whose SHA-256 went into the chain when the pack was made."""
    if told.packed is None:
        if m.OTHERS in box.sums:
            found.add("unbound", "falta el evento que se escribió al hacer el paquete.", m.EVENTS)
        elif not found.older:
            found.add("unbound", "le falta lo que ata sus archivos a la cadena: alguien lo quitó.", m.EVENTS)
        return
    seq, hash_, kept, _ = told.packed
    found.own = seq, hash_
    if m.OTHERS not in box.sums:
        found.add("missing", f"falta «{m.OTHERS}» en el paquete.", m.OTHERS)
        return
    sums = json.loads(kept)
    for name in m.BOUND:
        if name in box.sums and sums.get(name) != box.sums[name].sha256:
            found.add("digest", f"no es el que se escribió al hacer el paquete (evento {seq}).", name, seq)
    _forms(found, box, told)


def _forms(found: Pack, box: Box, told: _Events) -> None:
    """Head and chain must be written as the program writes them, to the byte; of the events ``_Events`` sees to it."""
    if m.head_text(_head(box.content(m.HEAD))) != box.content(m.HEAD):
        found.add("format", "no tiene la forma en que anular lo escribe.", m.HEAD)
    if told.chain_text() != box.content(m.CHAIN):
        found.add("format", "no tiene la forma en que anular lo escribe.", m.CHAIN)


def _others(box: Box) -> dict[int, bytes]:
    """The lines of rows of other batches, by the ordinal of the row that repeats each."""
    return {m.read_other(line)[0]: line for line in box.lines(m.OTHERS)}


def _results(found: Pack, box: Box, parts: Parts) -> None:
    """Compares the sheet ``Resultados`` with the events: possible for any layout of the workbook."""
    headings, lines = json.loads(parts.head["headings"]), parts.lines(parts.leaders())
    for fault in compare(box.content(m.WORKBOOK), headings, lines, found.rows, parts.head["deadline_hours"]):
        found.add(fault.code, fault.words, fault.member, fault.seq, fault.row)


def _sound(found: Pack, told: _Events) -> bool:
    """Whether the parts from which a workbook is made again are."""
    parts = (m.HEAD, m.ROWS, m.OTHERS, m.EVENTS)
    return not told.broken and not any(fault.member in parts for fault in found.faults)


def _made_again(found: Pack, told: _Events, parts: Parts) -> bytes | None:
    """The workbook that these events lead to; None where it does not follow from them."""
    if told.packed is None or not _sound(found, told) or found.older or told.replay.has_old_events:
        return None
    return workbook(parts, found.counts)


def _compared(found: Pack, box: Box, told: _Events, parts: Parts, made: bytes | None) -> None:
    """Compares workbook and readme with new ones from the events (``made``), if all parts before them are sound and
    this program has the layout of the one that made the pack. Else ``found.not_covered`` says what was not compared."""
    if told.packed is None:
        found.not_covered.append(_OF_BEFORE)
        return
    if not _sound(found, told):
        return
    same = told.packed[3] == layout()
    readme = m.readme(parts.head) == box.content(m.README) if m.README in box.sums else True
    if made is None:
        found.not_covered.append(_TAKEN_IN_BEFORE)
        differing: list[str] = []
    else:
        same_bytes = m.sum_of(made) == box.sums[m.WORKBOOK]
        differing = [] if same_bytes else differences(box.content(m.WORKBOOK), made)
    if same:
        if not readme:
            found.add("readme", "no es el que escribe anular.", m.README)
        for words in differing:
            found.add("workbook", f"{words}.", m.WORKBOOK)
    elif differing or not readme:
        found.not_covered.append(_OTHER_LAYOUT)


_OF_BEFORE = (
    "Lo hizo una versión anterior: su cadena cubre filas y eventos. No cubre LEEME.txt ni los datos del lote "
    "(encabezados, emisores, notas, plazo), y del libro solo se comparó la hoja «Resultados»: «Resumen», «Pendientes "
    "de acción», «Estados eDoc» y «Bitácora» no. Pida un paquete nuevo."
)
_BY_DIGEST = (
    "La hoja «Resultados» se comparó con los eventos; lo demás vale por su código de verificación (SHA-256), que está "
    "en la cadena: compare también el sello del paquete."
)
_TAKEN_IN_BEFORE = (
    "El lote lo recibió una versión anterior, y de sus eventos no se deduce el libro entero. " + _BY_DIGEST
)
_OTHER_LAYOUT = "Lo hizo otra versión de anular, que escribe el libro de otra forma. " + _BY_DIGEST


def _sums(found: Pack, box: Box) -> None:
    """Compares every member with its SHA-256 in the manifest."""
    try:
        told = {one["nombre"]: one["sha256"] for one in json.loads(box.content(m.MANIFEST))["miembros"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        found.add("manifest", "no se puede leer.", m.MANIFEST)
        return
    for name, one in box.sums.items():
        if name != m.MANIFEST and told.get(name) != one.sha256:
            found.add("sha256", "su código de verificación (SHA-256) no es el que dice el manifiesto.", name)


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
    for name in ("headings", "issuers", "notes"):
        if not all(isinstance(one, str) for one in json.loads(head[name])):
            raise ValueError(name)
    return head


def _rows(box: Box) -> Iterator[dict[str, Any]]:
    """The rows, parsed again in each iteration. Raises ``ValueError`` for anything else."""
    keys = set(m.ROW_KEYS)
    for line in box.lines(m.ROWS):
        row = m.read_columns(line)
        if row.keys() != keys:
            raise ValueError("keys")
        yield row


def _columns(box: Box) -> Iterator[dict[str, Any]]:
    """The events once more, in the form in which ``_Events`` found them."""
    return map(m.read_columns, box.lines(m.EVENTS))


class _Events:
    """One pass over the events: their chain, whether each is a legal move, and the resulting rows.

    ``taken`` is the first event of each row: its number, the state after it, and the row's fingerprint. ``packed`` is
    the event of the pack: its number, its hash (hex), the digests, the layout mark. ``credential`` is the mark in the
    batch's own event of it, if an earlier version took the batch in.
    """

    def __init__(self, found: Pack, batch: str, start: int, before: bytes, foreign: Sequence[Foreign]) -> None:
        self._found, self._batch, self._prev, self._next = found, batch, before, start + 1
        self._start = start, before
        self._others = tuple(foreign)
        self._foreign = {one.seq: one for one in foreign}
        self.broken = False
        self._states: dict[int, str] = {}
        self.taken: dict[int, tuple[int, str, bytes | None]] = {}
        self.packed: tuple[int, str, bytes, str] | None = None
        self.credential: str | None = None
        self.replay = Replay(batch)
        self._shared = Shared()

    def all_of(self, lines: Iterable[bytes]) -> bool:
        """Reads all events, in the order of the file. Raises ``ValueError`` and similar for anything else."""
        for line in lines:
            event = m.read_event(line)
            if m.event_line(event) != line:
                raise ValueError("form")  # for example a repeated key: another reader would use the other one
            if not self.broken:
                self._link(event)
            self._step(event)
            self.replay.see(event)
        if self._foreign and not self.broken:
            self._found.add("chain", "cuenta eventos que no están entre los del lote.", m.CHAIN)
        self._states.clear()
        return True

    @property
    def last(self) -> tuple[int, str]:
        """Number and hash (hex) of the event up to which the chain holds."""
        return self._next - 1, self._prev.hex()

    def chain_text(self) -> bytes:
        """``cadena.txt`` as the program writes it."""
        return m.start_line(*self._start) + b"".join(map(m.foreign_line, self._others))

    def _link(self, event: dict[str, Any]) -> None:
        """Checks the chain up to ``event``: no gap, each hash follows from the one before. Nothing is proven after a
        break."""
        while self._next < event["seq"] and (one := self._foreign.pop(self._next, None)) is not None:
            self._prev = link_digest(self._prev, one.value) if one.walkable else one.value
            self._next += 1
        seq = self._next
        if event["seq"] != seq:
            words = (
                f"falta el evento {seq}." if event["seq"] > seq else f"el evento {event['seq']} está fuera de orden."
            )
            self.broken = True
            self._found.add("gap", words, m.EVENTS, min(seq, event["seq"]))
        elif not holds(self._prev, event, event["hash"]):
            words = f"el evento {seq} no coincide con su huella: él, o uno de los anteriores, fue alterado."
            self.broken = True
            self._found.add("chain", words, m.EVENTS, seq)
        else:
            self._prev, self._next = event["hash"], seq + 1

    def _step(self, event: dict[str, Any]) -> None:
        seq, pos = event["seq"], event["pos"]
        self.packed = None  # only the last event can be the one of this pack
        if event["batch"] == self._batch and pos:
            self._found.events += 1
            self._found.seal = (seq, event["hash"].hex())
            legal = event["from_"] == self._states.get(pos, State.RECEIVED.value) and _legal(event)
            state = self._states[pos] = self._shared(event["to_"])
            if pos not in self.taken:
                self.taken[pos] = seq, state, event["body"]
        elif event["batch"] == self._batch:
            line = SimpleNamespace(**event)
            legal = is_packed(line) or is_support_case(line) or is_credential(line)
            if is_credential(line) and self.credential is None:
                self.credential = event["message"]
            if is_packed(line):
                self.packed = seq, event["hash"].hex(), event["body"] or b"", event["message"] or ""
        else:
            legal = event["batch"] == "" and is_a_deed(SimpleNamespace(**event))
        if not legal:
            self._found.add("move", f"el evento {seq} es un paso que el programa nunca da.", m.EVENTS, seq)


def _legal(event: Mapping[str, Any]) -> bool:
    try:
        return (event["from_"], event["event"], event["to_"]) in _MOVES
    except TypeError:  # a list or an object
        return False


_MOVES = frozenset((source.value, event.value, target.value) for (source, event), target in MOVES.items())


def _taken_in(
    found: Pack,
    head: Mapping[str, Any],
    rows: Iterable[Mapping[str, Any]],
    told: _Events,
    places: Places,
    counts: Counter[str],
) -> tuple[list[PackFault], bool]:
    """Checks that every row is there once, in order, with the fingerprint that the chain holds; returns the faults, and
    whether an earlier version took any of them in. Gathers ``places`` and the ``counts`` by outcome."""
    faults: list[PackFault] = []
    taken, apart = told.taken, told.credential
    in_order, digest, older = True, head_digest(head, credential_apart=apart is not None), False
    for row in rows:
        found.rows += 1
        in_order = in_order and row["pos"] == found.rows
        places.see(row)
        counts[outcome_of(told.replay.line(head["sheet"], row)).value] += 1
        where = f"fila {row['line']}"
        if len(faults) >= MOST_FAULTS:
            continue
        if row["pos"] not in taken:
            faults.append(PackFault("row", f"la {where} no consta en los eventos.", m.ROWS, row=where))
            continue
        seq, state, body = taken[row["pos"]]
        whole = {**row, "batch": head["id"]}
        if state == row["state"] and body == row_digest(digest, whole):
            continue
        if state == row["state"] and body in (None, fingerprint(head, whole)):
            older = True
        else:
            faults.append(PackFault("row", f"la {where} no es la que se recibió (evento {seq}).", m.ROWS, seq, where))
    if (apart is not None or older) and head.get("credential") != (None if apart == SEVERAL else apart):
        faults.append(PackFault("credential", "tiene otra credencial que la que dicen los eventos.", m.HEAD))
    if not in_order or found.rows != head["n_rows"]:
        words = f"no están las {head['n_rows']} filas del lote, una vez cada una y en orden."
        faults.insert(0, PackFault("rows", words, m.ROWS))
    return faults, older


def _manifest(found: Pack, head: Mapping[str, Any], box: Box, told: _Events) -> None:
    """The manifest must be exactly the one for these parts."""
    pack = None if told.packed is None else found.own
    asked = m.manifest(head, box.sums, events=found.events, seal=found.seal, counts=found.counts, pack=pack)
    given = box.content(m.MANIFEST)
    if asked == given:
        return
    ours, theirs = json.loads(asked), json.loads(given)
    wrong = [key for key in ours if ours[key] != theirs.get(key)] if isinstance(theirs, dict) else []
    where = f" en «{'», «'.join(wrong)}»" if wrong else " en su forma"
    found.add("manifest", f"no coincide con el contenido del paquete{where}.", m.MANIFEST)
