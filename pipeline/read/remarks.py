"""Remarks on a worksheet: comments, notes, threads, and named views that filter rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from pipeline.domain.columns import NOTE_AUTHOR
from pipeline.domain.errors import InputRefused
from pipeline.read.grid import key, place_of
from pipeline.read.guard import Parts
from pipeline.read.worksheets import belonging, tree

# «no anular», and other ways to say it: «no se debe anular», «no la anulen».
_NO = re.compile(r"\bno (?:(?:se|la|lo|las|los|debe|deben|hay|que|hace|falta) )*anul")


@dataclass(frozen=True)
class Remarks:
    """Remarks on one worksheet."""

    #: by cell key, all remarks on the cell as one text
    comments: Mapping[int, str] = field(default_factory=dict)
    #: names of the views that leave rows out
    views: tuple[str, ...] = ()


def remarks_on(parts: Parts, sheet: str, *, ours: bool) -> Remarks:
    """The remarks on the worksheet in the part ``sheet``; in a workbook of ``ours`` our own notes do not count.

    Raises ``InputRefused`` for a part that is broken.
    """
    notes: dict[int, str] = {}
    threads: dict[int, str] = {}
    for part in belonging(parts, sheet, "comments"):
        notes |= _notes(tree(parts, part), ours=ours)
    for part in belonging(parts, sheet, "threadedComment"):
        for element in _named(tree(parts, part), "threadedComment"):
            text = " ".join(_text(one) for one in _named(element, "text"))
            _add(threads, element.attrib.get("ref", ""), text)
    views: list[str] = []
    for part in belonging(parts, sheet, "namedSheetView"):
        for view in _named(tree(parts, part), "namedSheetView"):
            if _named(view, "columnFilter"):
                views.append(view.attrib.get("name", ""))
    # Where there is a thread, the note on the same cell is only for older programs.
    return Remarks(
        {**notes, **{cell: text for cell, text in threads.items() if not says_no(notes.get(cell, ""))}}, tuple(views)
    )


def says_no(comment: str) -> bool:
    """Whether a ``comment`` says that the row is not to be cancelled."""
    plain = unicodedata.normalize("NFKD", comment).casefold()
    return (
        _NO.search(" ".join(re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c))))) is not None
    )


def _notes(root: Element, *, ours: bool) -> dict[int, str]:
    authors = [_text(one).strip() for one in _named(root, "author")]
    found: dict[int, str] = {}
    for element in _named(root, "comment"):
        number = element.attrib.get("authorId", "")
        author = authors[int(number)] if number.isdigit() and int(number) < len(authors) else ""
        text = " ".join(_text(one) for one in _named(element, "text"))
        if ours and author == NOTE_AUTHOR and not says_no(text):
            continue
        _add(found, element.attrib.get("ref", ""), text)
    return found


def _add(found: dict[int, str], ref: str, text: str) -> None:
    try:
        cell = key(*place_of(ref))
    except InputRefused:  # not on a cell
        return
    found[cell] = " ".join(f"{found.get(cell, '')} {text}".split())


def _text(element: Element) -> str:
    """The text inside ``element``, all pieces joined."""
    return "".join(element.itertext())


def _named(root: Element, name: str) -> list[Element]:
    return [element for element in root.iter() if element.tag.rpartition("}")[2] == name]
