"""A member of a zip is compressed beside who makes it: the same bytes, and whatever fails there is told."""

from __future__ import annotations

import io
import random
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from pipeline.report.xlsx_writer import FixedZip

CONTENT = b"".join(b'<c r="A%d" t="inlineStr"><is><t>FE%064d</t></is></c>' % (n, n * n) for n in range(60_000))


def streamed(step: int) -> bytes:
    target = io.BytesIO()
    with FixedZip(target, "w", ZIP_DEFLATED, compresslevel=6) as box, box.stream("a.xml") as member:
        for start in range(0, len(CONTENT), step):
            member.write(CONTENT[start : start + step])
    return target.getvalue()


def test_in_whatever_pieces_it_comes_the_bytes_are_those_of_one_writing() -> None:
    target = io.BytesIO()
    with FixedZip(target, "w", ZIP_DEFLATED, compresslevel=6) as box, box.open(box.member("a.xml"), "w") as member:
        member.write(CONTENT)

    assert len(CONTENT) > 4 << 20
    assert streamed(777) == streamed(3 << 20) == target.getvalue()
    with ZipFile(io.BytesIO(target.getvalue())) as archive:
        assert archive.read("a.xml") == CONTENT


class Full(io.BytesIO):
    """A disk that is full after some bytes."""

    def write(self, content: Any) -> int:
        if self.tell() + len(content) > 50_000:
            raise OSError(28, "No space left on device")
        return super().write(content)


def test_a_disk_that_is_full_is_told_to_who_writes() -> None:
    box = FixedZip(Full(), "w", ZIP_DEFLATED, compresslevel=6)

    with pytest.raises(OSError, match="No space left"), box.stream("a.xml") as member:
        member.write(CONTENT)


@pytest.mark.parametrize("size", [1_000, 100_000, 3_000_000])
def test_a_disk_that_is_full_is_what_the_whole_archive_says_too(size: int) -> None:
    noise, full = random.Random(1).randbytes(size), Full()
    full.seek(49_000 if size < 50_000 else 0)

    with (
        pytest.raises(OSError, match="No space left"),
        FixedZip(full, "w", ZIP_DEFLATED) as box,
        box.stream("a.xml") as member,
    ):
        member.write(noise)
