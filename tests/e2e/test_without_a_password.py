"""A machine where the password is not: what looks or decides works all the same, what sends says what is missing."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def place(place):
    """A company that sent a batch of which one row is left to send and one waits; its password is gone since."""
    secret = place.folder / "clave"
    secret.touch(0o600)
    secret.write_text("sandbox")
    config = place.folder / "anular.toml"
    config.write_text(f'[profile.norte]\nuser = "sandbox-norte"\npassword_file = "{secret}"\n', "utf-8")
    place.env |= {"ANULAR_CONFIG": str(config)}
    place.lote = place.batch(["000", "000", "000"])
    done = place.anular("run", place.lote, "--yes", "--json", "--only", "2", "--profile", "norte")
    assert done.data[0]["outcomes"] == {"ANULADA": 2, "NO ENVIADA": 1}, done.words
    config.write_text('[profile.norte]\nuser = "sandbox-norte"\n', "utf-8")
    secret.unlink()
    return place


def test_looking_and_deciding_need_the_user_alone_and_sending_says_what_is_missing(place):
    batch = place.anular("status", "--json", "--profile", "norte").data[0]["batch"]
    looking = [
        ("status", batch),
        ("find", batch),
        ("check", place.lote),
        ("report", batch, "--evidence"),
        ("verify", batch),
        ("poll", "--all"),
    ]
    for words in looking:
        done = place.anular(*words, "--profile", "norte")
        assert done.code in (0, 1, 4), (words, done.words)
        assert "credentials" not in done.words, words
    sent = place.journal.read_text("utf-8")

    for words in (("run", place.lote, "--yes"), ("poll", batch), ("release", batch, "--yes")):
        refused = place.anular(*words, "--profile", "norte")
        assert refused.code == 2, (words, refused.words)
        assert "[credentials-half]" in refused.err
        assert "hay user y falta password_file" in " ".join(refused.err.split())
    assert place.journal.read_text("utf-8") == sent
    assert sum(json.loads(line).get("route") == "cancel" for line in sent.splitlines()) == 2


def test_doctor_says_that_the_password_is_missing(place):
    done = place.anular("doctor", "--profile", "norte")
    assert done.code == 5
    assert "falta password_file" in " ".join(done.words.split())
