"""Desktop of the person who sits at the machine: opens an address or a file with the program that they use for it."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path


def has_desktop(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there is one, or a browser is named: elsewhere a browser that draws in the terminal would be taken."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    return sys.platform in ("win32", "darwin") or any(environment.get(name) for name in screens)


def open_address(address: str) -> threading.Thread:
    """Has a browser open ``address``, in a thread: some browsers are waited for."""
    return _in_a_thread(lambda: webbrowser.open(address))


def open_file(path: Path) -> threading.Thread:
    """Has the file opened, in a thread."""
    return _in_a_thread(lambda: _open(path.absolute()))


if sys.platform == "win32":

    def _open(path: Path) -> None:
        os.startfile(path)  # noqa: S606  # nosec B606 - a workbook that we wrote

else:

    def _open(path: Path) -> None:
        webbrowser.open(path.as_uri())


def _in_a_thread(call: Callable[[], object]) -> threading.Thread:
    def work() -> None:
        with suppress(OSError, webbrowser.Error):  # the person opens it by hand
            call()

    thread = threading.Thread(target=work if has_desktop() else lambda: None, daemon=True)
    thread.start()
    return thread
