"""What the reader is handed is what was unpacked: the same streams, under headers of our own."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.read.container import packed_again, stored, unpacked

METHODS = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
NAMES = st.sampled_from(["a.xml", "xl/ñ.xml", "xl/worksheets/sheet1.xml", "李"])


def zipped(parts: dict[str, tuple[bytes, int]]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as container:
        for name, (content, method) in parts.items():
            container.writestr(zipfile.ZipInfo(name), content, method)
    return target.getvalue()


def with_stream(packed: bytes, *, size: int, crc: int) -> bytes:
    """A zip with one member, whose headers say ``size`` and ``crc`` whatever ``packed`` holds."""
    head = (20, 0, zipfile.ZIP_DEFLATED, 0, 0x21, crc, len(packed), size, 1, 0)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", *head) + b"a" + packed
    central = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, *head, 0, 0, 0, 0, 0) + b"a"
    return local + central + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)


def unpacked_alone(data: bytes) -> tuple[bytes, bytes]:
    """The content of the first member, and its stream."""
    with zipfile.ZipFile(io.BytesIO(data)) as container:
        content, stream = unpacked(data, container, container.infolist()[0])
    return content, stream.data


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


@given(st.dictionaries(NAMES, st.tuples(st.binary(max_size=300), METHODS), min_size=1))
def test_every_part_comes_out_of_the_new_zip_as_it_was_in_the_old_one(parts: dict[str, tuple[bytes, int]]) -> None:
    data = b"before the zip" + zipped(parts)  # as a program that unpacks itself has it
    with zipfile.ZipFile(io.BytesIO(data)) as container:
        found = {member.filename: unpacked(data, container, member) for member in container.infolist()}
    assert {name: content for name, (content, _) in found.items()} == {name: part[0] for name, part in parts.items()}
    with zipfile.ZipFile(packed_again({name: stream for name, (_, stream) in found.items()})) as again:
        assert again.testzip() is None
        assert {name: again.read(name) for name in again.namelist()} == {name: part[0] for name, part in parts.items()}
        assert [member.compress_type for member in again.infolist()] == [
            method if method == zipfile.ZIP_DEFLATED else zipfile.ZIP_STORED for _, method in parts.values()
        ]


def test_a_part_without_a_stream_is_stored() -> None:
    with zipfile.ZipFile(packed_again({"a": stored(b"x" * 99)})) as container:
        assert container.read("a") == b"x" * 99


@pytest.mark.parametrize("seen", [0, 10, 99, 101])
def test_a_stream_that_holds_more_or_less_than_its_header_says_is_damage(seen: int) -> None:
    """Also when the sum is that of what the header says: another program might go on to the stream's own end."""
    content = b"x" * 100
    packed = deflated(content)
    assert unpacked_alone(with_stream(packed, size=100, crc=zlib.crc32(content))) == (content, packed)
    with pytest.raises(zipfile.BadZipFile):
        unpacked_alone(with_stream(packed, size=seen, crc=zlib.crc32((content * 2)[:seen])))


@pytest.mark.parametrize("change", [lambda packed: packed[:-1], lambda packed: b"\xff" + packed[1:]])
def test_a_stream_that_is_cut_off_or_broken_is_damage(change) -> None:
    content = bytes(range(256)) * 4
    with pytest.raises((zipfile.BadZipFile, zlib.error)):
        unpacked_alone(with_stream(change(deflated(content)), size=len(content), crc=zlib.crc32(content)))


def test_a_sum_that_is_wrong_is_damage() -> None:
    with pytest.raises(zipfile.BadZipFile):
        unpacked_alone(with_stream(deflated(b"abc"), size=3, crc=1))


def test_what_follows_a_stream_is_left_behind() -> None:
    packed = deflated(b"abc")
    assert unpacked_alone(with_stream(packed + b"more", size=3, crc=zlib.crc32(b"abc"))) == (b"abc", packed)
