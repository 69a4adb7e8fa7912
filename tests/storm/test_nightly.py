"""``anular poll --all`` every night, ``anular watch DIR`` until stopped, and people who are told how it ended."""

from __future__ import annotations

import json
import signal
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.storm.test_watch_crash import Drop
from tests.support.long import long

LATER = timedelta(hours=30)


@pytest.fixture
def drop(scene):
    return Drop(scene)


@pytest.fixture
def told():
    """A web server that keeps what it is told."""
    got: list[Any] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server: Any = HTTPServer(("127.0.0.1", 0), Answers)
    server.got, server.url = got, f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_end_of_a_pass_is_told_with_the_workbook_and_without_a_code(scene, drop, told):
    scene.env["ANULAR_WEBHOOK_URL"] = told.url
    drop.put(scene.write(["000", "000"]), "lote.csv")
    assert drop.go()["code"] == 0
    (said,) = told.got
    assert said["subject"] == "2 anuladas"
    assert "__resultados.xlsx" in "".join(said["lines"])
    assert not [cufe for cufe in scene.cufes if cufe in json.dumps(said)]
    assert drop.go()["code"] == 0
    assert len(told.got) == 1, "a pass in which nothing happened is not told"


def test_that_nobody_could_be_told_is_one_line_and_changes_nothing(scene, drop):
    scene.env["ANULAR_WEBHOOK_URL"] = "http://127.0.0.1:9/"
    drop.put(scene.write(["000"]), "lote.csv")
    done = drop.go()
    assert done["code"] == 0
    assert "Aviso: No se pudo avisar por el webhook" in done["words"]


def test_what_earlier_nights_left_open_is_followed_and_what_grew_old_is_named(scene, drop, told):
    scene.env["ANULAR_WEBHOOK_URL"] = told.url
    drop.put(scene.write(["000", "950", "940"]), "lote.csv")
    assert drop.go()["code"] == 4
    young = scene.anular("poll", "--all")
    assert young["code"] == 4, young["words"]
    assert "Lo que envejeció" not in young["words"]
    old = scene.anular("poll", "--all", later=LATER)
    assert old["code"] in (1, 4), old["words"]
    assert "Lo que envejeció" in old["words"]
    assert "1 desde el 20/11/2026" in old["words"]
    assert "línea 3" in old["words"]
    assert told.got[-1]["subject"].startswith("1 anulada, ")
    assert told.got[-1]["subject"].endswith(", 2 atrasadas")
    scene.check_promises()


def test_all_and_named_batches_do_not_go_together(scene):
    assert scene.anular("poll", "--all", "20261120-00000000")["code"] == 2


def test_without_a_ledger_there_is_nothing_to_follow(scene):
    done = scene.anular("poll", "--all")
    assert done["code"] == 0
    assert "No hay facturas pendientes" in done["words"]


def test_every_company_with_a_ledger_is_followed(scene, drop):
    config = scene.folder / "anular.toml"
    url = {name: f"sqlite:///{scene.folder}/{name}/r.db" for name in ("norte", "sur")}
    config.write_text("".join(f'[profile.{name}]\nledger = "{url[name]}"\n' for name in url))
    scene.env |= {"ANULAR_CONFIG": str(config), "ANULAR_LEDGER": ""}
    (drop.root / "inbox" / "norte").mkdir()
    drop.put(scene.write(["950"]), "norte/lote.csv")
    assert drop.go()["code"] == 4
    done = scene.anular("poll", "--all")
    assert done["code"] == 4, done["words"]
    assert "[norte] Lote" in done["words"]
    assert "[sur]" not in done["words"]


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, *long(signal.SIGINT)])
def test_who_watches_takes_what_comes_and_ends_when_asked(scene, drop, number):
    """Files are there at the start and come later; the later one is written slowly."""
    scene.env |= {"ANULAR_WATCH_QUIET": "1", "ANULAR_WATCH_EVERY": "1"}
    drop.put(scene.write(["000"]), "a.csv")
    later = scene.write(["000", "000"], "otro.csv").read_bytes()

    def come() -> None:
        with (drop.root / "inbox" / "b.csv").open("wb") as slow:
            for start in range(0, len(later), 40):
                slow.write(later[start : start + 40])
                slow.flush()
                time.sleep(0.2)  # a file that grows: time itself is what is tested

    writer = threading.Thread(target=come)
    writer.start()
    ended = scene.anular("watch", drop.root, after=6, signals=[[1.0, number]])
    writer.join()

    assert ended["code"] == 130, ended["words"]
    assert {"a.csv", "a.txt", "b.csv", "b.txt"} <= set(drop.files("done"))
    assert drop.files("failed") == drop.files("processing") == []
    scene.check_promises()


@pytest.mark.long
def test_a_company_that_stopped_rests_and_is_not_tried_again_at_once(scene, drop):
    scene.env |= {"ANULAR_WATCH_QUIET": "0", "ANULAR_WATCH_EVERY": "0.5", "ANULAR_BASE_URL": "http://127.0.0.1:9/"}
    drop.put(scene.write(["000"]), "a.csv")
    ended = scene.anular("watch", drop.root, signals=[[4.0, signal.SIGTERM]])
    assert ended["code"] == 130
    assert ended["words"].count("a.csv") <= 1


def test_asked_to_stop_the_follow_up_does_not_begin_the_next_company(scene, drop):
    config = scene.folder / "anular.toml"
    url = {name: f"sqlite:///{scene.folder}/{name}/r.db" for name in ("norte", "sur")}
    config.write_text("".join(f'[profile.{name}]\nledger = "{url[name]}"\n' for name in url))
    scene.env |= {"ANULAR_CONFIG": str(config), "ANULAR_LEDGER": ""}
    for name in url:
        (drop.root / "inbox" / name).mkdir()
        drop.put(scene.write(["950"], f"{name}.csv"), f"{name}/lote.csv")
    assert drop.go()["code"] == 4
    ended = scene.anular("poll", "--all", env={"ANULAR_POLL_FOR": "60"}, after=1, signals=[[0.0, signal.SIGTERM]])
    assert ended["code"] == 130, ended["words"]
    assert "[norte] Lote" in ended["words"]
    assert "[sur]" not in ended["words"]
