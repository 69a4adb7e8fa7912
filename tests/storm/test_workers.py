"""Several machines on one ledger: workers come and go, and each CUFE is posted once (P1, P9, P13)."""

from __future__ import annotations

import json
import re

import pytest

from pipeline.domain.lifecycle import State
from pipeline.ledger.scope import credential_mark
from pipeline.ledger.storage.location import location_of
from pipeline.ledger.storage.postgres_session import SILENCE_S
from pipeline.queue.app import connected
from pipeline.sandbox.request_log import busiest_second, read
from pipeline.wiring.credentials import SANDBOX_USER
from tests.storm.scene import ROOT
from tests.storm.test_nightly import told as told
from tests.storm.workers import is_empty, jobs, loaded, until, work_once, working
from tests.support import ledgers

pytestmark = pytest.mark.postgres

SLOWLY = {"ANULAR_RATE": "20"}


def hand_in(scene, rows=3, name="lote.csv", **more):
    """A file with good rows, handed in for workers."""
    scene.write(["000"] * rows, name=name)
    return scene.anular("run", scene.file, "--yes", "--queue", **more)


def sent(scene):
    return scene.service.posts(set(scene.cufes)).total()


def check_sent_once(scene):
    scene.check_promises()
    assert scene.service.posts(set(scene.cufes)) == dict.fromkeys(scene.cufes, 1)
    assert set(scene.states().values()) == {State.CANCELLED}


def test_what_is_handed_in_is_sent_by_a_worker_and_by_nobody_else(scene):
    ended = hand_in(scene)
    assert ended["code"] == 4, ended["words"]
    assert "en cola" in ended["words"]
    assert sent(scene) == 0
    assert jobs(scene) == ["todo"]

    worker = work_once(scene)

    assert "Empieza el lote" in worker.words
    assert "Termina el lote" in worker.words
    assert is_empty(scene)
    check_sent_once(scene)
    scene.check_results()


def test_people_are_told_by_the_worker_what_it_sent(scene, told):
    scene.env["ANULAR_WEBHOOK_URL"] = told.url
    hand_in(scene)
    assert told.got == []

    work_once(scene)

    (said,) = told.got
    assert said["subject"] == "3 anuladas"
    assert not [cufe for cufe in scene.cufes if cufe in json.dumps(said)]


def test_the_job_tells_the_batch_and_the_profile_and_no_cufe_and_no_secret(scene):
    hand_in(scene)
    (line,) = ledgers.lines(scene.url, "SELECT * FROM procrastinate_jobs")
    assert set(line["args"]) == {"batch", "profile"}
    assert line["args"]["batch"] == line["queueing_lock"]
    assert line["lock"] == line["queue_name"] == credential_mark("sandbox", SANDBOX_USER)
    assert not any(cufe in str(line) for cufe in scene.cufes)


@pytest.mark.parametrize("with_job", [False, True])
def test_another_worker_takes_over_what_a_killed_one_had_begun(scene, with_job):
    hand_in(scene, rows=60)
    with working(scene, **SLOWLY) as first:
        until(lambda: sent(scene) > 5, "the first one sends")
        first.kill(with_job=with_job)
    with working(scene, **SLOWLY) as second:
        until(lambda: is_empty(scene), "the second one has done it")
        assert "no da señales" in second.words
        assert second.ask_to_stop() == 130
    check_posted_once(scene)


def check_posted_once(scene):
    """As ``check_sent_once``, where a row whose answer was lost may still wait for its outcome."""
    scene.check_promises()
    assert max(scene.service.posts(set(scene.cufes)).values()) == 1
    assert set(scene.states().values()) <= {State.CANCELLED, State.PENDING, State.UNKNOWN, State.REVIEW}


def test_two_workers_never_use_one_credential_at_once(scene):
    before = len(read(scene.service.journal))
    for number in range(4):
        hand_in(scene, rows=20, name=f"lote{number}.csv")
    with working(scene, "--jobs", "2", **SLOWLY), working(scene, "--jobs", "2", **SLOWLY):
        until(lambda: is_empty(scene), "all is done")
    check_sent_once(scene)
    assert busiest_second(read(scene.service.journal)[before:]) <= 21


def test_handing_in_stops_nobody_who_is_sending_under_the_same_credential(scene):
    hand_in(scene, rows=60)
    with working(scene, **SLOWLY) as worker:
        until(lambda: sent(scene) > 5, "it sends")
        assert hand_in(scene, name="otro.csv")["code"] == 4
        until(lambda: is_empty(scene), "both are done")
        assert "Se interrumpe" not in worker.words
    check_sent_once(scene)


def test_a_batch_whose_handing_in_was_cut_off_gets_its_job_from_a_worker(scene):
    assert hand_in(scene, crash="queue-taken-in")["code"] == -9
    assert not ledgers.tables(scene.url) & {"procrastinate_jobs"} or is_empty(scene)
    work_once(scene)
    check_sent_once(scene)


def test_every_point_of_the_queue_is_in_these_tests():
    sources = (ROOT / "pipeline" / "queue").glob("*.py")
    found = {point for path in sources for point in re.findall(r'crashpoint\("([^"]+)"\)', path.read_text("utf-8"))}
    assert found == {"queue-taken-in", "queue-handed-in", "job-sent", "job-written"}


def test_who_hands_in_may_die_with_the_job_in_the_queue(scene):
    assert hand_in(scene, crash="queue-handed-in")["code"] == -9
    assert jobs(scene) == ["todo"]
    work_once(scene)
    check_sent_once(scene)


@pytest.mark.parametrize("point", ["job-sent", "job-written"])
def test_a_job_whose_process_dies_is_done_again_and_nothing_is_sent_again(scene, point):
    hand_in(scene)
    with working(scene, ANULAR_TEST_CRASH=f"{point}:1") as worker:
        until(lambda: "Se interrumpe" in worker.words, "its process died")
        worker.kill(with_job=True)
    assert sent(scene) == 3
    with working(scene):
        until(lambda: is_empty(scene), "it is done again")
    check_sent_once(scene)
    scene.check_results()


def test_a_connection_to_the_queue_ends_when_its_other_side_is_gone(scene):
    hand_in(scene)
    with connected(scene.url) as connection:
        assert connection.execute("SHOW idle_in_transaction_session_timeout").fetchall() == [("1min",)]
        assert connection.info.get_parameters()["tcp_user_timeout"] == f"{SILENCE_S * 1000}"


def test_a_queue_that_was_lost_is_made_again_from_the_ledger(scene):
    hand_in(scene)
    ledgers.change(scene.url, "DELETE FROM procrastinate_jobs")
    work_once(scene)
    check_sent_once(scene)


def test_what_a_person_sent_in_part_on_purpose_is_no_work_for_the_queue(scene):
    scene.write(["000"] * 5)
    assert scene.anular("run", scene.file, "--yes", "--only", "2")["code"] == 1
    hand_in(scene, name="otro.csv")
    work_once(scene)
    assert sent(scene) == 5
    assert list(scene.states().values()).count(State.READY) == 3


def health(scene):
    ended = scene.anular("status", "--workers", "--json")
    assert ended["code"] == 0, ended["words"]
    return json.JSONDecoder().raw_decode(ended["words"][ended["words"].index("{") :])[0]


def test_the_health_of_the_queue_names_who_is_alive_what_each_does_and_what_waits(scene):
    assert health(scene) == {"workers": [], "profiles": [], "unowned": []}
    hand_in(scene, rows=60)
    (batch,) = [line["id"] for line in ledgers.lines(scene.url, "SELECT id FROM batch")]
    hand_in(scene, name="otro.csv")
    (line,) = health(scene)["profiles"]
    assert (line["profile"], line["running"], line["waiting"], line["stopped"]) == ("", 0, 2, 0)
    assert line["oldest"]
    with working(scene, **SLOWLY) as worker:
        until(lambda: sent(scene) > 5, "it sends")
        (one,) = health(scene)["workers"]
        assert one["alive"]
        assert one["doing"] == [f"lote {batch}"]
        assert [line["running"] for line in health(scene)["profiles"]] == [1]
        words = scene.anular("status", "--workers")["words"]
        assert f"lote {batch}" in words
        assert "en espera 1" in words
        worker.kill(with_job=False)
    ledgers.change(scene.url, "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '5 minutes'")
    (one,) = health(scene)["workers"]
    assert not one["alive"]
    assert "sin señales" in scene.anular("status", "--workers")["words"]


def test_a_credential_that_somebody_uses_puts_the_job_back(scene):
    hand_in(scene)
    mark = credential_mark("sandbox", SANDBOX_USER)
    with working(scene) as worker:
        with location_of(scene.url).working("sandbox", mark):
            until(lambda: "Se interrumpe" in worker.words, "the job is put back")
            assert "Otra ejecución" in worker.words
            assert sent(scene) == 0
        until(lambda: is_empty(scene), "it is done")
        assert loaded(worker.process.pid, "numpy", "pandas") == [], "sheets are for the processes of its jobs"
    check_sent_once(scene)


def test_a_worker_that_is_asked_to_stop_lets_what_is_in_flight_finish_and_puts_the_job_back(scene):
    hand_in(scene, rows=100)
    with working(scene, **SLOWLY) as worker:
        until(lambda: sent(scene) > 5, "it sends")
        assert worker.ask_to_stop() == 130, worker.words
        assert "vuelve a la cola" in worker.words
    assert jobs(scene) == ["todo"]
    assert sent(scene) < 100
    states = scene.states()
    assert State.SENDING not in states.values()
    assert State.UNKNOWN not in states.values()
    work_once(scene)
    check_sent_once(scene)


def test_a_service_that_refuses_puts_the_job_back_and_says_why(scene):
    hand_in(scene)
    with working(scene, ANULAR_USER="sandbox", ANULAR_PASSWORD="otra") as worker:
        until(lambda: worker.words.count("Se interrumpe") > 1, "it was tried twice")
        assert "vuelve a la cola en 1 s" in worker.words
        assert worker.ask_to_stop() == 130
    assert jobs(scene) == ["todo"]
    work_once(scene)
    check_sent_once(scene)


def test_the_same_file_handed_in_by_several_at_once_is_one_batch_and_one_job(scene):
    scene.write(["000"] * 5)
    ended = scene.nursery.run([scene.spec("run", scene.file, "--yes", "--queue") for _ in range(4)])
    assert [one["code"] for one in ended] == [4] * 4, [one["words"] for one in ended]
    assert jobs(scene) == ["todo"]
    work_once(scene)
    check_sent_once(scene)


def test_files_that_share_cufes_handed_in_at_once_send_each_cufe_once(scene):
    scene.write(["000"] * 6)
    files = [scene.file]
    for number in range(3):
        files.append(scene.write([], name=f"otro{number}.csv", cufes=scene.cufes[number : number + 4]))
    ended = scene.nursery.run([scene.spec("run", file, "--yes", "--queue") for file in files])
    assert {one["code"] for one in ended} <= {4}, [one["words"] for one in ended]
    work_once(scene)
    check_sent_once(scene)


def test_a_file_that_was_held_is_released_by_handing_it_in(scene):
    folder = scene.folder / "carpeta"
    (folder / "inbox").mkdir(parents=True)
    file = scene.write(["000"] * 3)
    (folder / "inbox" / file.name).write_bytes(file.read_bytes())
    (folder / "inbox" / f"{file.name}.ok").write_text("")
    scene.anular("watch", folder, "--once", env={"ANULAR_WATCH_MAX_ROWS": "1"})
    assert set(scene.states().values()) == {State.HELD}

    assert scene.anular("run", file, "--yes", "--queue")["code"] == 4
    work_once(scene)

    check_sent_once(scene)


def test_what_stayed_open_is_asked_about_again_by_a_worker(scene):
    scene.write(["950"] * 2)  # never answers a query with anything final
    assert scene.anular("run", scene.file, "--yes", "--queue")["code"] == 4
    work_once(scene)
    asked = sum(one["route"] == "query" for one in read(scene.service.journal) if one["key"])
    with working(scene, ANULAR_QUEUE_POLL="1") as worker:
        until(lambda: "Termina la consulta de lo pendiente" in worker.words, "it asks again")
    assert sum(one["route"] == "query" for one in read(scene.service.journal) if one["key"]) > asked
    scene.check_promises()
