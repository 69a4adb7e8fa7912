"""The command line: parse, call, print, exit code. Heavy libraries are imported inside the commands that need them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.domain.commands import Here, order
from pipeline.domain.errors import AnularError, InputRefused, Interrupted, WrongUsage
from pipeline.domain.visible import escaped_json, one_line
from pipeline.observe import Observation
from pipeline.outlet import outlets, unheard
from pipeline.runtime.internal_error import internal
from pipeline.spanish import SpanishCommand, SpanishGroup, usage_error

if TYPE_CHECKING:
    from pipeline.conduct import Steps
    from pipeline.domain.errors import Choice
    from pipeline.domain.records import BatchInfo, Finding
    from pipeline.ledger.decisions import Standing
    from pipeline.ledger.verify import Examination
    from pipeline.ledger.views import Views
    from pipeline.nightly import Company
    from pipeline.notify import Notification
    from pipeline.read.process import Reader
    from pipeline.read.sheet import Sheet
    from pipeline.run import Plan
    from pipeline.runtime.clock import Clock
    from pipeline.runtime.shutdown import Stop
    from pipeline.settings import Settings
    from pipeline.telemetry.events import Journal
    from pipeline.domain.eligibility import Rules
    from pipeline.wiring import Memory

app = typer.Typer(
    name="anular",
    cls=SpanishGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Anula facturas electrónicas de Panamá listadas en un CSV o Excel, por medio de eDoc, y entrega un libro de "
    "resultados que un auditor puede comprobar.",
)

Files = Annotated[list[Path], typer.Argument(metavar="ARCHIVO...", help="Uno o más archivos CSV o XLSX.")]
Json = Annotated[bool, typer.Option("--json", help="Responde en JSON por la salida estándar.")]
Profile = Annotated[str, typer.Option("--profile", metavar="NOMBRE", help="Perfil del archivo de configuración.")]
Ledger = Annotated[
    str,
    typer.Option(
        "--ledger",
        metavar="URL",
        help="Registro que se usa: sqlite:////ruta/completa o postgresql+psycopg://usuario@servidor/base.",
    ),
]
SheetName = Annotated[str, typer.Option("--sheet", metavar="HOJA", help="Hoja del libro que se lee.")]
Columns = Annotated[
    str,
    typer.Option(
        "--columns",
        metavar="LETRAS",
        help="Qué columna es cada una: cufe=H,motivo=I,correo=J. Manda sobre los títulos.",
    ),
]
Hidden = Annotated[
    bool,
    typer.Option("--include-hidden", help="Incluye lo oculto, filtrado o que no se ve; «run» pide confirmar."),
]
HiddenCount = Annotated[
    int | None,
    typer.Option(
        "--hidden-count", metavar="N", min=1, help="Cuántas filas, columnas y celdas no se ven, donde no hay terminal."
    ),
]
FarRows = Annotated[
    int | None,
    typer.Option(
        "--far-rows",
        metavar="N",
        min=1,
        help="Cuántas filas hay después de más de 20 filas vacías, que también se incluyen.",
    ),
]
IgnoreViews = Annotated[
    bool, typer.Option("--ignore-views", help="Incluye todas las filas aunque el libro tenga vistas que filtran.")
]
Formulas = Annotated[
    bool, typer.Option("--accept-formulas", help="Toma el texto que cada fórmula tenía al guardar el libro.")
]
BadDigit = Annotated[
    bool, typer.Option("--allow-bad-check-digit", help="Acepta CUFE cuyo dígito verificador no coincide.")
]
NewLedger = Annotated[
    bool,
    typer.Option(
        "--new-ledger", help="El registro anterior se perdió: sigue sin él y consulta cada documento antes de anularlo."
    ),
]
KnownElsewhere = Annotated[
    int | None,
    typer.Option(
        "--known-elsewhere",
        metavar="N",
        min=1,
        help="Envía también las N filas que otro registro de este equipo ya envió; antes consulta cada una.",
    ),
]
Restored = Annotated[
    bool,
    typer.Option(
        "--restored",
        help="Es un respaldo restaurado o una réplica ascendida: desde ahora vale este, en todos los equipos.",
    ),
]
RowNumber = Annotated[
    int, typer.Option("--row", metavar="N", min=1, help="La fila, con el número que muestra «fila_origen».")
]
Who = Annotated[str, typer.Option("--by", metavar="QUIÉN", help="Quién decide; queda en el registro.")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXTO", help="Por qué; queda en el registro.")]
Confirm = Annotated[
    str, typer.Option("--confirm", metavar="ÚLTIMOS8", help="Últimos 8 caracteres del CUFE, donde no hay terminal.")
]
command = app.command


def main() -> None:
    """Runs the command line and ends the process with the exit code of interface.md 2."""
    if not __debug__:
        sys.exit("anular no funciona con python -O: sus comprobaciones de seguridad quedarían apagadas.")
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: Sequence[str]) -> int:
    """One command with its ``arguments``; its exit code. Never a traceback for what a user can cause."""
    seen = Observation()
    with outlets(Here.of(list(arguments), windows=os.name == "nt")) as (out, _):
        code = _ended(arguments, seen)
        out.flush()
        trouble = unheard(out, f"Lo hecho quedó registrado: vea {order('status')} y los libros de resultados.")
        if trouble is not None and not isinstance(out.lost, BrokenPipeError) and code in (0, 1, 4, 7):
            _say(trouble)  # whoever stopped reading knows it; an earlier trouble says more
            code, seen.error = trouble.exit_code, trouble.code
        for warning in seen.end(code):
            sys.stderr.write(f"Aviso: {warning}\n")
        return code


def _ended(arguments: Sequence[str], seen: Observation) -> int:
    """The exit code of one command; what went wrong is told on standard error."""
    try:
        return int(app(list(arguments), prog_name="anular", standalone_mode=False, obj=seen) or 0)
    except AnularError as error:
        seen.error = error.code
        _say(error)
        return error.exit_code
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            return 2
        from pipeline import screen

        errors = screen.console(stderr=True)
        errors.print(f"✗ {usage_error(error, [c.name or '' for c in app.registered_commands])}", markup=False)
        errors.print("Vea la ayuda con --help.", style="dim")
        return 2
    except typer.Exit as end:
        return end.exit_code
    except (typer.Abort, KeyboardInterrupt):
        seen.error = Interrupted().code
        _say(Interrupted())
        return Interrupted.exit_code
    except Exception as error:
        seen.error = internal(error).code
        _say(internal(error))
        return 5


def _seen(context: typer.Context) -> Observation:
    """Those who watch this command: a log, a metrics file, or nobody."""
    return context.find_object(Observation) or Observation()


def _say(error: AnularError) -> None:
    """On standard error. What draws on a terminal takes as long to import as all the rest, so help does without."""
    from pipeline import screen

    screen.say_error(screen.console(stderr=True), error)


@dataclass
class Talk:
    """Where the words of one command go: with ``--json`` stdout is for data alone."""

    as_json: bool

    def __post_init__(self) -> None:
        from pipeline import screen

        self.out = screen.console(stderr=self.as_json)
        self.err = screen.console(stderr=True)
        self.progress = screen.Terminal(self.err)

    def check_seen(self) -> None:
        """Raises ``StorageTrouble`` when what a person was to see before the sending could not be shown (P2)."""
        self.out.file.flush()
        trouble = unheard(self.out.file, "No se envió nada: lo que se iba a enviar no se pudo mostrar.")
        if trouble is not None:
            raise trouble

    def data(self, value: object) -> None:
        """The answer of ``--json``."""
        if self.as_json:
            told = _completed(value, getattr(sys.stdout, "here", Here()))
            sys.stdout.write(escaped_json(json.dumps(told, ensure_ascii=False, indent=2)) + "\n")


def _completed(value: Any, here: Here) -> Any:
    """An answer of ``--json`` with the commands in its words whole."""
    if isinstance(value, str):
        return here.complete(value)
    if isinstance(value, dict):
        return {key: _completed(one, here) for key, one in value.items()}
    return [_completed(one, here) for one in value] if isinstance(value, list | tuple) else value


@dataclass
class Answer:
    """What a command ends with: the worst exit code of its parts."""

    codes: list[int] = field(default_factory=list)

    @property
    def code(self) -> int:
        from pipeline.domain.outcomes import worst

        return worst(self.codes)


@command(name="check", cls=SpanishCommand)
def check_command(
    context: typer.Context,
    files: Files,
    sheet: SheetName = "",
    columns: Columns = "",
    include_hidden: Hidden = False,
    accept_formulas: Formulas = False,
    allow_bad_check_digit: BadDigit = False,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Lee y valida, sin enviar nada y sin usar la red: escribe un libro de revisión con lo que pasaría."""
    from pipeline import screen

    readers = _readers(context)
    settings, talk, answer = _settings(profile, ledger), Talk(as_json), Answer()
    wish = _Wish(sheet, columns, include_hidden, asks=sys.stdin.isatty())
    told: list[object] = []
    check: Callable[[Path, Sheet], dict[str, Any]] | None = None
    for file in _without_locks(files, talk):
        try:
            found = _read(file, wish, settings, next(readers), talk)
            if check is None:  # loads the libraries of the other steps: a file that is refused does not need them
                check = context.with_resource(
                    _checking(settings, talk, answer, bad_digit=allow_bad_check_digit, formulas=accept_formulas)
                )
            told.append(check(file, found))
        except InputRefused as refusal:
            told.append(_refused(file, refusal))
            screen.say_error(talk.err, refusal)
            answer.codes.append(refusal.exit_code)
    talk.data(told)
    return answer.code


@contextmanager
def _checking(
    settings: Settings, talk: Talk, answer: Answer, *, bad_digit: bool, formulas: bool
) -> Iterator[Callable[[Path, Sheet], dict[str, Any]]]:
    """Validates what was read from a file, shows it, and gives what ``--json`` tells of it."""
    from pipeline import answers, run, wiring

    clock = wiring.make_clock(settings)
    rules = wiring.check_rules(settings, allow_bad_check_digit=bad_digit, accept_formulas=formulas)

    with wiring.open_views(settings) as views:

        def check(file: Path, found: Sheet) -> dict[str, Any]:
            plan = run.make_plan(found, views, rules, clock.now(), resume=False)
            written = run.write_preview(
                plan,
                env=settings.env,
                folder=_folder(settings, file),
                hours=settings.deadline_hours,
                company=settings.company,
            )
            _show_plan(talk, plan, settings)
            for line in (f"Libro de revisión: {written.workbook}", *answers.to_correct(written)):
                talk.out.print(line, markup=False)
            answer.codes.append(0 if plan.checked and plan.to_send == plan.checked.invoices else 1)
            return answers.checked(file, plan, written, settings.rate)

        yield check


@command(name="run", cls=SpanishCommand)
def run_files(
    context: typer.Context,
    files: Files,
    yes: Annotated[bool, typer.Option("--yes", help="No pregunta antes de enviar.")] = False,
    only: Annotated[
        int | None, typer.Option("--only", metavar="N", min=1, help="Envía solo las primeras N filas enviables.")
    ] = None,
    no_poll: Annotated[bool, typer.Option("--no-poll", help="Termina después de enviar, sin consultar.")] = False,
    queue: Annotated[
        bool,
        typer.Option("--queue", help="No envía: entrega el lote aprobado a la cola de los trabajadores (worker)."),
    ] = False,
    sheet: SheetName = "",
    columns: Columns = "",
    include_hidden: Hidden = False,
    hidden_count: HiddenCount = None,
    far_rows: FarRows = None,
    ignore_views: IgnoreViews = False,
    accept_formulas: Formulas = False,
    allow_bad_check_digit: BadDigit = False,
    new_ledger: NewLedger = False,
    known_elsewhere: KnownElsewhere = None,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Los cinco pasos: lee, valida, envía, consulta y escribe el libro de resultados. Pregunta antes de enviar."""
    readers = _readers(context)
    settings, talk = _settings(profile, ledger), Talk(as_json)
    journal = _seen(context).journal(settings, "run")
    _need_terminal(yes=yes)
    if hidden_count is not None and not include_hidden:
        raise WrongUsage("--hidden-count solo tiene sentido con --include-hidden.")
    if queue:
        if only is not None or no_poll:
            raise WrongUsage("--only y --no-poll son para enviar aquí mismo: no se usan con --queue.")
        if known_elsewhere is not None:
            raise WrongUsage("--known-elsewhere es para enviar aquí mismo: no se usa con --queue.")
        from pipeline.queue.app import check_server

        check_server(settings.ledger)
    files = _without_locks(files, talk)
    wish = _Wish(sheet, columns, include_hidden, asks=sys.stdin.isatty() and not yes)
    sheets = _read_all(files, wish, settings, talk, readers)
    _confirm_hidden(files, sheets, hidden_count, talk, yes=yes)
    _confirm_asked(files, sheets, far_rows, talk, yes=yes, ignore_views=ignore_views)
    from pipeline import conduct, run, wiring
    from pipeline.ledger.store import who_am_i

    clock = wiring.make_clock(settings)
    rules = wiring.check_rules(settings, allow_bad_check_digit=allow_bad_check_digit, accept_formulas=accept_formulas)
    given = [(file, found.sha256) for file, found in zip(files, sheets, strict=True)]
    if queue:
        with wiring.open_memory(settings, files=given, new_ledger=new_ledger, journal=journal, hands_in=True) as memory:
            return _hand_in(files, sheets, memory, rules, clock, settings, talk, yes=yes)
    with (
        wiring.open_memory(settings, files=given, new_ledger=new_ledger, journal=journal) as memory,
        wiring.running_sandbox(settings) as base,
    ):
        if memory.anew is not None:
            talk.out.print(
                f"Registro nuevo desde el {_local(memory.anew)}: antes de anular un documento se consulta en eDoc."
            )
        _check_elsewhere(sheets, memory.views, known_elsewhere)
        batches: list[BatchInfo] = []
        for file in files:
            # What was read goes with the plan: a large file is not in memory any more while its rows are sent.
            known = known_elsewhere is not None
            found = _of_nobody_else(sheets.pop(0), memory, settings)
            plan = run.make_plan(found, memory.views, rules, clock.now(), known_elsewhere=known)
            if only is not None and plan.known is not None and plan.to_send and run.was_queued(plan.known):
                raise WrongUsage(
                    f"El lote {plan.known.id} se entregó a la cola: lo que aquí no se envíe lo envía un trabajador.",
                    code="only-queued",
                    where=str(file),
                    remedy="Ejecútelo sin --only, o retire antes (orden withdraw) las filas que no se han de enviar.",
                )
            _show_plan(talk, plan, settings)
            _approve(talk, plan, settings, yes=yes, only=only)
            batches.append(
                run.take_in(
                    plan,
                    memory.store,
                    memory.views,
                    env=settings.env,
                    who=who_am_i(),
                    folder=_folder(settings, file),
                    hours=settings.deadline_hours,
                    company=settings.company,
                )
            )
            del plan

        async def work(steps: Steps, stop: Stop) -> None:
            await conduct.send(batches, steps, memory, stop, talk.progress, only)
            if not no_poll:
                await conduct.follow([info.id for info in batches], steps, memory, stop, talk.progress)

        sending = wiring.send_rules(settings, memory.anew, memory.sent)
        trouble = conduct.carry_out(settings, clock, base, memory.journal, work, sending)
        return _report(batches, memory, talk, settings, trouble, files)


def _check_elsewhere(sheets: Sequence[Sheet], views: Views, given: int | None) -> None:
    """Rows that another ledger of this machine sent are sent only when a person says how many there are.

    Raises ``WrongUsage`` for another number.
    """
    if given is None:
        return
    known = [info for sheet in sheets if (info := views.find(sheet.sha256, sheet.sheet)) is not None]
    count = sum(views.elsewhere(info.id) for info in known)
    if count == given:
        return
    right = f"Revíselas en el libro de resultados (CONFLICTO) e indique --known-elsewhere {count}."
    raise WrongUsage(
        f"Usted indicó {given} filas enviadas desde otro registro y hay {count}. No se envió nada.",
        code="elsewhere-count",
        remedy=right if count else "Quite --known-elsewhere.",
    )


@command(name="release", cls=SpanishCommand)
def release_batch(
    context: typer.Context,
    batch: Annotated[str, typer.Argument(metavar="LOTE", help="El lote que quedó retenido.")],
    yes: Annotated[bool, typer.Option("--yes", help="No pregunta antes de enviar.")] = False,
    no_poll: Annotated[bool, typer.Option("--no-poll", help="Termina después de enviar, sin consultar.")] = False,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Aprueba y envía lo que la carpeta o una regla retuvo, por el número del lote. Pregunta antes de enviar."""
    from pipeline import conduct, run, wiring
    from pipeline.ledger.store import who_am_i

    settings, talk = _settings(profile, ledger), Talk(as_json)
    clock, journal = wiring.make_clock(settings), _seen(context).journal(settings, "release")
    _need_terminal(yes=yes)
    rules = wiring.check_rules(settings)
    with wiring.open_memory(settings, journal=journal) as memory, wiring.running_sandbox(settings) as base:
        info = _own_batch(memory.views, batch)
        plan = run.make_plan_again(info, memory.views, rules, clock.now())
        _show_plan(talk, plan, settings)
        if not plan.to_send:
            talk.out.print("No hay nada que aprobar ni que enviar en este lote.")
        _approve(talk, plan, settings, yes=yes, only=None)
        run.release(plan, memory.store, who=who_am_i())

        async def work(steps: Steps, stop: Stop) -> None:
            await conduct.send([info], steps, memory, stop, talk.progress)
            if not no_poll:
                await conduct.follow([info.id], steps, memory, stop, talk.progress)

        sending = wiring.send_rules(settings, memory.anew, memory.sent)
        trouble = conduct.carry_out(settings, clock, base, memory.journal, work, sending)
        return _report([info], memory, talk, settings, trouble)


def _need_terminal(*, yes: bool) -> None:
    if not yes and not sys.stdin.isatty():
        raise WrongUsage("Sin una terminal no se puede preguntar antes de enviar.", remedy="Agregue --yes.")


def _hand_in(
    files: list[Path],
    sheets: list[Sheet],
    memory: Memory,
    rules: Rules,
    clock: Clock,
    settings: Settings,
    talk: Talk,
    *,
    yes: bool,
) -> int:
    """Into the ledger as approved, and into the queue. A kill between the two is mended by any worker."""
    from pipeline.ledger.store import who_am_i
    from pipeline.queue import enqueue

    told = []
    for file in files:
        found = _of_nobody_else(sheets.pop(0), memory, settings)
        plan = enqueue.plan(found, memory, rules, clock)
        _show_plan(talk, plan, settings)
        _approve(talk, plan, settings, yes=yes, only=None)
        info = enqueue.hand_in(plan, memory, rules, clock, settings, who=who_am_i(), folder=_folder(settings, file))
        told.append({"file": str(file), "batch": info.id, "queued": True, "rows": info.rows, "code": 4})
        talk.out.print(f"Lote {info.id} en cola: lo envía un trabajador. Vea cómo va: {order('status', info.id)}")
    talk.data(told)
    return 4


@command(name="worker", cls=SpanishCommand)
def work_for_others(
    at_once: Annotated[
        int, typer.Option("--jobs", metavar="N", min=1, max=64, help="Lotes a la vez, de credenciales distintas.")
    ] = 1,
    once: Annotated[bool, typer.Option("--once", help="Termina cuando la cola está vacía, para cron.")] = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Atiende la cola de trabajo: envía y consulta los lotes que se entregaron con --queue, en uno o varios equipos."""
    from pipeline import screen, wiring
    from pipeline.queue.app import check_server
    from pipeline.queue.profiles import posts
    from pipeline.queue.worker import Worker

    settings, talk = _settings(profile, ledger), Talk(False)
    check_server(settings.ledger)

    def say(words: str) -> None:
        talk.out.print(words, markup=False)
        talk.out.file.flush()

    crew = posts(profile, ledger, lambda trouble: screen.say_error(talk.err, trouble))
    names = ", ".join(sorted(post.profile or "(sin nombre)" for post in crew))
    say(f"Atiende la cola de trabajo; perfiles: {names}.")
    Worker(crew, wiring.make_clock(settings), say, at_once=at_once).serve(once=once)
    return 0


@command(name="poll", cls=SpanishCommand)
def poll_batches(
    context: typer.Context,
    batches: Annotated[
        list[str] | None, typer.Argument(metavar="LOTE...", help="Lotes; por omisión, todos los pendientes.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Todas las empresas (perfiles); dice además qué envejeció y a quién llamar.")
    ] = False,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Consulta otra vez lo pendiente o dudoso y vuelve a escribir los libros de esos lotes. Nunca reenvía."""
    from pipeline import conduct, wiring

    if every and batches:
        raise WrongUsage("--all es para todos los lotes: no se nombran lotes con --all.")
    if every:
        return _poll_all(Talk(as_json), profile, ledger, _seen(context))
    settings, talk = _settings(profile, ledger), Talk(as_json)
    clock, journal = wiring.make_clock(settings), _seen(context).journal(settings, "poll")
    with wiring.open_memory(settings, journal=journal) as memory, wiring.running_sandbox(settings) as base:
        named = [_own_batch(memory.views, name) for name in batches or []]
        open_ids = {row.batch for row in memory.views.followed([info.id for info in named] if named else None)}
        chosen = named or [_batch(memory.views, name) for name in sorted(open_ids)]
        if not open_ids:
            talk.out.print("No hay filas pendientes que consultar.")

        async def work(steps: Steps, stop: Stop) -> None:
            if open_ids:
                await conduct.follow([info.id for info in chosen], steps, memory, stop, talk.progress)

        trouble = conduct.carry_out(settings, clock, base, memory.journal, work)
        return _report(chosen, memory, talk, settings, trouble)


def _poll_all(talk: Talk, profile: str, ledger: str, seen: Observation) -> int:
    """The nightly follow-up of every company; a trouble of one does not hold up the others."""
    from pipeline import answers, nightly, screen

    answer = Answer()
    found: list[Company] = []
    for name in nightly.companies(profile):
        company = nightly.follow_up(name, ledger, talk.progress, seen)
        found += [company] if company is not None else []
        if company is not None and isinstance(company.trouble, Interrupted):
            break  # asked to stop: not the next one either
    for company in found:
        answer.codes += company.codes
        seen.came_to(company.profile, Answer(company.codes).code)
        for written in company.written:
            name = f"[{company.name or company.profile}] " if company.name or company.profile else ""
            title = f"{name}Lote {written.batch.id} · {written.batch.file}"
            screen.counts(talk.out, title, answers.totals(written.lines))
            for line in (f"Resultados: {written.workbook}", *answers.to_correct(written)):
                talk.out.print(line, markup=False)
        screen.listing(talk.out, "Lo que envejeció", [one.words for one in company.old], most=50)
        if company.trouble is not None:
            screen.say_error(talk.err, company.trouble)
    if not any(company.written or company.trouble for company in found):
        talk.out.print("No hay filas pendientes que consultar.")
    talk.data([one for company in found for one in nightly.data(company)])
    for company in found:
        if company.old or company.trouble is not None:
            _tell(talk, company.profile, ledger, nightly.letter([company]), seen, "poll")
    return answer.code


def _tell(talk: Talk, profile: str, ledger: str, letter: Notification, seen: Observation, command: str) -> None:
    """Tells those whom the profile's settings name; that it did not work is one line, and changes nothing."""
    from pipeline.notify import tell

    try:
        settings = _settings(profile, ledger)
    except WrongUsage:  # told already
        return
    for warning in tell(settings, letter, seen.journal(settings, command)):
        talk.progress.warn(warning)


@command(name="watch", cls=SpanishCommand)
def watch_folder(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="CARPETA", help="La carpeta vigilada; inbox está dentro de ella.")],
    once: Annotated[bool, typer.Option("--once", help="Una sola pasada, para cron, systemd o el Programador.")] = False,
    queue: Annotated[
        bool,
        typer.Option("--queue", help="No envía: entrega a la cola de los trabajadores lo que la política permite."),
    ] = False,
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over", help="La carpeta era de otro registro, que ya no se usa: antes de anular consulta."
        ),
    ] = False,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Vigila una carpeta y procesa lo que llega a inbox, sin preguntar, dentro de lo que permite la configuración."""
    from pipeline import screen
    from pipeline.watch import note
    from pipeline.watch.loop import keep_watch, look_once
    from pipeline.watch.scan import Pass

    talk, answer, seen = Talk(as_json), Answer(), _seen(context)
    if not folder.is_dir():
        raise WrongUsage("No existe esa carpeta.", code="watch-folder-missing", where=str(folder))
    if as_json and not once:
        raise WrongUsage("--json es para una sola pasada.", remedy="Agregue --once.")

    def say(result: Pass) -> None:
        for one in result.handled:
            if one.news or once:
                talk.out.print(note.line(one), markup=False)
        for trouble in result.troubles:
            screen.say_error(talk.err, trouble)
        answer.codes = result.codes
        talk.data([note.data(one) for one in result.handled])
        people = {one.profile for one in result.handled} | set(result.concern)
        for name in sorted(people | ({profile} if result.troubles else set())):
            mine = [one for one in result.handled if one.profile == name and one.news]
            troubles = result.troubles if name == profile else result.concern.get(name, [])
            if mine or troubles:
                _tell(talk, name, ledger, note.letter(mine, troubles), seen, "watch")

    if not once:
        keep_watch(folder.absolute(), profile, ledger, talk.progress, say, seen, queue=queue, take_over=take_over)
        return Interrupted.exit_code
    result = look_once(folder.absolute(), profile, ledger, talk.progress, seen, queue=queue, take_over=take_over)
    say(result)
    if not result.handled and not result.troubles:
        talk.out.print("No hay archivos completos que procesar.")
    if result.left:
        talk.out.print(f"Archivos que esperan en inbox: {result.left} (aún no completos, o para otra pasada).")
    return answer.code


@command(name="status", cls=SpanishCommand)
def status(
    batch: Annotated[str, typer.Argument(metavar="LOTE", help="Un lote; por omisión, todos.")] = "",
    workers: Annotated[
        bool, typer.Option("--workers", help="Muestra la cola: qué trabajadores dan señales y qué espera.")
    ] = False,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Muestra los lotes del registro y cuántas filas tienen cada resultado."""
    from pipeline import answers, screen, wiring

    settings, talk = _settings(profile, ledger), Talk(as_json)
    if workers and batch:
        raise WrongUsage("--workers es para toda la cola: no se nombra un lote.")
    if workers:
        return _show_workers(settings, talk)
    with wiring.open_views(settings) as views:
        if views is None and batch:
            raise WrongUsage(f"No existe el lote «{batch}».", code="no-batch")
        infos = [] if views is None else [_batch(views, batch)] if batch else views.batches()
        told = [answers.batch_counts(info) for info in infos]
    talk.data(told)
    if (missing := wiring.without_issuers(settings)) is not None:
        screen.say_error(talk.err, missing)  # who only looks is told, and sees all the same
    if not infos:
        talk.out.print(f"El registro no tiene lotes del ambiente {settings.env}.")
    for info in infos:
        screen.facts(talk.out, f"Lote {info.id}", answers.status_facts(info))
        screen.counts(talk.out, "Resultados", answers.ordered(info.counts))
    return 0


def _show_workers(settings: Settings, talk: Talk) -> int:
    from pipeline import screen
    from pipeline.queue import health

    found = health.health(settings.ledger, settings.queue_stale)
    talk.data(health.data(found))
    screen.facts(talk.out, "Trabajadores", health.worker_facts(found) or [("Ninguno", f"inicie {order('worker')}")])
    screen.facts(
        talk.out, "Lotes en cola por perfil", health.profile_facts(found) or [("Ninguno", "la cola está vacía")]
    )
    if found.unowned:
        talk.out.print(f"Sin trabajador, otro los toma: {', '.join(found.unowned)}", markup=False)
    return 0


@command(name="report", cls=SpanishCommand)
def report(
    batch: Annotated[str, typer.Argument(metavar="LOTE", help="El lote.")],
    csv: Annotated[bool, typer.Option("--csv", help="Escribe también un CSV.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Escribe también JSON, una fila por línea.")] = False,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Escribe también el paquete de evidencia (.zip) para la auditoría.")
    ] = False,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Vuelve a escribir el libro de resultados de un lote, solo con lo que dice el registro."""
    from pipeline import answers, run, wiring

    settings, talk = _settings(profile, ledger), Talk(as_json)
    no_batch = WrongUsage(f"No existe el lote «{batch}».", code="no-batch")
    if evidence and not wiring.ledger_exists(settings):
        raise no_batch
    with wiring.open_memory(settings, sends=False) if evidence else wiring.open_views(settings) as opened:
        views = opened.views if isinstance(opened, wiring.Memory) else opened
        if views is None:
            raise no_batch
        info = _own_batch(views, batch) if evidence else _batch(views, batch)
        written = run.write_results(info, views, settings.out, csv=csv, jsonl=jsonl)
        code = answers.exit_code(written.lines)
        answer = answers.batch(written, code)
        told = [f"Resultados: {path}" for path in (written.workbook, *written.exports)]
        told += answers.to_correct(written)
        if evidence:
            info, workbook = written.batch, written.workbook
            del written  # the pack is made from the ledger: the rows of a large batch are not in memory beside it
            pack = _write_pack(info, views, workbook, wiring.make_clock(settings).now())
            answer, told = {**answer, "evidence": str(pack)}, [f"Paquete de evidencia: {pack}", *told]
    talk.data(answer)
    for line in told:
        talk.out.print(line, markup=False)
    return code


@command(name="resolve", cls=SpanishCommand)
def resolve_row(
    context: typer.Context,
    batch: Annotated[str, typer.Argument(metavar="LOTE", help="El lote.")],
    row: RowNumber,
    decision: Annotated[
        str, typer.Option("--as", metavar="cancelled|not-cancelled", help="Lo que usted comprobó fuera de anular.")
    ],
    by: Who,
    reason: Why,
    confirm: Confirm = "",
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Registra la decisión de una persona sobre una fila que el programa no puede decidir. No envía nada."""
    from pipeline import decide

    settings, talk = _settings(profile, ledger), Talk(as_json)
    if decision not in list(decide.Decision):
        raise WrongUsage("--as debe ser cancelled (quedó anulada) o not-cancelled (no quedó anulada).")
    chosen = decide.Decision(decision)
    told = ("Decisión", decide.WORDS[chosen])
    settle = partial(decide.resolve, decision=chosen)
    journal = _seen(context).journal(settings, "resolve")
    return _decide(batch, row, by, reason, confirm, talk, settings, journal, told, decide.check_resolvable, settle)


@command(name="withdraw", cls=SpanishCommand)
def withdraw_row(
    context: typer.Context,
    batch: Annotated[str, typer.Argument(metavar="LOTE", help="El lote.")],
    row: RowNumber,
    by: Who,
    reason: Why,
    confirm: Confirm = "",
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Retira una sola fila que todavía no se intentó enviar. No envía nada; el documento sigue autorizado."""
    from pipeline import decide

    settings, talk = _settings(profile, ledger), Talk(as_json)
    told = ("Se retira", "no se enviará")
    journal = _seen(context).journal(settings, "withdraw")
    check, settle = decide.check_withdrawable, decide.withdraw
    return _decide(batch, row, by, reason, confirm, talk, settings, journal, told, check, settle)


@command(name="resend", cls=SpanishCommand)
def resend_row(
    context: typer.Context,
    batch: Annotated[str, typer.Argument(metavar="LOTE", help="El lote.")],
    row: RowNumber,
    by: Who,
    reason: Why,
    confirm: Confirm = "",
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Reenvía una sola fila porque una persona lo decide. Antes consulta eDoc: si ya está anulada, no envía nada."""
    from pipeline import conduct, decide, wiring
    from pipeline.ledger.decisions import standing

    settings, talk = _settings(profile, ledger), Talk(as_json)
    who, why = decide.signed(by, reason)
    clock, journal = wiring.make_clock(settings), _seen(context).journal(settings, "resend")
    rules = wiring.check_rules(settings)
    with wiring.open_memory(settings, journal=journal) as memory, wiring.running_sandbox(settings) as base:
        info = _own_batch(memory.views, batch)
        found = standing(memory.database, info, row)
        decide.check_resendable(found)
        answer, trouble = _ask_before(found.cufe, settings, clock, base, memory.journal)
        if answer is None or trouble is not None:
            return _report([info], memory, talk, settings, trouble)
        before = decide.read_before(answer, found.state)
        told = [("Consulta previa", decide.answer_words(answer)), ("Decide", who), ("Motivo", why)]
        if decide.is_late(found, clock.now(), settings.deadline_hours):
            told.append(("Aviso", "El plazo legal venció: lo seguro es una nota de crédito (tipo 04)."))
        _show_row(talk, found, [*_company(settings), *told])
        if before is decide.Before.CANCELLED:
            decide.found_cancelled(memory.store, found, answer, clock.now())
            talk.out.print("Ya está anulada: no se envió nada.")
            return _report([info], memory, talk, settings, None)
        if before is decide.Before.IN_FLIGHT:
            again = order("poll", info.id)
            talk.err.print(f"✗ {decide.in_flight_words(answer)}: no se reenvía. Vuelva a consultar: {again}")
            _report([info], memory, talk, settings, None)
            return 4
        decide.check_allowed(found, rules, clock.now())
        _confirm_code(talk, found.cufe, confirm)
        attempt = decide.authorise(memory.store, found, answer, who=who, why=why, now=clock.now())

        async def work(steps: Steps, stop: Stop) -> None:
            await _send_one(attempt, info, steps, memory, stop)
            await conduct.follow([info.id], steps, memory, stop, talk.progress, only=found.pos)

        trouble = conduct.carry_out(settings, clock, base, memory.journal, work, wiring.send_rules(settings))
        return _report([info], memory, talk, settings, trouble)


def _decide(
    batch: str,
    row: int,
    by: str,
    reason: str,
    confirm: str,
    talk: Talk,
    settings: Settings,
    journal: Journal,
    told: tuple[str, str],
    check: Callable[[Standing], None],
    settle: Callable[..., object],
) -> int:
    """One person's decision on one row that sends nothing: shown, confirmed, recorded, and the workbook written."""
    from pipeline import decide, wiring
    from pipeline.ledger.decisions import standing

    who, why = decide.signed(by, reason)
    clock = wiring.make_clock(settings)
    with wiring.open_memory(settings, sends=False, journal=journal) as memory:
        info = _own_batch(memory.views, batch)
        found = standing(memory.database, info, row)
        check(found)
        _show_row(talk, found, [*_company(settings), told, ("Decide", who), ("Motivo", why)])
        _confirm_code(talk, found.cufe, confirm)
        settle(memory.store, found, who=who, why=why, now=clock.now())
        return _report([info], memory, talk, settings, None)


def _write_pack(info: BatchInfo, views: Views, workbook: Path, now: datetime) -> Path:
    from pipeline.evidence.pack import write_pack
    from pipeline.ledger.store import who_am_i

    return write_pack(views.extract(info), workbook, now, who=who_am_i())


def _ask_before(
    cufe: str, settings: Settings, clock: Clock, base: str, journal: Journal
) -> tuple[Finding | None, AnularError | None]:
    """What eDoc says of ``cufe`` now; the reason when the question could not be asked at all."""
    import asyncio

    from pipeline import conduct
    from pipeline.domain.errors import ServiceRefused
    from pipeline.runtime.shutdown import first

    said: list[Finding] = []

    async def work(steps: Steps, stop: Stop) -> None:
        asking = asyncio.ensure_future(steps.client.query(cufe))
        if await first(asking, stop.wait()) == 0:
            said.append(asking.result())

    trouble = conduct.carry_out(settings, clock, base, journal, work)
    if trouble is None and said and said[0].stop is not None:
        trouble = ServiceRefused(said[0].stop)
    return (said[0] if said else None), trouble


async def _send_one(attempt: int, info: BatchInfo, steps: Steps, memory: Memory, stop: Stop) -> None:
    from pipeline import conduct

    rows = [one for one in memory.views.ready(info.id) if one.attempt == attempt]
    await conduct.send_rows(rows, steps, memory.store, stop, lambda _word: None)


def _company(settings: Settings) -> list[tuple[str, str]]:
    return [("Empresa", settings.company)] if settings.company else []


def _show_row(talk: Talk, row: Standing, more: list[tuple[str, str]]) -> None:
    from pipeline import screen

    told = [("CUFE", row.cufe), ("Motivo de anulación", row.reason), ("Resultado hasta hoy", row.outcome.value)]
    screen.facts(talk.out, f"Lote {row.batch} · {row.position}", [*told, *more])


def _confirm_code(talk: Talk, cufe: str, given: str) -> None:
    """A person types the end of the CUFE, or gives it as ``--confirm``. Raises ``WrongUsage`` or ``Interrupted``."""
    from pipeline.decide import CODE_LENGTH, confirmation

    talk.check_seen()
    asked = f"los últimos {CODE_LENGTH} caracteres del CUFE"
    if given:
        if given != confirmation(cufe):
            raise WrongUsage(f"--confirm no coincide con {asked}. No se cambió nada.", code="wrong-confirmation")
        return
    if not sys.stdin.isatty():
        raise WrongUsage(
            "Sin una terminal no se puede pedir la confirmación. No se cambió nada.",
            code="no-confirmation",
            remedy=f"Agregue --confirm con {asked}.",
        )
    typed = typer.prompt(f"Escriba {asked} para confirmar (otra cosa cancela)", default="", show_default=False)
    if typed.strip() != confirmation(cufe):
        raise Interrupted("No coincide: no se cambió nada.", code="not-confirmed")


@command(name="verify", cls=SpanishCommand)
def verify(
    target: Annotated[
        str,
        typer.Argument(
            metavar="LOTE|REGISTRO|EVIDENCIA.zip|LIBRO.xlsx",
            help="Un lote, la ruta de un registro, un paquete de evidencia o un libro de resultados; por omisión, el "
            "registro.",
        ),
    ] = "",
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Comprueba que nadie alteró el registro, o un paquete de evidencia. No cambia nada ni usa la red."""
    from pipeline import answers, wiring
    from pipeline.evidence.check import Kind, kind_of
    from pipeline.ledger.storage.location import location_of

    talk = Talk(as_json)
    kind = kind_of(Path(target)) if target and "://" not in target else Kind.OTHER
    if kind is Kind.PACK:
        return _verify_pack(Path(target), talk)
    settings = _settings(profile, ledger)
    if kind is Kind.BOOK:
        return _verify_book(Path(target), settings, talk)
    if named := _named_ledger(target):
        settings = settings.model_copy(update={"ledger": named})
    place = location_of(settings.ledger).place
    found = wiring.verify_ledger(settings.ledger)
    batch = _examined(found, target) if target and not named else ""
    talk.data(answers.verified(found, place, batch))
    for fault in found.faults:
        talk.out.print(f"✗ {fault.words[0].upper()}{fault.words[1:]}", markup=False)
    if found.good:
        talk.out.print(f"✓ Registro íntegro: {found.events} sucesos y {found.rows} filas comprobados.", markup=False)
        for line in answers.not_covered(found):
            talk.out.print(line, markup=False)
        talk.out.print(f"Sello del último suceso: {found.head.hex()}", markup=False)
    else:
        talk.out.print(f"El registro {place} no está íntegro: no lo use para enviar.", markup=False)
    if one := found.batches.get(batch):
        kept = "Lote" if found.good else "Antes de la primera diferencia, lote"
        talk.out.print(
            f"{kept} {batch}: {one.events} sucesos; sello del lote (suceso {one.last}): {one.seal.hex()}", markup=False
        )
        if one.packed:
            words = f"Sello de su último paquete de evidencia (suceso {one.packed}): {one.pack_seal.hex()}"
            talk.out.print(words, markup=False)
    return 0 if found.good else 5


def _examined(found: Examination, name: str) -> str:
    """The only batch of an examined ledger whose id begins so. Raises ``WrongUsage`` where a whole one has none."""
    ids = [batch for batch in found.batches if batch.startswith(name)]
    if len(ids) == 1:
        return ids[0]
    if found.good:
        raise WrongUsage(f"No existe el lote «{name}».", code="no-batch", remedy=f"Vea los lotes: {order('status')}")
    return ""


def _verify_pack(path: Path, talk: Talk) -> int:
    from pipeline import answers, screen
    from pipeline.evidence.check import check_file

    pack = check_file(path)
    talk.data(answers.checked_pack(pack, path))
    for fault in pack.faults:
        where = f"{fault.member}: " if fault.member else ""
        talk.out.print(f"✗ {where}{fault.words}", markup=False)
    if not pack.good:
        talk.out.print(f"El paquete {path.name} no prueba lo que dice: fue alterado o está dañado.", markup=False)
        return 5
    talk.out.print(
        f"✓ Paquete íntegro: lote {pack.batch} ({pack.file}, ambiente {pack.env}), {pack.rows} filas, {pack.events} "
        "sucesos; libro, filas, sucesos y totales coinciden.",
        markup=False,
    )
    screen.counts(talk.out, "Resultados", answers.ordered(pack.counts))
    for line in pack.not_covered:
        talk.out.print(f"Atención: {line}", markup=False)
    talk.out.print(f"Sello del lote (suceso {pack.seal[0]}): {pack.seal[1]}", markup=False)
    if pack.own[0]:
        talk.out.print(f"Sello del paquete (suceso {pack.own[0]}): {pack.own[1]}", markup=False)
    again = order("verify", pack.batch)
    talk.out.print(f"Compárelo con el que se anotó al entregar, o, donde está el registro, con {again}", markup=False)
    return 0


def _verify_book(path: Path, settings: Settings, talk: Talk) -> int:
    from pipeline import answers, wiring
    from pipeline.evidence.book import check_book

    with wiring.open_views(settings) as views:
        book = check_book(path, views)
    talk.data(answers.checked_book(book, path))
    for line in answers.book_words(book, path):
        talk.out.print(line, markup=False)
    return 5 if book.differing else 1 if book.unsure else 0


def _named_ledger(target: str) -> str:
    """The address of the ledger that ``target`` names as a URL or a file; "" when it names a batch."""
    if "://" in target:
        return target
    return f"sqlite:///{Path(target).absolute()}" if target and Path(target).is_file() else ""


@command(name="adopt", cls=SpanishCommand)
def adopt(by: Who, reason: Why, restored: Restored = False, profile: Profile = "", ledger: Ledger = "") -> int:
    """Declara que el registro se movió a este equipo, o que se restauró (--restored): vale este. No envía nada."""
    from pipeline import decide, wiring
    from pipeline.ledger.storage.location import location_of

    settings = _settings(profile, ledger)
    who, why = decide.signed(by, reason)
    wiring.adopt_ledger(settings, who=who, why=why, restored=restored)
    talk = Talk(False)
    if restored:
        place = location_of(settings.ledger).place
        talk.out.print(f"Desde ahora el registro {place} es el que vale, en todos los equipos.", markup=False)
        talk.out.print("Lo que pudo haberse enviado antes se consulta en eDoc antes de anularlo.")
        return 0
    talk.out.print(f"Desde ahora el registro {location_of(settings.ledger).place} es de este equipo.", markup=False)
    talk.out.print("No use la copia anterior: dos copias enviarían lo mismo dos veces.")
    return 0


@command(name="ledger", cls=SpanishCommand)
def ledger_command(
    action: Annotated[str, typer.Argument(metavar="copy", help="copy: lleva el registro entero a otro lugar.")],
    source: Annotated[
        str,
        typer.Option("--from", metavar="URL", help="El registro: sqlite:////ruta/completa o postgresql+psycopg://…"),
    ],
    target: Annotated[str, typer.Option("--to", metavar="URL", help="El lugar nuevo, vacío.")],
    as_json: Json = False,
    profile: Profile = "",
) -> int:
    """Lleva un registro entero a otro lugar, de archivo a PostgreSQL o al revés; del anterior ya no se envía más."""
    from pipeline import answers, wiring

    if action != "copy":
        raise WrongUsage(f"No existe «ledger {action}».", remedy=f"Vea {order('ledger', '--help')}")
    settings, talk = _settings(profile, ""), Talk(as_json)
    moved = wiring.move_ledger(source, target, wiring.make_clock(settings).now())
    talk.data(answers.moved(moved))
    for line in answers.moved_words(moved):
        talk.out.print(line, markup=False)
    return 0


@command(name="sandbox", cls=SpanishCommand)
def serve_sandbox(
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="Puerto; 0: uno libre.")] = 8321,
    journal: Annotated[Path | None, typer.Option("--journal", metavar="ARCHIVO", help="Bitácora que continúa.")] = None,
    latency_ms: Annotated[int, typer.Option("--latency-ms", metavar="MS", min=0, help="Demora de cada respuesta.")] = 0,
    child: Annotated[bool, typer.Option("--child", hidden=True)] = False,
) -> int:
    """Sirve el eDoc local de pruebas hasta que se detenga (Ctrl-C)."""
    from pipeline.runtime.clock import Clock
    from pipeline.sandbox.serve import serve

    start = os.environ.get("ANULAR_SANDBOX_NOW")
    clock = Clock.starting_at(datetime.fromisoformat(start)) if start else Clock()

    def ready(url: str) -> None:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()

    with suppress(KeyboardInterrupt):
        serve(
            clock,
            on_ready=ready,
            port=port,
            journal=journal,
            latency=timedelta(milliseconds=latency_ms),
            stop_when_stdin_closes=child,
        )
    return 0


@command(name="login", cls=SpanishCommand)
def login(profile: Profile = "") -> int:
    """Guarda el usuario y la contraseña de eDoc en el llavero de este equipo."""
    from pydantic import SecretStr

    from pipeline import vault

    settings = _settings(profile, "")
    if not sys.stdin.isatty():
        raise WrongUsage("La contraseña se escribe en una terminal.", remedy="Sin terminal: ANULAR_PASSWORD_FILE.")
    user = typer.prompt(f"Usuario de eDoc ({settings.env})").strip()
    password = SecretStr(typer.prompt("Contraseña", hide_input=True))
    if not user or not password.get_secret_value():
        raise WrongUsage("El usuario y la contraseña no pueden estar vacíos.")
    vault.keep(settings.env, profile, user, password)
    Talk(False).out.print("Credenciales guardadas en el llavero.")
    return 0


@command(name="logout", cls=SpanishCommand)
def logout(profile: Profile = "") -> int:
    """Olvida el usuario y la contraseña guardados de un perfil."""
    from pipeline import vault

    settings = _settings(profile, "")
    gone = vault.forget(settings.env, profile)
    Talk(False).out.print("Credenciales olvidadas." if gone else "No había credenciales guardadas.")
    return 0


@command(name="doctor", cls=SpanishCommand)
def doctor(as_json: Json = False, profile: Profile = "", ledger: Ledger = "") -> int:
    """Dice qué está configurado y si responden el servicio, el reloj y el registro. No anula nada."""
    import asyncio

    from pipeline import doctor as checks
    from pipeline import screen, wiring

    settings, talk = _settings(profile, ledger), Talk(as_json)
    clock = wiring.make_clock(settings)
    with wiring.running_sandbox(settings) as base:
        findings = asyncio.run(checks.examine(settings, clock, base))
    talk.data(checks.as_data(settings, findings))
    screen.facts(talk.out, "Configuración", checks.configuration(settings))
    screen.facts(talk.out, "Comprobaciones", [(f.name, ("✓ " if f.good else "✗ ") + f.words) for f in findings])
    return 0 if all(finding.good for finding in findings) else 5


def _settings(profile: str, ledger: str) -> Settings:
    from pipeline.settings import load_settings

    return load_settings(profile, ledger)


def _folder(settings: Settings, file: Path) -> Path:
    return (settings.out or file.parent).absolute()


def _readers(context: typer.Context) -> Iterator[Reader]:
    """A process that reads for each file, ended with the command. The first loads itself while we do."""
    from pipeline.read.process import Reader

    first = context.with_resource(Reader())

    def each() -> Iterator[Reader]:
        yield first
        while True:
            yield Reader()

    return each()


@dataclass(frozen=True)
class _Wish:
    """How the files of one command are to be read, as the person said; ``asks``: she is there to be asked."""

    sheet: str
    columns: str
    include_hidden: bool
    asks: bool

    def but(self, choice: Choice) -> _Wish:
        return replace(self, sheet=choice.sheet or self.sheet, columns=choice.columns or self.columns)


def _read(file: Path, wish: _Wish, settings: Settings, reader: Reader | None, talk: Talk) -> Sheet:
    from pipeline.read.sheet import read_sheet
    from pipeline.settings import limits

    try:
        return read_sheet(
            file,
            sheet=wish.sheet or None,
            limits=limits(settings),
            include_hidden=wish.include_hidden,
            prefer="" if wish.asks else settings.sheet,
            columns=wish.columns,
            reader=reader,
        )
    except InputRefused as refusal:
        if refusal.choices and wish.asks:
            return _read(file, wish.but(_chosen(file, refusal, talk)), settings, None, talk)
        if file.name not in refusal.sentence:  # with several files the person has to know which
            refusal.where = f"{file.name}, {refusal.where}" if refusal.where else file.name
        raise


def _chosen(file: Path, refusal: InputRefused, talk: Talk) -> Choice:
    """What the person at the terminal answers to the question of ``file``; the refusal itself for no answer."""
    talk.err.print(f"{file.name}: {refusal.message}", markup=False)
    for number, choice in enumerate(refusal.choices, start=1):
        talk.err.print(f"  {number}. {choice.words}", markup=False)
    typed = typer.prompt("Escriba el número (otra cosa cancela)", default="", show_default=False, err=True).strip()
    if typed not in [str(number) for number in range(1, len(refusal.choices) + 1)]:
        raise refusal.offering(())
    return refusal.choices[int(typed) - 1]


def _read_all(files: list[Path], wish: _Wish, settings: Settings, talk: Talk, readers: Iterator[Reader]) -> list[Sheet]:
    """All files or none: one that is refused stops the command before anything is written or sent."""
    from pipeline import screen

    sheets, refusals = [], []
    for file in files:
        try:
            sheets.append(_read(file, wish, settings, next(readers), talk))
        except InputRefused as refusal:
            refusals.append((file, refusal))
    if refusals:
        talk.data([_refused(file, refusal) for file, refusal in refusals])
        for _, earlier in refusals[:-1]:
            screen.say_error(talk.err, earlier)
        raise refusals[-1][1]
    return sheets


def _refused(file: Path, refusal: InputRefused) -> dict[str, Any]:
    """What ``--json`` tells of a file that was refused as a whole."""
    return {
        "file": str(file),
        "refused": {"code": refusal.code, "message": refusal.sentence, "cell": refusal.where or None},
    }


def _confirm_hidden(files: list[Path], sheets: list[Sheet], given: int | None, talk: Talk, *, yes: bool) -> None:
    """Hidden rows go along only when a person says how many there are (reliability.md D7); ``--yes`` is not enough.

    Raises ``InputRefused`` for no number or another one, ``Interrupted`` for another answer on the terminal.
    """
    from pipeline.domain.problems import refused

    total = sum(sheet.hidden.count for sheet in sheets)
    if total == (given or 0):
        return
    hiding = [(file, sheet.hidden) for file, sheet in zip(files, sheets, strict=True) if sheet.hidden.count]
    found = "; ".join(f"{file.name}: {hidden.words} ({hidden.which})" for file, hidden in hiding)
    if given is None and sys.stdin.isatty() and not yes:
        typed = typer.prompt(f"{found}. Escriba {total} para incluir también eso (otra cosa cancela)", default="")
        if typed.strip() == str(total):
            return
        raise Interrupted("No se envió nada: usted no confirmó lo oculto.", code="not-approved")
    if given is None:
        refusal = refused("ocultas-sin-confirmar", found=found, count=total)
    else:
        refusal = refused("ocultas-distintas", found=found or "nada oculto", given=given, count=total)
    talk.data([_refused(file, refusal) for file in [one for one, _ in hiding] or files[:1]])
    raise refusal


def _confirm_asked(
    files: list[Path], sheets: list[Sheet], given: int | None, talk: Talk, *, yes: bool, ignore_views: bool
) -> None:
    """Rows far below the others, and all rows of a book with views that filter, go along only when a person says so.

    Raises ``InputRefused`` where nobody can be asked, ``Interrupted`` for another answer on the terminal.
    """
    from pipeline import questions

    asks = sys.stdin.isatty() and not yes

    def settle(refusal: InputRefused, wanted: str) -> None:
        if asks:
            typed = typer.prompt(f"{refusal.message} Escriba {wanted} para incluirlas (otra cosa cancela)", default="")
            if typed.strip().casefold().replace("í", "i") == wanted:
                return
            raise Interrupted("No se envió nada: usted no lo confirmó.", code="not-approved")
        named = [file for file, sheet in zip(files, sheets, strict=True) if sheet.distant or sheet.views]
        talk.data([_refused(file, refusal) for file in named])
        raise refusal

    if (far := questions.far_rows(sheets)) is not None and far[0] != given:
        settle(far[1], str(far[0]))
    if (filtering := questions.views(sheets)) is not None and not ignore_views:
        settle(filtering, "si")


def _without_locks(files: list[Path], talk: Talk) -> list[Path]:
    """The files without those that Excel keeps beside an open workbook, which a pattern like ``*.xlsx`` names too.

    They are said and passed over, unless there is nothing else."""
    from pipeline.read.kinds import is_lock

    others = [file for file in files if not is_lock(file)]
    for file in files if others else ():
        if is_lock(file):
            talk.err.print(f"Se pasa por alto «{file.name}»: es el archivo de bloqueo de Excel.", markup=False)
    return others or files


def _of_nobody_else(found: Sheet, memory: Memory, settings: Settings) -> Sheet:
    """The file, if no other company of this machine has it. Raises ``InputRefused`` that says whose it is and how that
    company goes on with it: this is the machine's own terminal."""
    from pipeline import wiring
    from pipeline.domain.problems import refused

    other = wiring.elsewhere(settings, memory.views, found.sha256)
    if other is None:
        return found
    whose = f"«{other.company}»" if other.company else "que trabaja sin perfil"
    raise refused("lote-de-otra-empresa", where=found.name, batch=other.batch, whose=whose, order=other.order)


def _show_plan(talk: Talk, plan: Plan, settings: Settings) -> None:
    from pipeline import answers, screen

    style = "bold white on red" if settings.env == "production" else "bold"
    screen.facts(talk.out, f" {plan.file} ", answers.plan_facts(plan, settings), style=style)
    screen.listing(talk.out, "No se enviarán", answers.plan_problems(plan))


def _approve(talk: Talk, plan: Plan, settings: Settings, *, yes: bool, only: int | None) -> None:
    """Asks before sending. Raises ``Interrupted`` for a no, ``WrongUsage`` when ``--yes`` is not enough."""
    count = plan.to_send if only is None else min(only, plan.to_send)
    if count == 0:
        return
    talk.check_seen()
    strangers = len(plan.issuers) > 1 and not settings.issuers
    if yes:
        if strangers and settings.env == "production":
            raise WrongUsage(
                f"El archivo tiene {len(plan.issuers)} emisores y --yes no los confirma en producción.",
                remedy="Nómbrelos en ANULAR_ISSUERS, o ejecute sin --yes.",
            )
        return
    whose = f" de «{one_line(settings.company)}»" if settings.company else ""
    if settings.env == "production" or strangers:
        asked = typer.prompt(f"Escriba {count} para enviar {count} anulaciones{whose} (otra cosa cancela)", default="")
        agreed = asked.strip() == str(count)
    else:
        asked = typer.prompt(f"¿Enviar {count} anulaciones{whose}? Escriba «si» para continuar", default="no")
        agreed = asked.strip().lower() in ("s", "si", "sí")
    if not agreed:
        raise Interrupted("No se envió nada: usted no lo confirmó.", code="not-approved")


def _report(
    batches: Sequence[BatchInfo],
    memory: Memory,
    talk: Talk,
    settings: Settings,
    trouble: AnularError | None,
    files: Sequence[Path] = (),
) -> int:
    """Writes the workbooks and the notes beside what was held, says how it ended, and gives the exit code. ``files``:
    those that were given, where the batches were not named by number."""
    from pipeline import answers, run, screen
    from pipeline.watch.renewal import renew

    answer, told = Answer(), []
    beside = [*files, *[None] * (len(batches) - len(files))]
    for info, file in zip(batches, beside, strict=True):
        written = run.write_results(info, memory.views, settings.out)
        code = trouble.exit_code if trouble is not None else answers.exit_code(written.lines)
        answer.codes.append(code)
        answers.note_written(memory.journal, written, code)
        renew(written, code, settings, file)
        told.append(answers.batch(written, code))
        screen.counts(talk.out, f"Lote {info.id} · {info.file}", answers.totals(written.lines))
        screen.listing(talk.out, "Qué hacer ahora", answers.todo(written.report))
        for line in (f"Resultados: {written.workbook}", *answers.to_correct(written)):
            talk.out.print(line, markup=False)
    for warning in memory.sent.warnings if memory.sent is not None else ():
        talk.progress.warn(warning)
    if trouble is not None:
        memory.journal.note("run_stopped", error=trouble.code)
        screen.say_error(talk.err, trouble)
        answer.codes.append(trouble.exit_code)
    talk.data(told)
    return answer.code


def _batch(views: Any, name: str) -> BatchInfo:
    found: BatchInfo | None = views.batch(name)
    if found is None:
        raise WrongUsage(f"No existe el lote «{name}».", code="no-batch", remedy=f"Vea los lotes: {order('status')}")
    return found


def _own_batch(views: Views, name: str) -> BatchInfo:
    """One that this run may go on with: not another credential's."""
    from pipeline.wiring import check_own

    info = _batch(views, name)
    check_own(views, info)
    return info


def _local(moment: datetime) -> str:
    from pipeline.domain.deadline import PANAMA

    return f"{moment.astimezone(PANAMA):%d/%m/%Y %H:%M}"
