from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest

from pipeline.domain.errors import Bug, StorageTrouble
from pipeline.domain.lifecycle import State
from pipeline.domain.records import BatchInfo, CheckedRow, EventLine, Position, Problem, ResultLine, Verdict
from pipeline.report import names as names_module
from pipeline.report import temporary as temporary_module
from pipeline.report.exports import write_csv, write_jsonl
from pipeline.report.model import LogRow, Report
from pipeline.report.preview import lines_of, preview_batch
from pipeline.report.publish import check_folder, publish, publish_export
from pipeline.report.summary import summarise
from pipeline.report.temporary import new_aside
from pipeline.report.verify import verify
from pipeline.report.workbook import write_workbook
from pipeline.runtime.patience import WAITS_S, Patience
from tests.support.reading import read_sheet

Batch = tuple[BatchInfo, list[ResultLine], list[EventLine]]
NAME = "lote__20261120-7f3a__resultados.xlsx"


@pytest.fixture
def report(batch: Batch) -> Report:
    return summarise(*batch)


class FullDisk:
    """A log that the disk has no room for."""

    def __iter__(self) -> Iterator[LogRow]:
        raise OSError(errno.ENOSPC, "No space left on device")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_workbook_is_named_after_the_input_and_the_batch_and_nothing_else_is_left(
    report: Report, tmp_path: Path
) -> None:
    path = publish(report, tmp_path / "resultados", "lote")
    assert path.name == NAME
    assert names(path.parent) == [NAME]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert openpyxl.load_workbook(path)["Resultados"].max_row == 121


def test_the_same_batch_replaces_its_own_workbook_with_the_same_bytes(report: Report, tmp_path: Path) -> None:
    first = publish(report, tmp_path, "lote").read_bytes()
    assert publish(report, tmp_path, "lote").read_bytes() == first
    assert names(tmp_path) == [NAME]


def test_another_batch_of_the_same_file_is_never_overwritten(batch: Batch, tmp_path: Path) -> None:
    info, lines, events = batch
    publish(summarise(info, lines, events), tmp_path, "lote")
    publish(summarise(replace(info, id="20261121-0001"), lines, events), tmp_path, "lote")
    assert len(names(tmp_path)) == 2


def test_a_workbook_that_cannot_be_replaced_gets_a_numbered_sister(report: Report, tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    (tmp_path / "lote__20261120-7f3a__resultados (2).xlsx").mkdir()
    assert publish(report, tmp_path, "lote").name == "lote__20261120-7f3a__resultados (3).xlsx"


def test_a_workbook_that_is_open_in_excel_gets_a_numbered_sister(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_file = Path.replace

    def locked(self: Path, target: Path) -> Path:
        if target.name == NAME:
            raise PermissionError(errno.EACCES, "in use")
        return replace_file(self, target)

    monkeypatch.setattr(Path, "replace", locked)
    assert publish(report, tmp_path, "lote").name == "lote__20261120-7f3a__resultados (2).xlsx"


@pytest.mark.parametrize("times", [1, 2])
def test_a_workbook_that_a_scanner_holds_for_a_moment_gets_its_own_name(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    replace_file, left = Path.replace, [times]

    def held(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] >= 0:
            error = type("Held", (PermissionError,), {"winerror": 32})
            raise error(errno.EACCES, "in use")
        return replace_file(self, target)

    monkeypatch.setattr(Path, "replace", held)
    monkeypatch.setattr(Patience.__init__, "__defaults__", (WAITS_S, lambda _: None))
    assert publish(report, tmp_path, "lote").name == NAME
    assert names(tmp_path) == [NAME]


def test_when_no_name_can_be_used_one_sentence_says_why(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(self: Path, target: Path) -> Path:
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(Path, "replace", locked)
    with pytest.raises(StorageTrouble, match="no hay permiso para escribir"):
        publish(report, tmp_path, "lote")
    assert names(tmp_path) == []


def test_a_full_disk_leaves_the_old_workbook_and_nothing_else(report: Report, tmp_path: Path) -> None:
    before = publish(report, tmp_path, "lote").read_bytes()
    with pytest.raises(StorageTrouble, match="no queda espacio en el disco"):
        publish(replace(report, log=FullDisk()), tmp_path, "lote")
    assert names(tmp_path) == [NAME]
    assert (tmp_path / NAME).read_bytes() == before


def test_a_path_that_is_no_folder_is_told_in_one_sentence(report: Report, tmp_path: Path) -> None:
    (tmp_path / "archivo").write_text("x")
    with pytest.raises(StorageTrouble) as caught:
        publish(report, tmp_path / "archivo", "lote")
    assert caught.value.sentence.startswith(f"{tmp_path}/archivo: no se pudo guardar el libro de resultados: la ruta")


def test_a_very_long_stem_is_shortened(report: Report, tmp_path: Path) -> None:
    path = publish(report, tmp_path, "ñ" * 300)
    assert path.name.endswith("ñ__20261120-7f3a__resultados.xlsx")


def test_on_windows_a_long_folder_shortens_the_name_to_what_excel_opens(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names_module, "WINDOWS", True)
    folder = tmp_path / ("Clientes " + "x" * max(10, 140 - len(str(tmp_path))))
    path = publish(report, folder, "Anulaciones de noviembre de la Compañía Nacional de Seguros, S.A.")
    assert len(str(path)) <= 218
    assert path.name.endswith("__20261120-7f3a__resultados.xlsx")


def test_a_folder_with_no_room_for_a_name_is_refused_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names_module, "WINDOWS", True)
    check_folder(tmp_path / "corta", "lote")
    with pytest.raises(StorageTrouble, match=r"demasiado larga.*No se envió nada"):
        check_folder(tmp_path / ("x" * 180), "lote")
    assert names(tmp_path) == []


def test_rows_that_break_their_schema_are_not_published(batch: Batch, tmp_path: Path) -> None:
    info, lines, events = batch
    unfounded = [replace(lines[0], sent_cufe=None), *lines[1:]]  # «ANULADA», and nothing was sent
    with pytest.raises(Bug):
        publish(summarise(info, unfounded, events), tmp_path, "lote")
    assert names(tmp_path) == []


def test_a_workbook_that_was_written_wrongly_is_not_published(
    batch: Batch, report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info, lines, events = batch
    before = publish(report, tmp_path, "lote").read_bytes()
    shorter = summarise(replace(info, rows=119), lines[:-1], events)
    monkeypatch.setattr("pipeline.report.publish.write_workbook", lambda _, stream: write_workbook(shorter, stream))
    with pytest.raises(Bug):
        publish(report, tmp_path, "lote")
    assert names(tmp_path) == [NAME]
    assert (tmp_path / NAME).read_bytes() == before


def test_what_a_killed_run_left_behind_is_swept_away_but_nothing_in_use_is(report: Report, tmp_path: Path) -> None:
    left = tmp_path / ".anular-20261120-7f3a-abc.tmp"
    left.write_bytes(b"half a workbook")
    other = tmp_path / ".anular-20261121-0001-abc.tmp"
    other.write_bytes(b"of another batch")
    with new_aside(tmp_path, "20261120-7f3a") as in_use:
        publish(report, tmp_path, "lote")
        assert in_use.exists()
    assert names(tmp_path) == [other.name, NAME]


def test_where_files_in_use_have_no_locks_only_an_old_leftover_is_swept_away(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporary_module, "KEPT_OPEN", False)
    monkeypatch.setattr(temporary_module, "_hold", lambda _: None)
    old, young = (tmp_path / f".anular-20261120-7f3a-{name}.tmp" for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"half a workbook")
    os.utime(old, (1_700_000_000, 1_700_000_000))
    opened, unlink = os.open, Path.unlink
    handles: list[object] = []
    monkeypatch.setattr(os, "open", lambda path, *more: (handles.append(path), opened(path, *more))[1])

    def free_only(self: Path, missing_ok: bool = False) -> None:
        assert self not in handles, "Windows removes no file that is open"
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", free_only)
    publish(report, tmp_path, "lote")
    assert names(tmp_path) == [young.name, NAME]


def test_the_file_aside_is_private_until_it_is_published(tmp_path: Path) -> None:
    with new_aside(tmp_path, "b1") as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
    assert names(tmp_path) == []


def test_exports_are_published_beside_the_workbook(report: Report, tmp_path: Path) -> None:
    workbook = publish(report, tmp_path, "lote")
    exports = [
        publish_export(report, workbook.with_suffix(suffix), write)
        for suffix, write in ((".csv", write_csv), (".jsonl", write_jsonl))
    ]
    assert [path.name for path in exports] == [NAME.replace("xlsx", "csv"), NAME.replace("xlsx", "jsonl")]
    assert len(exports[1].read_text(encoding="utf-8").splitlines()) == 120
    assert len(names(tmp_path)) == 3


def test_an_export_that_fails_leaves_nothing(report: Report, tmp_path: Path) -> None:
    def failing(_: Report, stream: IO[bytes]) -> None:
        stream.write(b"half")
        raise OSError(errno.EIO, "I/O error")

    with pytest.raises(StorageTrouble, match="la exportación: el disco falló"):
        publish_export(report, tmp_path / "x.csv", failing)
    assert names(tmp_path) == []


def test_a_preview_is_a_workbook_that_says_nothing_was_sent(tmp_path: Path) -> None:
    problem = Problem("motivo-corto", "línea 3, columna 2", "Motivo", "x", "el motivo es muy corto")
    rows = [
        CheckedRow(1, Position(None, 2), ("FE…", "Error en el monto"), Verdict.ACCEPTED),
        CheckedRow(2, Position(None, 3), ("FE…", "x"), Verdict.REJECTED, problems=(problem,)),
    ]
    info = preview_batch(
        file="lote.csv",
        sha256="0" * 64,
        env="production",
        sheet=None,
        rows=2,
        headings=("CUFE", "Motivo"),
        now=datetime(2026, 11, 20, tzinfo=UTC),
    )
    path = publish(summarise(info, lines_of(rows), ()), tmp_path, "lote")
    assert path.name == "lote__revision.xlsx"
    book = openpyxl.load_workbook(path)
    assert book["Resumen"]["B2"].value == "REVISIÓN PREVIA para PRODUCCIÓN: no se envió nada"
    assert book.sheetnames == ["Resumen", "Resultados", "Pendientes de acción"]
    assert [row[:2] for row in book["Resultados"].iter_rows(values_only=True)] == [
        ("Resultado", "Qué hacer"),
        ("LISTA PARA ENVIAR", "Nada: se enviará con el comando run."),
        ("RECHAZADA", "el motivo es muy corto"),
    ]
    own, after = ["CUFE", "Motivo"], ["Fila", "CUFE enviado", "Observaciones", "Regla"]
    assert [cell.value for cell in book["Resultados"][1]] == ["Resultado", "Qué hacer", "Vence", *own, *after]
    assert "Mensaje de eDoc" not in [cell.value for cell in book["Pendientes de acción"][1]]
    before = path.read_bytes()
    assert publish(summarise(info, lines_of(rows), ()), tmp_path, "lote").read_bytes() == before


def test_a_results_workbook_can_be_read_as_an_input_again(batch: Batch, report: Report, tmp_path: Path) -> None:
    info, lines, _ = batch
    sheet = read_sheet(publish(report, tmp_path, "lote"))
    assert (sheet.sheet, sheet.headings) == ("Resultados", info.headings)
    assert [tuple(cells) for cells in sheet.cells.itertuples(index=False, name=None)] == [line.cells for line in lines]
    assert list(sheet.earlier.values()) == [row.added.resultado for row in report.rows]


# ------------------------------------------------------------------------------- what verification finds


def tampered(path: Path, change: Callable[[str, bytes], bytes], extra: str | None = None) -> Path:
    """The workbook at ``path`` with its members changed."""
    stream = io.BytesIO()
    with ZipFile(path) as old, ZipFile(stream, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        if extra:
            new.writestr(extra, b"x")
    path.write_bytes(stream.getvalue())
    return path


def in_results(old: bytes, new: bytes) -> Callable[[str, bytes], bytes]:
    def change(name: str, data: bytes) -> bytes:
        if name != "xl/worksheets/sheet2.xml":
            return data
        assert old in data
        return data.replace(old, new, 1)

    return change


def test_an_untouched_workbook_passes(report: Report, tmp_path: Path) -> None:
    verify(tampered(publish(report, tmp_path, "lote"), lambda _, data: data), report)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b">ANULADA<", b">YA ANULADA<"),
        (b">Facturas, fila 9<", b">Facturas, fila 8<"),
        (b"</row>", b"</row><row></row>"),
        (b"<v>1</v>", b"<f>1+1</f>"),
        (b"</sheetData>", b'</sheetData><hyperlinks><hyperlink ref="A1"/></hyperlinks>'),
        (b't="inlineStr"', b't="str"'),
        (b"</worksheet>", b""),
        (b">Fila<", b">Filas<"),
    ],
)
def test_a_workbook_that_is_not_the_report_is_found_out(old: bytes, new: bytes, report: Report, tmp_path: Path) -> None:
    path = tampered(publish(report, tmp_path, "lote"), in_results(old, new))
    with pytest.raises(Bug):
        verify(path, report)


def test_a_row_that_is_missing_is_found_out(batch: Batch, report: Report, tmp_path: Path) -> None:
    info, lines, events = batch
    shorter = summarise(replace(info, rows=119, counts={}), lines[:-1], events)
    with pytest.raises(Bug):
        verify(publish(shorter, tmp_path, "lote"), report)
    with pytest.raises(Bug):
        verify(publish(report, tmp_path, "lote"), shorter)


def test_a_member_that_does_not_belong_is_found_out(report: Report, tmp_path: Path) -> None:
    path = tampered(publish(report, tmp_path, "lote"), lambda _, data: data, extra="xl/vbaProject.bin")
    with pytest.raises(Bug, match="vbaProject"):
        verify(path, report)


def test_a_damaged_file_is_found_out(report: Report, tmp_path: Path) -> None:
    path = publish(report, tmp_path, "lote")
    os.truncate(path, path.stat().st_size - 100)
    with pytest.raises(Bug):
        verify(path, report)
    path = publish(report, tmp_path, "lote")
    data = bytearray(path.read_bytes())
    data[3_000] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(Bug):
        verify(path, report)


def test_text_that_looks_like_markup_does_not_alarm_the_verification(batch: Batch, tmp_path: Path) -> None:
    info, lines, events = batch
    text = '<c r="A1" t="e"><f>1</f></c> <Relationship TargetMode="External"/> </row>'
    hostile = [replace(lines[0], cells=(text,), message=text, position=Position(text, 1)), *lines[1:]]
    assert lines[0].state is State.CANCELLED
    publish(summarise(info, hostile, events), tmp_path, "lote")
