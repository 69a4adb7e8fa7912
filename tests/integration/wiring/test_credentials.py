"""What sends knows a password; what looks or hands in knows the user of the very same place, and nothing more."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keyring
import pytest
from keyring.errors import KeyringLocked, NoKeyringError, PasswordDeleteError
from pydantic import SecretStr

from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.ledger.scope import credential_mark
from pipeline.queue.profiles import post_of, posts
from pipeline.settings import load as load_module
from pipeline.settings.load import load_settings
from pipeline.settings.model import Settings
from pipeline.wiring import credentials as credentials_module
from pipeline.wiring import keyring_store
from pipeline.wiring.credentials import credentials, user_of
from pipeline.wiring.ledger import open_memory
from pipeline.wiring.views import open_views
from tests.support import ledgers

OWN = 'user = "norte-1"\npassword_file = "{folder}/norte.clave"\n'
BASE = 'user = "base-1"\npassword_file = "{folder}/base.clave"\n'
USER_ALONE = {"own": 'user = "norte-1"\n', "base": 'user = "base-1"\n'}
VARIABLES = {"ANULAR_USER": "variable-1", "ANULAR_PASSWORD": "variable-clave"}


@dataclass
class Machine:
    """A machine with a settings file, password files and a keyring, which counts what is read of a password."""

    folder: Path
    setenv: Callable[[str, str], None]
    #: the keyring's entries by service and name; None: this machine has no keyring
    entries: dict[tuple[str, str], str] | None = field(default_factory=dict)
    #: what a keyring that does not answer raises
    trouble: Exception | None = None
    #: reads of the keyring and of password files
    opened: list[str] = field(default_factory=list)

    def settle(
        self, profile: str = "", *, env: str = "lab", base: str = "", own: str = "", **variables: str
    ) -> Settings:
        """The settings of ``profile``, with its own table and the settings without one."""
        text = f'env = "{env}"\n{base}\n[profile.norte]\n{own}\n'.replace("{folder}", str(self.folder))
        (self.folder / "anular.toml").write_text(text)
        for name, value in {"ANULAR_CONFIG": str(self.folder / "anular.toml"), **variables}.items():
            self.setenv(name, value)
        return load_settings(profile)

    def get_password(self, service: str, name: str) -> str | None:
        self.opened.append("llavero")
        if self.trouble is not None:
            raise self.trouble
        if self.entries is None:
            raise NoKeyringError
        return self.entries.get((service, name))

    def set_password(self, service: str, name: str, text: str) -> None:
        assert self.entries is not None
        self.entries[service, name] = text

    def delete_password(self, service: str, name: str) -> None:
        assert self.entries is not None
        if self.entries.pop((service, name), None) is None:
            raise PasswordDeleteError

    def an_earlier_version_logs_in(self, user: str, profile: str = "norte") -> None:
        self.set_password("anular-lab", profile or "default", json.dumps([user, f"{user}-clave"]))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for name in list(os.environ):
        if name.startswith("ANULAR_") and not name.startswith("ANULAR_TEST"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("norte", "base"):
        (tmp_path / f"{name}.clave").touch(0o600)
        (tmp_path / f"{name}.clave").write_text(f"{name}-clave\n")
    machine = Machine(tmp_path, monkeypatch.setenv)

    def counted(path: Path, name: str) -> str:
        machine.opened.append(path.name)
        return read(path, name)

    read = load_module.secret_file
    monkeypatch.setattr(load_module, "secret_file", counted)
    monkeypatch.setattr(credentials_module, "secret_file", counted)
    for name in ("get_password", "set_password", "delete_password"):
        monkeypatch.setattr(keyring, name, getattr(machine, name))
    return machine


def login(machine: Machine, user: str, profile: str = "norte") -> None:
    keyring_store.keep("lab", profile, user, SecretStr(f"{user}-clave"))
    machine.opened.clear()


PLACES = {
    "profile": ("norte", {"own": OWN, "base": BASE, **VARIABLES}, "norte", "norte-1", ["norte.clave"]),
    "keyring of the profile": ("norte", {"base": BASE, **VARIABLES}, "norte", "llavero-1", ["llavero"]),
    "settings without a profile": ("norte", {"base": BASE, **VARIABLES}, "", "base-1", ["llavero", "base.clave"]),
    "variables": ("", {"own": OWN, "base": BASE, **VARIABLES}, "default", "variable-1", []),
    "settings file": ("", {"own": OWN, "base": BASE}, "default", "base-1", ["base.clave"]),
    "keyring": ("", {"own": OWN}, "default", "llavero-1", ["llavero"]),
    "sandbox": ("", {"env": "sandbox"}, "", "sandbox", []),
    "sandbox with a user": ("", {"env": "sandbox", "base": BASE}, "", "base-1", ["base.clave"]),
    "profile of the sandbox": ("norte", {"env": "sandbox", "own": OWN}, "", "norte-1", ["norte.clave"]),
    "sandbox of a company": ("norte", {"env": "sandbox", "base": BASE}, "", "base-1", ["base.clave"]),
}


@pytest.mark.parametrize("place", PLACES)
def test_the_mark_of_who_hands_in_is_that_of_who_sends_wherever_the_pair_comes_from(machine, place):
    profile, given, kept, user, read = PLACES[place]
    if kept:
        login(machine, "llavero-1", "" if kept == "default" else kept)
    elif given.get("env") != "sandbox":
        assert keyring_store.stored("lab", profile) is None
        machine.opened.clear()
    settings = machine.settle(profile, **given)

    handing_in = post_of(settings).mark
    assert machine.opened == [], "who hands in reads no password"
    assert handing_in == credential_mark(settings.env, credentials(settings)[0])
    assert user_of(settings) == user
    assert machine.opened == read, "who sends does"


@pytest.mark.parametrize(("profile", "user"), [("norte", "norte-1"), ("", "base-1")])
def test_a_user_without_a_password_is_enough_to_look_and_never_to_send(machine, profile, user):
    settings = machine.settle(profile, **USER_ALONE)
    assert user_of(settings) == user
    with pytest.raises(WrongUsage, match="hay user y falta password_file") as refusal:
        credentials(settings)
    assert refusal.value.code == "credentials-half"


def test_a_user_in_a_variable_is_enough_to_look(machine):
    settings = machine.settle(base=BASE, ANULAR_USER="variable-1")
    assert user_of(settings) == "variable-1"
    with pytest.raises(WrongUsage, match="hay ANULAR_USER y falta ANULAR_PASSWORD o ANULAR_PASSWORD_FILE"):
        credentials(settings)
    assert machine.opened == []


def test_the_user_of_a_profile_is_not_filled_from_elsewhere(machine):
    login(machine, "llavero-1")
    settings = machine.settle("norte", own=USER_ALONE["own"], base=BASE)
    assert user_of(settings) == "norte-1"
    with pytest.raises(WrongUsage):
        credentials(settings)


def test_without_a_user_nobody_looks(machine):
    with pytest.raises(WrongUsage, match="Falta el usuario de eDoc") as refusal:
        user_of(machine.settle("norte"))
    assert refusal.value.code == "credentials-missing"


@pytest.mark.parametrize("file", ["password_file", "user_file"])
def test_an_empty_file_is_refused_and_not_filled_from_elsewhere(machine, file):
    login(machine, "llavero-1")
    (machine.folder / "norte.clave").write_text("\n")
    other = 'user = "norte-1"' if file == "password_file" else 'password_file = "{folder}/base.clave"'
    with pytest.raises(WrongUsage, match="El archivo está vacío"):
        credentials(machine.settle("norte", own=f'{other}\n{file} = "{{folder}}/norte.clave"', base=BASE))


def test_who_looks_is_not_stopped_by_a_password_file_that_is_not_there(machine):
    settings = machine.settle("norte", own='user = "norte-1"\npassword_file = "{folder}/nada"')
    assert user_of(settings) == "norte-1"
    with pytest.raises(WrongUsage, match="no se puede leer"):
        credentials(settings)


# --- the note beside the keyring


def test_the_entry_of_an_earlier_version_is_read_once_and_never_again(machine):
    machine.an_earlier_version_logs_in("llavero-1")
    settings = machine.settle("norte", base=BASE)
    assert [user_of(settings) for _ in range(3)] == ["llavero-1"] * 3
    assert machine.opened == ["llavero"]


@pytest.mark.parametrize("entries", [None, {}], ids=["no keyring", "no entry"])
def test_that_there_is_no_entry_is_found_out_once(machine, entries):
    machine.entries = entries
    settings = machine.settle("norte", base=BASE)
    assert [user_of(settings) for _ in range(3)] == ["base-1"] * 3
    assert machine.opened == ["llavero"]


@pytest.mark.parametrize("who", [credentials, user_of])
def test_a_keyring_that_is_locked_is_not_taken_for_an_empty_one(machine, who):
    machine.an_earlier_version_logs_in("llavero-1")
    machine.trouble = KeyringLocked()
    settings = machine.settle("norte", base=BASE)
    with pytest.raises(WrongUsage, match="bloqueado o no responde") as refusal:
        who(settings)
    assert refusal.value.code == "keyring"
    machine.trouble = None
    assert user_of(settings) == "llavero-1"


def test_who_sends_sets_the_note_right_when_the_entry_was_changed_by_hand(machine):
    login(machine, "llavero-1")
    settings = machine.settle("norte", base=BASE)
    machine.an_earlier_version_logs_in("llavero-2")
    assert credentials(settings)[0] == user_of(settings) == "llavero-2"


def test_after_logout_the_user_is_that_of_the_next_place(machine):
    login(machine, "llavero-1")
    settings = machine.settle("norte", base=BASE)
    assert user_of(settings) == "llavero-1"
    assert keyring_store.forget("lab", "norte")
    assert user_of(settings) == credentials(settings)[0] == "base-1"
    assert not keyring_store.forget("lab", "norte")


def test_each_profile_and_environment_has_a_note_of_its_own(machine):
    for env, profile, user in (("lab", "norte", "a"), ("lab", "", "b"), ("production", "norte", "c")):
        keyring_store.keep(env, profile, user, SecretStr("clave"))
    assert [keyring_store.user_kept(*one) for one in (("lab", "norte"), ("lab", ""), ("production", "norte"))] == [
        *("a", "b", "c")
    ]


def test_a_note_holds_no_password_and_belongs_to_its_owner(machine):
    login(machine, "maría")
    (note,) = (machine.folder / "state").rglob("usuario-*.json")
    assert json.loads(note.read_text()) == {"user": "maría"}
    assert os.name == "nt" or note.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"user": 7}', b'{"otro": "a"}', b"\xff"])
def test_a_note_that_is_not_understood_is_as_good_as_none(machine, content):
    login(machine, "llavero-1")
    (note,) = (machine.folder / "state").rglob("usuario-*.json")
    note.write_bytes(content)
    assert user_of(machine.settle("norte")) == "llavero-1"
    assert machine.opened == ["llavero"]


# --- the ledger


def test_who_looks_and_who_decides_need_no_password_and_who_sends_is_refused_before_anything_is_taken_in(
    machine, ledger_url
):
    settings = machine.settle("norte", env="sandbox", own=USER_ALONE["own"], ANULAR_LEDGER=ledger_url)
    with open_memory(settings, sends=False) as memory:
        assert memory.store is not None
    with open_views(settings, mine=True) as views:
        assert views is not None
        assert views.followed() == []
    runs = ledgers.lines(ledger_url, "SELECT id, credential FROM run")
    with pytest.raises(WrongUsage, match="falta password_file"), open_memory(settings):
        pass
    assert ledgers.lines(ledger_url, "SELECT id, credential FROM run") == runs
    assert [line["credential"] for line in runs] == [credential_mark("sandbox", "norte-1")]
    assert machine.opened == []


@pytest.mark.postgres
def test_who_hands_in_to_a_server_needs_no_password_and_a_worker_does(machine, ledger_url):
    given = {"env": "sandbox", "own": USER_ALONE["own"], "ANULAR_LEDGER": ledger_url}
    settings = machine.settle("norte", **given)
    with open_memory(settings, hands_in=True) as memory:
        assert memory.store.at_the_desk
    assert machine.opened == []
    left_out = list[str]()
    with pytest.raises(WrongUsage) as refusal:
        posts("norte", "", lambda trouble: left_out.append(trouble.code))
    assert (refusal.value.code, left_out) == ("worker-without-credentials", ["credentials-half"])
    settings = machine.settle("norte", **{**given, "own": OWN})
    assert [one.mark for one in posts("norte", "", lambda _: None)] == [post_of(settings).mark]
    assert machine.opened == ["norte.clave"]


class PywintypesError(Exception):
    """What the library of Windows raises; it is none of the keyring library's errors."""

    def __init__(self) -> None:
        super().__init__(1312, "CredRead", "A specified logon session does not exist.")
        self.winerror = 1312


@pytest.mark.parametrize("trouble", [PywintypesError(), OSError(5, "Access is denied")], ids=["pywintypes", "system"])
def test_a_session_without_a_vault_is_one_sentence_and_no_bug(machine, trouble):
    settings = machine.settle("norte")
    machine.trouble = trouble
    with pytest.raises(StorageTrouble) as refused:
        credentials(settings)
    assert refused.value.code == "keyring-session"
    assert "haya iniciado sesión" in refused.value.sentence


def test_a_bug_in_a_keyring_stays_a_bug(machine):
    settings = machine.settle("norte")
    machine.trouble = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        credentials(settings)
