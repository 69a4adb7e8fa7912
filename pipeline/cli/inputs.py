"""Input files and batches as the command line names them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pipeline.cli import questions
from pipeline.cli.context import Talk
from pipeline.domain.commands import order
from pipeline.domain.errors import InputRefused, WrongUsage

if TYPE_CHECKING:
    from pipeline.cli.questions import Wish
    from pipeline.domain.records import BatchInfo
    from pipeline.ledger.views import Views
    from pipeline.read.process import Reader
    from pipeline.read.sheet import Sheet
    from pipeline.settings.model import Settings
    from pipeline.wiring.ledger import Memory

_LISTED = 5


def reader_processes(context: typer.Context) -> Iterator[Reader]:
    """Pool of reading processes, ended with the command. The first loads while the command does."""
    from pipeline.read.process import Reader

    first = context.with_resource(Reader())

    def each() -> Iterator[Reader]:
        yield first
        while True:
            yield Reader()

    return each()


def read_file(file: Path, wish: Wish, settings: Settings, reader: Reader | None, talk: Talk) -> Sheet:
    """The table in ``file``; where a person is there, she is asked what only she can say, and asked once."""
    from pipeline.read.sheet import read_sheet
    from pipeline.settings.model import limits

    try:
        found = read_sheet(
            file,
            sheet=wish.sheet or None,
            limits=limits(settings),
            include_hidden=wish.include_hidden,
            prefer="" if wish.asks else settings.sheet,
            columns=wish.columns,
            reader=reader,
        )
    except InputRefused as refusal:
        better = questions.recalled(refusal, wish, settings)
        if better is None and refusal.choices and wish.asks:
            choice = questions.chosen(file, refusal.message, refusal.choices, talk)
            better = wish.but(choice) if choice is not None else None
        if better is not None:
            return read_file(file, better, settings, None, talk)
        if file.name not in refusal.sentence:  # with several files the person has to know which
            refusal.where = f"{file.name}, {refusal.where}" if refusal.where else file.name
        refusal.offering(())
        raise
    if (other := questions.about_mail(file, found, wish, settings, talk)) is not None:
        return read_file(file, other, settings, None, talk)
    questions.keep(found, wish, settings)
    return questions.noted(found, wish)


def read_all(files: list[Path], wish: Wish, settings: Settings, talk: Talk, readers: Iterator[Reader]) -> list[Sheet]:
    """Sheets of all files: one refused file stops the command before anything is written or sent."""
    from pipeline.cli import console

    sheets, refusals = [], []
    for file in files:
        try:
            sheets.append(read_file(file, wish, settings, next(readers), talk))
        except InputRefused as refusal:
            refusals.append((file, refusal))
    if refusals:
        talk.data([refusal_data(file, refusal) for file, refusal in refusals])
        for _, earlier in refusals[:-1]:
            console.say_error(talk.err, earlier)
        raise refusals[-1][1]
    return sheets


def refusal_data(file: Path, refusal: InputRefused) -> dict[str, Any]:
    """``--json`` answer for a file that was refused as a whole."""
    return {
        "file": str(file),
        "refused": {"code": refusal.code, "message": refusal.sentence, "cell": refusal.where or None},
    }


def without_locks(files: list[Path], talk: Talk) -> list[Path]:
    """Files without Excel's lock files (``~$…``), which a pattern like ``*.xlsx`` matches too.

    Each is reported and skipped, unless there is no other file.
    """
    from pipeline.read.kinds import is_lock

    others = [file for file in files if not is_lock(file)]
    for file in files if others else ():
        if is_lock(file):
            why = "es el archivo temporal que Excel pone mientras el libro está abierto"
            talk.err.print(f"Se pasa por alto «{file.name}»: {why}.", markup=False)
    return others or files


def of_nobody_else(found: Sheet, memory: Memory, settings: Settings) -> Sheet:
    """Sheet that no other company of this machine has.

    Raises ``InputRefused``, which names that company and the command with which it continues: this is the machine's
    own terminal.
    """
    from pipeline.domain.problems import refused
    from pipeline.wiring.companies import elsewhere

    other = elsewhere(settings, memory.views, found.sha256)
    if other is None:
        return found
    whose = f"«{other.company}»" if other.company else "que trabaja sin perfil"
    raise refused("lote-de-otra-empresa", where=found.name, batch=other.batch, whose=whose, order=other.order)


def batch_named(views: Views, name: str) -> BatchInfo:
    """Batch by its id, or by the beginning of it that no other has. Raises ``WrongUsage``."""
    found: BatchInfo | None = views.batch(name)
    if found is None:
        raise no_batch(name, views.beginning(name))
    return found


def no_batch(name: str, several: Sequence[str] = ()) -> WrongUsage:
    """The error for a batch that is not there; ``several``: those whose ids begin like this."""
    if len(several) > 1:
        listed = ", ".join(several[:_LISTED]) + (" …" if len(several) > _LISTED else "")
        return WrongUsage(
            f"Varios lotes comienzan con «{name}»: {listed}.",
            code="no-batch",
            remedy="Escriba el número entero de uno.",
        )
    if is_file_name(name):
        return WrongUsage(
            f"«{name}» es el nombre de un archivo, y aquí va el número de un lote.",
            code="no-batch",
            remedy=f"Búsquelo con {order('find', name)}",
        )
    return WrongUsage(f"No existe el lote «{name}».", code="no-batch", remedy=f"Vea los lotes: {order('status')}")


def is_file_name(name: str) -> bool:
    """Whether ``name``, given as the number of a batch, is the name of a file."""
    return bool(Path(name).suffix) or Path(name).name != name


def own_batch(views: Views, name: str) -> BatchInfo:
    """Batch by its id, if this run's credential owns it. Raises ``WrongUsage``."""
    from pipeline.wiring.companies import check_own

    info = batch_named(views, name)
    check_own(views, info)
    return info
