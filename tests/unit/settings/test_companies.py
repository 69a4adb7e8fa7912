"""E2: a pair of user and password is whole and of one place; a RUC is of one company."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.errors import WrongUsage
from pipeline.settings.companies import PAIR, Pair, check_no_ruc_twice, pair_in, rucs

USERS, PASSWORDS = ("user", "user_file"), ("password", "password_file")


@given(st.sets(st.sampled_from(PAIR)))
def test_a_pair_is_whole_or_nothing_or_refused(given_names):
    values = {name: f"valor-{name}" for name in given_names}
    has_user, has_password = (bool(given_names & set(names)) for names in (USERS, PASSWORDS))
    if has_user != has_password:
        with pytest.raises(WrongUsage) as refusal:
            whole(values, "[profile.norte]")
        assert refusal.value.code == "credentials-half"
        assert "valor" not in refusal.value.sentence, "never a secret"
        return
    pair = whole(values, "[profile.norte]")
    assert (pair is None) == (not has_user)
    assert pair is None or {name: getattr(pair, name) for name in PAIR} == {**dict.fromkeys(PAIR, ""), **values}


def whole(values, place, names=None):
    """The pair as who sends takes it."""
    pair = pair_in(values, place, names)
    if pair is not None:
        pair.check_whole()
    return pair


def test_a_half_is_told_by_the_names_that_its_place_has():
    with pytest.raises(WrongUsage, match="Las variables de entorno: hay ANULAR_USER y falta ANULAR_PASSWORD o"):
        whole({"user": "ana"}, "Las variables de entorno", {name: f"ANULAR_{name.upper()}" for name in PAIR})
    with pytest.raises(WrongUsage, match=r"\[profile.norte\]: hay user y falta password_file\."):
        whole({"user": "ana"}, "[profile.norte]")


def test_a_user_without_a_password_is_a_pair_for_those_who_do_not_send():
    pair = pair_in({"user": "ana"}, "[profile.norte]")
    assert pair is not None
    assert pair.user == "ana"


def test_a_password_without_a_user_is_of_no_use_to_anybody():
    with pytest.raises(WrongUsage, match=r"hay password_file y falta user o user_file\."):
        pair_in({"password_file": "clave"}, "[profile.norte]")


def test_what_is_shown_of_a_pair_has_no_password():
    assert "secreta" not in repr(Pair("ana", password="secreta"))


@pytest.mark.parametrize(
    ("base", "profiles", "everywhere", "both"),
    [
        ({}, {"norte": {"issuers": "29-29-29"}, "sur": {"issuers": "0029-29-29 , 8-1-1"}}, {}, ("«norte»", "«sur»")),
        ({"issuers": "29-29-29"}, {"norte": {}}, {}, ("los ajustes sin perfil", "«norte»")),
        ({}, {"norte": {"issuers": ["29-29-29"]}, "sur": {"issuers": "29-29-29"}}, {}, ("«norte»", "«sur»")),
        ({}, {"norte": {}, "sur": {}}, {"issuers": "29-29-29"}, ("sin perfil", "ANULAR_ISSUERS")),
    ],
)
def test_a_ruc_of_two_profiles_is_refused_and_both_are_named(base, profiles, everywhere, both):
    with pytest.raises(WrongUsage) as refusal:
        check_no_ruc_twice(base, profiles, everywhere)
    assert refusal.value.code == "ruc-twice"
    for name in both:
        assert name in refusal.value.sentence


@pytest.mark.parametrize(
    ("base", "profiles"),
    [
        ({}, {"norte": {"issuers": "29-29-29"}, "sur": {"issuers": "8-1-1"}}),
        ({}, {"norte": {"issuers": "29-29-29"}, "ensayo": {"issuers": "29-29-29", "env": "lab"}}),
        ({"rate": 5}, {"norte": {"issuers": "29-29-29"}, "sur": {}}),
        ({}, {}),
    ],
)
def test_each_ruc_in_one_profile_of_an_environment_is_fine(base, profiles):
    check_no_ruc_twice(base, profiles, {})


def test_a_list_with_commas_alone_names_no_ruc():
    assert rucs(" , ,") == frozenset()
    assert rucs("a, b") == rucs(["b", "a"]) == {"a", "b"}
