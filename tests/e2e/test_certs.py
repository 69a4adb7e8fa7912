"""The digital certificates from the terminal, and what a run says of them. Today is 20/11/2026 in these tests."""

from __future__ import annotations

import json
import os
import pty
import select
import stat
import subprocess
import sys
import termios
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
from aiosmtpd.controller import Controller

from pipeline.ledger.storage.driver import sqlite3
from tests.e2e.conftest import Place
from tests.support.certificates import PIN, RUC, Box, found_in, free_port, made
from tests.support.warm import LONGEST_S, ROOT

ISSUER = "29-29-29"
UNTIL = datetime(2027, 1, 15, 12, 0, tzinfo=UTC)
HEAD = "ruc,titular,entidad,solicitud,fecha_solicitud,estado,desde,hasta,correo,observaciones"


@pytest.fixture
def office(place):
    return place.folder / "data" / "anular" / "anular-office.db"


def valid(place: Place, until: str = "20/06/2027", ruc: str = ISSUER):
    done = place.anular("certs", "add", "--ruc", ruc, "--from", "20/11/2026", "--until", until)
    assert done.code == 0, done.words
    return done


def pin_file(place: Place, pin: str = PIN, mode: int = 0o600):
    path = place.folder / "pin.txt"
    path.write_text(pin + "\n", "utf-8")
    path.chmod(mode)
    return path


# ------------------------------------------------------------------------------------------------------ the commands


def test_a_request_is_followed_from_the_first_day_to_the_certificate(place):
    asked = place.anular("certs", "add", "--ruc", ISSUER, "--request", "S-1", "--requested-on", "28/10/2026")
    assert asked.code == 0
    assert "En trámite · Consulte el estado a más tardar el 12/11/2026" in asked.out

    again = place.anular("certs", "add", "--ruc", ISSUER)
    assert again.code == 2
    assert "ya tiene una solicitud en curso" in again.err
    assert "«anular certs show 1»" in again.err

    assert place.anular("certs", "edit", "1", "--state", "rechazado").code == 2
    place.anular("certs", "edit", "1", "--state", "rechazado", "--observations", "Falta la cédula")
    shown = place.anular("certs", "show", "1")
    assert "Rechazado · Corrija y envíe otra vez: Falta la cédula" in shown.out

    place.anular("certs", "edit", "1", "--state", "en-tramite", "--requested-on", "16/11/2026")
    place.anular("certs", "edit", "1", "--state", "aceptado")
    done = place.anular("certs", "edit", "1", "--state", "completado", "--from", "19/11/2026", "--until", "19/11/2027")
    assert "Completado · Vigente hasta el 19/11/2027" in done.out
    log = place.anular("certs", "show", "1", "--json").data["log"]
    assert [line["event"] for line in log] == ["solicitada", "rechazada", "solicitada", "aceptada", "lista"]
    assert log[1]["why"] == "Falta la cédula"


def test_a_valid_certificate_is_corrected_and_a_new_request_leads_to_it(place):
    valid(place)
    place.anular("certs", "edit", "1", "--holder", "EMPRESA, S.A.", "--until", "30/06/2027")
    refused = place.anular("certs", "add", "--ruc", ISSUER)
    assert refused.code == 2
    assert "vigente hasta el 30/06/2027. Una nueva solicitud se abre el 20/10/2027." in refused.err
    changed = place.anular("certs", "show", "1", "--json").data["log"][-1]["changed"]
    assert changed["holder"] == ["", "EMPRESA, S.A."]


def test_what_was_mistyped_in_a_request_is_corrected_while_it_is_under_way(place):
    place.anular("certs", "add", "--ruc", "155-1-2018", "--request", "S-1", "--requested-on", "28/10/2026")
    done = place.anular("certs", "edit", "1", "--ruc", ISSUER, "--request", "S-7", "--requested-on", "27/10/2026")
    assert done.code == 0
    assert "Consulte el estado a más tardar el 11/11/2026" in done.out
    shown = place.anular("certs", "show", "1", "--json").data
    assert (shown["issuer"], shown["request"], shown["state"]) == (ISSUER, "S-7", "En trámite")
    assert (shown["log"][-1]["event"], shown["log"][-1]["changed"]["request"]) == ("editada", ["S-1", "S-7"])
    refused = place.anular("certs", "edit", "1", "--until", "30/06/2027")
    assert refused.code == 2
    assert "todavía no tiene fechas de vigencia" in refused.err
    assert "--state completado" in refused.err


def test_the_list_names_the_issuers_of_the_ledger_that_have_no_certificate(place, office):
    place.anular("run", place.batch(["000"]), "--yes")
    none = place.anular("certs", "list", ANULAR_ISSUERS=f"{ISSUER},{RUC}")
    assert f"Aún no registró el certificado de {ISSUER}: agréguelo con «anular certs add --ruc {ISSUER}»" in none.out
    assert f"Aún no registró el certificado de {RUC}" in none.out
    assert not office.exists()
    valid(place)
    data = place.anular("certs", "list", "--json").data
    assert (data["unregistered"], data["certificates"][0]["issuer"]) == ([], ISSUER)


def test_a_look_makes_no_office_database(place, office):
    assert place.anular("certs", "list").code == 0
    assert place.anular("certs", "check").code == 0
    assert place.anular("certs", "remind").code == 0
    assert place.anular("certs", "show", "1").code == 2
    assert place.anular("certs", "edit", "1", "--holder", "x").code == 2
    assert not office.exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["add", "--ruc", "1556"], "certificado-ruc-forma"),
        (["add", "--ruc", ISSUER, "--mail", "nadie"], "certificado-correo"),
        (["add", "--ruc", ISSUER, "--requested-on", "21/11/2026"], "certificado-fecha-solicitud"),
        (["add", "--ruc", ISSUER, "--from", "ayer", "--until", "x"], "certificado-fecha"),
        (["add", "--ruc", ISSUER, "--from", "20/11/2026"], "certificado-fechas"),
        (["add", "--ruc", ISSUER, "--from", "20/11/2025", "--until", "19/11/2026"], "certificado-fechas"),
        (["edit", "1"], "certificado-nada"),
        (["edit", "1", "--state", "listo"], "certificado-estado-nombre"),
        (["edit", "1", "--state", "aceptado", "--holder", "x"], "certificado-opcion"),
        (["edit", "1", "--state", "aceptado"], "certificado-estado"),
        (["edit", "1", "--state", "vencido"], "certificado-motivo"),
        (["edit", "9", "--state", "aceptado"], "certificado-no-esta"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(place, arguments, code):
    valid(place, ruc=RUC)
    done = place.anular("certs", *arguments)
    assert (done.code, done.err.strip().endswith(f"[{code}]")) == (2, True), done.words


def test_a_table_is_imported_whole_or_not_at_all(place):
    path = place.folder / "lista.csv"
    rows = [f"{ISSUER};E;;S-1;01/11/2026;Completado;10/11/2026;10/11/2027;;", f"{RUC};F;;S-2;mañana;En trámite;;;;"]
    path.write_text("\n".join([HEAD.replace(",", ";"), *rows]), "utf-8")
    bad = place.anular("certs", "import", path)
    assert bad.code == 3
    assert "Línea 3, columna «fecha_solicitud»: «mañana» no es una fecha" in bad.out
    assert place.anular("certs", "list", "--json").data["certificates"] == []

    path.write_text(path.read_text("utf-8").replace("mañana", "18/11/2026"), "utf-8")
    assert "Nuevos: 2 · cambiados: 0 · sin cambios: 0" in place.anular("certs", "import", path).out
    assert "Nuevos: 0 · cambiados: 0 · sin cambios: 2" in place.anular("certs", "import", path).out


def test_check_says_which_certificate_cannot_be_used(place):
    valid(place)
    assert place.anular("certs", "check").code == 0
    place.anular("certs", "add", "--ruc", RUC)
    done = place.anular("certs", "check")
    assert done.code == 1
    assert f"Emisor {RUC}: su certificado todavía no está completado: está En trámite." in done.out


def test_remind_says_what_is_due_also_when_there_is_nobody_to_mail(place):
    valid(place, "01/12/2026")
    done = place.anular("certs", "remind")
    assert done.code == 1
    assert f"El certificado digital de {ISSUER} vence el 01/12/2026" in done.out
    assert "ANULAR_MAIL_HOST" in done.err


def test_a_rejection_is_mailed_at_once_and_what_is_due_by_remind_once(place):
    box = Box()
    server = Controller(box, hostname="127.0.0.1", port=free_port())
    server.start()
    place.env |= {
        "ANULAR_MAIL_HOST": "127.0.0.1",
        "ANULAR_MAIL_PORT": str(server.port),
        "ANULAR_MAIL_SECURITY": "none",
        "ANULAR_MAIL_FROM": "anular@example.com",
        "ANULAR_MAIL_TO": "ana@example.com",
        "ANULAR_COMPANY": "Mi Empresa",
    }
    try:
        place.anular("certs", "add", "--ruc", RUC)
        done = place.anular("certs", "edit", "1", "--state", "rechazado", "--observations", "Falta la cédula")
        assert done.code == 0
        assert box.subjects == ["[Mi Empresa] Rechazo solicitud de certificado digital"]
        valid(place, "01/12/2026")
        assert place.anular("certs", "remind", "--json").data["sent"] == [
            f"El certificado digital de {ISSUER} vence el 01/12/2026"
        ]
        assert place.anular("certs", "remind", "--json").data["sent"] == []
    finally:
        server.stop()
    assert len(box.mails) == 2


# ------------------------------------------------------------------------------------------- the file of a certificate


@pytest.mark.parametrize("how", ["file", "descriptor", "input"])
def test_of_a_file_its_dates_stay_and_no_byte_of_key_or_pin_anywhere(place, how):
    """All that the command could have touched is searched: its folder with data, state, ledger, log and cores."""
    one = made(until=UNTIL)
    box = place.folder / "fuera"
    box.mkdir()
    given = box / "firma.p12"
    given.write_bytes(one.p12())
    arguments = ["certs", "add", "--ruc", RUC, "--file", str(given), "--json"]
    log = {"ANULAR_LOG": str(place.folder / "log.jsonl"), "PYTHONFAULTHANDLER": "1"}
    if how == "file":
        done = place.anular(*arguments, "--pin-file", pin_file(place), **log)
        (place.folder / "pin.txt").unlink()
    else:
        read, write = os.pipe()
        os.write(write, f"{PIN}\n".encode())
        os.close(write)
        where = "-" if how == "input" else "/dev/stdin"
        with place.start(*arguments, "--pin-file", where, stdin=read, **log) as process:
            out, err = process.communicate(timeout=LONGEST_S)
        os.close(read)
        done = None
        assert process.returncode == 0, err
        (place.folder / "said.txt").write_text(out + err)
    if done is not None:
        assert done.code == 0, done.words
        (place.folder / "said.txt").write_text(done.words)
        assert done.data["valid_until"] == "2027-01-15T12:00:00+00:00"
    given.unlink()
    (kept,) = place.anular("certs", "list", "--json").data["certificates"]
    assert (kept["source"], kept["serial"], kept["state"]) == ("archivo", "1a2b3c", "Completado")
    assert len(list(place.folder.rglob("*"))) > 3
    assert (
        found_in(place.folder, [*one.secrets(), PIN.encode(), PIN.encode("utf-16-be"), PIN.encode("utf-16-le")]) == []
    )


def test_the_search_finds_a_secret_where_there_is_one(place):
    one = made()
    (place.folder / "a.pem").write_bytes(one.key_pem)
    (place.folder / "b.db").write_bytes(b"x" + one.secrets()[0])
    assert {path.name for path in found_in(place.folder, one.secrets())} == {"a.pem", "b.db"}


def test_a_wrong_pin_is_one_sentence_without_it(place):
    (place.folder / "firma.p12").write_bytes(made().p12())
    path = pin_file(place, "otro-pin-88")
    done = place.anular("certs", "add", "--ruc", RUC, "--file", "firma.p12", "--pin-file", path)
    assert done.code == 3
    assert "El PIN no es el de este archivo" in done.err
    assert "otro-pin-88" not in done.words


def test_at_a_terminal_the_pin_is_asked_for_and_not_shown(place):
    (place.folder / "firma.p12").write_bytes(made(until=UNTIL).p12("4711-pin"))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pipeline", "certs", "add", "--ruc", RUC, "--file", "firma.p12"]
    env = {**place.env, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    process = subprocess.Popen(
        command, cwd=place.folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown, typed, end = b"", False, time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
        if not typed and not termios.tcgetattr(ours)[3] & termios.ECHO:
            os.write(ours, b"4711-pin\n")
            typed = True
        if process.poll() is not None and not select.select([ours], [], [], 0)[0]:
            break
    os.close(ours)
    assert process.wait(LONGEST_S) == 0, shown
    assert b"PIN de firma.p12" in shown
    assert b"4711" not in shown


def test_without_a_terminal_a_pin_is_asked_for_by_its_option(place):
    (place.folder / "firma.p12").write_bytes(made().p12())
    done = place.anular("certs", "add", "--ruc", RUC, "--file", "firma.p12")
    assert (done.code, "--pin-file" in done.err) == (2, True)


def test_a_pin_that_others_can_read_is_not_used(place):
    (place.folder / "firma.p12").write_bytes(made().p12())
    path = pin_file(place, mode=0o644)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    done = place.anular("certs", "add", "--ruc", RUC, "--file", "firma.p12", "--pin-file", path)
    assert (done.code, "chmod 600" in done.err) == (2, True)


def test_a_certificate_of_another_ruc_is_taken_when_a_person_says_so(place):
    (place.folder / "otro.cer").write_bytes(made("8-123-456").der)
    arguments = ("certs", "add", "--ruc", RUC, "--file", "otro.cer")
    refused = place.anular(*arguments)
    assert (refused.code, "8-123-456" in refused.err) == (2, True)
    assert place.anular(*arguments, "--confirm-ruc").code == 0


# --------------------------------------------------------------------------------------------------------- before a run


def ended(place: Place) -> None:
    """A certificate of the sample's issuer that has ended."""
    path = place.folder / "viejo.csv"
    path.write_text(f"{HEAD}\n{ISSUER},E,,S-0,01/10/2025,Vencido,10/10/2025,10/10/2026,,\n", "utf-8")
    assert place.anular("certs", "import", path).code == 0


def test_a_run_with_an_ended_certificate_is_warned_and_it_stands_in_the_notes(place):
    ended(place)
    file = place.batch(["000"])
    checked = place.anular("check", file, "--json")
    assert checked.code == 0
    assert [one["code"] for one in checked.data[0]["certificates"]] == ["certificado-vencido"]
    done = place.anular("run", file, "--yes")
    assert done.code == 0
    assert "el certificado venció el 10/10/2026: haga una nueva solicitud" in " ".join(done.out.split())
    with closing(sqlite3.connect(place.folder / "ledger" / "registro.db")) as ledger:
        ((notes,),) = ledger.execute("SELECT notes FROM batch")
    assert "Certificado digital: Emisor 29-29-29: el certificado venció el 10/10/2026" in " ".join(json.loads(notes))


def test_with_block_nothing_is_sent_and_a_query_is_never_blocked(place):
    file, open_one = place.batch(["000"]), place.batch(["905"], "abierto.xlsx", first=5)
    assert place.anular("run", open_one, "--yes", "--no-poll").code == 4
    ended(place)
    block = {"ANULAR_CERT_POLICY": "block"}
    checked = place.anular("check", file, **block)
    assert (checked.code, "[certificado-vencido]" in checked.err) == (3, True)
    done = place.anular("run", file, "--yes", "--json", **block)
    assert (done.code, done.data[0]["refused"]["code"]) == (3, "certificado-vencido")
    assert place.anular("status", "--json").data[0]["file"] == "abierto.xlsx"
    assert place.anular("poll", "--all", **block).code in (0, 1, 4)
    off = place.anular("run", file, "--yes", ANULAR_CERT_POLICY="off")
    assert off.code == 0
    assert "certificado" not in off.words.lower()


def test_an_issuer_without_a_record_is_a_note_that_block_does_not_stop(place):
    valid(place, ruc=RUC)
    done = place.anular("run", place.batch(["000"]), "--yes", ANULAR_CERT_POLICY="block")
    assert done.code == 0
    assert f"El emisor {ISSUER} no tiene un certificado registrado aquí." in done.out


@pytest.mark.parametrize("policy", ["warn", "block"])
def test_the_drop_folder_holds_or_notes(place, policy):
    ended(place)
    root = place.folder / "drop"
    (root / "inbox").mkdir(parents=True, mode=0o750)
    root.chmod(0o750)
    place.batch(["000"]).rename(root / "inbox" / "lote.xlsx")
    done = place.anular("watch", root, "--once", "--json", ANULAR_WATCH_QUIET="0", ANULAR_CERT_POLICY=policy)
    (one,) = done.data
    note = next((root / "done").glob("*.txt")).read_text("utf-8")
    if policy == "block":
        assert (one["fate"], "[certificado-vencido]" in one["why"]) == ("held", True)
        assert "Por qué: Emisor 29-29-29: el certificado venció el 10/10/2026" in note
    else:
        assert one["fate"] == "done"
        assert "Certificados digitales: Emisor 29-29-29: el certificado venció el 10/10/2026" in note
