"""``anular watch DIR --queue`` when something around it changes while files wait: settings, ledger, folders, what the
program noted. Nothing is sent twice, nothing is called sent that was not, nobody waits untold (P1, P5, P13)."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from pipeline.domain.lifecycle import State
from pipeline.ledger.scope import credential_mark
from pipeline.queue.jobs import in_turn
from pipeline.queue.profiles import Post
from pipeline.settings.load import load_settings
from pipeline.wiring.credentials import SANDBOX_USER
from tests.storm.test_nightly import told  # noqa: F401 - a fixture
from tests.storm.test_watch_queue import Front, fates, posts
from tests.storm.test_workers import check_sent_once
from tests.storm.workers import jobs, until, work_once
from tests.support import ledgers

pytestmark = pytest.mark.postgres

WAITS_FOR_ITS_TURN = """SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


@pytest.fixture
def front(scene):
    return Front(scene)


def noted(front):
    """Where it is noted which batch a file waits for."""
    (path,) = front.root.rglob(".lote.json")
    return path


def test_a_file_is_never_called_the_repetition_of_a_batch_with_another_content(scene, front):
    front.put(scene.write(["000"] * 2, "a.csv"), "a.csv")
    front.go()
    work_once(scene)
    (other,) = [line["id"] for line in ledgers.lines(scene.url, "SELECT id FROM batch")]
    front.go()
    front.put(scene.write(["000"] * 3, "b.csv"), "b.csv")
    assert fates(front.answers()) == {"b.csv": "queued"}
    work_once(scene)
    noted(front).write_text(json.dumps({"batch": other}))

    (answer,) = front.answers()

    assert (answer["fate"], answer["outcomes"]) == ("done", {"ANULADA": 3})
    check_sent_once(scene)


@pytest.mark.parametrize("noise", [b'{"batch": "2"}', b"\0\0\0", b'{"batch": "\\u0000"}', b"[]", b"null", b""])
def test_a_note_that_was_damaged_says_nothing_and_the_content_is_known_by_the_ledger(scene, front, noise):
    front.put(scene.write(["000"] * 2), "a.csv")
    front.go()
    noted(front).write_bytes(noise)
    assert fates(front.answers()) == {"a.csv": "queued"}
    noted(front).write_bytes(noise)
    work_once(scene)
    assert fates(front.answers()) == {"a.csv": "done"}
    check_sent_once(scene)


@pytest.mark.parametrize("queue", [True, False])
def test_a_file_that_waits_in_one_ledger_is_not_handed_to_another_one(scene, front, tmp_path, queue):
    front.put(scene.write(["000"] * 3), "lote.csv")
    front.go()
    with ledgers.fresh(tmp_path / "otro", tables=False) as url:
        ended = front.go(queue=queue, env={"ANULAR_LEDGER": url})
        assert ended["code"] == 5, ended["words"]
        assert "no consta en el historial" in ended["words"]
        assert "lote.csv" in front.files("processing")
    work_once(scene)
    assert fates(front.answers()) == {"lote.csv": "done"}
    check_sent_once(scene)


def test_a_person_who_says_that_the_ledger_is_lost_frees_the_files_that_waited_for_it(scene, front, tmp_path):
    """The file by ``run --new-ledger``, the folder by ``watch --take-over``: until then it stays the lost ledger's."""
    file = scene.write(["000"] * 3)
    front.put(file, "lote.csv")
    front.go()
    work_once(scene)
    with ledgers.fresh(tmp_path / "otro", tables=False) as url:
        env = {"ANULAR_LEDGER": url}
        assert front.go(env=env)["code"] == 5
        ended = scene.anular("run", file, "--yes", "--new-ledger", env=env)
        assert "YA ANULADA" in ended["words"], ended["words"]
        assert fates(front.answers(env=env)) == {"lote.csv": "waiting"}
        assert fates(front.answers("--take-over", env=env)) == {"lote.csv": "duplicate"}
    assert max(scene.service.posts(set(scene.cufes)).values()) == 1


def test_a_held_batch_whose_release_was_cut_off_is_sent_by_a_worker(scene, front):
    file = scene.write(["000"] * 3)
    front.put(file, "lote.csv")
    assert fates(front.answers(env={"ANULAR_WATCH_MAX_ROWS": "2"})) == {"lote.csv": "held"}
    assert scene.anular("run", file, "--yes", "--queue", crash="queue-taken-in:1")["code"] == -9
    assert set(scene.states().values()) == {State.READY}, "released"
    work_once(scene)
    check_sent_once(scene)


def test_a_part_of_what_workers_send_cannot_be_sent_as_if_the_rest_stayed(scene, front):
    file = scene.write(["000"] * 4)
    front.put(file, "lote.csv")
    front.go()
    ended = scene.anular("run", file, "--yes", "--only", "2")
    assert ended["code"] == 2, ended["words"]
    assert "se entregó a la cola" in ended["words"]
    assert posts(scene) == 0
    assert scene.anular("run", file, "--yes")["code"] == 0
    check_sent_once(scene)


def test_a_batch_that_a_pass_without_the_queue_could_not_send_at_all_gets_its_job(scene, front):
    front.put(scene.write(["000"]), "lote.csv")
    scene.service.tell("fault", kind="401", next=2)
    ended = front.go(queue=False)
    assert ended["code"] == 5, ended["words"]
    assert set(scene.states().values()) == {State.REFUSED_AUTH}
    assert fates(front.answers()) == {"lote.csv": "queued"}
    work_once(scene)
    assert fates(front.answers()) == {"lote.csv": "done"}
    check_sent_once(scene)


@pytest.mark.parametrize("queue", [True, False])
def test_a_batch_of_the_user_of_before_waits_for_a_worker_of_that_user(scene, front, queue):
    front.put(scene.write(["000"] * 3), "lote.csv")
    front.go()
    ledgers.change(scene.url, "DELETE FROM procrastinate_jobs")
    other = {"ANULAR_USER": "otra-empresa", "ANULAR_PASSWORD": "sandbox"}

    ended = front.go(queue=queue, env=other)

    assert "lote.csv" in front.files("processing"), ended["words"]
    assert "procesó" not in ended["words"]
    work_once(scene, **other)
    assert posts(scene) == 0
    work_once(scene)
    assert fates(front.answers(env=other)) == {"lote.csv": "done"}
    check_sent_once(scene)


def test_a_company_whose_inbox_was_removed_while_its_files_wait_is_not_forgotten(scene, front):
    config = scene.folder / "anular.toml"
    config.write_text("[profile.norte]\nrate = 900\n")
    env = {"ANULAR_CONFIG": str(config)}
    (front.root / "inbox" / "norte").mkdir()
    front.put(scene.write(["000"] * 3), "norte/lote.csv")
    assert fates(front.answers(env=env)) == {"lote.csv": "queued"}
    (front.root / "inbox" / "norte").rmdir()
    assert fates(front.answers(env=env)) == {"lote.csv": "queued"}
    work_once(scene, **env)
    assert fates(front.answers(env=env)) == {"lote.csv": "done"}
    check_sent_once(scene)


def test_files_of_a_profile_that_is_no_longer_in_the_settings_are_told_of_at_every_pass(scene, front):
    config = scene.folder / "anular.toml"
    config.write_text("[profile.norte]\nrate = 900\n")
    env = {"ANULAR_CONFIG": str(config)}
    (front.root / "inbox" / "norte").mkdir()
    front.put(scene.write(["000"] * 3), "norte/lote.csv")
    front.go(env=env)
    config.write_text("")
    for gone in (False, True):
        if gone:
            shutil.rmtree(front.root / "inbox" / "norte")
        ended = front.go(env=env)
        assert ended["code"] == 2, ended["words"]
        assert "processing/norte" in ended["words"]


def test_what_nobody_sends_is_told_to_the_people_of_its_own_company(scene, front, told):  # noqa: F811
    config = scene.folder / "anular.toml"
    config.write_text(f'[profile.norte]\nwebhook_url = "{told.url}"\n')
    env = {"ANULAR_CONFIG": str(config)}
    (front.root / "inbox" / "norte").mkdir()
    front.put(scene.write(["000"]), "norte/lote.csv")
    front.go(env=env)
    assert front.go(env=env, later=timedelta(hours=30))["code"] == 5
    assert len(told.got) == 2
    assert told.got[1]["subject"] == "[norte] hay lotes olvidados en la cola"
    assert "lote.csv" in str(told.got[1]), "which file"


def test_a_file_of_nothing_but_repeated_rows_is_put_away_when_those_have_their_outcome(scene, front):
    front.put(scene.write(["000"] * 3, "a.csv"), "a.csv")
    front.go()
    front.put(scene.write([], "b.csv", cufes=scene.cufes[:2]), "b.csv")
    for _ in range(2):
        assert fates(front.answers()) == {"a.csv": "queued", "b.csv": "queued"}
    assert jobs(scene) == ["todo"]
    work_once(scene)
    answers = {one["dropped_as"]: one for one in front.answers()}
    assert {name: one["fate"] for name, one in answers.items()} == {"a.csv": "done", "b.csv": "done"}
    assert answers["b.csv"]["exit_code"] == 0, "its rows show what became of those that they repeat"
    check_sent_once(scene)


def test_two_folders_hand_in_one_after_the_other_so_that_the_cap_of_a_night_holds(scene, front):
    front.put(scene.write(["000"] * 3), "lote.csv")
    scene.anular("status")  # the ledger is there
    post = Post("", load_settings("", scene.url), credential_mark("sandbox", SANDBOX_USER))
    with ThreadPoolExecutor(1) as other:
        with in_turn(scene.url, post):
            passing = other.submit(front.go)
            until(lambda: ledgers.lines(scene.url, WAITS_FOR_ITS_TURN), "the pass waits for its turn")
            assert not scene.states()
        assert passing.result()["code"] == 4
    assert set(scene.states().values()) == {State.READY}


def test_a_smaller_limit_does_not_make_what_was_handed_in_a_rejected_file(scene, front):
    front.put(scene.write(["000"] * 30), "lote.csv")
    front.go()
    work_once(scene)
    (answer,) = front.answers(env={"ANULAR_MAX_FILE_MB": "0.0001"})
    assert (answer["fate"], answer["outcomes"]) == ("done", {"ANULADA": 30})
    note = (front.root / "done" / "lote.txt").read_text("utf-8")
    assert "ATENCIÓN" not in note
