"""What a person approves has one text and one digest, and what is sent is within it (approvals.md 2)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.approval_digest import (
    Content,
    beyond,
    canonical_json,
    departure,
    joined,
    payload_hash,
    payloads_sha256,
    same_digest,
    split,
)

HASHES = [payload_hash(f"FE{n:064d}", "Error en el monto", None) for n in range(8)]
CONTENT = Content(
    company="Ejemplo S.A.",
    env="lab",
    ledger="8f0c",
    sha256="ab" * 32,
    sheet="Noviembre",
    options={"columns": "cufe=H"},
    rows=9,
    verdicts={"accepted": 3, "rejected": 6, "held": 0},
    issuers=("155-1-1", "155-2-2"),
    first_issue=date(2026, 11, 1),
    last_issue=date(2026, 11, 18),
    late=1,
    hidden=0,
    deadline_hours=182,
    payloads=tuple(HASHES[:3]),
)
OTHER: dict[str, Any] = {
    "company": "Otra S.A.",
    "env": "production",
    "ledger": "8f0d",
    "sha256": "ac" * 32,
    "sheet": None,
    "options": {},
    "rows": 10,
    "verdicts": {"accepted": 3, "rejected": 7},
    "issuers": ("155-1-1",),
    "first_issue": date(2026, 11, 2),
    "last_issue": None,
    "late": 2,
    "hidden": 4,
    "deadline_hours": 183,
    "payloads": tuple(HASHES[:2]),
}
FIXED = {"company", "env", "ledger", "sha256", "sheet", "options", "rows", "hidden", "deadline_hours"}


def approved(content: Content = CONTENT) -> dict:
    return json.loads(content.canonical)


def test_the_digest_is_that_of_the_canonical_text_which_anybody_can_compute():
    assert CONTENT.digest == hashlib.sha256(CONTENT.canonical.encode()).hexdigest()
    assert CONTENT.canonical.isascii()
    assert json.dumps(approved(), sort_keys=True, separators=(",", ":")) == CONTENT.canonical
    assert approved()["format"] == "anular-aprobacion-1"


def test_the_digest_never_changes_from_one_version_to_the_next():
    assert CONTENT.digest == "5372193973b386daff25938a6eef219572e76069732f40952c36546adb6d8414"


@pytest.mark.parametrize("name", [field.name for field in fields(Content)])
def test_anything_else_has_another_digest(name):
    assert replace(CONTENT, **{name: OTHER[name]}).digest != CONTENT.digest


def test_the_order_of_names_and_verdicts_that_no_row_has_make_no_difference():
    again = replace(CONTENT, verdicts={"rejected": 6, "accepted": 3}, issuers=("155-2-2", "155-1-1"))
    assert again.digest == CONTENT.digest


def test_the_order_of_the_payloads_does():
    assert replace(CONTENT, payloads=(HASHES[1], HASHES[0], HASHES[2])).digest != CONTENT.digest


@pytest.mark.parametrize(
    "other", [("FE1", "Motivo", "a@b.pa"), ("FE1", "Motivo.", None), ("FE2", "Motivo", None)], ids=str
)
def test_a_payload_is_its_code_its_reason_and_its_address(other):
    assert payload_hash(*other) != payload_hash("FE1", "Motivo", None)


def test_no_address_and_an_empty_one_are_the_same():
    assert payload_hash("FE1", "Motivo", "") == payload_hash("FE1", "Motivo", None)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=20))
def test_kept_hashes_are_read_again(hashes):
    assert list(split(joined(hashes))) == hashes
    assert payloads_sha256(split(joined(hashes))) == payloads_sha256(hashes)


def test_what_is_no_list_of_hashes_is_refused():
    with pytest.raises(ValueError, match="SHA-256"):
        split(b"x" * 33)


def test_what_json_does_not_have_is_no_canonical_text():
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"late": float("nan")})


# --- what may be sent under it


def test_the_same_again_is_within_it():
    assert departure(approved(), HASHES[:3], CONTENT) == ""


@given(st.sets(st.integers(0, 2)))
def test_so_is_whatever_dropped_out(kept):
    fewer = replace(
        CONTENT,
        payloads=tuple(HASHES[n] for n in sorted(kept)),
        verdicts={"accepted": len(kept), "duplicate": 3 - len(kept), "rejected": 6},
        issuers=CONTENT.issuers[:1],
        late=3,
        first_issue=None,
        last_issue=None,
    )
    assert departure(approved(), HASHES[:3], fewer) == ""


@given(st.lists(st.sampled_from(HASHES), max_size=12), st.lists(st.sampled_from(HASHES), max_size=12))
def test_nothing_is_sent_that_was_not_approved_and_nothing_twice(allowed, wanted):
    within = departure(approved(), allowed, replace(CONTENT, payloads=tuple(wanted))) == ""
    assert within == all(wanted.count(one) <= allowed.count(one) for one in wanted)
    assert beyond(allowed, wanted) == sum(max(wanted.count(one) - allowed.count(one), 0) for one in set(wanted))


@pytest.mark.parametrize("name", sorted(FIXED))
def test_what_was_read_how_and_for_what_may_not_differ(name):
    words = departure(approved(), HASHES[:3], replace(CONTENT, **{name: OTHER[name]}))
    assert words, name


def test_each_difference_has_a_sentence_of_its_own():
    said = {departure(approved(), HASHES[:3], replace(CONTENT, **{name: OTHER[name]})) for name in FIXED}
    said.add(departure(approved(), HASHES[:3], replace(CONTENT, issuers=("155-3-3",))))
    said.add(departure(approved(), HASHES[:2], CONTENT))
    said.add(departure(approved(), HASHES[:1], CONTENT))
    assert len(said) == len(FIXED) + 3


def test_an_approval_of_another_format_is_none():
    assert departure({**approved(), "format": "anular-aprobacion-2"}, HASHES[:3], CONTENT)


# --- how a person names it


@pytest.mark.parametrize("text", ["3f9c-81aa-0b12-77de", "3F9C81AA0B1277DE", "3f9c-81aa-0b12-77de-…", " {whole} "])
def test_a_digest_is_named_by_its_first_sixteen_digits_or_whole(text):
    whole = "3f9c81aa0b1277de" + "0" * 48
    assert same_digest(text.format(whole=whole), whole)


@pytest.mark.parametrize("text", ["", "3f9c", "3f9c-81aa-0b12", "3f9c-81aa-0b12-77df", "3f9c-81aa-0b12-77de-0"])
def test_less_or_anything_else_names_none(text):
    assert not same_digest(text, "3f9c81aa0b1277de" + "0" * 48)
