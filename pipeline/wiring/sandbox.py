"""Local eDoc (sandbox) that a run starts for itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.domain.errors import StoppedEarly
from pipeline.ledger.storage.location import location_of
from pipeline.runtime.own_process import NO_WINDOW, own_module, with_our_code
from pipeline.settings.model import Env, Settings

START_SANDBOX_S = 20.0


@contextmanager
def running_sandbox(settings: Settings) -> Iterator[str]:
    """Base address of a local eDoc started for this run; "" where an address is configured.

    It is a child of this program and ends with it, also when this program is killed: its standard input closes.
    """
    if settings.env is not Env.SANDBOX or settings.base_url:
        yield ""
        return
    request_log = settings.sandbox_journal or location_of(settings.ledger).request_log
    command = own_module("pipeline", "sandbox", "--port", "0", "--child", "--journal", str(request_log))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANULAR_")}
    if settings.sandbox_now is not None:
        environment["ANULAR_SANDBOX_NOW"] = settings.sandbox_now.isoformat()
    child = subprocess.Popen(  # noqa: S603 # nosec B603 - our own interpreter and module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=with_our_code(environment),
        creationflags=NO_WINDOW,
    )
    try:
        assert child.stdout is not None
        base = child.stdout.readline().strip()
        if not base:
            raise StoppedEarly("El sandbox local no arrancó.", code="sandbox-start", remedy="Nada se envió.")
        yield base
    finally:
        if child.stdin is not None:
            child.stdin.close()
        try:
            child.wait(timeout=START_SANDBOX_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()
