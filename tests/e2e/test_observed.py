"""A command that is watched: its log and its metrics say what the ledger says, and being watched changes nothing."""

from __future__ import annotations

import json
import re
import socket
import stat
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.ledger.storage.driver import sqlite3

MIXED = ["000", "905", "906", "949", "950"]


@pytest.fixture
def watched(place):
    place.env |= {
        "ANULAR_LOG": str(place.folder / "anular.log"),
        "ANULAR_METRICS": str(place.folder / "anular.prom"),
        "ANULAR_POLL_FOR": "1",
    }
    return place


def log(place):
    return [json.loads(line) for line in (place.folder / "anular.log").read_text("utf-8").splitlines()]


def moves(place):
    return [one for one in log(place) if one["event"] == "row_moved"]


def metrics(place, name="anular.prom"):
    """(metric, its labels without env and profile) -> value, as Prometheus' own library reads them."""
    text = (place.folder / name).read_text("utf-8")
    return {
        (one.name, *(value for key, value in sorted(one.labels.items()) if key not in ("env", "profile"))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def ledger(place, query):
    with sqlite3.connect(place.folder / "ledger" / "registro.db") as connection:
        return connection.execute(query).fetchall()


def test_the_log_has_every_durable_move_of_every_row_in_the_order_of_the_ledger(watched):
    done = watched.anular("run", watched.batch(MIXED), "--yes")
    assert done.code in (1, 4)

    kept = ledger(
        watched,
        "SELECT batch, pos, from_, to_, event, http, estado FROM event "
        "WHERE attempt IS NOT NULL AND event != 'retry' ORDER BY seq",
    )
    assert [
        (m["batch"], m["row"], m["from"], m["to"], m["why"], m["http"], m["estado"]) for m in moves(watched)
    ] == kept
    assert {m["run"] for m in moves(watched)} == {1}


@pytest.mark.long
def test_the_last_line_tells_the_exit_code_and_the_rows_by_outcome(watched):
    done = watched.anular("run", watched.batch(MIXED), "--yes", "--json")
    last = log(watched)[-1]

    assert (last["event"], last["exit_code"], last["run"], last["command"]) == ("run_ended", done.code, 1, "run")
    assert last["outcomes"] == done.data[0]["outcomes"]
    assert [one["event"] for one in log(watched)][:2] == ["run_started", "batch_taken"]
    assert {"paused", "token_renewed", "workbook_written", "batch_finished"} <= {one["event"] for one in log(watched)}


def test_neither_file_holds_a_cufe_or_what_a_person_wrote(watched):
    watched.anular("run", watched.batch(["905"]), "--yes", "--no-poll")
    (batch,) = {m["batch"] for m in moves(watched)}
    code = ledger(watched, "SELECT cufe FROM attempt")[0][0]
    done = watched.anular(
        *("resolve", batch, "--row", "2", "--as", "cancelled", "--by", "Ana Pérez", "--reason", "El portal la muestra"),
        *("--confirm", code[-8:]),
    )
    assert done.code == 0, done.words
    assert moves(watched)[-1]["to"] == "CLOSED_BY_PERSON"

    text = (watched.folder / "anular.log").read_text("utf-8") + (watched.folder / "anular.prom").read_text("utf-8")
    assert not re.search(r"FE01\d", text)
    assert not any(words in text for words in ("Pérez", "P\\u00e9rez", "portal", "Factura emitida", "Cliente"))


@pytest.mark.long
def test_the_metrics_say_what_status_says_and_what_was_asked(watched):
    done = watched.anular("run", watched.batch(MIXED), "--yes", "--json")
    found = metrics(watched)
    asked = Counter(e["route"] for e in watched.entries() if e["route"] in ("cancel", "query", "token"))

    assert {k[1]: v for k, v in found.items() if k[0] == "anular_rows"} == done.data[0]["outcomes"]
    assert found["anular_last_run_exit_code", "run"] == done.code
    by_kind = Counter({k[1]: 0 for k in found if k[0] == "anular_requests_total"})
    for key, value in found.items():
        if key[0] == "anular_requests_total":
            by_kind[key[1]] += int(value)
    assert by_kind["cancellation"] == asked["cancel"]
    assert found["anular_oldest_pending_seconds",] > 0
    assert 0 < found["anular_rate_used_ratio",] < 1
    assert stat.S_IMODE((watched.folder / "anular.prom").stat().st_mode) == 0o644
    assert stat.S_IMODE((watched.folder / "anular.log").stat().st_mode) == 0o600


def test_counters_go_on_and_another_commands_last_run_stays(watched):
    watched.anular("run", watched.batch(["905"]), "--yes", "--no-poll")
    first = metrics(watched)
    watched.anular("poll")
    second = metrics(watched)

    key = ("anular_requests_total", "cancellation", "2xx")
    assert second[key] == first[key] == 1
    assert second["anular_requests_total", "query", "2xx"] >= 1
    assert second["anular_last_run_timestamp_seconds", "run"] == first["anular_last_run_timestamp_seconds", "run"]
    assert "anular_last_run_timestamp_seconds", "poll" in second
    assert [one["command"] for one in log(watched) if one["event"] == "run_ended"] == ["run", "poll"]


def test_sending_that_pauses_because_answers_make_no_sense_and_goes_on_is_told_by_both_lines(watched):
    rows = watched.batch(["000", "930", "930", "930", "000", "000"])
    watched.anular("run", rows, "--yes", "--no-poll", ANULAR_CONCURRENCY="1", ANULAR_BREAKER_WAIT="0.2")
    breaker = [one for one in log(watched) if one["event"].startswith("breaker_")]
    answered = [one.get("row", one["event"]) for one in log(watched) if one in breaker or one.get("http")]

    assert answered == [1, 2, 3, 4, "breaker_opened", 5, "breaker_closed", 6]
    opened, _ = breaker
    assert (opened["seconds"], opened["final"]) == (0.2, False)
    assert not [one for one in log(watched) if one["event"] == "run_stopped"]


def test_sending_that_ends_because_answers_make_no_sense_is_told_as_final_and_as_what_stopped_the_run(watched):
    rows = watched.batch(["000", *["930"] * 5, "000"])
    done = watched.anular(
        "run", rows, "--yes", "--no-poll", ANULAR_CONCURRENCY="1", ANULAR_BREAKER_WAIT="0.2", ANULAR_POLL_FOR="0"
    )
    assert done.code == 5, done.words
    assert [one["final"] for one in log(watched) if one["event"] == "breaker_opened"] == [False, False, True]
    assert not [one for one in log(watched) if one["event"] == "breaker_closed"]
    (stopped,) = [one for one in log(watched) if one["event"] == "run_stopped"]
    assert (stopped["error"], log(watched)[-1]["exit_code"]) == ("service-unclear", 5)
    assert sum(watched.posts().values()) == 6


@pytest.mark.one_in(2)
@pytest.mark.parametrize("unattended", ["watch", "poll"])
def test_what_stopped_an_unattended_command_early_stands_in_the_log_by_its_code(watched, unattended):
    root = watched.folder / "caja"
    (root / "inbox").mkdir(mode=0o750, parents=True)
    root.chmod(0o750)
    if unattended == "watch":
        watched.batch(["000", "943"]).replace(root / "inbox" / "lote.xlsx")  # HTTP 403: may not cancel
        done = watched.anular("watch", root, "--once", ANULAR_WATCH_QUIET="0")
    else:
        watched.anular("run", watched.batch(["950"]), "--yes", "--no-poll")
        done = watched.anular("poll", "--all", ANULAR_BASE_URL="http://127.0.0.1:1")  # nobody listens there

    assert done.code == 5, done.words
    (stopped,) = [one for one in log(watched) if one["event"] == "run_stopped"]
    assert (stopped["error"], stopped["command"]) == ("service-refused", unattended)
    last = log(watched)[-1]
    assert (last["event"], last["command"], last["exit_code"]) == ("run_ended", unattended, 5)


def test_what_was_held_and_what_a_person_released_and_each_round_of_queries_is_told(watched):
    root = watched.folder / "caja"
    (root / "inbox").mkdir(mode=0o750, parents=True)
    root.chmod(0o750)
    watched.batch(["000", "950"]).replace(root / "inbox" / "lote.xlsx")
    watched.anular("watch", root, "--once", ANULAR_WATCH_QUIET="0", ANULAR_WATCH_MAX_ROWS="1")
    (held,) = [one for one in log(watched) if one["event"] == "batch_held"]
    assert not [one for one in log(watched) if one["event"] in ("sending", "row_moved")]

    watched.anular("run", root / "done" / "lote.xlsx", "--yes")
    later = log(watched)[log(watched).index(held) :]
    assert {one["batch"] for one in later if one["event"] == "row_moved"} == {held["batch"]}
    (begun,) = [one for one in later if one["event"] == "queries_started"]
    (over,) = [one for one in later if one["event"] == "queries_ended"]
    assert (begun["rows"], over["interrupted"]) == (1, False)


@pytest.fixture
def hook():
    """A web server that takes whatever it is told; its address, and how often it was told."""
    told = []

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Takes)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/avisos/clave-en-la-ruta", told
    server.shutdown()
    server.server_close()
    thread.join()


def test_who_was_told_and_who_could_not_be_is_a_line_each_without_an_address_or_a_key(watched, hook):
    url, told = hook
    root = watched.folder / "caja"
    (root / "inbox").mkdir(mode=0o750, parents=True)
    root.chmod(0o750)
    watched.batch(["000"]).replace(root / "inbox" / "lote.xlsx")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # nobody listens there
        done = watched.anular(
            *("watch", root, "--once"),
            ANULAR_WATCH_QUIET="0",
            ANULAR_WEBHOOK_URL=url,
            ANULAR_MAIL_HOST="127.0.0.1",
            ANULAR_MAIL_PORT=str(nobody.getsockname()[1]),
            ANULAR_MAIL_SECURITY="none",
            ANULAR_MAIL_TO="ana@example.com",
            ANULAR_MAIL_FROM="anular@example.com",
        )
    assert (done.code, len(told)) == (0, 1), done.words
    lines = [one for one in log(watched) if one["event"] in ("told", "not_told")]
    assert [(one["event"], one["channel"]) for one in lines] == [("not_told", "mail"), ("told", "webhook")]
    assert lines[0]["why"] in done.err
    events = [one["event"] for one in log(watched)]
    assert events.index("file_moved") < events.index("not_told") < events.index("run_ended") == len(events) - 1
    text = (watched.folder / "anular.log").read_text("utf-8")
    assert not [word for word in ("example.com", "clave-en-la-ruta", "avisos") if word in text]


def test_a_command_that_is_refused_ends_in_the_log_too_and_forgets_no_rows(watched):
    file = watched.batch(["000"])
    watched.anular("run", file, "--yes")
    before = metrics(watched)
    (watched.folder / "mal.csv").write_text("sin,columnas\n1,2\n", "utf-8")
    done = watched.anular("run", watched.folder / "mal.csv", "--yes")

    assert (done.code, log(watched)[-1]["exit_code"]) == (3, 3)
    assert log(watched)[-1]["error"]
    assert metrics(watched)["anular_last_run_exit_code", "run"] == 3
    assert metrics(watched)["anular_rows", "ANULADA"] == before["anular_rows", "ANULADA"] == 1


@pytest.mark.parametrize("broken", ["ANULAR_LOG", "ANULAR_METRICS"])
def test_f57_what_cannot_be_written_is_one_warning_and_changes_nothing(place, broken):
    name = "/dev/full" if broken == "ANULAR_LOG" else str(place.folder / "no" / "a.prom")
    done = place.anular("run", place.batch(["000"] * 3), "--yes", **{broken: name})

    assert done.code == 0
    assert done.err.count("Aviso:") == 1
    assert [row["resultado"] for row in place.rows()] == ["ANULADA"] * 3
    assert set(place.posts().values()) == {1}


def test_companies_may_share_one_metrics_file_or_have_one_each(place):
    shared, own = place.folder / "todas.prom", place.folder / "c.prom"
    profiles = "".join(
        f'[profile.{name}]\nledger = "sqlite:///{place.folder}/{name}.db"\nmetrics = "{path}"\n'
        for name, path in (("a", shared), ("b", shared), ("c", own))
    )
    config = place.folder / "anular.toml"
    config.write_text(profiles, "utf-8")
    del place.env["ANULAR_LEDGER"]
    for n, name in enumerate("abc", start=1):
        place.anular(
            "run", place.batch(["000"], f"{name}.xlsx", n), "--yes", "--profile", name, ANULAR_CONFIG=str(config)
        )

    samples = [
        s for f in (shared, own) for m in text_string_to_metric_families(f.read_text("utf-8")) for s in m.samples
    ]
    rows = {one.labels["profile"]: one.value for one in samples if one.name == "anular_rows"}
    assert rows == {"a": 1, "b": 1, "c": 1}
    keys = [(one.name, *sorted(one.labels.items())) for one in samples]
    assert len(keys) == len(set(keys)), "the collector refuses the same sample twice, in whichever files"


def test_a_pass_of_the_drop_folder_tells_of_its_files(watched):
    for name in ("inbox", "processing", "done", "failed"):
        (watched.folder / "caja" / name).mkdir(mode=0o750, parents=True)
    (watched.folder / "caja").chmod(0o750)
    file = watched.batch(["000"])
    file.replace(watched.folder / "caja" / "inbox" / "lote.xlsx")
    (watched.folder / "caja" / "inbox" / "lote.xlsx.ok").write_bytes(b"")
    done = watched.anular("watch", watched.folder / "caja", "--once")

    assert done.code == 0, done.words
    events = [one["event"] for one in log(watched)]
    assert events.index("file_claimed") < events.index("batch_taken") < events.index("batch_finished")
    assert events.index("batch_finished") < events.index("file_moved") < events.index("run_ended")
    (moved,) = [one for one in log(watched) if one["event"] == "file_moved"]
    assert moved["fate"]
    assert metrics(watched)["anular_last_run_exit_code", "watch"] == 0


@pytest.mark.long
def test_without_either_setting_nothing_of_it_is_even_imported(place):
    done = place.real("run", place.batch(["000"]), "--yes", PYTHONPROFILEIMPORTTIME="1")
    assert done.code == 0
    imported = set(re.findall(r"\| +([\w.]+)$", done.err, re.MULTILINE))
    assert "pipeline.wiring.telemetry" in imported
    assert not imported & {
        "pipeline.telemetry.json_log",
        "pipeline.telemetry.collector",
        "pipeline.telemetry.prometheus",
    }
