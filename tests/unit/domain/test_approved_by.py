"""The text that says who prepared a batch and who approved it (docs/decisions/0108)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.approved_by import (
    LONGEST_NAME,
    WAYS,
    ApprovedBy,
    digest_of,
    is_name,
    people,
    short_digest,
    signature,
)

DIGEST = "3f9c81aa0b1277de" + "0" * 48
APPROVAL = ApprovedBy("terminal", "lgomez", "aperez", DIGEST)
TEXT = f"terminal: lgomez aprobó; aperez preparó; huella {DIGEST}"

NAMES = st.text(min_size=1, max_size=LONGEST_NAME).filter(is_name)


def test_an_approval_is_written_as_the_contract_says() -> None:
    assert str(APPROVAL) == TEXT
    assert str(ApprovedBy("web", "luis.gomez", "ana.perez", DIGEST)).startswith("web: luis.gomez aprobó; ana.perez")


@given(st.sampled_from(WAYS), NAMES, NAMES, st.text("0123456789abcdef", min_size=64, max_size=64))
def test_what_is_written_is_read_again(way: str, approver: str, preparer: str, digest: str) -> None:
    approval = ApprovedBy(way, approver, preparer, digest)
    assert ApprovedBy.read(str(approval)) == approval


def test_a_name_that_sounds_like_the_form_cannot_change_who_approved() -> None:
    sly = ApprovedBy("terminal", "lgomez aprobó", "x preparó", DIGEST)
    assert ApprovedBy.read(str(sly)) == sly
    with pytest.raises(ValueError, match="not a user name"):
        ApprovedBy("terminal", "lgomez aprobó; otra preparó", "aperez", DIGEST)


@pytest.mark.parametrize("name", ["", " lgomez", "lgomez ", "lg;omez", "l\ngomez", "l\0", "l\u202eg", "x" * 101])
def test_such_a_name_is_not_written(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(ValueError, match="not a user name"):
        ApprovedBy("terminal", name, "aperez", DIGEST)
    with pytest.raises(ValueError, match="not a user name"):
        ApprovedBy("terminal", "lgomez", name, DIGEST)


@pytest.mark.parametrize("digest", ["", DIGEST[:-1], DIGEST + "0", DIGEST.upper(), "g" * 64, DIGEST[:-1] + "\n"])
def test_such_a_digest_is_not_written(digest: str) -> None:
    with pytest.raises(ValueError, match="not a digest"):
        ApprovedBy("terminal", "lgomez", "aperez", digest)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "lgomez",
        "carpeta vigilada",
        TEXT + " ",
        TEXT + "\n",
        TEXT[:-1],
        TEXT.replace("terminal", "correo"),
        TEXT.replace("aprobó", "aprobo"),
        TEXT.replace("; huella", ", huella"),
        TEXT.replace("lgomez", " lgomez"),
    ],
)
def test_any_other_text_is_no_approval_and_is_shown_unchanged(text: str | None) -> None:
    assert ApprovedBy.read(text) is None
    assert people(text) == (text or "")
    assert digest_of(text) == ""
    assert signature(text) == text


def test_a_reader_sees_who_prepared_and_who_approved() -> None:
    assert people(TEXT) == "Preparó: aperez · Aprobó: lgomez"
    assert digest_of(TEXT) == DIGEST
    assert APPROVAL.short_digest == short_digest(DIGEST) == "3f9c-81aa-0b12-77de"


def test_an_event_names_the_people_without_the_digest_and_a_reader_sees_the_same() -> None:
    assert signature(TEXT) == "terminal: lgomez aprobó; aperez preparó"
    assert people(signature(TEXT)) == people(TEXT)
    assert people(f"{signature(TEXT)}; otra cosa") == f"{signature(TEXT)}; otra cosa"


def test_one_person_alone_is_called_one_person() -> None:
    alone = ApprovedBy("terminal", "aperez", "aperez", DIGEST)
    assert alone.alone
    assert not APPROVAL.alone
    assert alone.people == "Preparó y aprobó la misma persona: aperez"


def test_the_longest_text_has_room_for_spanish_names() -> None:
    longest = str(ApprovedBy("terminal", "ñ" * LONGEST_NAME, "ú" * LONGEST_NAME, DIGEST))
    assert ApprovedBy.read(longest) is not None
    assert len(longest) < 310
