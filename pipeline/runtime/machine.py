"""Identity of this machine: the id that its system got when it was installed, which no name and no network changes."""

from __future__ import annotations

import platform
import re
import subprocess  # nosec B404 - ioreg, no shell
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.runtime.windows import Windows, this_windows

MACHINE_ID = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


if sys.platform == "darwin":

    def hardware_of_mac() -> str:
        """What macOS says of the machine's board; "" where it does not answer."""
        command = ["/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice"]
        try:
            told = subprocess.run(command, capture_output=True, timeout=10, check=True)  # noqa: S603 - fixed words
        except (OSError, subprocess.SubprocessError):
            return ""
        return told.stdout.decode("ascii", "replace")

else:

    def hardware_of_mac() -> str:
        """Nothing: another system."""
        return ""


def machine_text(
    files: Sequence[Path] = MACHINE_ID, windows: Windows | None = None, hardware: Callable[[], str] = hardware_of_mac
) -> str:
    """Kind and id: that of Windows, of the files of Linux, or of the Mac's board; else the machine's name."""
    windows = windows or this_windows()
    if windows is not None and (guid := windows.machine_guid().strip()):
        return f"machine-guid {guid}"
    for file in files:
        try:
            text = file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if text and text != "uninitialized":
            return f"machine-id {text}"
    if found := re.search(r'"IOPlatformUUID" = "([^"]+)"', hardware()):
        return f"platform-uuid {found[1]}"
    return f"node {platform.node()}"
