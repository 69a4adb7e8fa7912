"""Origin of a workbook of our own: the batch in its document property (interface.md 4).

Information only. A person can write anything there, so it counts as a batch id only if it looks like one, and it
never decides whether something is sent.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from pipeline.domain.columns import ENV_PROPERTY, HASH_PROPERTY, ORIGIN_PROPERTY, OURS_PROPERTY, origin_in
from pipeline.read.guard import Parts, open_workbook
from pipeline.read.limits import Limits

_PROPERTIES = "docProps/custom.xml"
_LARGEST = 64 * 1024


def origin_of(parts: Parts) -> str:
    """The batch id in the document properties; empty when there is none, or no valid one."""
    return origin_in(_properties(parts).get(ORIGIN_PROPERTY, ""))


def is_ours(parts: Parts) -> bool:
    """Whether the document properties say that this program wrote the workbook."""
    return not {OURS_PROPERTY, ORIGIN_PROPERTY}.isdisjoint(_properties(parts))


def written_for(data: bytes, name: str, limits: Limits) -> tuple[str, str, str] | None:
    """Returns SHA-256 of the input, batch and environment that a workbook of ours names in its document properties;
    None when it has none, as those of earlier versions.

    Behind the same guard as every input; raises ``InputRefused``.
    """
    found = _properties(open_workbook(data, name, limits))
    if HASH_PROPERTY not in found:
        return None
    return found[HASH_PROPERTY], found.get(ORIGIN_PROPERTY, ""), found.get(ENV_PROPERTY, "")


def _properties(parts: Parts) -> dict[str, str]:
    content = parts.by_name.get(_PROPERTIES, b"")
    if not content or len(content) > _LARGEST:
        return {}
    try:
        root: Element = fromstring(content)
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        return {}
    return {element.attrib.get("name", ""): "".join(element.itertext()) for element in reversed(root)}
