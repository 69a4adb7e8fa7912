"""One file, three ways: handed in on the page and sent by the sender, proposed and approved at the terminal, and by
plain ``run``. The plan, the batch, its rows, what happened to each and the workbook's bytes are the same; only who
approved it differs, and what follows from that: the digest, and the seal over events that name people.

Three files in every run; all where it is long.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from pipeline.approvals import uploads
from pipeline.approvals.store import Proposals
from pipeline.domain.approved_by import DIGEST_LABEL
from pipeline.report.labels import FACT_SEAL
from pipeline.web.texts.options import on_screen
from tests.corpus import cells, containers, csv_rows, csv_structure, seen, sheets, words
from tests.support import ledgers, pages
from tests.support.desk import REASON, make_cufe
from tests.support.long import long
from tests.support.pages import ISTMO, SAMPLES
from tests.support.parity import Page, Way, propose, still_clock
from tests.web.test_proposals import cufe, text

CORPUS = {
    entry.name: entry
    for theme in (csv_structure, csv_rows, containers, sheets, cells, seen, words)
    for entry in theme.theme.entries
}
RUCS = ("155999991-2-2026", "155999992-2-2026")


@dataclass(frozen=True)
class Case:
    """Files that come one after the other, each a batch, and what is said about how the last one is read."""

    name: str
    #: name and bytes of each, made from the corrections workbook of the one before, if there is one
    files: tuple[tuple[str, Callable[[bytes], bytes]], ...]
    #: on the form of the page
    form: dict[str, object] = field(default_factory=dict)
    #: with the commands
    flags: tuple[object, ...] = ()
    #: with those of them that send or propose
    sending: tuple[object, ...] = ()
    #: how many rows, columns or cells are hidden
    hidden: int = 0
    #: settings of the company
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def sample(name: str) -> Case:
    return Case(name, ((name, lambda _: (SAMPLES / name).read_bytes()),))


def corpus(name: str, **more: Any) -> Case:
    return Case(name, ((name, lambda _: CORPUS[name].make()),), **more)


def rows(*codes: str, reason: str = REASON) -> bytes:
    return "\n".join(["CUFE,Motivo", *(f"{code},{reason}" for code in codes), ""]).encode()


def csv(name: str, *tables: tuple[str, ...], **more: Any) -> Case:
    def maker(codes: tuple[str, ...]) -> Callable[[bytes], bytes]:
        return lambda _: rows(*codes)

    return Case(name, tuple((f"{name}-{n}.csv", maker(codes)) for n, codes in enumerate(tables, start=1)), **more)


def corrected(book: bytes) -> bytes:
    """A corrections workbook in which a person put a good reason into each row."""
    found = load_workbook(BytesIO(book))
    sheet = found.worksheets[0]
    place = [str(cell.value) for cell in sheet[1]].index("Motivo")
    for row in sheet.iter_rows(min_row=2):
        row[place].value = REASON
    kept = BytesIO()
    found.save(kept)
    return kept.getvalue()


def several_sheets(_: bytes) -> bytes:
    book = Workbook()
    for place, name in enumerate(("Enero", "Febrero")):
        sheet = book.create_sheet(name)
        sheet.append(["CUFE", "Motivo"])
        sheet.append([make_cufe(place + 1), REASON])
    del book["Sheet"]
    kept = BytesIO()
    book.save(kept)
    return kept.getvalue()


SHORT = "no"
"""No reason: too short."""
CASES = [
    sample("lote_con_errores.xlsx"),
    corpus("hidden_rows_included.xlsx", form={"ocultas": "on"}, flags=("--include-hidden",), hidden=2),
    csv("two_issuers", (cufe(1), cufe(2, RUCS[1]), cufe(3, RUCS[1]))),
    sample("lote_mensual.xlsx"),
    sample("lote_mensual.csv"),
    corpus("cp1252.csv"),
    corpus("utf16le_bom.csv"),
    corpus("semicolon.csv"),
    corpus("mojibake.csv"),
    corpus("cufe_spaces.csv"),
    corpus("dup_same.csv"),
    corpus("totals_and_signature.csv"),
    corpus("comment_no.xlsx"),
    corpus("two_sheets_named.xlsx", form={"hoja": "Hoja2"}, flags=("--sheet", "Hoja2")),
    corpus("formula_cached_accepted.xlsx", form={"formulas": "on"}, flags=("--accept-formulas",)),
    corpus(
        "columns_said.xlsx", form={"columnas": "cufe=B, motivo=C"}, flags=("--columns", "cufe=B, motivo=C")
    ),
    corpus("second_sheet_without_header.xlsx"),
    corpus("hidden_sheet.xlsx"),
    corpus("far.csv", form={"lejanas": 1}, sending=("--far-rows", 1)),
    corpus("view.xlsx", form={"vistas": "on"}, sending=("--ignore-views",)),
    Case("sheet_of_the_settings", (("dos.xlsx", several_sheets),), settings={"sheet": "last"}),
    csv("bad_digit", (make_cufe(1)[:-1] + str((int(make_cufe(1)[-1]) + 1) % 10), make_cufe(2)),
        form={"digito": "on"}, flags=("--allow-bad-check-digit",)),
    csv("repeats_another_batch", (make_cufe(1), make_cufe(2)), (make_cufe(2), make_cufe(3))),
    csv("late", (make_cufe(1), make_cufe(2, day="20261101"), make_cufe(3, day="20261112"))),
    csv("late_refused", (make_cufe(1), make_cufe(2, day="20261101")), settings={"late_rows": "reject"}),
    csv("another_companys", (cufe(1), make_cufe(2)), settings={"issuers": frozenset(RUCS)}),
    Case("corrections", (("mes.csv", lambda _: rows(make_cufe(1)) + f"{make_cufe(2)},{SHORT}\n".encode()),
                         ("mes corregido.xlsx", corrected))),
]  # fmt: skip
ALWAYS = 1
IN_FILES = [pytest.mark.long, pytest.mark.sqlite]


@dataclass
class Ways:
    """The three of them."""

    page: Page
    two: Way
    plain: Way

    @property
    def all(self) -> tuple[Way, ...]:
        return self.page, self.two, self.plain


@pytest.fixture
def ways(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ways]:
    clock = still_clock()
    quick: dict[str, Any] = {"rate": 1000.0, "concurrency": 1, "poll_for": 0.0, "breaker_wait": 0.1}
    case: Case | None = getattr(request, "param", None)
    quick["user"] = "sandbox"  # which eDoc's double knows, on a server too
    more = {"issuers": frozenset(), **quick, **(case.settings if case is not None else {})}

    def own(name: str) -> dict[str, Any]:
        place = tmp_path / name
        (place / "out").mkdir(parents=True)
        return {"out": place / "out", "web_folder": place / "web"}

    with ExitStack() as stack:
        house = stack.enter_context(
            pages.house(tmp_path / "page", monkeypatch, batches=False, clock=clock, **more, **own("web"))
        )
        settings = house.site.companies[ISTMO]

        def way(name: str) -> Way:
            if ledgers.on_a_server():
                there = stack.enter_context(ledgers.fresh(tmp_path, tables=False))
                places = {"ledger": there, "office": there}
            else:
                office = tmp_path / name / "office" / "anular-office.db"
                ledger = tmp_path / name / "ledger" / "registro.db"
                places = {"ledger": f"sqlite:///{ledger}", "office": f"sqlite:///{office}"}
            return Way(tmp_path / name, settings.model_copy(update={**own(name), **places}), clock, monkeypatch)

        page = Page(tmp_path / "web", settings, clock, monkeypatch, house=house)
        page.turn()  # the sender makes the ledger
        plain = way("plain")
        plain.settings = plain.settings.model_copy(update={"approval": "none"})
        yield Ways(page, way("two"), plain)


def told(plan: dict[str, Any]) -> dict[str, Any]:
    """What ``check --json`` says, without places."""
    return {name: value for name, value in plan.items() if name not in ("file", "workbook", "corrections")}


def on_a_server_too(case: Case) -> bool:
    """Whether it is about more than how one file is read, which no database changes."""
    return case.name not in CORPUS or case.name in ("hidden_rows_included.xlsx", "dup_same.csv")


@pytest.mark.parametrize(
    ("case", "ways"),
    [(one, one) for one in CASES[:ALWAYS]]
    + long(*((one, one) for one in CASES[ALWAYS:] if on_a_server_too(one)))
    + [pytest.param(one, one, marks=IN_FILES) for one in CASES[ALWAYS:] if not on_a_server_too(one)],
    indirect=["ways"], ids=lambda one: str(one),
)  # fmt: skip
def test_the_page_and_the_terminal_do_the_same_with_a_file(case: Case, ways: Ways, tmp_path: Path):
    page, two, plain = ways.page, ways.two, ways.plain
    before = b""
    for turn, (name, make) in enumerate(case.files, start=1):
        last = turn == len(case.files)
        form, flags, sending = (case.form, case.flags, case.sending) if last else ({}, (), ())
        hidden = case.hidden if last else 0
        data = make(before)
        (tmp_path / f"{turn}").mkdir()
        file = tmp_path / f"{turn}" / name
        file.write_bytes(data)

        # The plan
        checked = [told(way.anular("check", file, *flags, "--json").data[0]) for way in (two, plain)]
        number = page.number(page.hand_in(name, data, **form))
        assert page.store.get(number).why == ""
        review = page.store.plan_data(number)["review"]
        assert checked[0] == checked[1]
        assert_same_plan(review, checked[0])
        kinds = ("revision", "corregir") if review["to_correct"] else ("revision",)
        for kind in kinds:
            books = [read(way, f"{file.stem}__{kind}.xlsx") for way in (two, plain)]
            assert books[0] == books[1] == page_book(page, number, kind), kind

        # Approved and sent
        issuers = checked[0]["issuers"]
        proposed = propose(two, file, (*flags, *sending), issuers, hidden)
        with store_of(two) as store:
            assert_same_proposal(page.store, number, store, proposed)
        page.approve(number, hidden)
        page.turn()
        assert two.anular("run", "--approved", proposed).code in (0, 1, 4)
        counted = ("--hidden-count", hidden) if hidden else ()
        ended = plain.anular("run", file, "--yes", *flags, *sending, *counted)
        assert ended.code in (0, 1, 4), ended.err
        for way in (two, plain):
            way.ask()
        assert page.store.get(number).state.value == "ENDED"
        before = corrections(ways)

    assert_same_ledgers(ways)
    assert page.posts() == two.posts() == plain.posts()
    assert max(page.posts().values()) == 1
    assert_same_books(ways)


def assert_same_plan(review: dict[str, Any], plan: dict[str, Any]) -> None:
    figures = review["figures"]
    assert {name: plan[name] for name in figures} == figures
    assert sorted(ruc for ruc, _ in review["issuers"]) == sorted(plan["issuers"])
    assert (review["sheet"], review["seconds"]) == (plan["sheet"] or "", plan["seconds_at_rate"])
    rows_of: dict[str, set[str]] = {}
    for one in plan["problems"]:
        rows_of.setdefault(one["code"], set()).add(one["row"])
    assert {one["code"]: one["rows"] for one in review["problems"]} == {code: len(rows_of[code]) for code in rows_of}
    said = {(one["cell"], one["message"]) for one in plan["problems"]}
    assert {(one["place"], one["words"]) for cause in review["problems"] for one in cause["findings"]} <= said


def page_book(page: Page, number: int, kind: str) -> bytes:
    answer = page.house.client("ana").get(f"/propuestas/{number}/libros/{kind}")
    assert answer.status_code == 200
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert isinstance(content, bytes)
    return content


@contextmanager
def store_of(way: Way) -> Iterator[Proposals]:
    """The proposals of its office."""
    from pipeline.office.place import place_of

    office = place_of(way.settings.office).open(way.clock.now())
    try:
        yield Proposals(office, way.settings.profile, str(way.settings.env), hours=72)
    finally:
        office.close()


def assert_same_proposal(page: Proposals, number: int, terminal: Proposals, other: int) -> None:
    """All that is approved but for the ledger, and all that the approver is shown."""
    one, two = page.get(number), terminal.get(other)
    assert {**one.content, "ledger": ""} == {**two.content, "ledger": ""}
    assert page.hashes(number) == terminal.hashes(other)
    shown, seen = (
        {**store.plan_data(n), "folder": "", "digest": ""} for store, n in ((page, number), (terminal, other))
    )
    assert shown == seen


def read(way: Way, ending: str) -> bytes:
    (found,) = [data for name, data in way.written().items() if name.endswith(ending)]
    return found


def corrections(ways: Ways) -> bytes:
    """The workbook to correct of the newest batch, which all three wrote; empty for none."""
    batch = ledgers.lines(ways.page.settings.ledger, "SELECT batch FROM event ORDER BY seq")[-1]["batch"]
    found = [[data for name, data in way.written().items() if name.endswith(f"{batch}__corregir.xlsx")]
             for way in ways.all]  # fmt: skip
    assert found[0] == found[1] == found[2]
    return found[0][0] if found[0] else b""


def assert_same_ledgers(ways: Ways) -> None:
    for table, order in (("batch", "id"), ("row", "batch, pos"), ("attempt", "id"), ("event", "seq")):
        page, two, plain = (way.lines(table, order) for way in ways.all)
        assert page == two, table
        assert page == plain, table
    by = [line["approved_by"] for line in ledgers.lines(ways.page.settings.ledger, "SELECT approved_by FROM batch")]
    assert all(re.fullmatch(r"web: luis aprobó; ana preparó; huella [0-9a-f]{64}", one) for one in by)


def assert_same_books(ways: Ways) -> None:
    """Of each batch: what the sender wrote, what is downloaded, what the terminal wrote."""
    for line in ledgers.lines(ways.page.settings.ledger, "SELECT id FROM batch"):
        ending = f"{line['id']}__resultados.xlsx"
        page, two, plain = (read(way, ending) for way in ways.all)
        assert page == ways.page.download(line["id"])
        seals = {DIGEST_LABEL, FACT_SEAL}  # of this ledger, and over the names
        seals |= {"Nota de lectura"} if ledgers.on_a_server() else set()  # that it was handed in to the queue
        assert different(page, two) == seals, "the same people, wherever they did it"
        assert different(page, plain) == {*seals, "Preparado y aprobado", "Aprobado por", "Quién"}


def different(one: bytes, other: bytes) -> set[str]:
    """Where two workbooks differ: in ``Resumen`` the labels of what differs, in ``Bitácora`` the headings; after it was
    seen that nothing else does, to the byte."""
    first, second = (zipfile.ZipFile(BytesIO(data)) for data in (one, other))
    assert first.namelist() == second.namelist()
    parts = {name for name in first.namelist() if first.read(name) != second.read(name)}
    books = [load_workbook(BytesIO(data)) for data in (one, other)]
    names = books[0].sheetnames
    assert parts <= {f"xl/worksheets/sheet{names.index(name) + 1}.xml" for name in ("Resumen", "Bitácora")}
    pages = [facts(book["Resumen"]) for book in books]
    found = {
        label for page, beside in (pages, pages[::-1]) for label, value in page.items() if beside.get(label) != value
    }
    (head, *lines), (_, *beside) = (book["Bitácora"].iter_rows(values_only=True) for book in books)
    for line, twin in zip(lines, beside, strict=True):
        found |= {str(name) for name, value, same in zip(head, line, twin, strict=True) if value != same}
    return found


def facts(sheet: Any) -> dict[str, Any]:
    """What ``Resumen`` says, by what stands first in its line."""
    lines = [[value for value in line if value is not None] for line in sheet.iter_rows(values_only=True)]
    return {str(line[0]): line[1:] for line in lines if line}


# --- files that are refused


REFUSED = [
    *("two_sheets.xlsx", "hidden_rows.xlsx", "names_as_reasons.csv"),
    *long("missing_header.csv", "quote_swallow.csv", "mixed_encodings.csv", "truncated.xlsx", "merged_motivo.xlsx",
          "header_only.csv", "line_says_no.csv", "code_moved.csv", "far.csv", "view.xlsx", "external_link.xlsx"),
]  # fmt: skip
AT_THE_DOOR = ["macro.xlsm", *long("empty.csv", "csv_as.xlsx", "pdf.xlsx", "encrypted.xlsx")]
"""Not even kept."""


def sentences(ways: Ways, name: str, file: Path) -> tuple[str, str]:
    """Code and sentence with which each command of the terminal refuses it."""
    refusals = []
    for way, command in ((ways.two, "propose"), (ways.plain, "run")):
        ended = way.anular(command, file, *(["--yes"] if command == "run" else []))
        assert ended.code == 3, ended.err
        (line,) = [one for one in ended.err.splitlines() if one.startswith("✗")]
        refusals.append(line.removeprefix("✗ "))
    assert refusals[0] == refusals[1]
    sentence, _, code = refusals[0].rpartition(" [")
    return code.removesuffix("]"), sentence.replace(f"{name}, ", "", 1).replace(f"{name}: ", "", 1)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_with_the_same_sentence(ways: Ways, name: str, tmp_path: Path):
    file = tmp_path / name
    file.write_bytes(CORPUS[name].make())
    code, sentence = sentences(ways, name, file)
    number = ways.page.number(ways.page.hand_in(name, file.read_bytes()))
    kept = uploads.refusal_in(ways.page.store, number)
    assert kept["code"] == code
    said = ways.page.store.get(number).why
    assert said.replace(f"{name}: ", "", 1) == sentence
    shown = unescape(text(ways.page.house.client("ana").get(f"/propuestas/{number}")))
    for part in ("message", "remedy"):
        assert on_screen(str(kept[part])) in shown


@pytest.mark.parametrize("name", AT_THE_DOOR)
def test_what_is_not_even_kept_is_refused_on_the_form_with_the_same_sentence(ways: Ways, name: str, tmp_path: Path):
    file = tmp_path / name
    file.write_bytes(CORPUS[name].make())
    _, sentence = sentences(ways, name, file)
    answer = ways.page.hand_in(name, file.read_bytes())
    assert answer.status_code == 422
    assert on_screen(sentence) in unescape(text(answer)).replace(f"{name}: ", "", 1)
