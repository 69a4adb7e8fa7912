"""Container: a new zip for the reader, made of the same streams that were unpacked completely and checksummed here.

Two programs can see different contents in one zip: they differ in which of its two directories they use, in names,
sizes and offsets. In this zip all of those are ours. A compressed stream unpacks to the same bytes for every program,
so it is copied as it is: that saves the memory and time of a second, larger copy.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

_LOCAL = struct.Struct("<4s5H3L2H")
_LENGTHS = struct.Struct("<26x2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION, _UTF8 = 20, 0x800
_FIRST_DAY = 0x21
"""1 January 1980, the first date of the zip format."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A part as stored in a zip."""

    #: its bytes, packed
    data: bytes
    #: compression method
    method: int
    #: checksum of the unpacked bytes; ``size`` their number
    crc: int
    size: int


def stored(content: bytes) -> Stream:
    """``content`` uncompressed."""
    return Stream(content, zipfile.ZIP_STORED, zlib.crc32(content), len(content))


def unpacked(data: bytes, container: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[bytes, Stream]:
    """The content of ``member`` of the zip in ``data``, and the stream that it came from.

    Raises what ``zipfile`` and ``zlib`` raise; ``BadZipFile`` as soon as a stream holds more, less or something else
    than its header promises.
    """
    with container.open(member) as opened:  # compares both headers, and refuses unknown compression
        if member.compress_type != zipfile.ZIP_DEFLATED:
            content = opened.read()
            return content, stored(content)
    name, extra = _LENGTHS.unpack_from(data, member.header_offset)
    start = member.header_offset + _LOCAL.size + name + extra
    packed = data[start : start + member.compress_size]
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    content = stream.decompress(packed, member.file_size + 1)
    crc = zlib.crc32(content)
    if not stream.eof or (len(content), crc) != (member.file_size, member.CRC):
        raise zipfile.BadZipFile(member.filename)
    return content, Stream(packed[: len(packed) - len(stream.unused_data)], member.compress_type, crc, len(content))


def packed_again(streams: Mapping[str, Stream]) -> io.BytesIO:
    """A zip with ``streams`` by name and nothing else."""
    target, directory = io.BytesIO(), io.BytesIO()
    for name, one in streams.items():
        encoded = name.encode("utf-8", "surrogatepass")
        flags = 0 if name.isascii() else _UTF8
        head = (_VERSION, flags, one.method, 0, _FIRST_DAY, one.crc, len(one.data), one.size, len(encoded), 0)
        place = target.tell()
        target.write(_LOCAL.pack(b"PK\x03\x04", *head) + encoded)
        target.write(one.data)
        directory.write(_CENTRAL.pack(b"PK\x01\x02", _VERSION, *head, 0, 0, 0, 0, place) + encoded)
    place, content = target.tell(), directory.getvalue()
    target.write(content + _END.pack(b"PK\x05\x06", 0, 0, len(streams), len(streams), len(content), place, 0))
    target.seek(0)
    return target
