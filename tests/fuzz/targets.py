"""What is fuzzed: the readers of files and of answers, each with its promise (reliability.md P10, G6).

A target is a function of bytes. It returns when its promise held: the input was refused with an error of the tree, or
taken with a result that an independent reader confirms. Anything else escapes it, and is a finding.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from unicodedata import category

from pipeline.domain.edoc_states import EDOC_STATES, QueryDescribes
from pipeline.domain.errors import InputRefused
from pipeline.domain.lifecycle import Event
from pipeline.domain.problems import KINDS, refused
from pipeline.domain.records import Source
from pipeline.edoc.limiter import http_date, pause_after
from pipeline.edoc.wire import NotUnderstood, read_answer, read_token
from pipeline.read.csv_file import read_csv
from pipeline.read.guard import open_workbook
from pipeline.read.limits import Limits
from pipeline.read.protocol import Nonsense, decode, encode, encode_refusal
from pipeline.read.table import Table
from pipeline.read.worksheets import tabs_of
from pipeline.read.xlsx_file import read_xlsx
from tests.fuzz import seeds
from tests.fuzz.mutate import Mutator, mutate_text, mutate_workbook
from tests.fuzz.oracle import NoOracle, same_csv, same_workbook

LIMITS = Limits()
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
STATUSES = (200, 400, 422, 401, 429, 500, 302, 200)


def guard(data: bytes) -> None:
    """A container is refused, or unpacked into parts within the limits; the repacked one holds the same."""
    try:
        parts = open_workbook(data, "lote.xlsx", LIMITS)
    except InputRefused as error:
        _in_words(error)
        return
    assert sum(map(len, parts.by_name.values())) <= LIMITS.unpacked
    assert open_workbook(parts.repacked().getvalue(), "lote.xlsx", LIMITS) == parts
    try:
        tabs_of(parts)
    except InputRefused as error:
        _in_words(error)


def csv(data: bytes) -> None:
    """A CSV is refused, or its rows are those of a parser that follows RFC 4180 to the letter."""
    try:
        table = read_csv(data, LIMITS)
    except InputRefused as error:
        _in_words(error)
        return
    _plain(table)
    same_csv(data, table)


def xlsx(data: bytes) -> None:
    """A workbook is refused, or read into rows in ascending order, all as wide as the header."""
    table = _workbook(data)
    if table is not None:
        _plain(table)


def xlsx_agree(data: bytes) -> None:
    """A workbook is refused, or its rows are those that openpyxl sees."""
    table = _workbook(data)
    if table is not None:
        try:
            same_workbook(data, table)
        except NoOracle:
            return


def child(data: bytes) -> None:
    """What the reading process says is nonsense, a refusal, or a table that says the same when told again."""
    try:
        table = decode(data.splitlines(keepends=True), LIMITS)
    except Nonsense:
        return
    except InputRefused as error:
        _known(error)
        return
    _plain(table)
    assert {len(row) for row in table.rows} == {table.header.width}
    assert decode(encode(table), LIMITS) == table


def said_by_child() -> list[bytes]:
    """What the reading process says of the seeds of the readers, and of a file that is refused."""
    tables = [read_csv(data, LIMITS) for data in seeds.csv_files()[:4]]
    tables += [table for data in seeds.workbooks() if (table := _workbook(data)) is not None]
    refusal = encode_refusal(refused("xlsx-danado", where="Hoja1"))
    return [*(b"".join(encode(table)) for table in tables), refusal]


def answer(data: bytes) -> None:
    """Any answer is a finding; what is no object of a known state or code is never a success nor a refusal.

    The first byte chooses the circumstances: bit 0 the query, bits 1-3 the status, bit 4 a body cut at the limit, bit 5
    a content encoding, bit 6 what a query describes.
    """
    choice, body = (data[0], data[1:]) if data else (0, b"")
    status = STATUSES[choice >> 1 & 7]
    found = read_answer(
        Source.QUERY if choice & 1 else Source.CANCELLATION,
        status,
        body,
        asked_cufe=seeds.cufe(1),
        truncated=bool(choice & 16),
        content_encoding="gzip" if choice & 32 else "",
        describes=QueryDescribes.CANCELLATION if choice & 64 else QueryDescribes.INVOICE,
    )
    assert found.understood is (found.event is not Event.UNCLEAR)
    assert found.body == body
    for words in (found.message, found.authorised_at, found.note, found.dgi):
        assert not [c for c in words or "" if category(c) in ("Cc", "Cs", "Zl", "Zp")]
        (words or "").encode()
    if found.understood:
        assert status in (200, 400, 422)
        assert not choice & 48
        assert isinstance(json.loads(body), dict)
        assert found.estado in EDOC_STATES or found.dgi is not None


def retry_after(data: bytes) -> None:
    """Whatever stands in ``Retry-After`` and ``Date``, the pause is between a second and a quarter of an hour."""
    value, _, date = data.decode("latin-1").partition("\n")
    assert 1.0 <= pause_after(value, http_date(date) or NOW, 1.0) <= 900.0


def token(data: bytes) -> None:
    """A token answer is understood or not; a token can be sent in a header, a lifetime is a positive number."""
    try:
        found = read_token(data)
    except NotUnderstood:
        return
    assert (found.token is None) is bool(found.code) or found.token is not None
    assert found.token is None or all("!" <= char <= "~" for char in found.token)
    assert found.lifetime is None or found.lifetime > 0


def _workbook(data: bytes) -> Table | None:
    try:
        return read_xlsx(data, "lote.xlsx", LIMITS, sheet=None, include_hidden=False)
    except InputRefused as error:
        _in_words(error)
        return None


def _plain(table: Table) -> None:
    assert table.rows
    assert len(table.lines) == len(table.rows)
    assert table.lines == sorted(set(table.lines))
    assert table.lines[0] > table.header.line


def _known(error: InputRefused) -> None:
    assert error.code in KINDS


def _in_words(error: InputRefused) -> None:
    _known(error)
    assert "{" not in error.sentence.partition("«")[0]
    assert error.sentence.strip()


@dataclass(frozen=True, slots=True)
class Target:
    """``run`` is fuzzed from ``seeds`` on, by libFuzzer's changes and ``mutate``'s; at most ``longest`` bytes.

    ``parts`` are the modules whose coverage counts.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    mutate: Mutator
    parts: tuple[str, ...]
    longest: int = 4096


_BOOK = ("guard", "workbook", "xlsx_file", "cellscan", "slowscan", "grid", "header")
_READ = tuple(f"pipeline/read/{name}.py" for name in _BOOK)

TARGETS: dict[str, Target] = {
    "guard": Target(guard, seeds.workbooks, mutate_workbook, (_READ[0], _READ[1]), 65_536),
    "csv": Target(
        csv,
        seeds.csv_files,
        mutate_text,
        ("pipeline/read/csv_file.py", "pipeline/read/text.py", "pipeline/read/header.py"),
        16_384,
    ),
    "xlsx": Target(xlsx, seeds.workbooks, mutate_workbook, _READ, 65_536),
    "xlsx-agree": Target(xlsx_agree, seeds.workbooks, mutate_workbook, _READ, 65_536),
    "child": Target(child, said_by_child, mutate_text, ("pipeline/read/protocol.py",), 16_384),
    "answer": Target(answer, seeds.answers, mutate_text, ("pipeline/edoc/wire.py", "pipeline/domain/edoc_states.py")),
    "retry-after": Target(retry_after, seeds.waits, mutate_text, ("pipeline/edoc/limiter.py",), 512),
    "token": Target(token, seeds.tokens, mutate_text, ("pipeline/edoc/wire.py",)),
}


def mutants(target: Target, number: int, seed: int = 0) -> Sequence[bytes]:
    """``number`` inputs, each a seed after one to three rounds of changes; the same ones every time."""
    rng = Random(seed)
    pool = target.seeds()
    made: list[bytes] = []
    for _ in range(number):
        new = rng.choice(pool)
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            new = target.mutate(new, rng)[: target.longest]
        made.append(new)
    return made
