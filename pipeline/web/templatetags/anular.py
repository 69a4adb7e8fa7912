"""Tags of our templates: a sentence with values, a field of a form, a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html

from pipeline.domain.approved_by import short_digest
from pipeline.domain.deadline import PANAMA
from pipeline.domain.visible import one_line, thousands
from pipeline.web.texts import frame as words
from pipeline.web.texts import options

register = template.Library()


@register.simple_tag
def say(sentence: str, **values: Any) -> Any:
    """``sentence`` with its ``{places}`` filled; every value is escaped."""
    return format_html(conditional_escape(sentence), **values)


@register.filter
def local(moment: datetime | None) -> str:
    """A moment as people write it here: ``dd/mm/aaaa HH:MM``, in Panama."""
    return f"{moment.astimezone(PANAMA):%d/%m/%Y %H:%M}" if moment is not None else ""


@register.inclusion_tag("anular/parts/field.html")
def field(bound: Any, **more: Any) -> dict[str, Any]:
    """One field of a form: label, hint, error, input."""
    told = [f"{bound.auto_id}-hint"] if bound.help_text else []
    told += [f"{bound.auto_id}-error"] if bound.errors else []
    attributes: dict[str, Any] = {"aria-describedby": " ".join(told)} if told else {}
    if bound.errors:
        attributes["aria-invalid"] = "true"
    shows = {"show": words.SHOW, "hide": words.HIDE}
    return {"field": bound, "input": bound.as_widget(attrs=attributes), **shows, **more}


@register.inclusion_tag("anular/parts/choices.html")
def choices(bound: Any) -> dict[str, Any]:
    """One field of a form that is a choice: its legend, and a box or button for each."""
    return {"field": bound}


@register.inclusion_tag("anular/parts/tick.html")
def tick(bound: Any) -> dict[str, Any]:
    """One box to tick: the box, its label, hint and error."""
    found: dict[str, Any] = field(bound)
    return found


@register.simple_tag
def count(number: int, words: str) -> str:
    """``number`` with its noun, of ``words`` for one and for several: «factura|facturas»."""
    one, _, many = words.partition("|")
    return f"{thousands(number)} {one if number == 1 else many}"


@register.filter
def number(value: int) -> str:
    """A number with the separator of thousands."""
    return thousands(value)


@register.filter
def fours(digest: str) -> str:
    """The first 16 digits of a digest in fours."""
    return short_digest(digest)


@register.filter
def line(text: object) -> str:
    """Text from outside on one line, with every sign that acts made visible."""
    return one_line(str(text))


@register.filter
def on_screen(text: object) -> str:
    """A message of the program as the page says it."""
    return options.on_screen(str(text))
