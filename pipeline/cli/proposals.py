"""``anular proposals``, ``approve`` and ``reject``: what waits for another person, and what that person says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.approve import is_count
from pipeline.cli.context import Talk, local_time, observation_of, settings_for
from pipeline.cli.options import Json, Ledger, Profile
from pipeline.cli.two_people import opened_proposals, person_here, two_asked
from pipeline.domain.approved_by import short_digest
from pipeline.domain.commands import order
from pipeline.domain.errors import Interrupted
from pipeline.domain.visible import thousands

if TYPE_CHECKING:
    from pipeline.approvals.store import Proposal, Proposals
    from pipeline.settings.model import Settings

Number = Annotated[int, typer.Argument(metavar="NÚMERO", min=1, help="La propuesta, con el número de «proposals».")]


def list_proposals(as_json: Json = False, profile: Profile = "", ledger: Ledger = "") -> int:
    """Muestra las propuestas abiertas, con su estado y su huella, y los lotes que la carpeta retuvo."""
    from pipeline.cli import console
    from pipeline.wiring.office import office_exists

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    found: list[Proposal] = []
    if office_exists(settings):
        with opened_proposals(settings, talk) as store:
            found = store.open()
    held = _held(settings, {one.batch for one in found if one.source == "carpeta"})
    talk.data([*map(proposal_data, found), *held])
    for one in found:
        console.facts(talk.out, f"Propuesta {one.id}", proposal_facts(one))
    for other in held:
        console.facts(
            talk.out,
            f"Lote {other['batch']}",
            [
                ("Estado", "Borrador: lo retuvo la carpeta y nadie pidió su aprobación"),
                ("Archivo", other["file"]),
                ("Facturas", thousands(other["to_send"])),
                ("Qué hacer", f"pedir su aprobación: {order('propose', '--batch', other['batch'])}"),
            ],
        )
    if not found and not held:
        talk.out.print("No hay propuestas abiertas.")
    return 0


def _held(settings: Settings, proposed: set[str]) -> list[dict[str, Any]]:
    """Batches that the drop folder held and that are not proposed."""
    from pipeline.domain.lifecycle import HELD_ON_ARRIVAL
    from pipeline.wiring.views import open_views

    told = []
    with open_views(settings) as views:
        names = [name for name in views.holding() if name not in proposed] if views is not None else []
        heads = views.heads(names) if views is not None else {}
        for name in names:
            waiting = len(views.waiting(name, HELD_ON_ARRIVAL)) if views is not None else 0
            if waiting:
                told.append(
                    {
                        "id": None,
                        "state": "DRAFT",
                        "word": "Borrador",
                        "source": "carpeta",
                        "file": heads[name].file,
                        "batch": name,
                        "to_send": waiting,
                    }
                )
    return told


def approve_proposal(
    number: Number,
    digest: Annotated[
        str,
        typer.Option("--digest", metavar="HUELLA", help="La huella que le mostraron, entera o corta."),
    ] = "",
    confirm: Annotated[
        int | None,
        typer.Option("--confirm", metavar="N", min=1, help="Cuántas facturas se anularían, donde no hay terminal."),
    ] = None,
    issuer: Annotated[
        list[str] | None,
        typer.Option("--issuer", metavar="RUC", help="Cada emisor que se confirma, si son varios; se repite."),
    ] = None,
    hidden_count: Annotated[
        int,
        typer.Option("--hidden-count", metavar="N", min=0, help="Cuánto había oculto en el archivo."),
    ] = 0,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Aprueba exactamente lo que otra persona preparó. Muestra qué se enviaría y pide escribir la cantidad.

    No envía: después se envía con «run --approved NÚMERO».
    """
    from pipeline.approvals import decisions
    from pipeline.wiring.rules import make_clock

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    clock, who = make_clock(settings), person_here(settings)
    with opened_proposals(settings, talk) as store:
        proposal = store.get(number)
        two = two_asked(settings, store.way(proposal))
        found = decisions.check_approvable(store, proposal, clock.now(), settings, who=who, two=two)
        _show(proposal, store, talk)
        for one in found:
            talk.out.print(f"Certificado digital: {one.words}", markup=False)
        consent = decisions.Consent(confirm, digest, tuple(issuer or ()), hidden_count, proposal.version)
        if confirm is None and sys.stdin.isatty():
            consent = _asked(proposal, consent, talk)
        done = decisions.approve(store, proposal, consent, clock.now(), settings, who=who, two=two)
    talk.data(proposal_data(done))
    talk.out.print(
        f"✓ Propuesta {done.id} aprobada por {who}. Todavía no se envió: {order('run', '--approved', done.id)}",
        markup=False,
    )
    return 0


def reject_proposal(
    context: typer.Context,
    number: Number,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXTO", help="Por qué; queda guardado.")],
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """No aprueba una propuesta. La propia se descarta; una detenida se termina y retira lo que no se envió."""
    from pipeline.approvals import decisions, stopping
    from pipeline.domain.proposals import ProposalState
    from pipeline.wiring.ledger import open_memory
    from pipeline.wiring.rules import make_clock

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    clock, who, why = make_clock(settings), person_here(settings), decisions.reason(reason)
    with opened_proposals(settings, talk) as store:
        proposal = store.get(number)
        if proposal.state is ProposalState.STOPPED:
            bus = observation_of(context).bus(settings, "reject")
            with open_memory(settings, sends=False, bus=bus) as memory:
                done = stopping.give_up(proposal, store, memory, clock, who=who, why=why)
        else:
            two = two_asked(settings, store.way(proposal))
            done = decisions.decline(store, proposal, clock.now(), who=who, why=why, two=two)
    talk.data(proposal_data(done))
    talk.out.print(f"Propuesta {done.id}: «{done.word}». No se envía nada más.", markup=False)
    return 0


def proposal_data(one: Proposal) -> dict[str, Any]:
    """``--json`` answer about a proposal."""
    return {
        "id": one.id,
        "state": one.state.value,
        "word": one.word,
        "source": one.source,
        "file": one.file_name,
        "sha256": one.sha256,
        "batch": one.batch or None,
        "rows": one.rows,
        "to_send": one.to_send,
        "digest": one.digest,
        "prepared_by": one.people.prepared_by,
        "submitted_by": one.people.submitted_by or None,
        "approved_by": one.people.approved_by or None,
        "why": one.why or None,
        "expires": one.expires.isoformat() if one.expires else None,
    }


def proposal_facts(one: Proposal) -> list[tuple[str, str]]:
    """The same for a person."""
    facts = [
        ("Estado", f"{one.word}{f': {one.why}' if one.why else ''}"),
        ("Archivo", f"{one.file_name} · código de verificación {one.sha256[:12]}…"),
        ("Por anular", f"{thousands(one.to_send)} de {thousands(one.rows)} filas"),
        ("Huella", short_digest(one.digest)),
        ("Preparó", one.people.submitted_by or one.people.prepared_by),
    ]
    if one.people.approved_by:
        facts.append(("Aprobó", one.people.approved_by))
    if one.batch:
        facts.append(("Lote", one.batch))
    if one.expires is not None:
        facts.append(("Caduca", local_time(one.expires)))
    return facts


def _show(proposal: Proposal, store: Proposals, talk: Talk) -> None:
    """Everything that a person approves: the plan as it was kept, and the whole digest."""
    from pipeline.cli import console

    seen = store.plan_data(proposal.id)
    facts = [(str(name), str(words)) for name, words in seen.get("facts", ())]
    content = proposal.content
    facts += [
        ("Por anular", thousands(proposal.to_send)),
        ("Preparó", proposal.people.submitted_by or proposal.people.prepared_by),
        ("Huella", short_digest(proposal.digest)),
        ("Huella entera", proposal.digest),
    ]
    if content["hidden"]:
        facts.append(("Oculto", f"{thousands(content['hidden'])} filas, columnas o celdas, que se incluyen"))
    console.facts(talk.out, f" Propuesta {proposal.id} · {proposal.file_name} ", facts, style="bold")
    console.listing(talk.out, "No se enviarán", [str(one) for one in seen.get("problems", ())])
    talk.out.print("Esto no se puede deshacer.", markup=False)


def _asked(proposal: Proposal, consent: Any, talk: Talk) -> Any:
    """What a person at the terminal types: what is hidden, each issuer, and the count last."""
    from dataclasses import replace

    talk.check_seen()
    content = proposal.content
    if content["hidden"] and not consent.hidden:
        typed = typer.prompt(
            f"Escriba {content['hidden']} para incluir también lo oculto", default="", show_default=False
        )
        consent = replace(consent, hidden=int(typed) if typed.strip().isdecimal() else 0)
    if len(content["issuers"]) > 1 and not consent.issuers:
        agreed = [
            ruc
            for ruc in content["issuers"]
            if typer.prompt(f"¿Anular también facturas del emisor {ruc}? Escriba si", default="", show_default=False)
            .strip()
            .casefold()
            .replace("í", "i")
            == "si"
        ]
        consent = replace(consent, issuers=tuple(agreed))
    count = thousands(proposal.to_send)
    asked = f"Escriba {count} para aprobar la anulación de {count} facturas; no se puede deshacer"
    typed = typer.prompt(asked, default="", show_default=False, err=talk.as_json)
    if not is_count(typed, proposal.to_send):
        raise Interrupted("No se aprobó nada: lo escrito no es la cantidad.", code="not-approved")
    return replace(consent, count=proposal.to_send)
