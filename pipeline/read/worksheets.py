"""Worksheets of a workbook (names, parts, hidden or not), and the parts that belong to a part."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from pipeline.domain.problems import refused
from pipeline.read.full_scan import OUT_OF_MEMORY
from pipeline.read.guard import Parts, resolve
from pipeline.read.strings import is_strings, runs_that_matter
from pipeline.read.styles import Font, Formatting, styles_of

WORKBOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"


@dataclass(frozen=True, slots=True)
class Tab:
    """A worksheet."""

    name: str
    #: name of the part that holds it
    part: str
    #: whether a person sees it
    visible: bool


def tabs_of(parts: Parts) -> list[Tab]:
    """The worksheets in the order of the book; chart sheets are left out. Raises ``InputRefused`` for a broken book."""
    relations = _relations(parts)
    tabs: list[Tab] = []
    for element in tree(parts, WORKBOOK).iter():
        if _local(element.tag) != "sheet":
            continue
        relation = next((value for name, value in element.attrib.items() if _local(name) == "id"), None)
        if relation not in relations or "name" not in element.attrib:
            raise refused("xlsx-danado")
        kind, part = relations[relation]
        if kind.endswith("/worksheet"):
            if part not in parts.by_name:
                raise refused("xlsx-danado")
            tabs.append(Tab(element.attrib["name"], part, element.attrib.get("state", "visible") == "visible"))
    if len({tab.name.casefold() for tab in tabs}) < len(tabs):
        raise refused("xlsx-danado")
    return tabs


def belonging(parts: Parts, base: str, *kinds: str) -> list[str]:
    """The parts of these ``kinds`` (``comments``, ``styles`` …) that belong to the part ``base``, in order."""
    folder, _, name = base.rpartition("/")
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in parts.by_name:
        return []
    found = []
    for element in tree(parts, relations).iter():
        kind = element.attrib.get("Type", "").rpartition("/")[2]
        if _local(element.tag) == "Relationship" and kind in kinds and element.attrib.get("TargetMode") != "External":
            found.append(resolve(base, element.attrib.get("Target", "")))
    return [part for part in found if part in parts.by_name]


def formatting_of(parts: Parts) -> Formatting:
    """What the workbook says about the appearance of its cells. Raises ``InputRefused`` for a broken part."""
    styles, themes = (belonging(parts, WORKBOOK, kind) for kind in ("styles", "theme"))
    found = styles_of(*(tree(parts, part[0]) if part else None for part in (styles, themes)))
    strings: dict[int, frozenset[Font]] = {}
    for content in parts.by_name.values():
        if is_strings(content):  # under any name: there is only one
            for number, fonts in runs_that_matter(content, found).items():
                strings[number] = strings.get(number, frozenset()) | fonts
    return Formatting(found, strings)


def _relations(parts: Parts) -> dict[str, tuple[str, str]]:
    """Relation id -> kind and part name."""
    found: dict[str, tuple[str, str]] = {}
    for element in tree(parts, RELATIONS).iter():
        if _local(element.tag) != "Relationship":
            continue
        name = element.attrib.get("Id", "")
        if name in found:
            raise refused("xlsx-danado")
        found[name] = (element.attrib.get("Type", ""), resolve(WORKBOOK, element.attrib.get("Target", "")))
    return found


def tree(parts: Parts, part: str) -> Element:
    """The root of a part. Raises ``InputRefused`` when it is missing or not XML."""
    if part not in parts.by_name:
        raise refused("xlsx-danado")
    try:
        root: Element = fromstring(parts.by_name[part])
    except (ParseError, DefusedXmlException, ValueError, RecursionError) as error:
        if isinstance(error, ParseError) and error.code == OUT_OF_MEMORY:
            raise MemoryError from error
        raise refused("xlsx-danado") from error
    return root


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
