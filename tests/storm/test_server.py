"""The commands on a ledger that a server keeps: each does what it does on a file, and each trouble is one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from pipeline.domain.lifecycle import State
from tests.support import ledgers

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]
SECRET = "clave-del-servidor-77"


def words_of(scene) -> str:
    """Everything that any command of this scene said or wrote, as far as it is text."""
    told = [path for path in scene.folder.rglob("*") if path.is_file() and path.suffix not in (".xlsx", ".zip")]
    return "\n".join(path.read_text("utf-8", "replace") for path in told)


@pytest.fixture
def with_password(scene):
    """The same scene over TCP, as a user of its own with a password in the address."""
    name = f"{make_url(scene.url).database}_rol"
    ledgers.change(
        scene.url,
        f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'",
        f"GRANT ALL ON SCHEMA public TO {name}",
    )
    url = make_url(scene.url)
    tcp = url.set(username=name, password=SECRET, host="127.0.0.1", port=int(str(url.query["port"])), query={})
    own, scene.url = scene.url, tcp.render_as_string(hide_password=False)
    yield scene
    scene.url = own
    ledgers.change(own, f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")


def test_every_command_works_and_none_tells_the_password(with_password):
    scene = with_password
    scene.write(["000", "970", "950", "000"])
    batch = f"{scene.go()['words'].split('Lote ')[1].split(' ')[0]}"
    scene.check_promises()

    def said(*arguments, code=0):
        ended = scene.anular(*arguments)
        assert ended["code"] == code, ended["words"]
        return ended["words"]

    assert batch in said("status")
    assert data(said("status", batch, "--json"))[0]["batch"] == batch
    assert "Historial de envíos íntegro" in said("verify")
    assert data(said("verify", batch, "--json"))["good"] is True
    assert "Paquete de evidencia" in said("report", batch, "--csv", "--jsonl", "--evidence", code=4)
    (pack,) = (scene.folder / "out").glob("*.zip")
    assert "Paquete íntegro" in said("verify", pack)
    assert "ya recibido" in said("run", scene.file, "--yes", code=4)
    assert "Duplicadas    4" in said("check", shuffled(scene), code=1)
    assert "Lote" in said("poll", batch, code=4)
    assert "Lote" in said("poll", "--all", code=4)
    doctor = said("doctor", "--json", code=5)  # the sandbox has another day than this machine
    assert data(doctor)["settings"]["ANULAR_LEDGER"].startswith("postgresql://")
    assert "no pertenece a un equipo" in said("adopt", "--by", "Ana María", "--reason", "se movió", code=2)
    (open_row,) = [n for n, code in enumerate(scene.cufes, start=2) if code[-4:-1] == "950"]
    decided = said(
        *("resolve", batch, "--row", open_row, "--as", "not-cancelled", "--by", "Ana María"),
        *("--reason", "comprobado en el portal", "--confirm", scene.cufes[open_row - 2][-8:]),
        code=0,
    )
    assert "RESUELTA" in decided
    assert "Historial de envíos íntegro" in said("verify")
    scene.check_ledger()
    assert SECRET not in words_of(scene)


def data(words: str):
    """The JSON among the words: here both outputs of a command go to one file."""
    start = min(place for place in (words.find("{"), words.find("[")) if place >= 0)
    return json.JSONDecoder().raw_decode(words[start:])[0]


def shuffled(scene) -> Path:
    """The same rows in another order: another file."""
    other = scene.folder / "otro.csv"
    lines = scene.file.read_text("utf-8").splitlines()
    other.write_text("\n".join([lines[0], *reversed(lines[1:]), ""]), "utf-8")
    return other


def test_the_drop_folder_works_on_a_server(scene):
    folder = scene.folder / "carpeta"
    (folder / "inbox").mkdir(parents=True)
    file = scene.write(["000", "000"])
    file.rename(folder / "inbox" / file.name)
    (folder / "inbox" / f"{file.name}.ok").write_text("")

    ended = scene.anular("watch", folder, "--once")

    assert ended["code"] == 0, ended["words"]
    assert set(scene.states().values()) == {State.CANCELLED}


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"password": "otra"}, 5, "no aceptó el usuario o la contraseña"),
        ({"database": "no_hay"}, 5, "la base de datos no existe"),
        ({"port": 1}, 5, "no responde en esa dirección"),
        ({"drivername": "postgresql+otro"}, 2, "no es una dirección de PostgreSQL válida"),
    ],
)
def test_trouble_with_the_server_is_one_sentence_and_nothing_is_sent(with_password, change, code, words):
    scene = with_password
    scene.write(["000"])
    good = scene.url
    scene.url = make_url(good).set(**change).render_as_string(hide_password=False)
    for arguments in (("run", scene.file, "--yes"), ("poll",), ("status",), ("verify",), ("check", scene.file)):
        ended = scene.anular(*arguments)
        assert ended["code"] == code, ended["words"]
        (sentence,) = [line for line in ended["words"].splitlines() if line.startswith("✗")]
        assert words in sentence
        assert SECRET not in ended["words"]
    assert "✗" in scene.anular("doctor")["words"]
    scene.url = good
    assert not scene.service.posts(set(scene.cufes))


def kill_sessions(scene, every: float, times: int) -> threading.Thread:
    """The server ends all connections, again and again."""

    def work() -> None:
        for _ in range(times):
            time.sleep(every)
            with suppress(Exception):
                ledgers.change(
                    scene.url,
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid()",
                )

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize("wait", [0.15, 0.25, 0.35, 0.5])
def test_connections_that_break_in_the_middle_stop_the_run_and_the_next_one_goes_on(scene, wait):
    scene.write(["000", "970", "000", "905"] * 100)
    killing = kill_sessions(scene, wait, 3)
    codes = [scene.go() for _ in range(2)]
    killing.join()
    for ended in codes:
        assert ended["code"] in (0, 4, 5), ended["words"]
        if ended["code"] == 5:
            (sentence,) = [line for line in ended["words"].splitlines() if line.startswith("✗")]
            assert "servidor" in sentence or "bloqueo" in sentence
    scene.check_acks()

    assert scene.go()["code"] in (0, 4)
    scene.check_promises()


def test_the_lock_is_free_for_the_next_run_as_soon_as_the_first_has_ended(scene):
    scene.write(["000"] * 3)
    assert [scene.go()["code"] for _ in range(5)] == [0] * 5


def test_the_throw_away_server_ends_with_its_command_whatever_becomes_of_it():
    """``.ci/postgres``: its exit code is the command's, and nothing of the server stays."""
    environment = {key: value for key, value in os.environ.items() if key != ledgers.SERVER}
    ended = subprocess.run(
        [".ci/postgres", "sh", "-c", "echo $ANULAR_TEST_PG; exit 7"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    if ended.returncode == 1:  # a machine without the programs says so; its tests have a server from elsewhere
        assert "need a PostgreSQL server" in ended.stderr
        return
    assert ended.returncode == 7, ended.stderr
    folder = str(make_url(ended.stdout.strip()).query["host"])
    assert folder.startswith("/")
    assert not Path(folder).exists()
