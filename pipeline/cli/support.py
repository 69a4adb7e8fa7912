"""``anular support``: what eDoc's support desk needs about the rows that only it can resolve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.context import Talk, local_time, observation_of, settings_for
from pipeline.cli.inputs import no_batch, own_batch
from pipeline.cli.options import BatchId, Json, Ledger, Profile
from pipeline.domain.errors import WrongUsage

if TYPE_CHECKING:
    from pipeline.domain.records import BatchInfo
    from pipeline.ledger.search import Hit
    from pipeline.wiring.ledger import Memory

_SHOWN = 10


def support(
    context: typer.Context,
    batch: BatchId,
    rows: Annotated[
        list[str] | None,
        typer.Option(
            "--row",
            metavar="FILA",
            help="Otra fila que se incluye, como la muestra la columna «Fila»; se puede repetir.",
        ),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", metavar="QUIÉN", help="Quién lo pide y firma; por defecto, el usuario del equipo.")
    ] = "",
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Prepara el caso para el soporte de eDoc: texto, tabla y respuestas de las filas con ERROR eDoc (estado 4).

    Queda en una carpeta junto a los resultados y en la bitácora consta quién lo preparó y cuándo. No envía nada.

    Por ejemplo: anular support 20261120-b7020992 --by "Ana Pérez"
    """
    from pipeline import decide
    from pipeline.ledger.ledger_events import add_support_case, support_cases
    from pipeline.ledger.ownership import who_am_i
    from pipeline.report.support_case import TEXT, Sender, make_case, publish_case
    from pipeline.settings.model import ENV_WORDS
    from pipeline.wiring.ledger import open_memory
    from pipeline.wiring.rules import make_clock
    from pipeline.wiring.views import ledger_exists

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    who = decide.named(by) if by else who_am_i()
    clock, bus = make_clock(settings), observation_of(context).bus(settings, "support")
    if not ledger_exists(settings):  # looking for a batch makes no ledger
        raise no_batch(batch)
    with open_memory(settings, sends=False, bus=bus) as memory:
        info, search = own_batch(memory.views, batch), memory.views.search()
        before = support_cases(memory.database, info.id)
        hits = _asked(memory, info, rows or [])
        found, now = [search.row(hit) for hit in hits], clock.now()
        sender = Sender(who, settings.company, ENV_WORDS[settings.env], settings.integration_name)
        case = make_case(info, found, [search.answers(hit) for hit in hits], sender, now)
        named = "; ".join(str(row.line.position) for row in found)

        def record() -> None:
            add_support_case(memory.database, info.id, now, who=who, rows=named, digest=case.digest)

        folder = publish_case(case, settings.out or Path(info.folder), info, record)
    positions = [str(row.line.position) for row in found]
    answer = {"batch": info.id, "folder": str(folder), "rows": positions, "by": who, "at": now.isoformat()}
    earlier = [{"at": one.at.isoformat(), "by": one.who, "rows": one.rows} for one in before]
    talk.data({**answer, "text": case.text, "earlier": earlier})
    for one in before:
        talk.out.print(f"Ya se preparó un caso el {local_time(one.at)}, por {one.who}: {one.rows}", markup=False)
    talk.out.print(f"✓ Caso para el soporte de eDoc ({_rows(positions)}): {folder}", markup=False)
    talk.out.print(f"Péguelo en un correo o en su portal: {folder / TEXT}. Adjunte lo demás.", markup=False)
    return 0


def _asked(memory: Memory, info: BatchInfo, names: Sequence[str]) -> list[Hit]:
    """The rows of the case: those in state 4, and those that were named. Raises ``WrongUsage`` for none."""
    from pipeline.domain.lifecycle import State
    from pipeline.ledger.decisions import named_row
    from pipeline.ledger.search import Hit

    found = set(memory.views.search().in_state(info.id, State.NEEDS_SUPPORT))
    found |= {named_row(memory.database, info, name).pos for name in names}
    if not found:
        raise WrongUsage(
            f"En el lote {info.id} no hay filas con ERROR eDoc (estado 4).",
            code="no-support-rows",
            remedy="Para preguntar por otras, nómbrelas con --row.",
        )
    return [Hit(info.id, pos, info.env) for pos in sorted(found)]


def _rows(positions: Sequence[str]) -> str:
    more = f" y {len(positions) - _SHOWN} más" if len(positions) > _SHOWN else ""
    return "; ".join(positions[:_SHOWN]) + more
