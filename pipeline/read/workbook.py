"""Which worksheets a workbook has: their names, parts, and whether they are hidden."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from pipeline.domain.problems import refused
from pipeline.read.guard import Parts, resolve
from pipeline.read.slowscan import OUT_OF_MEMORY

WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"


@dataclass(frozen=True, slots=True)
class Tab:
    """A worksheet: its name, the part that holds it, and whether a person sees it."""

    name: str
    part: str
    visible: bool


def tabs_of(parts: Parts) -> list[Tab]:
    """The worksheets in the order of the book; chart sheets are left out. Raises ``InputRefused`` for a broken book."""
    relations = _relations(parts)
    tabs: list[Tab] = []
    for element in _tree(parts, WORKBOOK).iter():
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


def _relations(parts: Parts) -> dict[str, tuple[str, str]]:
    """Relation id -> kind and part name."""
    found: dict[str, tuple[str, str]] = {}
    for element in _tree(parts, _RELATIONS).iter():
        if _local(element.tag) != "Relationship":
            continue
        name = element.attrib.get("Id", "")
        if name in found:
            raise refused("xlsx-danado")
        found[name] = (element.attrib.get("Type", ""), resolve(WORKBOOK, element.attrib.get("Target", "")))
    return found


def _tree(parts: Parts, part: str) -> Element:
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
