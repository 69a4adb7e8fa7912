"""The process that reads: says what parsing here would say, can do nothing else, and may end in any way (P10)."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

import pytest

from pipeline.domain.errors import InputRefused
from pipeline.read import child
from pipeline.read.limits import MEGABYTE, Limits
from pipeline.read.parse import parse
from pipeline.read.process import Reader
from pipeline.read.protocol import NOTHING_TO_DO, OUT_OF_MEMORY, Order, encode
from pipeline.read.sheet import read_sheet
from tests.support import reading

Make = Callable[..., Path]
Xml = Callable[..., str]
SAMPLES = Path(__file__).parents[3] / "sample_data"
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="as Linux has it")


@pytest.fixture
def path(book: Make, sheet_xml: Xml, good_rows: list[str]) -> Path:
    return book(sheet_xml(*good_rows))


def saying(*statements: str) -> list[str]:
    """A process that takes the place of the one that reads."""
    return [sys.executable, "-c", "\n".join(("import os, signal, sys, time", *statements))]


def refused_by(path: Path, command: Sequence[str], **limits: Any) -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        read_sheet(path, limits=Limits(**limits), reader=Reader(command))
    assert path.name in caught.value.message
    return caught.value


def outcome(read: Callable[..., Any], path: Path, **options: Any) -> Any:
    """All that a sheet or a refusal says, to be compared."""
    try:
        sheet = read(path, **options)
    except InputRefused as refusal:
        return refusal.code, refusal.sentence
    rest = {name: value for name, value in vars(sheet).items() if name not in ("cells", "text")}
    return rest, sheet.cells.to_dict(), sheet.text.to_dict(), [type(cell) for cell in sheet.cells.to_numpy().flat]


# --- it says the same


@pytest.mark.parametrize("name", ["lote_mensual.xlsx", "lote_mensual.csv", "lote_con_errores.xlsx"])
def test_the_samples_are_read_there_as_they_would_be_here(name: str) -> None:
    assert outcome(read_sheet, SAMPLES / name) == outcome(reading.read_sheet, SAMPLES / name)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "CUFE;Motivo\nx;y\n"),
        ("a.csv", "CUFE;Motivo\nx;Anulación\n".encode("cp1252")),
        ("a.csv", "CUFE;Motivo\nx;Anulación\n".encode("utf-16")),
        ("a.csv", "\ufeffCUFE;Motivo\nx;y\n"),
        ("a.csv", "CUFE;Motivo\nx;Anulación ".encode() + b"\xf3\n"),
        ("a.csv", b"CUFE;Motivo\nx;\x81\n"),
        ("a.csv", "CUFE;Motivo\nx;y;z\n"),
        ("a.csv", "CUFE\tMotivo\nx\ty\x01\u2028\n"),
        ("a.csv", 'CUFE;Motivo\nx;"y\n'),
        ("a.csv", "Motivo\ny\n"),
        ("a.csv", b"PK\x03\x04"),
        ("a.xlsx", b"PK\x03\x04"),
        ("a.xlsx", b"%PDF"),
    ],
)
def test_texts_and_broken_files_are_read_there_as_they_would_be_here(
    name: str, content: bytes | str, write: Make
) -> None:
    path = write(content, name)
    assert outcome(read_sheet, path) == outcome(reading.read_sheet, path)
    assert outcome(read_sheet, path, sheet="A") == outcome(reading.read_sheet, path, sheet="A")


def test_workbooks_are_read_there_as_they_would_be_here(
    excel: Make, book: Make, sheet_xml: Xml, good_rows: list[str]
) -> None:
    """Numbers, dates, durations, errors; a zip with names of the old code page; parts out of order, broken XML."""
    values = [
        7,
        7.5,
        True,
        date(2026, 11, 1),
        datetime.fromisoformat("2026-11-01T09:30:00"),
        clock_time(9, 30),
        timedelta(hours=30),
    ]
    rows = [["CUFE", "Motivo", "Otro"], *([value, value, "=1/0"] for value in values)]
    comment = "<!-- looked through slowly -->"
    for path, options in (
        (excel(rows), {}),
        (book(sheet_xml(*good_rows), more={"xl/ñ.xml": "<a/>"}, name="b.xlsx"), {}),
        (book(sheet_xml(*good_rows, comment), name="c.xlsx"), {"sheet": "HOJA1"}),
        (book(sheet_xml(*good_rows[::-1]), name="d.xlsx"), {"include_hidden": True}),
        (book(sheet_xml(*good_rows), more={"xl/workbook.xml": "<a"}, name="e.xlsx"), {}),
        (book(sheet_xml(*good_rows), more={"xl/sharedStrings.xml": "<sst"}, name="f.xlsx"), {}),
        (book(sheet_xml(*good_rows, '<row r="4"><c r="A4"><v>1e999</v></c></row>'), name="g.xlsx"), {}),
    ):
        assert outcome(read_sheet, path, **options) == outcome(reading.read_sheet, path, **options)


# --- it can do nothing else

LIMITS = ("RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC")
BOUND = """
import json, os, resource, socket, sys
from pipeline.read import child
from pipeline.read.limits import Limits
child.bound(Limits(memory=600 * 1024 * 1024, cpu=7))
can = []
for name, attempt in {
    "open a file": lambda: open("/etc/passwd"),
    "write a file": lambda: open(sys.argv[1], "w"),
    "open a socket": lambda: socket.socket(),
    "make a pipe": os.pipe,
    "allocate": lambda: bytearray(700 * 1024 * 1024),
}.items():
    try:
        attempt()
    except (OSError, MemoryError):
        continue
    can.append(name)
limits = {name: resource.getrlimit(getattr(resource, name)) for name in sys.argv[2].split()}
print(json.dumps({"can": can, "limits": limits}))
"""


@linux
def test_once_bound_it_can_open_nothing_and_has_no_more_than_its_limits(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BOUND, str(tmp_path / "x"), " ".join(LIMITS)], check=True, capture_output=True
    )
    told = json.loads(done.stdout)
    assert told["can"] == []
    assert told["limits"] == {
        "RLIMIT_AS": [600 * MEGABYTE] * 2,
        "RLIMIT_CORE": [0, 0],
        "RLIMIT_CPU": [7, 8],
        "RLIMIT_FSIZE": [0, 0],
        "RLIMIT_NOFILE": [3, 3],
        "RLIMIT_NPROC": [0, 0],
    }


def test_it_knows_no_setting_and_no_credential_and_keeps_one_thread(path: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("ANULAR_PASSWORD", "cláve")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy")
    told = tmp_path / "environment.json"
    refused_by(path, saying("import json", f"json.dump(dict(os.environ), open({str(told)!r}, 'w'))"))
    environment = json.loads(told.read_text("utf-8"))
    assert not [name for name in environment if name.startswith("ANULAR")]
    assert not [value for value in environment.values() if "secret" in value]
    assert environment["OPENBLAS_NUM_THREADS"] == "1"


def test_what_lies_in_the_current_folder_is_never_loaded(path: Path, tmp_path: Path, monkeypatch) -> None:
    """A file called json.py beside the spreadsheet must not become part of the program."""
    for name in ("json.py", "codecs.py", "numpy.py", "pipeline.py"):
        (tmp_path / name).write_text("raise SystemExit('loaded')", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert len(read_sheet(path).cells) == 2


# --- it may end in any way

ENDS = {
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", "lectura-fallida", "falta de memoria"),
    "crashed": ("os.kill(os.getpid(), signal.SIGSEGV)", "lectura-fallida", "señal 11"),
    "aborted": ("os.abort()", "lectura-fallida", "señal 6"),
    "no room, says Rust": (
        "sys.stderr.write('memory allocation of 96 bytes failed'); sys.stderr.flush(); os.abort()",
        "lectura-memoria",
        "1536 MB",
    ),
    "no room, says Python": (f"os._exit({OUT_OF_MEMORY})", "lectura-memoria", "1536 MB"),
    "out of time": ("os.kill(os.getpid(), signal.SIGXCPU)", "lectura-tiempo", "60 segundos"),
    "error": ("raise RuntimeError('CUFE FE01')", "lectura-fallida", "código 1"),
    "not all came": (f"os._exit({NOTHING_TO_DO})", "lectura-fallida", f"código {NOTHING_TO_DO}"),
    "silent": ("sys.stdin.buffer.read()", "lectura-fallida", "no dio una respuesta"),
    "nonsense": ("sys.stdin.buffer.read(); print('pánico ' * 1000)", "lectura-fallida", "no dio una respuesta"),
    "a pickle": (
        "import pickle; sys.stdin.buffer.read(); sys.stdout.buffer.write(pickle.dumps(os.getcwd))",
        "lectura-fallida",
        "no dio una respuesta",
    ),
}


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
@pytest.mark.parametrize(("statement", "code", "words"), ENDS.values(), ids=ENDS)
def test_however_it_ends_there_is_one_clear_refusal(statement: str, code: str, words: str, path: Path) -> None:
    error = refused_by(path, saying(statement))
    assert (error.code, words in error.message) == (code, True)
    assert "FE01" not in error.sentence
    assert error.remedy


def test_a_good_answer_of_a_process_that_then_dies_is_not_believed(path: Path) -> None:
    good = b"".join(encode(parse(path.read_bytes(), path.name, Limits())))
    command = saying("sys.stdin.buffer.read()", f"os.write(1, {good!r})", "os.abort()")
    assert refused_by(path, command).code == "lectura-fallida"
    command = saying("sys.stdin.buffer.read()", f"os.write(1, {good!r})")
    assert len(read_sheet(path, reader=Reader(command)).cells) == 2


@pytest.mark.parametrize("statement", ["time.sleep(600)", "sys.stdin.buffer.read(); time.sleep(600)"])
def test_one_that_hangs_is_ended_by_the_clock(statement: str, path: Path, monkeypatch) -> None:
    monkeypatch.setattr("pipeline.read.limits.PATIENCE", 0.2)
    path.write_bytes(path.read_bytes() * 40)  # more than a pipe takes, so that the first one hangs us while we write
    error = refused_by(path, saying(statement), cpu=1)
    assert (error.code, "1 segundos" in error.message) == ("lectura-tiempo", True)


def test_an_answer_without_end_is_cut_off(path: Path) -> None:
    command = saying("while True: os.write(1, b'x' * 60000)")
    assert refused_by(path, command, memory=MEGABYTE).code == "lectura-fallida"


def test_one_that_cannot_be_started_is_a_refusal_too(path: Path, tmp_path: Path) -> None:
    error = refused_by(path, [str(tmp_path / "no-such-python")])
    assert (error.code, "no permitió iniciar" in error.message) == ("lectura-fallida", True)


@linux
def test_a_spin_is_ended_by_the_limit_of_computing(path: Path) -> None:
    """The limit that the reading process sets itself, met by a loop that never returns."""
    names = "import time; from pipeline.read import child; from pipeline.read.limits import Limits"
    used = "cpu = int(time.process_time()) + 1"  # what a loaded machine takes for the start is no matter
    command = saying(names, "sys.stdin.buffer.read()", used, "child.bound(Limits(cpu=cpu))", "while True: pass")
    assert refused_by(path, command).code == "lectura-tiempo"


@linux
def test_a_workbook_too_large_for_the_memory_allowed_is_refused(
    book: Make, sheet_xml: Xml, good_rows: list[str]
) -> None:
    """One long text, written once and shown in every row: small on the disk, gigabytes once it is read."""
    shown = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(4, 60_000))
    strings = f'<sst xmlns="x" count="1" uniqueCount="1"><si><t>{"largo " * 5000}</t></si></sst>'
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{links}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{links}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    )
    more = {"xl/sharedStrings.xml": strings, "xl/_rels/workbook.xml.rels": relations}
    path = book(sheet_xml(*good_rows, shown), more=more)
    assert path.stat().st_size < MEGABYTE
    with pytest.raises(InputRefused) as caught:
        read_sheet(path, limits=Limits(memory=300 * MEGABYTE))
    assert (caught.value.code, "300 MB" in caught.value.message) == ("lectura-memoria", True)


def exhausted(*_: Any, **__: Any) -> Any:
    raise MemoryError


class NoRoom:
    """An XML parser that says so by its error code, as expat does."""

    def Parse(self, *_: Any) -> None:  # noqa: N802 - expat's own name
        error = expat.ExpatError("out of memory")
        error.code = 1
        raise error


def no_room_for_a_tree(*_: Any) -> None:
    error = ParseError("out of memory")
    error.code = 1
    raise error


@pytest.mark.parametrize(
    ("place", "instead"),
    [
        ("pipeline.read.guard.zipfile.ZipFile", exhausted),
        ("pipeline.read.worksheets.fromstring", no_room_for_a_tree),
        ("pipeline.read.full_scan.expat", SimpleNamespace(ParserCreate=NoRoom, ExpatError=expat.ExpatError)),
        ("python_calamine.CalamineWorkbook", SimpleNamespace(from_filelike=exhausted)),
    ],
)
def test_running_out_of_memory_within_a_parser_is_not_called_damage(
    place: str, instead: Any, path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(place, instead)
    with pytest.raises(MemoryError):
        parse(path.read_bytes(), path.name, Limits())


def test_the_process_says_by_its_exit_code_that_memory_ran_out(monkeypatch) -> None:
    monkeypatch.setattr(child, "parse", exhausted)
    monkeypatch.setattr(os, "_exit", sys.exit)
    with pytest.raises(SystemExit) as ended:
        child.answer(b"", Order(1, 0, "a.csv", None, False, Limits()), io.BytesIO())
    assert ended.value.code == OUT_OF_MEMORY


# --- nobody is left behind


@linux
def test_it_ends_with_the_block_whether_or_not_it_was_used(path: Path) -> None:
    with Reader() as idle:
        assert alive(idle.pid)
    assert not alive(idle.pid)
    used = Reader()
    read_sheet(path, reader=used)
    assert not alive(used.pid)
    used.close()  # a second time does no harm


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Python's own handler: a shell that started the tests in the background had the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@linux
def test_ctrl_c_ends_it_and_is_not_swallowed(path: Path, ctrl_c: None) -> None:
    reader = Reader(saying("sys.stdin.buffer.read()", "os.kill(os.getppid(), signal.SIGINT)", "time.sleep(600)"))
    with pytest.raises(KeyboardInterrupt):
        read_sheet(path, reader=reader)
    assert not alive(reader.pid)


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_for_everybody_does_not_make_a_refusal_out_of_a_good_file(number: int, path: Path) -> None:
    """A terminal and a service manager tell all processes to end; what that means for the file, the parent says."""
    with Reader() as reader:
        assert reader.pid is not None
        os.kill(reader.pid, number)  # at its very beginning
        assert outcome(read_sheet, path, reader=reader) == outcome(read_sheet, path)


PARENT = """
import sys, threading
from pipeline.read.limits import Limits
from pipeline.read.protocol import Order
from pipeline.read.process import Reader
import os
reader = Reader()
reader._process.stdin.write(Order(os.getpid(), 10, "a.csv", None, False, Limits()).line())
reader._process.stdin.flush()
print(reader.pid, flush=True)
keep = os.dup(reader._process.stdin.fileno())
os.set_inheritable(keep, True)
if sys.argv[1] == "leak":
    os.posix_spawn("/bin/sleep", ["sleep", "600"], {})
threading.Event().wait()
"""


@linux
@pytest.mark.parametrize("how", ["plain", "leak"])
def test_a_parent_that_is_killed_leaves_none_behind(how: str) -> None:
    """Also when its standard input stays open in somebody else's hands."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, how], stdout=subprocess.PIPE, start_new_session=True)
    assert parent.stdout is not None
    try:
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
        parent.wait()
        gone_before(pid, 30)
    finally:
        if how == "leak":
            os.killpg(parent.pid, signal.SIGKILL)
        parent.stdout.close()


def alive(pid: int | None) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def gone_before(pid: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while alive(pid):
        assert time.monotonic() < end, "it is still there"
        os.sched_yield()
