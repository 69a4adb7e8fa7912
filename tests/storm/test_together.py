"""G10, F47, F48: many processes, one ledger, one file; and the same rows under other names. One POST for each CUFE."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.domain.lifecycle import State
from pipeline.ledger.storage.location import open_ledger
from tests.support import ledgers
from tests.support.long import long

ROOT = Path(__file__).parents[2]
PROCESSES = 8
MANY = 20 if ledgers.on_a_server() else 50  # there each waits a moment for the lock of one that may just have died
ANOTHER_RUN = 6


@pytest.mark.parametrize("rounds", [4, *long(MANY)])
def test_f47_eight_processes_on_one_ledger_send_each_row_once_again_and_again(scene, rounds):
    refused = 0
    for number in range(rounds):
        scene.write(["000", "970", "000"], name=f"lote{number}.csv")
        ended = scene.nursery.run([scene.spec("run", scene.file, "--yes") for _ in range(PROCESSES)])
        codes = sorted(process["code"] for process in ended)
        refused += codes.count(ANOTHER_RUN)
        assert set(codes) <= {0, ANOTHER_RUN}, codes
        assert 0 in codes, "somebody has to be first"
        for process in ended:
            if process["code"] == ANOTHER_RUN:
                assert "Otra ejecución está usando el historial de envíos" in process["words"]
    assert refused >= rounds, "hardly ever at once: this showed nothing"
    scene.check_promises()
    assert set(scene.states().values()) == {State.CANCELLED}


@pytest.mark.long
@pytest.mark.parametrize("processes", [2, 4])
def test_f47_the_same_with_processes_that_have_nothing_in_common(scene, processes):
    scene.write(["000"] * 40)
    specs = [scene.spec("run", scene.file, "--yes") for _ in range(processes)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANULAR_")}
    command = [sys.executable, "-m", "pipeline", "run", str(scene.file), "--yes"]
    started = [
        subprocess.Popen(
            command,
            env={**environment, "PYTHONPATH": str(ROOT), **spec["env"]},
            cwd=scene.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for spec in specs
    ]
    codes = [process.wait(timeout=180) for process in started]
    assert 0 in codes
    assert set(codes) <= {0, ANOTHER_RUN}
    scene.check_promises()


@pytest.mark.parametrize("kill", [0.0, *long(0.1, 0.2)])
def test_f47_the_lock_of_a_killed_run_is_free_at_once(scene, kill):
    scene.write(["000"] * 20)
    first = scene.go(signals=[[kill, 9]], after=1)
    assert first["code"] in (-9, 0)
    assert scene.go()["code"] in (0, 4)
    scene.check_promises()


@pytest.mark.sqlite
def test_the_folder_of_the_ledger_may_be_made_by_another_run_at_the_same_moment(tmp_path, monkeypatch):
    """Found by the test below: the first runs of two ledgers in one new folder, and one of them stopped."""
    folder = tmp_path / "ledger"
    real = Path.exists

    def late(path, **more):
        known = real(path, **more)
        if path == folder and not known:
            folder.mkdir()
        return known

    monkeypatch.setattr(Path, "exists", late)
    open_ledger(f"sqlite:///{folder / 'registro.db'}").close()
    assert (folder / "registro.db").stat().st_size > 0


def test_f47_two_ledgers_with_one_credential_run_one_after_the_other(scene):
    """Side by side they would have twice the agreed rate."""
    scene.write(["000"] * 3)
    other = scene.write(["000"] * 3, name="otro.csv")
    elsewhere = {"ANULAR_LEDGER": f"sqlite:///{scene.folder / 'ledger' / 'otro.db'}"}
    ended = scene.nursery.run(
        [
            scene.spec("run", scene.folder / "lote.csv", "--yes"),
            scene.spec("run", other, "--yes", env=elsewhere, acks=str(scene.folder / "acks2")),
        ]
    )
    codes = [process["code"] for process in ended]
    assert 0 in codes
    assert set(codes) <= {0, ANOTHER_RUN}, [process["words"] for process in ended]
    assert scene.anular("run", scene.folder / "lote.csv", "--yes")["code"] == 0
    assert scene.anular("run", other, "--yes", env=elsewhere, acks=str(scene.folder / "acks2"))["code"] == 0
    assert scene.service.posts(set(scene.cufes)) == dict.fromkeys(scene.cufes, 1)


class TestTheSameRowsAgain:
    """F48: another name, another format, another order, another day."""

    @pytest.fixture
    def sent(self, scene):
        scene.write(["000", "970", "950"])
        assert scene.go()["code"] == 4
        return scene

    def check(self, scene, ended):
        assert ended["code"] in (0, 1, 4), ended["words"]
        scene.check_promises()
        assert scene.service.posts(set(scene.cufes)).total() == 3

    def test_f48_the_same_file_under_another_name(self, sent):
        other = sent.folder / "copia.csv"
        shutil.copy(sent.file, other)
        self.check(sent, sent.anular("run", other, "--yes"))

    def test_f48_the_same_rows_in_another_file(self, sent):
        sent.write([], name="otro.csv", cufes=sent.cufes[::-1])
        ended = sent.go()
        self.check(sent, ended)
        assert "DUPLICADA" in ended["words"] or "ANULADA" in ended["words"]

    def test_f48_the_same_rows_as_a_workbook(self, sent):
        from openpyxl import Workbook

        from tests.storm.scene import REASON

        book = Workbook()
        sheet = book.worksheets[0]
        for row in (["CUFE", "Motivo"], *([cufe, REASON] for cufe in sent.cufes)):
            sheet.append(row)
        sent.file = sent.folder / "libro.xlsx"
        book.save(sent.file)
        self.check(sent, sent.go())

    def test_f48_the_same_file_the_next_day(self, sent):
        from datetime import timedelta

        self.check(sent, sent.go(later=timedelta(days=1)))

    def test_f48_the_results_workbook_as_input(self, sent):
        sent.file = sent.check_results()
        self.check(sent, sent.go())
