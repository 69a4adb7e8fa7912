"""``anular web --open``: the page in this person's browser. Where it is open already it is not started again."""

from __future__ import annotations

import http.client

from pipeline.cli.context import Talk
from pipeline.domain.errors import WrongUsage
from pipeline.runtime.desktop import open_address
from pipeline.settings.model import Settings

PATIENCE_S = 30.0
"""Seconds that a page has until it counts as none: the first answer of one that was just opened takes some."""


def is_open(settings: Settings) -> bool:
    """Whether the page of this machine answers. Raises ``WrongUsage`` where it is one for other machines."""
    if settings.web_url:
        raise WrongUsage(
            "--open es para la página de este equipo, y aquí tiene dirección propia (ANULAR_WEB_URL).",
            code="web-open",
            remedy=f"Abra {settings.web_url} en el navegador.",
        )
    from pipeline.web.texts.frame import NOT_WELL, WELL

    host = "127.0.0.1" if settings.web_host == "localhost" else settings.web_host
    there = http.client.HTTPConnection(host, settings.web_port, timeout=PATIENCE_S)
    try:
        there.request("GET", "/salud", headers={"Host": f"localhost:{settings.web_port}"})
        return there.getresponse().read(100).decode("utf-8", "replace") in (WELL, NOT_WELL)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        there.close()


def show_again() -> int:
    """Shows the page that is open already: where it has no user yet, under a new address for the first one."""
    from pipeline.cli.web_pages import without_secrets

    without_secrets()
    from pipeline.web.opening import opened_site

    talk = Talk(False)
    with opened_site() as site:
        from pipeline.web import starting

        address = starting.set_up_address()
        talk.out.print(f"La página ya estaba abierta: {site.url}/", markup=False)
        open_address(address or f"{site.url}/").join(PATIENCE_S)
    return 0
