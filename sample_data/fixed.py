"""Workbooks whose bytes depend on nothing but their content: no clock, no compression library.

openpyxl stamps every save with the time; here each member of the zip gets one fixed time and is stored as it is,
because compressed bytes differ between versions of zlib.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from openpyxl import Workbook

STAMP = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
"""Created and saved at, as the documents' properties say it."""

_ZIP_TIME = (2026, 11, 20, 9, 30, 0)
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")


def workbook_bytes(book: Workbook, *, author: str, title: str, cached: Mapping[str, str] | None = None) -> bytes:
    """``book`` as the bytes of an .xlsx file.

    ``cached`` maps addresses of formula cells on the first sheet to the text that Excel last computed for them, which
    openpyxl cannot write.
    """
    properties = book.properties
    properties.creator = properties.lastModifiedBy = author
    properties.title, properties.created = title, STAMP.replace(tzinfo=None)
    saved = io.BytesIO()
    book.save(saved)
    fixed = io.BytesIO()
    with ZipFile(saved) as source, ZipFile(fixed, "w", ZIP_STORED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>" + f"{STAMP:%Y-%m-%dT%H:%M:%SZ}".encode(), content)
            if name == "xl/worksheets/sheet1.xml":
                content = _with_cached(content, cached or {})
            member = ZipInfo(name, _ZIP_TIME)
            member.create_system = 3
            member.external_attr = 0o600 << 16
            target.writestr(member, content)
    return fixed.getvalue()


def _with_cached(sheet: bytes, cached: Mapping[str, str]) -> bytes:
    for address, text in cached.items():
        empty = re.search(rb'<c r="%b"([^>]*)>(<f>[^<]*</f>)<v\s*/?>(?:</v>)?</c>' % address.encode(), sheet)
        if empty is None:
            raise ValueError(f"no formula at {address}")
        filled = b'<c r="%b"%b t="str">%b<v>%b</v></c>' % (address.encode(), empty[1], empty[2], text.encode())
        sheet = sheet[: empty.start()] + filled + sheet[empty.end() :]
    return sheet
