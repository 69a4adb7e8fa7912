"""Control routes under ``/_sandbox/``: inspect, choose scenarios, cause faults. For the loopback only.

==========================  =====================================================================================
GET  state                  time, documents with their truth, counters
GET  journal                every entry so far
GET  scenarios              the table
POST scenario               ``{"cufe", "code"}``: scenario for the next POST of that CUFE
POST documents              ``[{"cufe", "status": "alive" | "cancelled"}]``: known before any POST
POST fault                  ``{"kind", "next": n, "routes": [...], "processed": bool, "seconds": s}``; kind null ends it
POST rate                   ``{"per_second": n | null}``: 429 beyond it
POST latency                ``{"ms": n}``: added to every answer
POST advance                ``{"seconds": s}``: moves the sandbox's time
POST tokens/revoke          ``{"service": "16" | "3" | null}``
==========================  =====================================================================================
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route as Path

from pipeline.domain.cufe import Cufe
from pipeline.domain.errors import CufeInvalid
from pipeline.sandbox.documents import Registered
from pipeline.sandbox.faults import FAULTS, Fault, Route
from pipeline.sandbox.scenarios import SCENARIOS
from pipeline.sandbox.service import Sandbox

Command = Callable[[Sandbox, Any], object]


def control_routes(sandbox: Sandbox) -> list[Path]:
    """The routes of the table above."""
    gets: dict[str, Command] = {"state": _state, "journal": _journal, "scenarios": _scenarios}
    posts: dict[str, Command] = {
        "scenario": _scenario,
        "documents": _documents,
        "fault": _fault,
        "rate": _rate,
        "latency": _latency,
        "advance": _advance,
        "tokens/revoke": _revoke,
    }
    return [
        *(Path(f"/{name}", _endpoint(sandbox, command), methods=["GET"]) for name, command in gets.items()),
        *(Path(f"/{name}", _endpoint(sandbox, command), methods=["POST"]) for name, command in posts.items()),
    ]


def _endpoint(sandbox: Sandbox, command: Command) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def endpoint(request: Request) -> JSONResponse:
        if request.client is None or not ipaddress.ip_address(request.client.host).is_loopback:
            return JSONResponse({"error": "control is for the loopback only"}, status_code=403)
        try:
            given = await request.json() if request.method == "POST" else None
            return JSONResponse(command(sandbox, given))
        except (CufeInvalid, ArithmeticError, KeyError, TypeError, ValueError, AttributeError) as problem:
            return JSONResponse({"error": f"{type(problem).__name__}: {problem}"}, status_code=400)

    return endpoint


def _state(sandbox: Sandbox, _given: object) -> object:
    now = sandbox.now()
    documents = [
        {
            "cufe": document.cufe.text,
            "next": document.upcoming.code,
            "current": document.current.code if document.current else None,
            "registered": document.registered.value if document.registered else None,
            "posts": document.posts,
            "taken": document.taken,
            "repeated": document.repeated,
            "queries": document.queries,
            "known": document.known(now),
            "cancelled": document.cancelled(now),
        }
        for document in sandbox.book
    ]
    return {"time": now.isoformat(), "received": dict(sandbox.received), "documents": documents}


def _journal(sandbox: Sandbox, _given: object) -> object:
    return sandbox.request_log.entries()


def _scenarios(_sandbox: Sandbox, _given: object) -> object:
    return [{"code": s.code, "name": s.name, "description": s.description} for s in SCENARIOS.values()]


def _scenario(sandbox: Sandbox, given: Any) -> object:
    sandbox.choose(Cufe.parse(given["cufe"], allow_bad_check_digit=True), given["code"])
    return {"ok": True}


def _documents(sandbox: Sandbox, given: Any) -> object:
    wanted = [(Cufe.parse(entry["cufe"]), Registered(entry["status"])) for entry in given]
    for cufe, status in wanted:
        sandbox.register(cufe, status)
    return {"ok": True, "registered": len(wanted)}


def _fault(sandbox: Sandbox, given: Any) -> object:
    kind = given["kind"]
    if kind is None:
        sandbox.gate.set_fault(None)
        return {"ok": True}
    if kind not in FAULTS:
        raise ValueError(f"unknown kind {kind!r}; one of {', '.join(FAULTS)}")
    routes = frozenset(Route(name) for name in given.get("routes", [Route.CANCEL.value]))
    # A pause only delays an answer, so the request must be processed.
    processed = bool(given.get("processed", False)) or kind == "pause"
    fault = Fault(kind, int(given.get("next", 1)), routes, processed, float(given.get("seconds", 0)))
    sandbox.gate.set_fault(fault)
    return {"ok": True}


def _rate(sandbox: Sandbox, given: Any) -> object:
    per_second = given["per_second"]
    sandbox.gate.set_rate(None if per_second is None else int(per_second))
    return {"ok": True}


def _latency(sandbox: Sandbox, given: Any) -> object:
    sandbox.latency = timedelta(milliseconds=float(given["ms"]))
    return {"ok": True}


def _advance(sandbox: Sandbox, given: Any) -> object:
    sandbox.advance(timedelta(seconds=float(given["seconds"])))
    return {"ok": True, "time": sandbox.now().isoformat()}


def _revoke(sandbox: Sandbox, given: Any) -> object:
    return {"ok": True, "revoked": sandbox.desk.revoke(given.get("service"))}
