"""``anular doctor``: what is configured and whether it works."""

from __future__ import annotations

from pipeline.cli.context import Talk, settings_for
from pipeline.cli.options import Json, Ledger, Profile


def doctor(as_json: Json = False, profile: Profile = "", ledger: Ledger = "") -> int:
    """Dice qué está configurado y si responden el servicio, el reloj y el historial de envíos. No anula nada."""
    import asyncio

    from pipeline import doctor as checks
    from pipeline.cli import console
    from pipeline.wiring.rules import make_clock
    from pipeline.wiring.sandbox import running_sandbox

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    clock = make_clock(settings)
    with running_sandbox(settings) as base:
        findings = asyncio.run(checks.examine(settings, clock, base))
    talk.data(checks.as_data(settings, findings))
    console.facts(talk.out, "Configuración", checks.configuration(settings))
    console.facts(talk.out, "Comprobaciones", [(f.name, ("✓ " if f.good else "✗ ") + f.words) for f in findings])
    return 0 if all(finding.good for finding in findings) else 5
