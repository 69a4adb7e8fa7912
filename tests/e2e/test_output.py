"""F57: the output goes to a full disk, to nobody, or nowhere; what was done is recorded all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.long import long
from tests.support.warm import LONGEST_S, ROOT

FULL = Path("/dev/full")  # a device of Linux: every write fails as on a full disk


def run(place, *arguments, **streams):
    """By an interpreter of its own: what is shown last is shown at its end."""
    return without_a_bug(place.real(*arguments, **streams))


def without_a_bug(done):
    assert "Traceback" not in done.words
    assert "Error interno" not in done.words
    return done


def test_f57_a_plan_that_cannot_be_shown_is_not_carried_out(place):
    file = place.batch(["000", "000"])
    with FULL.open("w") as full:
        done = without_a_bug(place.anular("run", file, "--yes", stdout=full))

    assert done.code == 5
    assert done.err.count("✗") == 1
    assert "el disco está lleno" in done.err
    assert "No se envió nada" in done.err
    assert not place.posts()


def test_f57_progress_that_cannot_be_shown_stops_nothing(place):
    file = place.batch(["000"] * 3)
    with FULL.open("w") as full:
        done = without_a_bug(place.anular("run", file, "--yes", stderr=full))

    assert done.code == 0
    assert [row["resultado"] for row in place.rows()] == ["ANULADA"] * 3
    assert set(place.posts().values()) == {1}


@pytest.mark.parametrize("arguments", [["status", "--json"], *long(["--help"], ["doctor"])], ids=" ".join)
def test_f57_an_answer_that_was_lost_is_one_sentence_and_exit_5(place, arguments):
    with FULL.open("w") as full:
        done = run(place, *arguments, stdout=full)

    assert done.code == 5
    assert done.err.count("No se pudo escribir la salida del programa") == 1


def test_a_reader_that_has_seen_enough_is_no_trouble(place):
    read, write = os.pipe()
    os.close(read)
    done = run(place, "status", stdout=write)
    os.close(write)

    assert (done.code, done.err) == (0, "")


@pytest.mark.long
def test_f57_a_closed_output_is_told_and_never_taken_for_a_file(place):
    """Without an output of its own, the next file that the program opens would get its number."""
    file = place.batch(["000"])
    command = ["sh", "-c", f'exec "{sys.executable}" -m pipeline run "{file}" --yes >&-']
    done = subprocess.run(
        command,
        cwd=place.folder,
        env={**place.env, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )

    assert done.returncode == 5
    assert "está cerrada" in done.stderr
    assert not place.posts()


def test_json_is_json_where_the_system_prefers_a_page_of_its_own(place):
    place.anular("run", place.batch(["000"], "facturas de la Compañía.xlsx"), "--yes")
    done = place.real("status", "--json", PYTHONIOENCODING="cp1252")

    assert done.code == 0
    assert "Compañía" in str(done.data)
