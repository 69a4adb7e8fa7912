"""Who is at a terminal: the operating system's user, whatever the environment says."""

from __future__ import annotations

import os
import pwd

import pytest

from pipeline.approvals import identity
from pipeline.domain.errors import NotApproved


def test_no_variable_makes_one_person_another(monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "otra")
    assert identity.terminal_user() == pwd.getpwuid(os.getuid()).pw_name


def test_another_user_of_the_system_is_another_person(monkeypatch):
    other = next(one for one in pwd.getpwall() if one.pw_uid != os.getuid())
    monkeypatch.setattr(os, "getuid", lambda: other.pw_uid)
    assert identity.terminal_user() == pwd.getpwuid(other.pw_uid).pw_name


@pytest.mark.parametrize("name", ["", "mala;fe", "a\nb", "x" * 101])
def test_a_name_that_cannot_be_recorded_is_refused(monkeypatch, name):
    monkeypatch.setattr(identity, "_name", lambda: name)
    with pytest.raises(NotApproved) as refused:
        identity.terminal_user()
    assert refused.value.code == "approval-nobody"


def test_a_user_without_an_entry_is_named_by_its_number(monkeypatch):
    def none(_number: int):
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", none)
    assert identity.terminal_user() == f"uid-{os.getuid()}"
