"""Routes of the local eDoc: the real paths under a prefix, and the control routes."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Mount
from starlette.routing import Route as Path
from starlette.types import Receive, Scope, Send

from pipeline.sandbox.control import control_routes
from pipeline.sandbox.delivery import deliver
from pipeline.sandbox.faults import Route
from pipeline.sandbox.service import Incoming, Sandbox

BASE_PATH = "/EdocPanama/4.0/"
CONTROL_PATH = "/_sandbox"
PATHS = {
    "Autenticacion/Api/ServicioEDOC": Route.TOKEN,
    "Emision/Eventos/API/Anulacion": Route.CANCEL,
    "Emision/Api/Consulta/ConsultarDocumentoRuta": Route.QUERY,
}
"""Paths below the base (edoc-api.md 1), with their kind."""


class Door:
    """One path of eDoc as an ASGI application: reads the request, passes it on, sends the reply."""

    def __init__(self, sandbox: Sandbox, route: Route) -> None:
        self._sandbox = sandbox
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return  # not received completely: it did not happen
        reply = self._sandbox.handle(
            Incoming(
                route=self._route,
                method=request.method,
                path=request.url.path,
                query=request.url.query,
                authorization=request.headers.get("authorization"),
                content_type=request.headers.get("content-type", ""),
                body=body,
            )
        )
        await deliver(reply, self._sandbox.clock, scope, receive, send)


def make_app(sandbox: Sandbox, base_path: str = BASE_PATH) -> Starlette:
    """The ASGI application. Cut connections need the protocol of ``delivery`` (``serve`` takes care of that)."""
    base = f"/{base_path.strip('/')}/".replace("//", "/")
    doors = [Path(base + path, Door(sandbox, route)) for path, route in PATHS.items()]
    elsewhere = Path("/{path:path}", Door(sandbox, Route.OTHER))
    return Starlette(routes=[*doors, Mount(CONTROL_PATH, routes=control_routes(sandbox)), elsewhere])
