"""What a command loads: the libraries it works with and no others, because a person waits for them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipeline.cli.app import COMMANDS, command_line
from pipeline.ledger.storage.driver import sqlite3
from pipeline.ledger.storage.location import open_ledger
from tests.support.warm import without_settings

ROOT = Path(__file__).resolve().parents[2]
#: by the name in pyproject.toml, where that is not the module's
MODULE = {
    "argon2-cffi": "argon2",
    "django-allauth": "allauth",
    "pydantic-settings": "pydantic_settings",
    "python-calamine": "python_calamine",
}
#: data, not modules
NO_MODULE = {"tzdata"}
#: what libraries bring, Python's own too, and takes long
BROUGHT = {"anyio", "http", "PIL", "pygments"}

NOTHING = {"typer"}
OPTIONS = {*NOTHING, "pydantic"}
SETTINGS = {*OPTIONS, "pydantic_settings", "platformdirs", "rich"}
#: the SQLite of a ledger, where there is a wheel of it
SQLITE = {sqlite3.__name__.partition(".")[0]} & {"pysqlite3"}
LEDGER = {*SETTINGS, *SQLITE, "sqlalchemy"}
SHEET = {*SETTINGS, "numpy", "pandas"}
BOOK = {*LEDGER, *SHEET, "pandera", "openpyxl", "PIL", "defusedxml"}
HTTP = {"http", "httpx", "h11", "certifi", "pygments"}

LOADED_BY = {
    "": NOTHING,
    "--help": NOTHING,
    "--version": NOTHING,
    "run --help": OPTIONS,
    "web --help": OPTIONS,
    "web users --help": OPTIONS,
    "login": SETTINGS,
    "init": LEDGER,
    "schedule poll": SETTINGS,
    "logout": {*SETTINGS, "keyring", "http"},
    "status": LEDGER,
    "status 2026": LEDGER,
    "find F-100": LEDGER,
    "proposals": LEDGER,
    "certs list": LEDGER,
    "verify": {*LEDGER, "filelock", "defusedxml"},
    "backup {home}/copies": {*LEDGER, "defusedxml"},
    "template {home}/new.xlsx": {*SETTINGS, "numpy", "openpyxl", "PIL", "defusedxml"},
    "check {home}/none.xlsx": SETTINGS,
    "check {home}/notes.txt": SHEET,
    "check {home}/batch.csv": BOOK,
    "poll": {*BOOK, *HTTP, "filelock"},
    "doctor": {*LEDGER, *HTTP, "anyio"},
}

TELL = """
import sys
sys.argv = ["anular", *sys.argv[2:]]
watched = sys.stdin.read().split()
from pipeline.__main__ import start
try:
    start()
finally:
    loaded = {name.partition(".")[0] for name in sys.modules}
    sys.__stderr__.write("\\nLOADED " + " ".join(sorted(loaded & set(watched))) + "\\n")
"""


def libraries() -> set[str]:
    """The modules that pyproject.toml lists for the program."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    listed = [*project["dependencies"], *extras["postgres"], *extras["web"]]
    names = {re.split(r"[\[<>=; ]", one)[0] for one in listed}
    return {MODULE.get(name, name) for name in names - NO_MODULE}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with an empty ledger, a batch of one invoice, and a file that is no batch."""
    folder = tmp_path_factory.mktemp("home")
    open_ledger(address(folder)).close()
    code = "FE0120000155593480-2-2019-7700012026112000000000010010112345678901"
    (folder / "batch.csv").write_text(f"CUFE,Motivo\n{code},Factura repetida\n", "utf-8")
    (folder / "notes.txt").write_bytes(b"\0\1\2 no batch")
    return folder


def address(home: Path) -> str:
    return f"sqlite:///{home}/ledger/registro.db"


def loaded(home: Path, command: str) -> set[str]:
    """The libraries that ``command`` loaded, of those that are watched."""
    own = {"HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": str(ROOT), "ANULAR_LEDGER": address(home)}
    own |= {f"XDG_{kind}_HOME": str(home / kind) for kind in ("STATE", "CONFIG", "DATA", "CACHE")}
    own |= {"ANULAR_SANDBOX_NOW": "2026-11-20T10:00:00-05:00"}
    own |= {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    words = [one.replace("{home}", str(home)) for one in command.split()]
    done = subprocess.run(
        [sys.executable, "-c", TELL, "anular", *words],
        cwd=home,
        env=without_settings() | own,
        input=" ".join(libraries() | BROUGHT),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "error interno" not in done.stderr, done.stderr
    found = re.search(r"^LOADED ?(.*)$", done.stderr, re.MULTILINE)
    assert found, done.stderr
    return set(found[1].split())


@pytest.mark.one_in(3)
@pytest.mark.parametrize("command", LOADED_BY)
def test_a_command_loads_what_it_works_with_and_nothing_else(home, command):
    assert loaded(home, command) == LOADED_BY[command]


def test_a_worker_that_waits_has_nothing_of_sheets():
    """Its jobs have processes of their own. (That of a real one: ``tests/storm/test_workers.py``.)"""
    words = "import sys, pipeline.cli.worker, pipeline.queue.worker; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "procrastinate" in told.split()
    assert not {"pandas", "numpy", "pandera", "openpyxl"} & set(told.split())


def test_every_command_that_is_listed_can_be_loaded():
    made = command_line()
    names = [str(one.name) for one in made.registered_commands] + [str(one.name) for one in made.registered_groups]
    assert sorted(names) == sorted(COMMANDS)


def test_only_the_command_that_is_asked_for_is_put_together():
    assert [one.name for one in command_line(["status"]).registered_commands] == ["status"]
