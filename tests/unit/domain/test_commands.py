"""Commands that a text suggests: whole for whoever reads them, and quoted so that a shell gives each word back."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.commands import Here, order
from pipeline.domain.errors import WrongUsage

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)


def words_of(text: str) -> list[str]:
    assert text.startswith("«anular ")
    assert text.endswith("»")
    return shlex.split(text[1:-1])[1:]


@given(st.lists(WORDS, min_size=1, max_size=4), WORDS, WORDS)
def test_a_shell_gives_back_every_word_whatever_is_in_it(words, profile, ledger):
    words = ["run", *(word for word in words if word not in ("--help", "--profile", "--ledger"))]
    whole = Here(profile, ledger, windows=False).complete(order(*words))

    assert words_of(whole) == [*words, "--profile", profile, "--ledger", ledger]


@given(WORDS)
def test_what_is_whole_stays_as_it_is(profile):
    whole = Here(profile, "sqlite:////r.db", windows=False).complete(f"Vea {order('status')} y {order('poll')}.")

    assert Here("otra", "sqlite:////otro.db", windows=False).complete(whole) == whole
    assert whole.count("--profile") == 2


@pytest.mark.parametrize(
    ("words", "whole"),
    [
        (("login",), "«anular login --profile norte»"),
        (("ledger", "--help"), "«anular ledger --help»"),
        (("sandbox",), "«anular sandbox»"),
        (("web", "users", "list"), "«anular web users list»"),
        (("web", "--only", "sender"), "«anular web --only sender --profile norte --ledger sqlite:////r.db»"),
        (("status",), "«anular status --profile norte --ledger sqlite:////r.db»"),
    ],
)
def test_a_command_gets_only_options_that_it_has(words, whole):
    assert Here("norte", "sqlite:////r.db", windows=False).complete(order(*words)) == whole


def test_for_windows_words_are_quoted_as_its_shell_wants_them():
    whole = Here("Comercial Norte", "", windows=True).complete(order("run", r"C:\Mis datos\lote.xlsx"))

    assert whole == r'«anular run "C:\Mis datos\lote.xlsx" --profile "Comercial Norte"»'


def test_what_was_given_on_this_terminal_is_given_again():
    here = Here.of(["run", "lote.xlsx", "--profile", "norte", "--ledger=sqlite:////r.db"])

    assert (here.profile, here.ledger) == ("norte", "sqlite:////r.db")
    assert Here.of(["run", "--profile"]) == Here()


def test_an_error_is_told_whole():
    error = WrongUsage(f"Vea {order('status')}", remedy=f"Ejecute {order('login')}")

    assert Here("norte", windows=False).complete_error(error).sentence == (
        "Vea «anular status --profile norte» Ejecute «anular login --profile norte»"
    )
