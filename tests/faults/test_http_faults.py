"""The fault matrix, POST side: F01 to F32 of reliability.md 3, on real sockets, each row by its number.

After every test the common checks P1, P3, P5 and P12 run from the server's journal (see ``Bench.check``). Seconds of
time-outs are real, all others hurried twentyfold unless the test says otherwise.
"""

from __future__ import annotations

import gzip
import resource
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from pipeline.domain.lifecycle import State
from tests.faults.actions import Action, asked, http, repeats, says, sends, state
from tests.faults.bench import Bench, make_cufe
from tests.faults.processes import Proxy

CANCELLED, UNKNOWN, READY, REVIEW = State.CANCELLED, State.UNKNOWN, State.READY, State.REVIEW
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PROTOCOL_VERSION = bytes.fromhex("15030200020246")
"""What a server that speaks TLS 1.1 at most answers to a newer greeting: a fatal alert (RFC 4346, 7.2)."""
HTML = says(raw="<html><title>Mantenimiento</title></html>")


def unclear(bench: Bench, action: Action, note: str, *, applied: bool = False, **settings: Any) -> None:
    """A good canary, the fault on row 2, a good row after it: row 2 is unknown, never sent again, and the query
    decides. While the server says nothing but "alive" it stays unknown."""
    bench.batch(3)
    bench.script("cancel", {**action, "apply": "now" if applied else "never"}, row=2)
    bench.run("send", **settings)
    assert bench.states == [CANCELLED, UNKNOWN, CANCELLED]
    assert bench.notes[1] == note

    bench.run("poll", lasting=2.0)
    assert bench.posts[1] == bench.posts[3] == 1
    assert bench.posts[2] <= 1
    assert bench.outcomes[1] == ("ANULADA" if applied else "SIGUE AUTORIZADA")
    assert bench.exit_code == (0 if applied else 4)


def cases(number: str, *values: Any) -> list[Any]:
    """Parameters with ids ``F11-half-headers``; the first value of each is its name."""
    return [pytest.param(*value[1:], id=f"{number}-{value[0]}") for value in values]


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


# -------------------------------------------------------------------------------- nothing left: F01 - F03


def test_f01_a_refused_connection_is_tried_five_times_and_then_everything_waits_for_the_next_run(bench: Bench) -> None:
    bench.batch(3).urls["cancel"] = closed_port()
    bench.run()
    assert bench.events(1).count("nothing-left") == 5
    assert bench.states == [State.NOT_SENT, READY, READY]
    assert bench.outcomes == ["NO ENVIADA"] * 3
    assert bench.exit_code == 5
    assert "rechazó la conexión" in bench.said
    assert not bench.posts

    bench.urls["cancel"] = bench.server.ports["cancel"]
    bench.run()
    assert bench.states == [CANCELLED] * 3
    assert set(bench.posts.values()) == {1}


def test_f01_a_name_that_cannot_be_resolved_is_not_sent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **k: (unknown if "invalid" in str(host) else real)(host, *a, **k)
    )
    bench.batch(2).host["cancel"] = "edoc.invalid"
    bench.scheme["cancel"] = "https"
    bench.run(tries=2)
    assert bench.states == [State.NOT_SENT, READY]
    assert bench.notes[0] == "dns"
    assert bench.exit_code == 5
    assert "no se encontró la dirección" in bench.said
    assert not bench.posts


def test_f02_a_black_hole_is_a_connect_time_out_and_nothing_left(bench: Bench, proxy: Proxy) -> None:
    bench.batch(2).urls["cancel"] = proxy.do("black_hole")
    bench.run(connect_s=0.2, tries=2)
    assert bench.states == [State.NOT_SENT, READY]
    assert bench.notes[0] == "connect-timeout"
    assert bench.exit_code == 5
    assert not bench.posts


def certificate(kind: str, folder: Path) -> tuple[Path, ssl.SSLContext | None]:
    """A certificate with its key, and what the client trusts (None: the public authorities, as always)."""
    authority = trustme.CA()
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    path = folder / "certificate.pem"
    if kind == "self-signed":
        path.write_bytes(authority.private_key_pem.bytes() + authority.cert_pem.bytes())
        return path, None
    yesterday = datetime.now(UTC) - timedelta(days=1)
    names = "otro.example" if kind == "wrong-host" else "127.0.0.1"
    expired: dict[str, Any] = (
        {"not_before": yesterday - timedelta(days=9), "not_after": yesterday} if kind == "expired" else {}
    )
    authority.issue_cert(names, **expired).private_key_and_cert_chain_pem.write_to_path(str(path))
    return path, None if kind == "unknown-authority" else trust


@pytest.mark.parametrize(
    "kind", cases("F03", *((k, k) for k in ("expired", "wrong-host", "self-signed", "unknown-authority")))
)
def test_f03_a_certificate_that_cannot_be_trusted_stops_the_run_before_anything_is_sent(
    bench: Bench, kind: str, tmp_path: Path
) -> None:
    """The authority is trusted where the fault is another one, so that it is that one which is found."""
    pem, trust = certificate(kind, tmp_path)
    bench.batch(2)
    bench.urls["cancel"] = bench.server.listen("tls", certificate=str(pem))
    bench.scheme["cancel"] = "https"
    bench.run(ssl_context=trust)
    assert bench.states == [State.NOT_SENT, READY]
    assert bench.notes[0] == "tls"
    assert bench.events(1).count("claimed") == 1
    assert bench.exit_code == 5
    assert "certificado" in bench.said
    assert not bench.server.entries(listener="tls")


@pytest.mark.parametrize(
    ("alert", "note"),
    cases("F03", ("only-tls-1.1", PROTOCOL_VERSION, "tls"), ("handshake-cut-off", b"", "connect")),
)
def test_f03_a_server_that_speaks_only_old_tls_or_none_is_not_sent_anything(
    bench: Bench, alert: bytes, note: str
) -> None:
    """Too old a version is named like a bad certificate and stops at once; a handshake that was cut off is a bad line,
    tried again."""
    bench.batch(2).scheme["cancel"] = "https"
    bench.server.accept("cancel", {**sends(alert, end="close"), "read": 4096})
    bench.run(tries=3)
    assert bench.states == [State.NOT_SENT, READY]
    assert bench.notes[0] == note
    assert bench.events(1).count("claimed") == (1 if note == "tls" else 3)
    assert bench.exit_code == 5
    assert not bench.posts


def test_f03_a_good_certificate_of_the_same_kind_is_used(bench: Bench, tmp_path: Path) -> None:
    """The control for the test above: it is the fault that stops the run, not the set-up."""
    pem, trust = certificate("good", tmp_path)
    bench.batch(2)
    bench.urls["cancel"] = bench.server.listen("tls", certificate=str(pem))
    bench.scheme["cancel"] = "https"
    bench.run(ssl_context=trust)
    assert bench.states == [CANCELLED] * 2


# ---------------------------------------------------------------- the request was cut or its answer lost: F04 - F10


@pytest.mark.parametrize(
    "reset", cases("F04", ("at-once", {"end": "reset"}), ("after-a-moment", sends(b"", pause=0.05, end="reset")))
)
def test_f04_a_reset_on_accept_is_unknown_though_nothing_may_have_arrived(bench: Bench, reset: Action) -> None:
    """Unless it comes so early that the connection itself fails: then nothing left, provably, and it goes again."""
    bench.batch(3)
    bench.server.accept("cancel", {}, reset, {})
    bench.script("query", asked(18), row=2)
    bench.run(concurrency=1, lasting=2.0)
    if "nothing-left" in bench.events(2):
        assert bench.states == [CANCELLED] * 3
        assert bench.posts == {1: 1, 2: 1, 3: 1}
        return
    assert bench.states == [CANCELLED, UNKNOWN, CANCELLED]
    assert bench.outcomes[1] == "RESULTADO DESCONOCIDO"
    assert bench.exit_code == 4
    assert bench.posts == {1: 1, 3: 1}
    assert bench.queries(2) >= 1


LONG = 1 << 20


@pytest.mark.parametrize(
    ("toxics", "settles"),
    cases(
        "F05",
        *((f"{k}-bytes", {"limit_up": k}, False) for k in (1, 2, 15, 60, 120, 200, 260, 320)),
        ("reset-after-20", {"limit_up": 20, "limit_reset": True}, False),
        ("reset-after-300", {"limit_up": 300, "limit_reset": True}, False),
        ("all-but-two", {"short_by": 2}, False),
        ("all-but-one", {"short_by": 1}, True),
    ),
)
def test_f05_a_request_cut_after_some_bytes_is_unknown_and_ends_with_a_person(
    bench: Bench, proxy: Proxy, toxics: dict[str, Any], settles: bool
) -> None:
    bench.batch(1)
    bench.urls["cancel"] = proxy.link("cancel", bench.server.ports["cancel"], **toxics)
    bench.script("query", asked(18))
    bench.run(lasting=2.0)
    assert bench.states == [UNKNOWN]
    for entry in bench.server.entries(listener="cancel"):  # none at all when the reset overtook the bytes
        assert 0 < entry["partial"] <= toxics.get("limit_up", LONG)
    assert not bench.posts
    if settles:
        bench.settle()
        assert bench.states == [REVIEW]
        assert bench.notes == ["18-tras-intento"]
    assert not bench.posts
    assert bench.outcomes == ["RESULTADO DESCONOCIDO"]
    assert bench.exit_code == 4


@pytest.mark.parametrize(
    ("action", "note"),
    [
        *cases("F06", ("received-then-reset", sends(end="reset"), "reset")),
        *cases("F07", ("received-then-closed", sends(end="close"), "protocol")),
    ],
)
@pytest.mark.parametrize("applied", [True, False], ids=["applied", "not-applied"])
def test_f06_f07_a_request_that_was_received_and_not_answered_is_found_by_query(
    bench: Bench, action: Action, note: str, applied: bool
) -> None:
    unclear(bench, action, note, applied=applied)
    assert bench.posts[2] == 1


@pytest.mark.parametrize("applied", [True, False], ids=["F08-applied", "F08-not-applied"])
def test_f08_an_answer_that_never_comes_is_unknown_after_the_deadline_and_found_by_query(
    bench: Bench, applied: bool
) -> None:
    unclear(bench, sends(end="hang"), "read-timeout", applied=applied, read_s=0.6)
    assert bench.posts[2] == 1


@pytest.mark.parametrize("speed", [pytest.param(30.0, id="F09-30-s-later"), pytest.param(60.0, id="F09-60-s-later")])
def test_f09_a_request_delivered_after_its_sender_gave_up_is_not_sent_again_and_found_in_the_end(
    bench: Bench, proxy: Proxy, speed: float
) -> None:
    """It is held for a second, which is half a minute or a whole one here. The 18 before that proves nothing."""
    bench.batch(1, speed=speed)
    bench.urls["cancel"] = proxy.link("cancel", bench.server.ports["cancel"], hold=1.0)
    bench.script("query", asked(18), {})
    bench.run("send", read_s=0.2)
    assert bench.states == [UNKNOWN]
    assert not bench.server.cancelled
    bench.run("poll", lasting=300.0)
    assert bench.states == [CANCELLED]
    assert bench.posts == {1: 1}
    assert bench.queries(1) >= 2
    assert bench.exit_code == 0


def test_f10_a_dripping_answer_is_given_up_at_the_deadline_and_frees_its_place(bench: Bench) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    unclear(bench, repeats(head, b" ", 1000, pause=0.05), "deadline", concurrency=1, read_s=2.0, total_s=0.8)
    first, second = (e["at"] for e in bench.server.entries(service="cancel")[1:])
    assert 0.7 <= second - first < 25, "the whole answer would have taken 50 seconds"


# --------------------------------------------------------------------- answers that nobody can rely on: F11 - F18


@pytest.mark.one_in(5)
@pytest.mark.parametrize(
    ("action", "note"),
    [
        *cases(
            "F11",
            ("half-status-line", sends(b"HTTP/1.1 2", end="close"), "protocol"),
            ("half-headers", sends(b"HTTP/1.1 200 OK\r\nContent-Le", end="close"), "protocol"),
            ("half-headers-reset", sends(b"HTTP/1.1 200 OK\r\nContent-Le", end="reset"), "reset"),
            ("rubbish", sends(b"\x00\xff\x13\x37 nothing of HTTP\r\n\r\n", end="close"), "protocol"),
        ),
        *cases(
            "F12",
            ("short-body", sends(http(200, '{"estado":2}', length=500), end="close"), "protocol"),
            ("short-body-reset", sends(http(200, '{"estado":2}', length=500), end="reset"), "reset"),
            ("half-chunk", sends(CHUNKED + b"c\r\n{", end="close"), "protocol"),
        ),
        *cases(
            "F15",
            ("malformed", says(raw='{"estado":2'), "not-json"),
            ("nan", says(raw='{"estado":NaN}'), "not-a-number"),
            ("5000-digits", says(raw='{"estado":' + "2" * 5000 + "}"), "state-not-plain"),
            ("nested", says(raw="[" * 30000 + "]" * 30000), "too-deep"),
            ("utf-16", says(raw='{"estado":2}'.encode("utf-16")), "not-utf8"),
            ("empty", says(raw=""), "empty"),
            ("list", says(raw='[{"estado":2}]'), "not-an-object"),
        ),
        *cases(
            "F16",
            ("estado-twice", says(raw='{"estado":6,"estado":2}'), "duplicate-keys"),
            ("estado-twice-in-two-cases", says(raw='{"estado":6,"ESTADO":2}'), "duplicate-keys"),
        ),
        *cases(
            "F17",
            *(
                (name, state(value), "state-not-plain")
                for name, value in (
                    ("float", 2.0), ("true", True), ("null", None), ("list", []), ("space", "2 "), ("zero", "02"),
                )
            ),
            ("missing", says(MensajeRespuesta="Recibido"), "no-state"),
        ),
        *cases("F18", *((f"state-{n}", state(n), f"unknown-state-{n}") for n in (3, 99, -1))),
    ],
)  # fmt: skip
@pytest.mark.parametrize("applied", [True, False], ids=["applied", "not-applied"])
def test_f11_to_f18_an_answer_that_is_not_understood_is_unknown_and_the_query_decides(
    bench: Bench, action: Action, note: str, applied: bool
) -> None:
    unclear(bench, action, note, applied=applied)


def packed(how: str, body: bytes) -> Action:
    return sends(http(200, body, Content_Encoding=how))


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@pytest.mark.parametrize(
    ("make", "note"),
    cases(
        "F13",
        ("one-gibibyte", lambda: repeats(http(200, "", length=1 << 30), b" " * 65536, 1 << 14), "too-long"),
        ("endless", lambda: repeats(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536, 1 << 14), "too-long"),
        ("gzip-bomb", lambda: packed("gzip", gzip.compress(bytes(1 << 26))), "content-encoding"),
        ("deflate-named-only", lambda: packed("deflate", b'{"estado":2}'), "content-encoding"),
    ),
)  # fmt: skip
def test_f13_a_huge_or_packed_answer_is_cut_and_never_unpacked(bench: Bench, make: Any, note: str) -> None:
    action = make()
    before = memory()
    unclear(bench, action, note)
    assert memory() - before < 40
    assert {e["identity"] for e in bench.server.entries(service="cancel")} == {"identity"}


def test_f14_a_web_page_for_an_answer_stops_the_run_at_the_canary(bench: Bench) -> None:
    bench.batch(6)
    bench.script("cancel", HTML)
    bench.run()
    assert bench.states == [UNKNOWN, *[READY] * 5]
    assert bench.posts == {1: 1}
    assert bench.exit_code == 5
    assert "no se entendieron" in bench.said


@pytest.fixture
def moments(bench: Bench, at_points: Callable[[Callable[[str], None]], None]) -> dict[str, list[float]]:
    """When the program passed each of its named points, by its own clock."""
    seen: defaultdict[str, list[float]] = defaultdict(list)
    at_points(lambda name: seen[name].append(bench.clock.monotonic()))
    return seen


@pytest.mark.parametrize("concurrency", [1, 4, 8], ids=lambda n: f"F14-{n}-in-flight")
def test_f14_web_pages_from_the_tenth_row_on_open_the_breaker_and_the_third_opening_ends_the_run(
    bench: Bench, moments: dict[str, list[float]], concurrency: int
) -> None:
    """Three answers open it, at most the others in flight are added to them; then one canary for each further
    opening, and nothing else. The pause counts from the third answer, and from the canary's. A good answer that the
    first web pages overtook begins the count anew, with no more of them than others were in flight."""
    bench.batch(40)
    bench.script("cancel", *[{}] * 9, HTML)
    bench.run("send", concurrency=concurrency, breaker_wait=4.0)
    unknown = bench.states.count(UNKNOWN)
    assert 5 <= unknown <= 3 + 2 * (concurrency - 1) + 2
    assert bench.states.count(CANCELLED) == 9
    assert bench.states.count(READY) == 40 - 9 - unknown
    assert bench.exit_code == 5
    assert bench.posts.total() == 9 + unknown
    left, shown = moments["departure"], moments["outcome-shown"]
    assert left[-2] - shown[9 + 3 - 1] >= 4.0
    assert left[-1] - left[-2] >= 4.0


def test_f18_unknown_states_one_after_the_other_open_the_breaker(bench: Bench, moments: dict[str, list[float]]) -> None:
    bench.batch(12)
    bench.script("cancel", {}, state(99), state(99), state(99), {})
    bench.run("send", concurrency=1, breaker_wait=20.0)
    assert bench.states == [CANCELLED, UNKNOWN, UNKNOWN, UNKNOWN, *[CANCELLED] * 8]
    assert moments["departure"][4] - moments["outcome-shown"][3] >= 20.0


# ------------------------------------------------------------------------------------- the states: F19


def test_f15_a_byte_order_mark_before_the_answer_is_read_over(bench: Bench) -> None:
    bench.batch(3)
    bench.script("cancel", says(raw=b'\xef\xbb\xbf{"estado":2}', apply="now"), row=2)
    bench.run("send")
    assert bench.states == [CANCELLED] * 3


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("number", "after", "word", "code"),
    cases(
        "F19",
        ("2", 2, CANCELLED, "ANULADA", 0),
        ("4", 4, State.NEEDS_SUPPORT, "ERROR eDoc", 1),
        ("5", 5, State.PENDING, "PENDIENTE", 4),
        ("6", 6, State.NEEDS_CORRECTION, "DEVUELTA", 1),
        ("7", 7, State.PENDING, "PENDIENTE", 4),
        ("10", 10, State.PENDING, "PENDIENTE", 4),
        ("11", 11, CANCELLED, "ANULADA", 0),
        ("15", 15, State.RETURNED, "DEVUELTA", 1),
        ("18", 18, State.NOT_FOUND, "NO ENCONTRADA", 1),
        ("20", 20, State.PENDING, "PENDIENTE", 4),
    ),
)
@pytest.mark.parametrize("text", [False, True], ids=["number", "text"])
def test_f19_each_known_state_leads_where_the_table_says_and_is_never_sent_again(
    bench: Bench, number: int, after: State, word: str, code: int, text: bool
) -> None:
    bench.batch(3)
    applied = "now" if number in (2, 11) else "never"
    bench.script("cancel", state(str(number) if text else number, apply=applied), row=2)
    bench.script("query", asked(number) if after is State.PENDING else {}, row=2)
    bench.run(lasting=3.0)
    assert bench.states == [CANCELLED, after, CANCELLED]
    assert bench.outcomes[1] == word
    assert bench.exit_code == code
    assert set(bench.posts.values()) == {1}
    # A returned row is queried once, a pending one again and again, a final one never.
    asked_for = bench.queries(2)
    assert asked_for >= 2 if after is State.PENDING else asked_for == (after is State.RETURNED)


def test_f19_a_pending_row_is_cancelled_when_the_query_says_so(bench: Bench) -> None:
    bench.batch(3)
    bench.script("cancel", state(5, apply="late") | {"late": 0.15}, row=2)
    bench.run(lasting=60.0)
    assert bench.states == [CANCELLED] * 3
    assert bench.posts == {1: 1, 2: 1, 3: 1}


# ----------------------------------------------------------------------------- strange connections: F20 - F22


@pytest.mark.parametrize("status", [200, 401, 429, 500], ids=lambda s: f"F20-http-{s}")
def test_f20_an_answer_about_another_document_is_unknown_and_stops_the_run(bench: Bench, status: int) -> None:
    bench.batch(4)
    bench.script("cancel", says(status, estado=2, cufe=make_cufe(3)), row=2)
    bench.run("send", concurrency=1)
    assert bench.states == [CANCELLED, UNKNOWN, READY, READY]
    assert bench.notes[1] == "crossed"
    assert bench.posts == {1: 1, 2: 1}
    assert bench.exit_code == 5
    assert "cruzada" in bench.said


def test_f21_of_two_answers_on_one_connection_the_first_counts_and_the_connection_is_dropped(bench: Bench) -> None:
    bench.batch(3)
    both = http(200, '{"estado":5}') + http(200, '{"estado":2}')
    bench.script("cancel", sends(both), row=2)
    bench.script("query", asked(5), row=2)
    bench.run(lasting=2.0)
    assert bench.states == [CANCELLED, State.PENDING, CANCELLED]
    assert set(bench.posts.values()) == {1}


def test_f21_an_unsolicited_answer_after_a_query_is_not_taken_for_the_answer_to_the_next_one(bench: Bench) -> None:
    """The stray answer says of no document in particular that it is cancelled, as if it were for whoever asks next."""
    bench.batch(3)
    bench.script("cancel", state(5))
    stray = http(200, '{"estadoEdoc":"5"}') + http(200, '{"estadoEdoc":"11"}')
    bench.script("query", sends(stray))
    bench.run(lasting=4.0)
    assert bench.states == [State.PENDING] * 3
    assert min(bench.queries(row) for row in (1, 2, 3)) >= 2


def test_f21_an_answer_before_the_question_is_not_understood(bench: Bench) -> None:
    """A server that times an idle connection out says 408 before anything was asked. The program makes a connection
    of its own for each POST, so nothing older can lie in it."""
    bench.batch(3)
    bench.server.accept("cancel", {}, sends(http(408, ""), end="close"), {})
    bench.run("send", concurrency=1)
    assert bench.states == [CANCELLED, UNKNOWN, CANCELLED]
    assert bench.posts[2] <= 1


@pytest.mark.parametrize("status", [100, 102, 103], ids=lambda s: f"F22-{s}")
def test_f22_a_flood_of_interim_answers_before_the_real_one_is_borne(bench: Bench, status: int) -> None:
    bench.batch(3)
    flood = repeats(b"", f"HTTP/1.1 {status} Wait\r\n\r\n".encode(), 500, end="keep")
    flood["pieces"].append([http(200, '{"estado":2}').decode(), 1, 0.0])
    bench.script("cancel", {**flood, "apply": "now"}, row=2)
    bench.run()
    assert bench.states == [CANCELLED] * 3
    assert bench.exit_code == 0


@pytest.mark.parametrize(
    ("action", "note"),
    cases(
        "F22",
        ("for-ever", repeats(b"", b"HTTP/1.1 102 Processing\r\n\r\n", 10000, pause=0.01), "deadline"),
        ("and-nothing-else", sends(b"HTTP/1.1 102 Processing\r\n\r\n", end="close"), "protocol"),
        ("switching-protocols", sends(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", end="close"), "protocol"),
    ),
)
def test_f22_interim_answers_alone_are_unknown(bench: Bench, action: Action, note: str) -> None:
    unclear(bench, action, note, total_s=0.6, read_s=2.0)


# ---------------------------------------------------------------------------------- statuses: F23 - F29


@pytest.mark.one_in(4)
@pytest.mark.parametrize("where", ["same", "other", "https"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308], ids=lambda s: f"F23-{s}")
def test_f23_a_redirect_is_not_followed_and_stops_the_run(bench: Bench, status: int, where: str) -> None:
    bench.batch(4)
    port = bench.server.ports["cancel" if where == "same" else "other"]
    target = f"{'https' if where == 'https' else 'http'}://127.0.0.1:{port}/otra/Anulacion"
    bench.script("cancel", sends(http(status, "", Location=target)), row=2)
    bench.run("send", concurrency=1)
    assert bench.states == [CANCELLED, UNKNOWN, READY, READY]
    assert bench.exit_code == 5
    assert "redirección" in bench.said
    assert bench.posts == {1: 1, 2: 1}
    assert not bench.server.entries(listener="other")
    assert not bench.server.entries(connection="other")
    assert {e["path"] for e in bench.server.entries(service="cancel")} == {"/Emision/Eventos/API/Anulacion"}


@pytest.mark.parametrize("status", [400, 409, 422], ids=lambda s: f"F24-{s}")
def test_f24_a_refusal_without_an_edoc_state_is_unknown_and_ends_with_a_person(bench: Bench, status: int) -> None:
    bench.batch(3)
    bench.script("cancel", says(status, MensajeRespuesta="Documento no encontrado."), row=2)
    bench.script("query", asked(18), row=2)
    bench.run(lasting=2.0)
    assert bench.states == [CANCELLED, UNKNOWN, CANCELLED]
    bench.settle()
    assert bench.states == [CANCELLED, REVIEW, CANCELLED]
    assert bench.posts == {1: 1, 2: 1, 3: 1}
    assert bench.exit_code == 4


@pytest.mark.parametrize("status", [404, 405, 413, 415], ids=lambda s: f"F24-{s}")
def test_f24_a_status_of_a_wrong_address_is_unknown_and_stops_the_run(bench: Bench, status: int) -> None:
    bench.batch(4)
    bench.script("cancel", says(status, Message="No HTTP resource was found"), row=2)
    bench.run("send", concurrency=1)
    assert bench.states == [CANCELLED, UNKNOWN, READY, READY]
    assert bench.posts == {1: 1, 2: 1}
    assert bench.exit_code == 5
    assert f"HTTP {status}" in bench.said


@pytest.mark.parametrize(
    ("status", "number", "after"),
    cases(
        "F24",
        ("400-with-state-6", 400, 6, State.NEEDS_CORRECTION),
        ("422-with-state-4", 422, 4, State.NEEDS_SUPPORT),
        ("400-with-state-18", 400, 18, State.NOT_FOUND),
        ("400-with-state-2", 400, 2, UNKNOWN),
    ),
)
def test_f24_a_refusal_with_an_edoc_state_goes_by_the_state_but_never_proves_a_cancellation(
    bench: Bench, status: int, number: int, after: State
) -> None:
    bench.batch(3)
    bench.script("cancel", state(number, status=status), row=2)
    bench.run("send")
    assert bench.states == [CANCELLED, after, CANCELLED]
    assert set(bench.posts.values()) == {1}


def test_f25_tokens_that_expire_with_eight_requests_in_flight_are_renewed_once_and_every_row_is_applied_once(
    bench: Bench,
) -> None:
    bench.batch(40)
    slow = {"wait": 0.1}
    bench.script("cancel", *[{}] * 15, *[slow] * 3, {"revoke": True, **slow}, slow)
    bench.run(concurrency=8)
    assert bench.states == [CANCELLED] * 40
    assert bench.server.most_open["cancel"] == 8
    assert len(bench.server.entries(service="token", service_id="16")) == 2
    again = [row for row, count in bench.posts.items() if count == 2]
    assert 1 <= len(again) <= 8
    assert max(bench.posts.values()) == 2
    assert len(bench.server.entries(truth="cancelled")) == 40
    assert bench.exit_code == 0


def test_f26_a_token_that_is_always_refused_is_tried_twice_and_stops_the_run(bench: Bench) -> None:
    """The row stays "401 refused", which shows as not sent and is proven so, rather than waiting for a review: a 401
    was not applied, and the same command sends it once the rights are in order."""
    bench.batch(4)
    bench.script("cancel", says(401, MensajeRespuesta="Token no válido"))
    bench.run()
    assert bench.states == [State.REFUSED_AUTH, READY, READY, READY]
    assert bench.posts == {1: 2}
    assert len(bench.server.entries(service="token")) <= 3
    assert bench.outcomes == ["NO ENVIADA"] * 4
    assert bench.exit_code == 5
    assert "401" in bench.said

    bench.script("cancel", {})
    bench.run()
    assert bench.states == [CANCELLED] * 4
    assert bench.posts == {1: 3, 2: 1, 3: 1, 4: 1}


def test_f26_a_refused_permission_is_unknown_and_stops_the_run(bench: Bench) -> None:
    bench.batch(4)
    bench.script("cancel", says(403, MensajeRespuesta="Sin permisos"), row=2)
    bench.run("send", concurrency=1)
    assert bench.states == [CANCELLED, UNKNOWN, READY, READY]
    assert bench.exit_code == 5
    assert "403" in bench.said
    assert len(bench.server.entries(service="token")) <= 3


SENT = "Fri, 20 Nov 2026 09:00:00 GMT"


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("headers", "least", "speed"),
    cases(
        "F27",
        ("2", {"Retry_After": "2"}, 2.0, 20.0),
        ("date", {"Retry_After": "Fri, 20 Nov 2026 09:00:03 GMT", "Date": SENT}, 3.0, 20.0),
        ("past-date", {"Retry_After": "Thu, 19 Nov 2026 09:00:00 GMT", "Date": SENT}, 1.0, 20.0),
        ("1000000000", {"Retry_After": "1000000000"}, 900.0, 2000.0),
        ("soon", {"Retry_After": "soon"}, 5.0, 20.0),
        ("absent", {}, 5.0, 20.0),
    ),
)
@pytest.mark.parametrize("status", [429, 503])
def test_f27_everybody_waits_as_long_as_told_and_no_longer_than_a_quarter_of_an_hour(
    bench: Bench, headers: dict[str, Any], least: float, speed: float, status: int
) -> None:
    """A 429 counts as not applied (D12): that row goes again after the pause. A 503 is unknown and never does."""
    bench.batch(3, speed=speed)
    bench.script("cancel", {}, sends(http(status, "{}", **headers)), {})
    bench.run("send", concurrency=1)
    assert bench.states == [CANCELLED, CANCELLED if status == 429 else UNKNOWN, CANCELLED]
    assert bench.posts == {1: 1, 2: 2 if status == 429 else 1, 3: 1}
    times = [e["at"] for e in bench.server.entries(service="cancel")]
    assert (times[2] - times[1]) * speed >= least


def test_f27_a_429_for_ever_is_given_up_and_the_row_is_not_sent(bench: Bench) -> None:
    bench.batch(3)
    bench.script("cancel", sends(http(429, "{}", Retry_After="1")))
    bench.run(tries=3)
    assert bench.states == [State.NOT_SENT, READY, READY]
    assert bench.posts == {1: 3}
    assert bench.exit_code == 5
    assert "esperar" in bench.said


def test_f27_a_429_is_unknown_where_the_setting_says_that_it_proves_nothing(bench: Bench) -> None:
    bench.batch(3)
    bench.script("cancel", sends(http(429, "{}", Retry_After="1")), row=2)
    bench.run(resend_after_429=False, lasting=2.0)
    assert bench.states == [CANCELLED, UNKNOWN, CANCELLED]
    assert bench.posts == {1: 1, 2: 1, 3: 1}


@pytest.mark.one_in(2)
@pytest.mark.parametrize("applied", [True, False], ids=["after-processing", "before-processing"])
@pytest.mark.parametrize("status", [500, 502, 503, 504], ids=lambda s: f"F28-{s}")
def test_f28_a_server_error_is_unknown_whether_or_not_it_was_processed(
    bench: Bench, status: int, applied: bool
) -> None:
    unclear(bench, says(status, Message="An error has occurred."), f"http-{status}", applied=applied)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("status", [408, 425, 499, *range(520, 530)], ids=lambda s: f"F29-{s}")
def test_f29_a_status_of_a_middle_box_is_unknown(bench: Bench, status: int) -> None:
    applied = status % 2 == 0
    raw = "<html>cloud</html>" if status >= 520 else "{}"
    note = f"http-{status}"
    unclear(bench, says(status, raw=raw), note, applied=applied)


@pytest.mark.parametrize("status", [201, 202, 204, 206], ids=lambda s: f"F29-{s}")
def test_f29_a_success_of_another_kind_proves_nothing(bench: Bench, status: int) -> None:
    raw = b"HTTP/1.1 204 No Content\r\n\r\n" if status == 204 else http(status, '{"estado":2}')
    unclear(bench, sends(raw), f"http-{status}")


# --------------------------------------------------------------------------- lines and middle boxes: F30 - F32


@pytest.mark.parametrize("end", ["close", "reset"], ids=lambda e: f"F30-{e}")
def test_f30_a_connection_that_is_closed_as_the_request_starts_is_unknown(bench: Bench, end: str) -> None:
    """Each POST has a connection of its own, so an idle one that the server has closed can never be met; what is left
    of this fault is a server that closes when the first byte comes."""
    bench.batch(3)
    bench.server.accept("cancel", {}, {"read": 1, "end": end}, {})
    bench.run(concurrency=1, lasting=2.0)
    assert bench.states == [CANCELLED, UNKNOWN, CANCELLED]
    assert bench.posts == {1: 1, 3: 1}


def test_f30_connections_that_the_server_closes_after_each_query_disturb_no_later_query(bench: Bench) -> None:
    bench.batch(3)
    bench.script("cancel", state(5))
    bench.script("query", {"end": "close-later", "late": 0.02}, {"end": "close-later", "late": 0.02})
    bench.run("send")
    for cufe in bench.cufes:
        bench.server.do("cancelled", cufe=cufe)
    bench.run("poll", lasting=10.0)
    assert bench.states == [CANCELLED] * 3


def test_f31_a_middle_box_that_delivers_twice_is_seen_though_the_program_sent_once(bench: Bench, proxy: Proxy) -> None:
    bench.batch(3).copies = 2
    bench.urls["cancel"] = proxy.link("cancel", bench.server.ports["cancel"], duplicate=True)
    bench.run()
    assert bench.posts == {1: 2, 2: 2, 3: 2}
    assert proxy.do("passed", name="cancel") == 3
    assert [bench.events(row).count("claimed") for row in (1, 2, 3)] == [1, 1, 1]
    assert set(bench.outcomes) <= {"ANULADA", "YA ANULADA"}
    assert len(bench.server.entries(truth="cancelled")) == 3


def test_f32_a_partition_in_the_middle_leaves_at_most_those_in_flight_unknown_and_the_next_run_ends_it(
    bench: Bench, proxy: Proxy
) -> None:
    bench.batch(60)
    for name in ("auth", "cancel", "query"):
        bench.urls[name] = proxy.link(name, bench.server.ports[name])
    bench.script("cancel", *[{"wait": 0.05}] * 24, {"wait": 0.4})  # who comes later is long enough in flight

    def cut() -> None:
        end = time.monotonic() + 30
        while len(bench.server.entries(service="cancel")) < 24 and time.monotonic() < end:
            time.sleep(0.005)
        for name in ("auth", "cancel", "query"):
            proxy.do("stop", name=name)

    knife = threading.Thread(target=cut)
    knife.start()
    bench.run(concurrency=8, tries=2)
    knife.join()
    first = bench.states
    assert 1 <= first.count(UNKNOWN) <= 8
    assert bench.exit_code == 5
    assert first.count(READY) + first.count(State.NOT_SENT) > 0

    bench.script("cancel", {"wait": 0.05})
    for name in ("auth", "cancel", "query"):
        proxy.do("start", name=name)
    bench.run(concurrency=8, lasting=4.0)
    alive = [row for row, word in enumerate(bench.outcomes, start=1) if word != "ANULADA"]
    # What was cut before it arrived is alive, and a person will hear so; everything else is cancelled.
    assert all(bench.posts[row] == 0 for row in alive)
    assert len(alive) <= 8
    assert max(bench.posts.values()) == 1


@pytest.mark.parametrize(
    "toxics",
    cases(
        "F32",
        ("latency", {"latency": 0.1}),
        ("bandwidth", {"bandwidth": 2000}),
        ("slicer", {"slicer": 7}),
        ("slow-close", {"slow_close": 0.3}),
    ),
)
def test_f32_a_bad_line_that_still_delivers_changes_nothing(bench: Bench, proxy: Proxy, toxics: dict[str, Any]) -> None:
    bench.batch(6)
    for name in ("auth", "cancel", "query"):
        bench.urls[name] = proxy.link(name, bench.server.ports[name], **toxics)
    bench.run()
    assert bench.states == [CANCELLED] * 6
    assert set(bench.posts.values()) == {1}


@pytest.mark.parametrize("toxics", cases("F32", ("silence", {"timeout": 0.3}), ("reset-peer", {"reset_peer": 0.02})))
def test_f32_a_line_that_breaks_once_leaves_one_row_unknown(bench: Bench, proxy: Proxy, toxics: dict[str, Any]) -> None:
    bench.batch(4)
    bench.urls["cancel"] = proxy.link("cancel", bench.server.ports["cancel"], once=True, **toxics)
    bench.script("cancel", {"wait": 0.2}, row=1)
    bench.run(lasting=10.0)
    assert max(bench.posts.values()) == 1
    assert bench.outcomes[1:] == ["ANULADA"] * 3
    assert bench.outcomes[0] == ("ANULADA" if bench.posts[1] else "SIGUE AUTORIZADA")
