"""The eDoc service: one transport, one limiter, the tokens of one credential."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pipeline.edoc.client import EdocClient, Urls
from pipeline.edoc.limiter import Limiter
from pipeline.edoc.token import TokenKeeper
from pipeline.edoc.transport import Transport
from pipeline.runtime.clock import Clock
from pipeline.runtime.core_dumps import no_core_dump
from pipeline.settings.model import Settings, addresses
from pipeline.telemetry.events import SILENT, EventBus
from pipeline.wiring.credentials import credentials


@dataclass(frozen=True, slots=True)
class Service:
    """Client of eDoc under one credential: one transport, one limiter for everything, the tokens in memory only."""

    client: EdocClient
    limiter: Limiter
    tokens: TokenKeeper
    transport: Transport
    urls: Urls


@asynccontextmanager
async def open_service(settings: Settings, clock: Clock, base: str, bus: EventBus = SILENT) -> AsyncIterator[Service]:
    """Client of eDoc at the configured addresses (``base``: the running sandbox's). Connects when first used."""
    no_core_dump()
    user, password = credentials(settings)
    limiter = Limiter(settings.rate, clock, bus)
    urls = Urls(*addresses(settings, base))
    async with Transport(
        concurrency=settings.concurrency,
        clock=clock,
        connect_s=settings.connect_timeout,
        read_s=settings.read_timeout,
        total_s=settings.connect_timeout + settings.read_timeout,
    ) as transport:
        tokens = TokenKeeper(transport, limiter, clock, urls.auth, user, password, bus=bus)
        client = EdocClient(
            transport,
            tokens,
            limiter,
            urls,
            integration_name=settings.integration_name,
            describes=settings.query_describes,
            resend_after_429=settings.resend_after_429,
            bus=bus,
        )
        try:
            yield Service(client, limiter, tokens, transport, urls)
        finally:
            tokens.forget()
