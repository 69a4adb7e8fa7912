"""F45: the process that reads the file is killed or runs out of memory: one clear refusal, and nothing was sent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.domain.cufe import check_digit
from tests.faults.command import Command
from tests.faults.processes import FaultServer
from tests.support.long import long
from tests.support.warm import LONGEST_S, Warm

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits and /proc as Linux has them")

REFUSED = 3
REASON = "Error en el monto de la factura"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
FORMAT = "application/vnd.openxmlformats"


@pytest.fixture
def refused(fault_server: FaultServer, warm: Warm, tmp_path: Path) -> Iterator[Command]:
    """A command whose file is refused: whatever else happens, there is no batch, no result and no request."""
    made = Command(tmp_path / "work", fault_server, warm).batch(2)
    yield made
    assert made.server.entries() == []
    assert not (made.folder / "out").exists() or not list((made.folder / "out").iterdir())
    assert made.run().code == 0, "the ledger is as it should be"


def long_csv(path: Path, rows: int, reason: str = REASON) -> None:
    def cufe(number: int) -> str:
        body = f"FE0120000155668001-2-2018-37078920261118{number:010d}006012{number:09d}"
        return body + check_digit(body)

    lines = [f"{cufe(number)},{reason}" for number in range(rows)]
    path.write_text("\n".join(["CUFE,Motivo", *lines]) + "\n", "utf-8")


def one_text_many_times(path: Path, rows: int) -> None:
    """A small workbook that gets large only when it is read: one long shared text in every row."""
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, rows))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Override PartName="/xl/workbook.xml" '
        f'ContentType="{FORMAT}-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>'
        '<sheet name="Hoja1" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{LINKS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}" uniqueCount="1"><si><t>{"largo " * 5000}</t></si></sst>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in parts.items():
            container.writestr(name, content)


def reading_child(parent: subprocess.Popen[str], computing: float) -> int:
    """The process that reads for ``parent``, once it has computed for so many seconds."""
    end = time.monotonic() + LONGEST_S
    tick = os.sysconf("SC_CLK_TCK")
    while time.monotonic() < end:
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text("utf-8").split()
        for child in children:
            if b"pipeline.read.child" in Path(f"/proc/{child}/cmdline").read_bytes():
                times = Path(f"/proc/{child}/stat").read_text("utf-8").rpartition(")")[2].split()
                if (int(times[11]) + int(times[12])) / tick >= computing:
                    return int(child)
        assert parent.poll() is None, "it ended before it was killed"
        time.sleep(0.005)  # what is waited for needs the processor too
    raise AssertionError("nobody reads")


@pytest.mark.long
@pytest.mark.parametrize("order", ["run", *long("check")])
def test_f45_a_reading_process_without_memory_ends_with_3_and_nothing_is_sent(refused: Command, order: str) -> None:
    path = refused.folder / "grande.xlsx"
    one_text_many_times(path, 60_000)
    words = [order, str(path), *(["--yes"] if order == "run" else [])]
    done = refused.ended(refused.real(*words, ANULAR_READ_MEMORY_MB="300"))
    assert done.code == REFUSED
    assert "grande.xlsx" in done.words
    assert "300 MB de memoria" in " ".join(done.words.split())


def test_f45_a_reading_process_that_is_killed_while_it_reads_ends_with_3_and_nothing_is_sent(refused: Command) -> None:
    """As the system does when the machine has no memory left."""
    path = refused.folder / "largo.csv"
    long_csv(path, 100_000, reason=REASON * 3)
    running = refused.real("run", str(path), "--yes")
    os.kill(reading_child(running, computing=0.15), signal.SIGKILL)
    done = refused.ended(running)
    assert done.code == REFUSED
    said = " ".join(done.words.split())
    assert "largo.csv" in said
    assert "el sistema cortó el proceso de lectura" in said
