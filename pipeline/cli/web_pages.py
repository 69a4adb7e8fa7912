"""``anular web --only pages``: the pages alone, without a password of eDoc."""

from __future__ import annotations

import os
import sys

from pipeline.cli.context import Talk
from pipeline.domain.errors import Interrupted
from pipeline.runtime.allocator import give_back
from pipeline.runtime.desktop import open_address
from pipeline.runtime.own_process import own_module, with_our_code

SECRETS = "ANULAR_PASSWORD"
REOPEN = 77
"""Exit code of pages that wrote the settings: they are to be started again, and the sender too."""


def serve_pages(*, sample: bool, child: bool, show: bool = False, again: bool = False) -> int:
    """Serves the pages. As a ``child`` they end when their standard input closes. ``show``: in the browser too.
    ``again``: the address for the first user that was shown before goes on."""
    without_secrets()
    give_back()
    from pipeline.web.opening import opened_site

    talk = Talk(False)
    with opened_site() as site:
        from pipeline.web import samples, starting
        from pipeline.web.serve import serve

        samples.suspend(site)
        people = samples.make(site) if sample else {}
        address = starting.set_up_address() if not again else None

        def ready() -> None:
            talk.out.print(f"Página: {site.url}/", markup=False)
            for user, password in people.items():
                talk.out.print(f"  {user:<6} {password}", markup=False)
            if address is not None:
                talk.out.print(f"Primera vez (30 minutos, una sola vez): {address}", markup=False)
            talk.out.file.flush()
            if show:
                open_address(address or f"{site.url}/")

        serve(site, on_ready=ready, child=child)
    if child and site.changed.is_set():
        return REOPEN
    if not child:
        raise Interrupted("La página se cerró. Lo que se estaba enviando no depende de ella.", code="pages-stopped")
    return 0


def without_secrets() -> None:
    """Takes what may hold a password of eDoc away from this process: variables, and the keyring's library.

    Where the system shows a process the variables that it began with, it begins anew without them.
    """
    names = [name for name in os.environ if name.startswith(SECRETS)]
    if names and os.name == "posix" and sys.argv[1:2] == ["web"]:
        clean = {name: value for name, value in os.environ.items() if name not in names}
        sys.stdout.flush()
        os.execve(sys.executable, own_module("pipeline", *sys.argv[1:]), with_our_code(clean))  # noqa: S606
    for name in [name for name in os.environ if name.startswith(SECRETS)]:
        del os.environ[name]
    sys.modules["keyring"] = None  # type: ignore[assignment]  # an import of it fails
