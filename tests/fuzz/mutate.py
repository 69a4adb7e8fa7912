"""Small changes to inputs that keep them worth reading: of a workbook's XML inside a valid zip, of text, of bytes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Sequence
from random import Random

Mutator = Callable[[bytes, Random], bytes]
Mutate = Callable[[bytes], bytes]
"""Another source of changes for a piece of the input; libFuzzer's own where it runs."""

_TOKEN = re.compile(rb"<[^>]*>|[^<]+")
_ATTRIBUTE = re.compile(rb'\s[\w:]+\s*=\s*(?:"[^"]*"|\'[^\']*\')')

TAGS: tuple[bytes, ...] = (
    b'<row r="4">',
    b'<row r="4" hidden="1">',
    b"<row>",
    b"</row>",
    b'<c r="B4" t="str"><v>x</v></c>',
    b'<c r="A4" t="s"><v>0</v></c>',
    b'<c r="A4"><v>1E5</v></c>',
    b'<c t="e"><v>#REF!</v></c>',
    b'<c r="C4" t="inlineStr"><is><t>y</t></is></c>',
    b"<f>A1</f>",
    b'<f t="shared" si="0" ref="A1:A9"/>',
    b"<v>7</v>",
    b"<v/>",
    b"<is><t>z</t></is>",
    b"<is><r><t>z</t></r></is>",
    b"<rPh><t>q</t></rPh>",
    b"<![CDATA[x]]>",
    b"<!-- x -->",
    b"<?x y?>",
    b"<!DOCTYPE x>",
    b'<mergeCell ref="A1:B2"/>',
    b'<col min="1" max="1" hidden="1"/>',
    b"<sheetData>",
    b"</sheetData>",
    b"<sheetData/>",
    b'<z:row xmlns:z="urn:z" r="9">',
    b"&amp;",
    b"&#65;",
    b"&x;",
    b"_x0041_",
    b"_x000D_",
    b"\n",
    b"\t",
    b" ",
)
VALUES: tuple[bytes, ...] = (
    *(b"0", b"1", b"-1", b"2", b"3", b"16384", b"16385", b"1048576", b"1048577", b"4000000000", b"1e400", b"NaN", b""),
    *(b"A1", b"B2", b"XFD1048576", b"ZZZ1", b"a1", b"$A$1", b"A0", b"A01", b"A1:XFD9", b"B2:A1", b"1:1", b"#REF!"),
    *(
        b"true",
        b"false",
        b"s",
        b"str",
        b"inlineStr",
        b"e",
        b"b",
        b"n",
        b"d",
        b"hidden",
        b"veryHidden",
        b"&#49;",
        b"&lt;",
    ),
    *(b"rId1", b"worksheets/sheet1.xml", b"/xl/worksheets/sheet2.xml", b"../../x", b"http://x/", b"External", b" 1 "),
    *(b"Hoja1", b"CUFE", b"Motivo", b"46000.5", b"2958466", b"0.1", b"2026-11-20T00:00:00", b"dd/mm/yyyy", b"[h]:mm"),
)
TEXTS: tuple[bytes, ...] = (
    *(
        b'"',
        b'""',
        b",",
        b";",
        b"\t",
        b"|",
        b"\n",
        b"\r",
        b"\r\n",
        b"\x00",
        b"\x1a",
        b"\xff",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
    ),
    *(
        b"sep=,\n",
        b"sep=;\r\n",
        b"CUFE",
        b"Motivo",
        b"FE0120000155668001-2-2018-37",
        b"\xe1",
        b"\xc3\xa1",
        b"\xe2\x80\x8b",
    ),
    *(b"{", b"}", b"[", b"]", b":", b'"estado"', b'"cufe"', b'"token"', b"2", b"0600", b"null", b"\\ud800", b"\\u0000"),
    *(b"-05:00", b"GMT", b"Fri, ", b"9999", b"0001-01-01", b"1e9", b"Infinity", b"\x1b[31m", b"\xe2\x80\xae"),
)


def mutate_text(data: bytes, rng: Random) -> bytes:
    """One to four changes: bytes flipped, cut, doubled, moved; something interesting put in."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        place = rng.randint(0, len(found))
        end = min(len(found), place + rng.choice((1, 2, 8, 40)))
        match rng.randrange(5):
            case 0:
                found[place:place] = rng.choice(TEXTS)
            case 1:
                found[place:end] = b""
            case 2:
                found[place:place] = found[place:end] * rng.choice((1, 1, 2, 30))
            case 3 if place < len(found):
                found[place] ^= 1 << rng.randrange(8)
            case _:
                piece = bytes(found[place:end])
                del found[place:end]
                at = rng.randint(0, len(found))
                found[at:at] = piece
    return bytes(found)


def mutate_workbook(data: bytes, rng: Random, also: Mutate | None = None) -> bytes:
    """A change in one part of a zip, rarely in the list of its parts or in its bytes. What is no zip is text."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as container:
            parts = [(name, container.read(name)) for name in container.namelist()]
    except Exception:
        return mutate_text(data, rng)
    if not parts or rng.random() < 0.03:
        return mutate_text(data, rng)
    if rng.random() < 0.05:
        _mutate_list(parts, rng)
    else:
        weights = [
            8 if "sheet" in name else 3 if "Strings" in name or "workbook.xml" in name else 1 for name, _ in parts
        ]
        place = rng.choices(range(len(parts)), weights)[0]
        name, content = parts[place]
        other = also is not None and rng.random() < 0.3
        parts[place] = (name, also(content) if other and also else mutate_xml(content, rng))
    return _packed(parts, zipfile.ZIP_DEFLATED if rng.random() < 0.1 else zipfile.ZIP_STORED)


def mutate_xml(content: bytes, rng: Random) -> bytes:
    """One or two changes; mostly of whole elements, so that the XML stays well-formed and a reader looks further."""
    tokens = _TOKEN.findall(content) or [b"<x/>"]
    for _ in range(rng.choice((1, 1, 2))):
        wholes = _elements(tokens)
        if wholes and rng.random() < 0.9:
            start, end = rng.choice(wholes)
        else:
            start = rng.randrange(len(tokens))
            end = start + 1
        match rng.randrange(10):
            case 0 | 1:
                tokens.insert(start, rng.choice(TAGS))
            case 2 if len(tokens) > end - start:
                del tokens[start:end]
            case 3 | 4:
                at = rng.choice(wholes)[rng.randrange(2)] if wholes else start
                tokens[at:at] = tokens[start:end]
            case 5:
                tokens[start:end] = [rng.choice(TAGS)]
            case _:
                place = rng.randrange(len(tokens))
                tokens[place] = _changed(tokens[place], rng)
    return b"".join(tokens)


def _elements(tokens: Sequence[bytes]) -> list[tuple[int, int]]:
    """Where whole elements and texts begin and end; the root and what is badly nested are left out."""
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    for place, token in enumerate(tokens):
        if token.startswith(b"</"):
            if opened:
                found.append((opened.pop(), place + 1))
        elif token.startswith(b"<") and not token.endswith(b"/>") and not token.startswith((b"<?", b"<!")):
            opened.append(place)
        else:
            found.append((place, place + 1))
    return [span for span in found if span[0] > 1]


def _changed(token: bytes, rng: Random) -> bytes:
    """A tag with an attribute changed, respelled, dropped or added; a text with something put in."""
    if not token.startswith(b"<"):
        place = rng.randint(0, len(token))
        return rng.choice((rng.choice(VALUES), token[:place] + rng.choice(TAGS + VALUES) + token[place:]))
    attributes = list(_ATTRIBUTE.finditer(token))
    if not attributes:
        return token[:-1] + rng.choice((b' r="A1"', b' t="s"', b' hidden="1"', b"/", b" ")) + b">"
    chosen = rng.choice(attributes)
    name, _, value = chosen[0].partition(b"=")
    inner = value.strip()[1:-1]
    new = rng.choice(
        (
            name + b'="' + rng.choice(VALUES) + b'"',
            name + b"='" + inner + b"'",
            b"\n" + name.strip() + b'\t= "' + inner + b'"',
            b"",
            chosen[0] + rng.choice((b' t="e"', b' t="str"', b' hidden="1"', b' ht="0"', b' s="1"', b' r="C7"')),
            name + b'="' + b"".join(b"&#%d;" % byte for byte in inner) + b'"',
            name + b'="' + rng.choice((b"-", b" ", b"0", b"9")) + inner + b'"',
        )
    )
    return token[: chosen.start()] + new + token[chosen.end() :]


def _mutate_list(parts: list[tuple[str, bytes]], rng: Random) -> None:
    place = rng.randrange(len(parts))
    name, content = parts[place]
    match rng.randrange(4):
        case 0:
            del parts[place]
        case 1:
            parts.append((name, content))
        case 2:
            names = ("xl/vbaProject.bin", "../x", "xl/worksheets/sheet1.xml", name.upper(), "mimetype", "xl\\x", "a/")
            parts[place] = (rng.choice(names), content)
        case _:
            parts.append(("xl/sharedStrings.xml", rng.choice(TAGS) * rng.choice((1, 50))))


def _packed(parts: Sequence[tuple[str, bytes]], compression: int) -> bytes:
    import warnings

    target = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(target, "w", compression) as container:
        warnings.simplefilter("ignore")  # two parts of one name are meant
        for name, content in parts:
            container.writestr(zipfile.ZipInfo(name or "x"), content, compression)
    return target.getvalue()
