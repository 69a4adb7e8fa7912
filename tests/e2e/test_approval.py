"""Before sending, a person sees the plan and says yes (interface.md 2, P2)."""

from __future__ import annotations

import os
import pty
import select
import time

import pytest

from tests.support.warm import LONGEST_S


def on_a_terminal(place, arguments, reply, **more):
    """Runs the command on a pseudo-terminal, types ``reply`` at the question, returns (code, what was shown)."""
    ours, theirs = pty.openpty()
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    process = place.start(*arguments, **streams, TERM="xterm", COLUMNS="160", **more)
    os.close(theirs)
    shown, typed, end = b"", False, time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            shown += part
        if not typed and (b"deshacer: " in shown or b"cancela" in shown):
            os.write(ours, reply.encode() + b"\n")
            typed = True
        if process.poll() is not None and not select.select([ours], [], [], 0)[0]:
            break
    os.close(ours)
    return process.wait(LONGEST_S), shown.decode("utf-8", "replace")


@pytest.mark.parametrize("command", ["run", "release"])
def test_the_typed_count_sends(place, command):
    file = place.batch(["000", "000"])
    code, shown = on_a_terminal(place, [command, file if command == "run" else held(place, file)], "2")

    assert code == 0, shown
    assert "Escriba 2 para anular 2 facturas; no se puede deshacer: " in shown
    assert sum(place.posts().values()) == 2


@pytest.mark.one_in(3)
@pytest.mark.parametrize("reply", ["", "si", "s", "1", "2.", "no", "2 facturas", "02"])
def test_anything_else_sends_nothing_records_nothing_and_says_what_to_type(place, reply):
    code, shown = on_a_terminal(place, ["run", place.batch(["000", "000"])], reply)

    assert code == 130, shown
    assert "No se envió nada" in shown
    assert "escriba 2 cuando lo pregunte" in shown
    assert place.posts() == {}
    assert place.anular("status", "--json").data == []


def test_a_held_batch_is_not_released_by_a_yes(place):
    batch = held(place, place.batch(["000", "000"]))
    code, shown = on_a_terminal(place, ["release", batch], "si")

    assert code == 130, shown
    assert place.posts() == {}
    assert place.anular("status", batch, "--json").data[0]["outcomes"] == {"RETENIDA": 2}


def test_the_company_stands_in_the_question(place):
    _, shown = on_a_terminal(place, ["run", place.batch(["000"])], "no", ANULAR_COMPANY="Comercial Norte, S.A.")

    assert "Escriba 1 para anular 1 factura de «Comercial Norte, S.A.»; no se puede deshacer: " in shown


def held(place, file):
    """The number of the batch that the drop folder made of ``file`` and held."""
    (place.folder / "drop" / "inbox").mkdir(parents=True)
    file.rename(place.folder / "drop" / "inbox" / file.name)
    (place.folder / "drop" / "inbox" / f"{file.name}.ok").touch()
    done = place.anular("watch", place.folder / "drop", "--once", "--json", ANULAR_WATCH_MAX_ROWS="0")
    assert done.code == 7, done.words
    return done.data[0]["batch"]


def test_several_issuers_are_confirmed_by_the_count_as_well(place, cufe):
    other = "FE0120000155999991-2-2026-0700002026111800000000990010120000" + "00000"
    from pipeline.domain.cufe import check_digit

    rows = [[1, "a", cufe(1), "Factura emitida con el monto equivocado", 1]]
    rows.append([2, "b", other + check_digit(other), "Factura emitida con el monto equivocado", 1])
    file = place.file(rows)

    code, shown = on_a_terminal(place, ["run", file], "si")
    assert code == 130, shown
    assert place.posts() == {}

    code, shown = on_a_terminal(place, ["run", file], "2")
    assert code == 0, shown
    assert sum(place.posts().values()) == 2


def test_the_plan_shows_what_is_about_to_happen(place):
    _, shown = on_a_terminal(place, ["run", place.batch(["000", "000"])], "no")

    for word in ("lote.xlsx", "código de verificación", "sandbox", "29-29-29", "Por enviar", "18/11/2026"):
        assert word in shown
