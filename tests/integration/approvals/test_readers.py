"""Pages have files read and written by children that know no password, a few at once, and hear how far they are."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.approvals import uploads
from pipeline.approvals.readers import BOOKS, CHECK, Readers, Work, without_secrets
from pipeline.approvals.uploads import Handed, receive
from pipeline.domain.proposals import ProposalState
from pipeline.settings.model import limits
from tests.support.desk import REASON, Desk, make_cufe


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return tmp_path / "child.py"


@pytest.fixture
def readers(desk: Desk, program: Path) -> Iterator[Readers]:
    found = Readers(desk.clock, command=(sys.executable, str(program)))
    yield found
    found.close()


def ended(readers: Readers, desk: Desk, job: str, *arguments: str) -> Work | None:
    """What became of a piece of work, once it is over."""
    while (work := readers.work(desk.settings, job, *arguments)) is not None and not work.failed:
        threading.Event().wait(0.01)
    return work


def upload(desk: Desk) -> int:
    with desk.memory():
        pass
    one = Handed("lote.csv", f"CUFE,Motivo\n{make_cufe(1)},{REASON}\n".encode())
    now = desk.clock.now()
    found = receive(desk.store, None, one, limits(desk.settings), now, who="ana", address="127.0.0.1").proposal
    assert found is not None
    return found.id


@pytest.mark.sqlite
def test_a_child_checks_an_upload_and_makes_its_books(desk: Desk, tmp_path: Path, monkeypatch):
    values = {"LEDGER": desk.settings.ledger, "OFFICE": desk.settings.office, "WEB_FOLDER": str(tmp_path / "web")}
    for name, value in {**values, "PASSWORD": "secreta", "SANDBOX_NOW": "2026-11-20T10:00:00-05:00"}.items():
        monkeypatch.setenv(f"ANULAR_{name}", value)
    number = upload(desk)
    readers = Readers(desk.clock)
    try:
        readers.ask(desk.settings, CHECK, str(number))
        assert ended(readers, desk, CHECK, str(number)) is None
        assert desk.store.get(number).state is ProposalState.DRAFT
        books = list((tmp_path / "web" / "propuestas").rglob("*.xlsx"))
        assert [path.name for path in books] == ["lote__revision.xlsx"]
        books[0].unlink()
        readers.ask(desk.settings, BOOKS, str(number))
        assert ended(readers, desk, BOOKS, str(number)) is None
        assert books[0].is_file()
    finally:
        readers.close()
    assert (tmp_path / "web").stat().st_mode & 0o77 == 0


def test_how_far_it_is_is_known_and_forgotten_when_it_is_done(desk: Desk, readers: Readers, program: Path, tmp_path):
    go = tmp_path / "go"
    program.write_text(
        'import os, time\nprint(\'{"phase": "validando", "rows": 7}\', flush=True)\n'
        f"while not os.path.exists({str(go)!r}): time.sleep(0.01)\n",
        "utf-8",
    )
    readers.ask(desk.settings, CHECK, "1")
    while (work := readers.work(desk.settings, CHECK, "1")) == Work():
        threading.Event().wait(0.01)
    assert work == Work("validando", 7)
    go.touch()
    assert ended(readers, desk, CHECK, "1") is None


def test_why_it_could_not_be_done_is_told_and_it_may_be_asked_for_again(desk: Desk, readers: Readers, program: Path):
    program.write_text('print(\'{"failed": "No hay espacio."}\'); raise SystemExit(70)', "utf-8")
    readers.ask(desk.settings, BOOKS, "1")
    assert ended(readers, desk, BOOKS, "1") == Work(failed="No hay espacio.")
    program.write_text("", "utf-8")
    readers.ask(desk.settings, BOOKS, "1")
    assert ended(readers, desk, BOOKS, "1") is None


def test_an_upload_whose_check_ends_the_process_is_refused_and_not_tried_for_ever(
    desk: Desk, readers: Readers, program: Path
):
    number = upload(desk)
    program.write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "utf-8")
    readers.ask(desk.settings, CHECK, str(number))
    assert ended(readers, desk, CHECK, str(number)) is not None
    while desk.store.get(number).state is ProposalState.CHECKING:
        threading.Event().wait(0.01)
    assert uploads.refusal_in(desk.store, number)["code"] == "lectura-fallida"


def test_a_child_ends_with_its_parent(desk: Desk, program: Path, tmp_path: Path):
    program.write_text(
        "import sys\nfrom pipeline.approvals import reader\n"
        f"open({str(tmp_path / 'begun')!r}, 'w').close()\nreader._end_with_the_parent(lambda code: sys.exit(code))\n",
        "utf-8",
    )
    import os
    import subprocess

    child = subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, env=without_secrets(dict(os.environ))
    )
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(30) == 70


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("ANULAR_PASSWORD", False),
        ("ANULAR_PASSWORD_FILE", False),
        ("ANULAR_MAIL_PASSWORD", False),
        ("ANULAR_WEB_SECRET_FILE", False),
        ("ANULAR_WEBHOOK_KEY_FILE", False),
        ("ANULAR_USER", True),
        ("ANULAR_LEDGER", True),
        ("HOME", True),
    ],
)
def test_no_secret_reaches_a_child(name: str, kept: bool):
    assert (name in without_secrets({name: "x"})) is kept
