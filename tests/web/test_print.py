"""What stands on paper: proposal, approval, batch and row, printed by the browser on letter and A4."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from pipeline.approvals.work import sign
from tests.support import needs
from tests.support.browsing import Shown
from tests.web.states import State
from tests.web.test_screens import opened

pytestmark = [pytest.mark.long, pytest.mark.sqlite]

SHEETS = {"Letter": "612 x 792", "A4": "595.92 x 842.88"}
"""Size in points, as the file says it."""


def printed(file: Path) -> str:
    """Words of a PDF, in order."""
    said = subprocess.run([needs.pdftotext(), "-layout", file, "-"], check=True, capture_output=True, text=True)
    return said.stdout


@pytest.mark.parametrize("sheet", SHEETS)
@pytest.mark.parametrize("name", ["review, waits", "approval", "batch, sent", "row, sent"])
def test_a_printed_page_says_which_file_of_which_batch_when_and_of_how_many_pages(
    shown: Shown, all_states: dict[str, State], tmp_path: Path, name: str, sheet: str
):
    file = tmp_path / "papel.pdf"
    sign(shown.house.site.office, "host 1", shown.house.clock.now())
    with opened(shown, all_states[name]) as page:
        page.pdf(path=file, format=sheet)
        hashes = set(re.findall(r"\b[0-9a-f]{64}\b", page.content()))
    text = printed(file)
    plain = re.sub(r"\s+", "", text)
    info = subprocess.run([needs.pdfinfo(), file], check=True, capture_output=True, text=True).stdout
    pages = int(re.search(r"Pages: +(\d+)", info)[1])  # type: ignore[index]
    assert SHEETS[sheet].split(" x ")[0] in info
    assert "20/11/2026 10:00" in text, "when it was printed"
    assert "Impreso de la página de anular" in text
    assert hashes, "the SHA-256 of the file, and where it was approved the whole digest"
    assert all(one in plain for one in hashes)
    assert re.search(rf"\b{pages} ?/ ?{pages}\b", text)
    assert "Distribuidora Istmo, S.A." in text
    for button in ("Aprobar y enviar", "Salir", "Enviar a aprobación", "Decidir sobre esta fila"):
        assert button not in text
