"""``anular find``: what became of a code, a document number, a file or a batch."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.context import Talk, settings_for
from pipeline.cli.options import Json, Ledger, Profile
from pipeline.domain.commands import order
from pipeline.domain.errors import WrongUsage
from pipeline.runtime.garbage import loading

if TYPE_CHECKING:
    from pipeline.domain.lookup import Wanted
    from pipeline.ledger.search import Search
    from pipeline.settings.model import Settings

MOST_ROWS, MOST_BATCHES = 20, 10
_MOST_BYTES = 100 * 2**20


def find(
    text: Annotated[
        list[str],
        typer.Argument(
            metavar="TEXTO...",
            help="Un CUFE (también con espacios, sin guiones o en el enlace del QR), un número de documento, un "
            "archivo, un lote, una de sus filas («LOTE fila 5»), o un código de verificación (SHA-256), entero o sus "
            "primeros 8 caracteres.",
        ),
    ],
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Busca una factura, un archivo o un lote: dónde y cuándo se envió, en qué quedó y qué hacer. No cambia nada.

    Por ejemplo: anular find 1234, o anular find "lote de marzo.xlsx".
    """
    with loading():
        from pipeline.cli import found as shown
        from pipeline.domain.lookup import wanted
        from pipeline.wiring.views import open_views

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    said = " ".join(text)
    wish = wanted(said)
    if not wish.kinds:
        raise WrongUsage(
            "Falta qué buscar.",
            code="nothing-to-find",
            remedy="Escriba un CUFE, un número de documento, un archivo o un lote.",
        )
    with open_views(settings, kept=True) as views:
        if views is None:
            talk.data(shown.data(wish, [], [], 0))
            raise _not_found(wish, f"Todavía no hay historial de envíos del ambiente {settings.env}.")
        search = views.search()
        hits = search.hits(wish)
        places = search.named(wish, _checksum(said))
        here = [hit for hit in hits if hit.env == settings.env]
        batches = [batch for batch, env in places if env == settings.env]
        rows = [search.row(hit) for hit in here[:MOST_ROWS]]
        infos = search.exactly(batches[:MOST_BATCHES])
        hint = "" if rows or infos else _elsewhere(search, settings, {hit.env for hit in hits}, {e for _, e in places})
    talk.data(shown.data(wish, rows, infos, len(here) + len(batches) - len(rows) - len(infos)))
    if not rows and not infos:
        raise _not_found(wish, hint)
    for row in rows:
        shown.show_row(talk.out, row)
    for info in infos:
        shown.show_batch(talk.out, info)
    if left := len(here) - len(rows):
        talk.out.print(f"… y {left} facturas más: escriba el CUFE completo para ver una sola.", markup=False)
    if left := len(batches) - len(infos):
        talk.out.print(f"… y {left} lotes más: véalos con {order('status', '--last', '0')}", markup=False)
    return 0


def _checksum(text: str) -> list[str]:
    """The SHA-256 of the file that ``text`` leads to, if it leads to one: it may have been renamed since."""
    import hashlib

    with suppress(OSError, ValueError):  # no file, no permission, not even a possible name
        path = Path(text.strip().strip("\"'")).expanduser()
        if path.is_file() and path.stat().st_size <= _MOST_BYTES:
            with path.open("rb") as stream:
                return [hashlib.file_digest(stream, "sha256").hexdigest()]
    return []


def _elsewhere(search: Search, settings: Settings, *found: set[str]) -> str:
    """Where it is instead, when it is not in the environment of the settings."""
    if others := sorted(set().union(*found) - {str(settings.env)}):
        return f"Está en el ambiente «{others[0]}» de este mismo historial: use ese ambiente (ANULAR_ENV={others[0]})."
    if not search.batches_at_all():
        return f"El historial de envíos no tiene lotes del ambiente {settings.env}."
    return ""


def _not_found(wish: Wanted, hint: str) -> WrongUsage:
    from pipeline.domain.lookup import WORDS, squeezed
    from pipeline.domain.problems import shorten

    kinds = ", ".join(WORDS[kind] for kind in wish.kinds)
    tries = f"Pruebe con el CUFE completo, el número de documento o el nombre del archivo; los lotes: {order('status')}"
    if wish.codes and not hint:
        length = len(squeezed(wish.text))
        tries = "Compare el CUFE con la factura, o pruebe con el número de documento."
        if length < 60 and "/" not in wish.text:
            tries = f"El CUFE está incompleto ({length} letras y números, sin contar guiones): cópielo completo."
        tries += " Puede estar en el historial de otra empresa (--profile) o de otro equipo."
    return WrongUsage(
        f"No se encontró «{shorten(wish.text, 80)}» (se buscó como {kinds}).", code="not-found", remedy=hint or tries
    )
