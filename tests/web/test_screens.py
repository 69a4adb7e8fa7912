"""Every screen in every state, in a browser: no violation of axe-core in light and dark, wide and narrow, nothing that
goes sideways on a telephone or at 400 %, one heading, a title that says what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error as PlaywrightError

from tests.support import browsing
from tests.support.browsing import Shown
from tests.support.long import long
from tests.web.states import State

pytestmark = pytest.mark.sqlite

CORE = ("approval",)
"""Looked at in every run; the others are long."""
RULES = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"]}
"""All that axe-core knows, with the one that it leaves out unless it is asked: targets of 24 px. Of what
it finds to be right it tells one place each, not all."""
WIDE, NARROW, ZOOMED = 1200, 360, 320
"""px; 320 is a screen of 1280 px at 400 %."""


@contextmanager
def opened(shown: Shown, state: State) -> Iterator[Any]:
    """A page that is in this state."""
    page = shown.page(state.who)
    with pytest.MonkeyPatch.context() as patch:
        if state.under is not None:
            patch.setattr(*state.under)
        _still(page, documents=1 if state.given is None else 2)
        page.goto(shown.url + state.path, wait_until="domcontentloaded")
        if state.given is not None:
            for name, value in state.given.items():
                field = page.locator(f"#{name}")
                if value == "on":
                    field.check()
                else:
                    field.fill(value)
            with page.expect_navigation():
                page.evaluate(f'document.querySelector("{state.form}").submit()')
        yield page
    page.context.close()


def _still(page: Any, documents: int) -> None:
    """Let so many documents be loaded and nothing after them: a screen that goes on by itself stays as it is."""
    left = documents

    def passed(route: Any) -> None:
        nonlocal left
        kind = route.request.resource_type
        if kind == "document":
            left -= 1
        if kind in ("fetch", "eventsource") or left < 0:
            route.abort("aborted")  # as a click that another click overtakes: the browser keeps what it shows
        else:
            route.continue_()

    page.route("**/*", passed)


def faults(page: Any, state: State) -> list[str]:
    """What is wrong with a page in its state, in words."""
    found = []
    title = page.title()
    if title.startswith("Error:") is not state.wrong:
        found.append(f"its title is «{title}»")
    if page.locator("h1").count() != 1:
        found.append(f"{page.locator('h1').count()} headings h1")
    if state.words not in page.inner_text("main"):
        found.append(f"«{state.words}» is not there")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (WIDE, NARROW):
            page.set_viewport_size({"width": width, "height": 800})
            for one in Axe().run(page, options=RULES).response["violations"]:
                node = one["nodes"][0]
                found.append(
                    f"{scheme} {width}: {one['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
                )
    for width in (NARROW, ZOOMED):
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate(browsing.SIDEWAYS):
            found.append(f"goes sideways at {width} px: {page.evaluate(TOO_WIDE)}")
    return found


TOO_WIDE = """[...document.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 3).map(one => one.outerHTML.slice(0, 120)).join(" | ")"""


@pytest.mark.parametrize("name", [*CORE])
def test_a_screen_has_no_fault(shown: Shown, all_states: dict[str, State], name: str):
    state = all_states[name]
    with opened(shown, state) as page:
        assert faults(page, state) == []


@pytest.mark.long
def test_no_screen_in_no_state_has_a_fault(shown: Shown, all_states: dict[str, State]):
    wrong = []
    for name, state in all_states.items():
        try:
            with opened(shown, state) as page:
                wrong += [f"{name}: {one}" for one in faults(page, state)]
        except PlaywrightError as trouble:  # the others are looked at all the same
            wrong.append(f"{name}: {trouble}")
    assert wrong == [], "\n".join(wrong)


@pytest.mark.long
def test_every_address_that_shows_a_screen_is_among_them(shown: Shown, all_states: dict[str, State]):
    """A new screen is looked at too."""
    from django.urls import resolve

    from pipeline.web.urls import ROUTES

    there = [one.path.partition("?")[0] for one in all_states.values() if one.path != "/nada"]
    seen = {resolve(path).route for path in there}
    pages = {one.path for one in ROUTES.values() if "GET" in one.methods and not one.passive}
    assert pages - seen == WITHOUT_A_SCREEN


WITHOUT_A_SCREEN = {
    "ayuda/plantilla.xlsx",
    "bitacora.csv",
    "cuenta/codigos",  # a form of the second factor leads there
    "entrar/segundo-factor",  # and the log-in there
    "entrar/invitacion/<str:code>",  # the page of a new password, with a greeting
    "propuestas/<int:number>/libros/<slug:kind>",  # «Se está preparando», as of a batch
    "salud",
    "estatico/<str:mark>/<str:name>",
}


@pytest.mark.parametrize("name", long("start", "review", "approval", "batch, stopped", "row, held", "search, list"))
def test_tab_goes_through_a_screen_in_its_order_and_is_always_seen(
    shown: Shown, all_states: dict[str, State], name: str
):
    """Visible focus, not covered, in the order of the page, and back at the beginning: no trap."""
    with opened(shown, all_states[name]) as page:
        places, last = [], None
        for _ in range(400):
            page.keyboard.press("Tab")
            now = page.evaluate(FOCUS)
            if now is None or now["key"] == last:
                break
            assert now["seen"], now
            places.append(now["order"])
            last = now["key"]
        assert places == sorted(places)
        assert len(places) > 5


FOCUS = """(() => { const one = document.activeElement; if (!one || one === document.body) return null;
  const all = [...document.querySelectorAll("*")], box = one.getBoundingClientRect(), style = getComputedStyle(one);
  const over = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  const inside = box.top >= 0 && box.bottom <= innerHeight + 1;
  return { key: all.indexOf(one), order: all.indexOf(one), html: one.outerHTML.slice(0, 100),
    seen: inside && style.outlineStyle !== "none" && (one.contains(over) || over?.contains(one)) }; })()"""
