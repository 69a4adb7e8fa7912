"""The common checks after every fault (reliability.md 3): P1, P3, P4, P5 and P12, from the server's journal."""

from __future__ import annotations

import base64
import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from sqlalchemy import select

from pipeline.domain.lifecycle import Event
from pipeline.ledger import tables
from pipeline.ledger.storage.location import Database
from tests.support.books import rows_of

NOTHING_SENT = frozenset({Event.NOTHING_LEFT.value, Event.STALE.value})
PROOFS = NOTHING_SENT | {Event.UNAUTHORISED.value, Event.THROTTLED.value}


def results(workbook: Path) -> list[dict[str, Any]]:
    """The rows of ``Resultados`` by column."""
    return rows_of(workbook)


def moves(database: Database) -> list[Any]:
    """Every event of the ledger with its code, oldest first."""
    event, row = tables.event, tables.row
    query = select(event, row.c.cufe).join(row, (row.c.batch == event.c.batch) & (row.c.pos == event.c.pos))
    return list(database.read(query.order_by(event.c.seq)))


def at_most_one_post(entries: list[dict[str, Any]], events: list[Any], *, copies: int = 1) -> None:
    """P1: no more requests on the wire than 1 + proofs that an earlier one was not applied, and than claims that
    may have left. ``copies`` of each are made by a middle box."""
    posts = Counter(e["cufe"] for e in entries if e.get("service") == "cancel")
    proofs = Counter(e.cufe for e in events if e.event in PROOFS)
    claims = Counter(e.cufe for e in events if e.event == Event.CLAIMED.value)
    unsent = Counter(e.cufe for e in events if e.event in NOTHING_SENT)
    for cufe, count in posts.items():
        assert count <= copies * (1 + proofs[cufe]), f"{count} requests for {cufe}, {proofs[cufe]} proofs"
        assert count <= copies * (claims[cufe] - unsent[cufe]), f"{cufe}: a request without an intent"


def every_row_once(rows: list[dict[str, Any]], sent_in: list[str]) -> None:
    """P3: the input's rows, all of them, once, in its order."""
    assert [row["CUFE"] for row in rows] == sent_in


def nothing_told_is_lost(told: Iterable[tuple[int, int, str]], database: Database) -> None:
    """P4: every attempt that was told to be in a state (id, version, state) is in it still, or in a later one."""
    attempt = tables.attempt
    now = {line.id: (line.v, line.state) for line in database.read(select(attempt))}
    for number, version, state in told:
        held, word = now[number]
        assert held > version or (held, word) == (version, state), f"attempt {number} was {state}, and is {word}"


def no_unfounded_claim(
    rows: list[dict[str, Any]], entries: list[dict[str, Any]], events: list[Any], cancelled: set[str]
) -> None:
    """P5: cancelled only where it is, with the answer that says so; not sent only where it was not, or with proof."""
    received = Counter(e["cufe"] for e in entries if e.get("service") == "cancel")
    refused = Counter(e.cufe for e in events if e.event in PROOFS - NOTHING_SENT)
    evidence = {e.cufe for e in events if e.event in (Event.CANCELLED.value, Event.ALREADY.value) and e.body}
    for row in rows:
        cufe, word = row["CUFE"], row["resultado"]
        if word in ("ANULADA", "YA ANULADA"):
            assert cufe in cancelled, f"{word}, but it is alive: {cufe}"
            assert cufe in evidence, f"{word} without an answer in the ledger: {cufe}"
        elif word == "NO ENVIADA":
            assert cufe not in cancelled, f"NO ENVIADA, but it is cancelled: {cufe}"
            assert received[cufe] <= refused[cufe], f"NO ENVIADA, but it was received: {cufe}"


def forms(secret: str) -> set[bytes]:
    """Every way in which a secret is likely to be written down."""
    raw = secret.encode()
    texts = {
        secret,
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        raw.hex(),
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret)[1:-1].replace("/", "\\/"),
        "".join(c if c.isalnum() else f"\\u{ord(c):04X}" for c in secret),
        "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in secret),
        repr(raw)[2:-1],
    }
    return {text.encode() for text in texts} | {secret.encode("latin-1")}


def produced(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file under ``folder`` with its bytes; what is packed also unpacked."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path), path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as packed:
                    yield from ((f"{path}!{name}", packed.read(name)) for name in packed.namelist())


def no_secret(things: Iterable[tuple[str, bytes]], secrets: Iterable[str]) -> None:
    """P12: none of the secrets in any of the files, in no form."""
    wanted = set().union(*map(forms, secrets))
    for name, content in things:
        for form in wanted:
            assert form not in content, f"a secret in {name}"
