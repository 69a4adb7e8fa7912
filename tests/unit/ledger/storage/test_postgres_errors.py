"""What a database server answers, in words for people: never its own, which may hold a secret."""

from __future__ import annotations

import psycopg
import pytest

from pipeline.ledger.storage.postgres_errors import refusal_of

SECRET = "clave-muy-secreta"


def test_what_the_server_says_in_other_words_is_not_repeated():
    said = refusal_of(psycopg.OperationalError(f"conexión rechazada a «{SECRET}»"))

    assert (said.words, SECRET in said.remedy) == ("se perdió la conexión con el servidor", False)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (psycopg.errors.DiskFull("x"), "el disco del servidor está lleno"),
        (psycopg.errors.ConnectionException("x"), "se perdió la conexión con el servidor"),
        (psycopg.errors.DivisionByZero("x"), "el servidor no pudo hacer lo que se le pidió (22012)"),
        (psycopg.OperationalError("connection failed: timeout expired"), "el servidor no respondió a tiempo"),
        (psycopg.ProgrammingError("x"), "el servidor no pudo hacer lo que se le pidió"),
    ],
)
def test_a_refusal_is_told_by_its_state_else_by_its_words(error, words):
    assert refusal_of(error).words == words


def test_the_error_of_the_driver_inside_one_of_sqlalchemy_counts():
    class Wrapped(Exception):
        orig = psycopg.errors.DiskFull("x")

    assert refusal_of(Wrapped()).words == "el disco del servidor está lleno"
