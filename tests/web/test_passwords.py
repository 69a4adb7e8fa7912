"""Which passwords are refused (S14)."""

from __future__ import annotations

import pytest

from tests.support.pages import House

SHORT, LONG, COMMON, EASY = "al menos 12", "128 caracteres como máximo", "de las más usadas", "se adivina fácilmente"


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("corta", SHORT),
        ("once letras", SHORT),
        ("x" * 129, LONG),
        ("password1234", COMMON),
        ("PASSWORD!!!!", COMMON),
        ("1234qwerty1234", COMMON),
        ("dragondragon", COMMON),
        ("aaaaaaaaaaaa", COMMON),
        ("ana.perez2026", EASY),
        ("distribuidora istmo", EASY),
        ("factura panama", EASY),
        ("ANULAR-FACTURA", EASY),
        ("Istmo/Pérez 1998!", EASY),
        ("contraseña2026", COMMON),
    ],
)
def test_s14_a_password_that_would_be_guessed_is_refused_in_words(house: House, password, why):
    from pipeline.web.access.passwords import fault

    said = fault(password, ["ana", "Ana Pérez", "ana.perez@istmo.pa", "Distribuidora Istmo, S.A."])
    assert said is not None
    assert why in said


@pytest.mark.parametrize(
    "password", ["nueve gatos sobre el tejado azul", "k7#Vq!w9Zm2$", "ñandú ¡corre! sin zapatos 7"]
)
def test_s14_a_phrase_needs_no_digits_and_no_capitals(house: House, password):
    from pipeline.web.access.passwords import fault

    assert fault(password, ["ana"]) is None


def test_s14_it_is_compared_as_typed(house: House):
    from tests.web.test_log_in import enter

    client = house.client("ana")
    good = "  Nueve Gatos sobre el tejado "
    from tests.support.pages import PASSWORD

    assert client.post("/cuenta/clave", {"actual": PASSWORD, "nueva": good, "otra": good}).status_code == 302
    assert enter(house.client(), "ana", good).status_code == 302
    assert enter(house.client(), "ana", good.strip()).status_code == 422
    assert enter(house.client(), "ana", good.casefold()).status_code == 422


def test_the_present_password_is_asked_for_and_other_sessions_end(house: House):
    from tests.support.pages import PASSWORD
    from tests.web.test_log_in import text_of

    one, two = house.client("ana"), house.client("ana")
    good = "nueve gatos sobre el tejado azul"
    answer = one.post("/cuenta/clave", {"actual": "no es esta", "nueva": good, "otra": good})
    assert "La contraseña actual no es correcta." in text_of(answer)
    assert one.post("/cuenta/clave", {"actual": PASSWORD, "nueva": good, "otra": good}).status_code == 302
    assert (one.get("/").status_code, two.get("/").status_code) == (200, 302)
