"""``anular watch DIR --queue``: files in front of the queue, workers behind it, each put away once (P1, P13, F58)."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from pipeline.domain.lifecycle import State
from tests.storm.scene import _environment
from tests.storm.test_nightly import told  # noqa: F401 - a fixture
from tests.storm.test_watch_crash import IN_FRONT_OF_THE_QUEUE, KILLED, POINTS, Drop
from tests.storm.test_workers import check_sent_once
from tests.storm.workers import jobs, until, work_once, working
from tests.support import ledgers

pytestmark = pytest.mark.postgres

SLOWLY = {"ANULAR_RATE": "20"}
QUEUE_POINTS = ("queue-taken-in", "queue-handed-in", *IN_FRONT_OF_THE_QUEUE)


class Front(Drop):
    """A drop folder in front of the queue."""

    def go(self, crash="", *, queue=True, **more):
        return self.scene.anular("watch", self.root, "--once", *(["--queue"] if queue else []), crash=crash, **more)

    def answers(self, *words, **more):
        """What ``--json`` says of each file of a pass."""
        ended = self.scene.anular("watch", self.root, "--once", "--queue", "--json", *words, **more)
        found, _ = json.JSONDecoder().raw_decode(
            re.split(r"^(?=\[)", ended["words"], maxsplit=1, flags=re.MULTILINE)[-1]
        )
        return found

    def waits(self):
        """The names of files in ``processing/``, without the program's own."""
        return [name for name in self.files("processing") if not name.startswith((".", "copia"))]


@pytest.fixture
def front(scene):
    return Front(scene)


def fates(answers):
    return {one["dropped_as"]: one["fate"] for one in answers}


def posts(scene):
    return scene.service.posts(set(scene.cufes)).total()


def test_a_file_is_handed_in_waits_for_a_worker_and_is_put_away_with_its_results(scene, front):
    front.put(scene.write(["000", "000", "941"]), "lote.csv")
    ended = front.go()
    assert ended["code"] == 4, ended["words"]
    assert "lote.csv: en cola, lo envía un trabajador." in ended["words"]
    assert (posts(scene), jobs(scene)) == (0, ["todo"])
    assert front.files("inbox") == front.files("done") == front.files("failed") == []
    assert "lote.csv" in front.files("processing")

    work_once(scene)
    (answer,) = front.answers()

    assert (answer["fate"], answer["outcomes"]) == ("done", {"ANULADA": 3})
    assert front.files("processing") == []
    names = front.files("done")
    assert {"lote.csv", "lote.txt"} <= set(names)
    assert [name for name in names if name.endswith("__resultados.xlsx")]
    assert "Este archivo se procesó." in (front.root / "done" / "lote.txt").read_text("utf-8")
    scene.check_promises()
    assert front.go()["code"] == 0, "nothing is left to do"


def test_while_workers_are_at_it_a_pass_leaves_the_file_where_it_is_and_writes_nothing(scene, front):
    front.put(scene.write(["000"] * 60), "lote.csv")
    front.go()
    with working(scene, **SLOWLY) as worker:
        until(lambda: posts(scene) > 5, "it sends")
        events, runs = (ledgers.lines(scene.url, f"SELECT max(id) AS n FROM {t}") for t in ("attempt", "run"))
        (answer,) = front.answers()
        assert (answer["fate"], answer["exit_code"], answer["queued"]) == ("queued", 4, True)
        assert "lote.csv" in front.files("processing")
        assert ledgers.lines(scene.url, "SELECT max(id) AS n FROM run") == runs, "a look is no run"
        assert ledgers.lines(scene.url, "SELECT max(id) AS n FROM attempt") == events
        until(lambda: not jobs(scene), "it has done it")
        assert "Se interrumpe" not in worker.words
    assert fates(front.answers()) == {"lote.csv": "done"}
    check_sent_once(scene)


def test_what_the_policy_does_not_allow_is_held_at_once_and_gets_no_job(scene, front):
    front.put(scene.write(["000"] * 3), "lote.csv")
    (answer,) = front.answers(env={"ANULAR_WATCH_MAX_ROWS": "2"})
    assert (answer["fate"], answer["outcomes"]) == ("held", {"RETENIDA": 3})
    assert "procrastinate_jobs" not in ledgers.tables(scene.url) or jobs(scene) == []
    assert front.files("processing") == []
    work_once(scene)
    assert posts(scene) == 0


def test_what_was_handed_in_is_not_called_held_when_the_policy_changes_afterwards(scene, front):
    front.put(scene.write(["000"] * 3), "lote.csv")
    front.go(crash="watch-handed-in:1")
    stricter = {"ANULAR_WATCH_MAX_ROWS": "2"}
    assert fates(front.answers(env=stricter)) == {"lote.csv": "queued"}
    work_once(scene)
    assert fates(front.answers(env=stricter)) == {"lote.csv": "done"}
    check_sent_once(scene)


def test_the_cap_of_a_night_counts_what_waits_in_the_queue(scene, front):
    front.put(scene.write(["000"] * 3, "a.csv"), "a.csv")
    cap = {"ANULAR_WATCH_MAX_NIGHT": "4"}
    assert fates(front.answers(env=cap)) == {"a.csv": "queued"}
    front.put(scene.write(["000"] * 3, "b.csv"), "b.csv")
    assert fates(front.answers(env=cap)) == {"a.csv": "queued", "b.csv": "held"}


def test_a_file_with_nothing_to_send_is_put_away_at_once(scene, front):
    path = scene.folder / "malo.csv"
    path.write_text("CUFE;Motivo\nFE0120000000000002;Motivo de prueba bastante largo\n", "utf-8")
    front.put(path, "malo.csv")
    (answer,) = front.answers()
    assert (answer["fate"], answer["outcomes"]) == ("done", {"RECHAZADA": 1})


def test_the_same_content_again_waits_for_the_outcome_of_the_first(scene, front):
    path = scene.write(["000", "000"])
    front.put(path, "a.csv")
    front.put(path, "b.csv")
    assert set(fates(front.answers()).values()) == {"queued"}
    assert set(fates(front.answers()).values()) == {"queued"}
    work_once(scene)
    assert sorted(fates(front.answers()).values()) == ["done", "duplicate"]
    (note,) = [name for name in front.files("done") if name.endswith("_DUPLICADO.txt")]
    assert "2  ANULADA" in (front.root / "done" / note).read_text("utf-8")
    front.put(path, "c.csv")
    assert fates(front.answers()) == {"c.csv": "duplicate"}
    check_sent_once(scene)


def test_files_that_wait_keep_no_new_ones_from_being_taken(scene, front):
    most = {"ANULAR_WATCH_MAX_FILES": "1"}
    for name in ("a.csv", "b.csv", "c.csv"):
        front.put(scene.write(["000"], name), name)
    for number in (1, 2, 3):
        assert list(fates(front.answers(env=most)).values()) == ["queued"] * number
    assert front.files("inbox") == []
    work_once(scene)
    assert sorted(fates(front.answers(env=most)).values()) == ["done"] * 3
    check_sent_once(scene)


def test_a_file_whose_job_was_lost_gets_another_from_a_worker(scene, front):
    front.put(scene.write(["000"] * 3), "lote.csv")
    front.go()
    ledgers.change(scene.url, "DELETE FROM procrastinate_jobs")
    assert fates(front.answers()) == {"lote.csv": "queued"}
    work_once(scene)
    assert fates(front.answers()) == {"lote.csv": "done"}
    check_sent_once(scene)


def test_a_pass_without_the_queue_carries_through_what_was_handed_in(scene, front):
    front.put(scene.write(["000"] * 3), "lote.csv")
    front.go()
    assert front.go(queue=False)["code"] == 0
    assert "lote.csv" in front.files("done")
    check_sent_once(scene)
    work_once(scene)
    check_sent_once(scene)


def test_a_pass_with_the_queue_goes_on_with_what_one_without_it_had_begun(scene, front):
    front.put(scene.write(["000"] * 5), "lote.csv")
    assert front.go(queue=False, crash="post-after:2")["code"] == KILLED
    assert fates(front.answers()) == {"lote.csv": "queued"}
    ledgers.change(scene.url, "DELETE FROM procrastinate_jobs")
    assert fates(front.answers()) == {"lote.csv": "queued"}, "it gets another job: it is no batch that workers look for"
    work_once(scene)
    scene.service.advance(3600)
    assert fates(front.answers(later=timedelta(hours=1))) == {"lote.csv": "done"}
    scene.check_promises()


def test_what_nobody_sends_for_a_day_is_told_in_one_sentence(scene, front):
    for name in ("a.csv", "b.csv"):
        front.put(scene.write(["000"], name), name)
    front.go()
    ended = front.go(later=timedelta(hours=30))
    assert ended["code"] == 5
    (sentence,) = [line for line in ended["words"].splitlines() if line.startswith("✗")]
    assert re.search(r"El lote \S+ espera en la cola de trabajo desde el \d\d/\d\d/\d{4}", sentence)
    assert "Archivos en el mismo caso: 2." in sentence
    assert "anular status --workers" in sentence


def test_a_long_watch_tells_of_a_file_when_it_is_handed_in_and_when_it_is_done(scene, front, told):  # noqa: F811
    env = {"ANULAR_WEBHOOK_URL": told.url, "ANULAR_WATCH_EVERY": "0.3"}
    spec = scene.spec("watch", front.root, "--queue", env=env)
    front.put(scene.write(["000"] * 3), "lote.csv")
    log = scene.folder / "vigila.txt"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *spec["arguments"]],
            env={**_environment(), **spec["env"]},
            cwd=scene.folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: ".lote.json" in front.files("processing"), "it is handed in")
        begun = len(ledgers.lines(scene.url, "SELECT id FROM run"))
        work_once(scene)
        until(lambda: "lote.csv" in front.files("done"), "it is put away")
        until(lambda: len(told.got) == 2, "it is told")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=180) == 130
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(timeout=180)
    words = log.read_text("utf-8")
    assert words.count("en cola, lo envía un trabajador") == 1, words
    assert words.count("procesado") == 1, words
    assert told.got[0]["subject"] == "1 archivo en cola"
    assert "anulada" in told.got[1]["subject"]
    assert len(told.got) == 2, "the worker leaves it to the pass"
    assert len(ledgers.lines(scene.url, "SELECT id FROM run")) == begun + 2, "the worker's, and the last pass's"
    check_sent_once(scene)


# At the first pass everything up to the waiting happens, at the second one all that comes after the worker's work.
HANDING_IN = ("intake-after-commit", *POINTS[:6], *QUEUE_POINTS)
PUTTING_AWAY = POINTS[5:]


@pytest.mark.parametrize("point", HANDING_IN)
def test_a_crash_while_a_file_is_handed_in_is_mended_by_the_next_pass_and_a_worker(scene, front, point):
    front.put(scene.write(["000", "000", "000"]), "a.csv")
    assert front.go(crash=f"{point}:1")["code"] == KILLED
    if point in ("queue-taken-in", "queue-handed-in", "watch-handed-in", "watch-waits"):
        work_once(scene)  # before the folder is looked at again
        check_sent_once(scene)
    front.go()
    work_once(scene)
    assert front.go()["code"] == 0
    check_put_away(scene, front)


@pytest.mark.parametrize("point", PUTTING_AWAY)
def test_a_crash_while_a_file_is_put_away_is_finished_by_the_next_pass(scene, front, point):
    front.put(scene.write(["000", "000", "000"]), "a.csv")
    front.go()
    work_once(scene)
    assert front.go(crash=f"{point}:1")["code"] == KILLED
    assert front.go()["code"] == 0
    check_put_away(scene, front)


def check_put_away(scene, front):
    assert list((front.root / "processing").iterdir()) == []
    assert front.files("inbox") == front.files("failed") == []
    names = front.files("done")
    assert [name for name in names if "__" not in name] == ["a.csv", "a.txt"]
    assert len([name for name in names if name.endswith("__resultados.xlsx")]) == 1
    check_sent_once(scene)
    assert set(scene.states().values()) == {State.CANCELLED}
