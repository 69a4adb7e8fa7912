"""``anular verify``: a ledger, an evidence pack or a results workbook, checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.context import Talk, settings_for
from pipeline.cli.inputs import is_file_name, no_batch
from pipeline.cli.options import Json, Ledger, Profile
from pipeline.domain.commands import order
from pipeline.domain.errors import WrongUsage
from pipeline.runtime.file_address import file_address
from pipeline.runtime.garbage import loading

if TYPE_CHECKING:
    from pipeline.ledger.verify import Examination
    from pipeline.settings.model import Settings


def verify(
    target: Annotated[
        str,
        typer.Argument(
            metavar="LOTE|HISTORIAL|EVIDENCIA.zip|LIBRO.xlsx",
            help="Un lote, la ruta de un historial de envíos, un paquete de evidencia o un libro de resultados; "
            "por defecto, el historial de envíos en uso.",
        ),
    ] = "",
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Comprueba que nadie alteró el historial de envíos, o un paquete de evidencia. No cambia nada ni usa la red."""
    with loading():
        from pipeline.cli.render import not_covered, verified_data
        from pipeline.evidence.kind import Kind, kind_of
        from pipeline.ledger.storage.location import location_of
        from pipeline.wiring.views import verify_ledger

    talk = Talk(as_json)
    kind = kind_of(Path(target)) if target and "://" not in target else Kind.OTHER
    if kind is Kind.PACK:
        return _verify_pack(Path(target), talk)
    settings = settings_for(profile, ledger)
    if kind is Kind.BOOK:
        return _verify_book(Path(target), settings, talk)
    if named := _named_ledger(target):
        settings = settings.model_copy(update={"ledger": named})
    place = location_of(settings.ledger).place
    found = verify_ledger(settings.ledger)
    batch = _examined(found, target) if target and not named else ""
    talk.data(verified_data(found, place, batch))
    for fault in found.faults:
        talk.out.print(f"✗ {fault.words[0].upper()}{fault.words[1:]}", markup=False)
    if found.good:
        words = f"✓ Historial de envíos íntegro: {found.events} eventos y {found.rows} filas comprobados."
        talk.out.print(words, markup=False)
        for line in not_covered(found):
            talk.out.print(line, markup=False)
        talk.out.print(f"Sello del último evento: {found.head.hex()}", markup=False)
    else:
        talk.out.print(f"El historial de envíos {place} no está íntegro: no lo use para enviar.", markup=False)
    if one := found.batches.get(batch):
        kept = "Lote" if found.good else "Antes de la primera diferencia, lote"
        talk.out.print(
            f"{kept} {batch}: {one.events} eventos; sello del lote (evento {one.last}): {one.seal.hex()}", markup=False
        )
        if one.packed:
            words = f"Sello de su último paquete de evidencia (evento {one.packed}): {one.pack_seal.hex()}"
            talk.out.print(words, markup=False)
    return 0 if found.good else 5


def _examined(found: Examination, name: str) -> str:
    """Id of the only batch that begins with ``name``. Raises ``WrongUsage`` where a sound ledger has none."""
    ids = [batch for batch in found.batches if batch.startswith(name)]
    if len(ids) == 1:
        return ids[0]
    if found.good:
        if is_file_name(name):
            raise WrongUsage(
                f"«{name}» no existe, o no es un libro de resultados ni un paquete de evidencia de anular.",
                code="no-batch",
                remedy="Revise el nombre y la carpeta, o indique el número de un lote.",
            )
        raise no_batch(name, ids)
    return ""


def _verify_pack(path: Path, talk: Talk) -> int:
    from pipeline.cli import console
    from pipeline.cli.render import pack_data
    from pipeline.evidence.check import check_file
    from pipeline.run.figures import ordered

    pack = check_file(path)
    talk.data(pack_data(pack, path))
    for fault in pack.faults:
        where = f"{fault.member}: " if fault.member else ""
        talk.out.print(f"✗ {where}{fault.words}", markup=False)
    if not pack.good:
        talk.out.print(f"El paquete {path.name} no prueba lo que dice: fue alterado o está dañado.", markup=False)
        return 5
    talk.out.print(
        f"✓ Paquete íntegro: lote {pack.batch} ({pack.file}, ambiente {pack.env}), {pack.rows} filas, {pack.events} "
        "eventos; libro, filas, eventos y totales coinciden.",
        markup=False,
    )
    console.counts(talk.out, "Resultados", ordered(pack.counts))
    for line in pack.not_covered:
        talk.out.print(f"Atención: {line}", markup=False)
    talk.out.print(f"Sello del lote (evento {pack.seal[0]}): {pack.seal[1]}", markup=False)
    if pack.own[0]:
        talk.out.print(f"Sello del paquete (evento {pack.own[0]}): {pack.own[1]}", markup=False)
    again = order("verify", pack.batch)
    words = f"Compárelo con el que se anotó al entregar o, donde está el historial de envíos, con {again}"
    talk.out.print(words, markup=False)
    return 0


def _verify_book(path: Path, settings: Settings, talk: Talk) -> int:
    from pipeline.cli.render import book_data, book_words
    from pipeline.evidence.book import check_book
    from pipeline.wiring.views import open_views

    with open_views(settings) as views:
        book = check_book(path, views)
    talk.data(book_data(book, path))
    for line in book_words(book, path):
        talk.out.print(line, markup=False)
    return 5 if book.differing else 1 if book.unsure else 0


def _named_ledger(target: str) -> str:
    """Address of the ledger that ``target`` names as a URL or a file; "" when it names a batch."""
    if "://" in target:
        return target
    return file_address(Path(target).absolute()) if target and Path(target).is_file() else ""
