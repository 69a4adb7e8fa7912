"""What the drop folder may send by itself: the policy, the manifests, the names (P2, F63, F66)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.domain.errors import WrongUsage
from pipeline.watch import manifest
from pipeline.watch.claim import LONGEST, note_of, safe_name
from pipeline.watch.manifest import declared, read_key, seal
from pipeline.watch.policy import Asked, Policy, in_words, objections

SHA = "ab" * 32
KEY = b"una clave que nadie adivina"


def codes(policy: Policy, asked: Asked) -> list[str]:
    return [code for code, _ in objections(policy, asked)]


@given(
    env=st.sampled_from(["sandbox", "lab", "production"]),
    allowed_env=st.sampled_from(["sandbox", "lab", "production"]),
    issuers=st.sets(st.sampled_from(["1-1-1", "2-2-2", "3-3-3"]), min_size=1),
    allowed=st.frozensets(st.sampled_from(["1-1-1", "2-2-2", " 0003-3-3"])),
    rows=st.integers(1, 50),
    before=st.integers(0, 50),
    max_rows=st.integers(0, 50),
    max_night=st.integers(0, 100),
)
def test_nothing_goes_that_the_policy_does_not_name(
    env, allowed_env, issuers, allowed, rows, before, max_rows, max_night
):
    binding = env != "sandbox"
    found = codes(Policy(allowed_env, allowed, max_rows, max_night), Asked(env, binding, rows, sorted(issuers), before))
    named = {ruc.strip().lstrip("0") for ruc in allowed}
    assert ("politica-ambiente" in found) == (env != allowed_env)
    assert ("politica-emisores" in found) == ((binding or bool(named)) and not issuers <= named)
    assert ("politica-filas" in found) == (rows > max_rows)
    assert ("politica-noche" in found) == (before + rows > max_night)


def test_every_objection_is_told_with_its_code():
    told = in_words(objections(Policy("sandbox", frozenset(), 1, 1), Asked("production", True, 2, ["1-1-1"], 0)))
    assert told.count("[politica-") == 4


@given(rows=st.integers(0, 10**6), change=st.integers(1, 5), key=st.binary(min_size=16, max_size=40))
def test_a_seal_is_about_its_rows_its_content_and_its_key(rows, change, key):
    good = json.dumps({"rows": rows, "sha256": SHA, "hmac": seal(key, SHA, rows)}).encode()

    def found(raw, **changes):
        values: dict[str, Any] = {"sha256": SHA, "rows": rows, "key": key, "required": True, **changes}
        return {code for code, _ in manifest.objections(raw, **values)}

    assert found(good) == set()
    assert found(good, rows=rows + change) == {"manifiesto-filas"}
    assert found(good, sha256="cd" * 32) == {"manifiesto-sha256"}
    assert found(good, key=key + b"x") == {"manifiesto-hmac"}
    forged = json.dumps({"rows": rows + change, "sha256": SHA, "hmac": seal(key, SHA, rows)}).encode()
    assert found(forged, rows=rows + change) == {"manifiesto-hmac"}


@given(st.binary(max_size=200))
def test_whatever_bytes_come_as_a_manifest_nothing_breaks(raw):
    told = declared(raw)
    assert told is None or isinstance(told.rows, int)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"rows": 1}',
        b'{"rows": true, "sha256": "x"}',
        b'{"rows": 1.0, "sha256": "x"}',
        b'{"rows": 1, "rows": 2, "sha256": "x"}',
        b"[" * 100_000,
    ],
    ids=["empty", "list", "half", "true", "float", "twice", "deep"],
)
def test_a_manifest_is_exact_or_none(raw):
    assert declared(raw) is None


def test_with_a_key_a_manifest_is_demanded_and_without_one_only_where_it_is_required():
    told: dict[str, Any] = {"sha256": SHA, "rows": 1}
    assert manifest.objections(None, key=None, required=False, **told) == []
    assert [code for code, _ in manifest.objections(None, key=KEY, required=False, **told)] == ["manifiesto-falta"]
    assert [code for code, _ in manifest.objections(None, key=None, required=True, **told)] == ["manifiesto-falta"]


def test_a_key_that_can_be_guessed_or_is_not_there_is_refused_without_being_shown(tmp_path):
    (tmp_path / "corta").write_bytes(b"1234\n")
    for name in ("corta", "ninguna"):
        with pytest.raises(WrongUsage) as caught:
            read_key(tmp_path / name)
        assert "1234" not in caught.value.sentence
    assert read_key(None) is None


@example("0000" + "𝐀" * 25 + "𝒩𝒩𝒩 𝒩")  # cut where a space ends it
@given(st.text(min_size=1, max_size=300))
def test_a_safe_name_is_one_plain_part_that_can_be_shown(name):
    safe = safe_name(name)
    assert safe
    assert safe.isprintable()
    assert not set(safe) & set('/\\<>:"|?*')
    assert not safe.startswith((".", "-", " "))
    assert len(safe.encode()) <= LONGEST
    assert safe_name(safe) == safe


@pytest.mark.parametrize(
    ("name", "note"), [("a.xlsx", "a.txt"), ("a.csv", "a.txt"), ("a.txt", "a.nota.txt"), ("a", "a.txt")]
)
def test_a_note_never_has_the_name_of_its_file(tmp_path, name, note):
    assert note_of(tmp_path / name) == tmp_path / note


@pytest.mark.parametrize("name", ["con.final.xlsx", "NUL.csv", "aux.2026.11.csv", "com1..xlsx"])
def test_a_name_that_windows_keeps_for_a_device_gets_another_beginning(name):
    assert safe_name(name).startswith("_")
    assert safe_name(safe_name(name)) == safe_name(name)


def test_a_name_that_only_begins_like_a_device_stays():
    assert safe_name("consolidado.final.xlsx") == "consolidado.final.xlsx"
