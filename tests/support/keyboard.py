"""A person at a page with a keyboard alone: Tab until they are where they want to be, and nothing is clicked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MOST_TABS = 80
NAME = """(() => { const one = document.activeElement;
  return ((one.labels && one.labels.length ? one.labels[0] : one).innerText || "").trim(); })()"""
SEEN = """(() => { const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return inside && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2; })()"""


@dataclass
class Keyboard:
    """Keys on a page; ``steps`` counts those that are no characters of a text, ``typed`` the characters."""

    page: Any
    steps: int = 0
    typed: int = 0
    #: windows for a file that are open; heard of from the start, as a browser learns late that somebody listens
    windows: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("filechooser", lambda window: self.windows.append(window))

    def press(self, *keys: str) -> Keyboard:
        for key in keys:
            self.page.keyboard.press(key)
            self.steps += 1
        return self

    def type(self, text: str) -> Keyboard:
        self.page.keyboard.type(text)
        self.typed += len(text)
        return self

    def to(self, name: str) -> Keyboard:
        """Presses Tab until what has this name has the focus; it must be on screen, with a frame around it."""
        for _ in range(MOST_TABS):
            self.press("Tab")
            if self.page.evaluate(NAME) == name:
                assert self.page.evaluate(SEEN), f"«{name}» has the focus and cannot be seen"
                return self
        raise AssertionError(f"no Tab leads to «{name}»")

    def choose(self, file: str) -> Keyboard:
        """Opens the system's own window for a file with the space bar; there it is chosen (one more key)."""
        self.press("Space")
        for _ in range(1200):
            if self.windows:
                self.windows.pop().set_files(file)
                self.steps += 1
                return self
            self.page.wait_for_timeout(50)
        raise AssertionError("no window for a file was opened")
