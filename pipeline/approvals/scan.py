"""Scan of an upload by the command that the office names, such as a virus scanner: the file on its standard input."""

from __future__ import annotations

import os
import shlex
import subprocess  # nosec B404 - the command is a setting of whoever installs the program, never of who uploads

from pipeline.domain.errors import InputRefused, StorageTrouble
from pipeline.runtime.os_error import os_words

PATIENCE_S = 60.0
_KEPT = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR")


def scan(command: str, data: bytes, name: str) -> None:
    """Lets ``command`` look at ``data``; nothing without a command. Raises ``InputRefused`` when it ends with another
    exit code than 0 or takes too long, ``StorageTrouble`` when it cannot be started: what was not looked at is not
    taken."""
    if not command.strip():
        return
    kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 # nosec B603 - no shell, and no word of it comes from outside
            shlex.split(command),
            input=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            env=kept,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _refusal(name, "el revisor de archivos no respondió a tiempo") from None
    except OSError as error:
        raise StorageTrouble(
            f"No se pudo revisar el archivo con el programa de ANULAR_WEB_SCAN: {os_words(error)}. No se guardó.",
            code="upload-scan",
            remedy="Avise a quien administra el programa.",
        ) from error
    if done.returncode:
        raise _refusal(name, "el revisor de archivos de su oficina no lo aceptó")


def _refusal(name: str, why: str) -> InputRefused:
    return InputRefused(
        f"«{name}» no se guardó: {why}.",
        code="upload-scan",
        remedy="Pida a quien lo preparó otra copia, o avise a quien administra el programa.",
    )
