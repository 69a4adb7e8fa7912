"""The documents agree with the program: commands, settings, states, words and links.

The tables between `<!-- name: begin -->` and `<!-- name: end -->` are written from the code by
``python tests/house/test_docs.py`` (`make pages`); the tests here only compare. The pages of commands and settings are
tested in ``test_pages.py``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from pipeline.domain.actions import ACTIONS
from pipeline.domain.columns import FIRST_COLUMNS, LAST_COLUMNS
from pipeline.domain.edoc_states import EDOC_STATES, judge
from pipeline.domain.lifecycle import Event, State, move
from pipeline.domain.outcomes import Outcome, outcome
from pipeline.domain.records import Source
from pipeline.report.labels import EVENT_WORDS, MEANINGS, SUMMARY
from pipeline.settings.model import PREFIX, Settings
from schemas.columns import INPUT_COLUMNS, RESULT_COLUMNS
from tests.house.test_pages import pages

ROOT = Path(__file__).resolve().parents[2]
README, GUIDE, AUDIT = ROOT / "README.md", ROOT / "docs/guia-contable.md", ROOT / "docs/auditoria.md"
RELIABILITY = ROOT / "docs/fiabilidad.md"
STATES, CONTRACT = ROOT / "docs/auditoria/estados.md", ROOT / "docs/spec/interface.md"
CERTIFICATES = ROOT / "docs/spec/certificates.md"
FIRST_WORDS = {name.partition(" ")[0] for name in pages.commands()}
PROMISES, PROMESAS = ROOT / "docs/dev/promises.md", ROOT / "docs/auditoria/promesas.md"
PAGES = sorted([README, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
SHEETS = (SUMMARY, "Resultados", "Pendientes de acción", "Notas de crédito", "Estados eDoc", "Bitácora")

# Spelled in two halves, so that this file does not mention them itself.
FORBIDDEN = ("/" + "work/", "/" + "tmp/", "/" + "root/", "/" + "home/", "py" + "pi.org", "pythonhosted" + ".org")
GITHUB_PUNCTUATION = re.compile(r"[^\w\- ]")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def table_of_states() -> str:
    """Every eDoc state: what the results print, and what it makes of a row in either kind of answer."""
    rows = [
        [
            str(state.number),
            state.meaning,
            "SI" if state.resend else "NO",
            "SI" if state.query else "NO",
            state.action,
            word_after(State.SENDING, state.number, Source.CANCELLATION),
            word_after(State.UNKNOWN, state.number, Source.QUERY),
        ]
        for state in EDOC_STATES.values()
    ]
    unknown = max(EDOC_STATES) + 1
    rows.append(
        [
            "otro",
            "Estado desconocido",
            "NO",
            "SI",
            "Consultar y llamar a soporte de eDoc. Nunca reenviar.",
            word_after(State.SENDING, unknown, Source.CANCELLATION),
            word_after(State.UNKNOWN, unknown, Source.QUERY),
        ]
    )
    heads = ["estado", "significado", "reenviar", "consultar", "acción", "en la respuesta al envío", "en una consulta"]
    return table(heads, rows)


def word_after(before: State, number: int, source: Source) -> str:
    """The word that a row shows once an answer of ``source`` with state ``number`` came to it in ``before``."""
    event = judge(source, number, None)
    return f"`{outcome(move(before, event), alive=event is Event.ALIVE).value}`"


def table_of_outcomes() -> str:
    """Every word of ``resultado`` with the states of the ledger behind it."""
    by_word = {word: [state.value for state in State if outcome(state) is word] for word in Outcome}
    by_word[Outcome.HELD] = [s.value for s in State if outcome(s, unsent=True) is Outcome.HELD]
    by_word[Outcome.STILL_ALIVE] = [s.value for s in State if outcome(s, alive=True) is Outcome.STILL_ALIVE]
    rows = [[f"`{word.value}`", MEANINGS[word], ", ".join(f"`{name}`" for name in by_word[word])] for word in Outcome]
    return table(["resultado", "qué significa, como lo dice el libro", "estados en el historial"], rows)


def table_of_rules() -> str:
    rows = [[f"`{a.rule}`", a.title, a.words, "SI" if a.person else "NO"] for a in ACTIONS]
    return table(["regla", "tarea", "qué dice", "requiere revisión"], rows)


def table_of_events() -> str:
    return table(["evento", "código"], [[EVENT_WORDS[event], f"`{event.value}`"] for event in Event])


GENERATED: dict[tuple[Path, str], Callable[[], str]] = {
    (STATES, "states"): table_of_states,
    (STATES, "outcomes"): table_of_outcomes,
    (AUDIT, "reglas"): table_of_rules,
    (AUDIT, "eventos"): table_of_events,
}


def split_at(page: Path, name: str) -> tuple[str, str, str]:
    """What stands before, between and after the markers of ``name``."""
    begin, end = f"<!-- {name}: begin -->\n", f"\n<!-- {name}: end -->"
    before, found, rest = text_of(page).partition(begin)
    inside, closed, after = rest.partition(end)
    assert found, f"{page.name} has no beginning of {name}"
    assert closed, f"{page.name} has no end of {name}"
    return before + begin, inside, end + after


@pytest.mark.parametrize(("page", "name"), GENERATED, ids=lambda value: value if isinstance(value, str) else value.name)
def test_a_table_that_is_written_from_the_code_is_up_to_date(page: Path, name: str) -> None:
    _, inside, _ = split_at(page, name)
    assert inside == GENERATED[page, name](), "run: .venv/bin/python tests/house/test_docs.py"


def test_the_table_of_states_has_a_line_for_every_state() -> None:
    _, inside, _ = split_at(STATES, "states")
    shown = [line.split("|")[1].strip() for line in inside.splitlines()[2:]]
    assert shown == [*map(str, EDOC_STATES), "otro"]


def test_no_state_of_a_query_but_eleven_is_shown_as_a_cancellation() -> None:
    _, inside, _ = split_at(STATES, "states")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in inside.splitlines()[2:]]
    assert {row[0] for row in rows if row[5] == "`ANULADA`"} == {"2", "11"}
    assert {row[0] for row in rows if row[6] == "`ANULADA`"} == {"11"}


def test_the_readme_can_be_read_at_one_sitting() -> None:
    assert len(text_of(README).splitlines()) <= 150


def test_every_command_has_its_line_in_the_readme() -> None:
    table = text_of(README).partition("\n## Commands\n")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(word for cell in cells for word in re.findall(r"`([a-z]+)", cell)) == sorted(FIRST_WORDS)


def test_every_command_and_every_option_is_in_the_contract() -> None:
    words = text_of(CONTRACT).partition("\n## 2. ")[2].partition("\n## 3. ")[0]
    named = {name for name in FIRST_WORDS if f"**`{name}" in words or f"/ **`{name}" in words}
    assert named == FIRST_WORDS
    certs = text_of(CERTIFICATES).partition("\n## 4. ")[2]
    inner = {name.partition(" ")[2] for name in pages.commands() if name.startswith("certs ")}
    assert {name for name in inner if f"**`{name}" not in certs} == set()
    words += certs
    options = {name for one in pages.commands().values() for p in one.params if not p.hidden for name in p.opts}
    assert {
        name for name in options if name.startswith("--") and f"`{name}" not in words and f" {name} " not in words
    } == set()


@pytest.mark.parametrize("page", [README, *sorted(ROOT.glob("docs/dev/*.md"))], ids=lambda page: page.name)
def test_no_page_names_a_command_that_does_not_exist(page: Path) -> None:
    spoken = set(re.findall(r"\banular ([a-z]+)\b", text_of(page).replace("anular ended", "")))
    assert {"run"} <= spoken or page != README
    assert spoken <= FIRST_WORDS


def test_every_setting_stands_in_the_contract_with_its_default() -> None:
    rows = [line.split("|") for line in text_of(CONTRACT).splitlines() if line.startswith(f"| `{PREFIX}")]
    found = {name: cells[2].strip() for cells in rows for name in re.findall(rf"`({PREFIX}\w+)`", cells[1])}
    expected = {
        f"{PREFIX}{name.upper()}": pages.default_of(field).replace("ninguno", "none")
        for name, field in Settings.model_fields.items()
        if name not in pages.NOT_SET_BY_PEOPLE
    }
    assert found == expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_a_setting_that_does_not_exist(page: Path) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {f"{PREFIX}CONFIG"}
    assert set(re.findall(rf"\b{PREFIX}[A-Z0-9_]*[A-Z0-9]\b", text_of(page))) <= known


@pytest.mark.parametrize("page", [STATES, GUIDE, AUDIT], ids=lambda page: page.name)
def test_every_word_of_a_result_is_explained(page: Path) -> None:
    words = text_of(page)
    assert [word.value for word in Outcome if f"`{word.value}`" not in words] == []


def test_every_accepted_heading_is_in_the_contract_and_in_the_guide() -> None:
    for page in (CONTRACT, GUIDE):
        missing = [h for column in INPUT_COLUMNS for h in column.headings if f"`{h}`" not in text_of(page)]
        assert missing == [], page.name


def test_every_sheet_and_every_added_column_is_explained_to_the_auditor() -> None:
    words = text_of(AUDIT)
    assert [name for name in RESULT_COLUMNS if f"| `{name}`" not in words] == []
    printed = {**FIRST_COLUMNS, **LAST_COLUMNS}
    for page in (AUDIT, CONTRACT):
        assert [heading for heading in printed.values() if f"`{heading}`" not in text_of(page)] == [], page.name
    assert [name for name in SHEETS if f"`{name}`" not in words] == []


def anchors(page: Path) -> set[str]:
    """The addresses of a page's headings as they are made from their words."""
    heads = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {GITHUB_PUNCTUATION.sub("", head.lower()).replace(" ", "-") for head in heads}


def links(page: Path) -> Iterator[str]:
    yield from re.findall(r"\]\(([^)\s]+)\)", text_of(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_tells_a_machines_path_or_a_registry(page: Path) -> None:
    assert [word for word in FORBIDDEN if word in text_of(page)] == []


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", text_of(ROOT / "Makefile"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_command_that_a_page_names_exists(page: Path) -> None:
    assert set(re.findall(r"`make ([a-z][a-z-]*)", text_of(page))) <= make_targets()


def test_every_figure_was_measured_by_a_command_on_a_day() -> None:
    """A line of the measured figures: figure, value, a make target or a module of the tests, day."""
    inside = text_of(RELIABILITY).partition("## Cifras medidas")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in inside.splitlines() if line[:1] == "|"]
    assert rows[0] == ["cifra", "valor", "comando", "fecha"]
    assert len(rows) > 2
    for row in rows[2:]:
        command, day = row[2], row[3]
        assert re.fullmatch(r"`make ([a-z-]+)[^`]*`", command), row
        assert re.fullmatch(r"\d\d/\d\d/\d{4}", day), row


def test_the_guide_to_reliability_names_every_long_suite() -> None:
    named = set(re.findall(r"`make ([a-z-]+)", text_of(RELIABILITY)))
    assert {"test", "storm", "powercuts", "simulate", "mutants"} <= named


@pytest.mark.parametrize("page", [PROMISES, PROMESAS], ids=lambda page: page.name)
def test_every_promise_stands_once_with_a_test_behind_it(page: Path) -> None:
    rows = [line.split("|") for line in text_of(page).splitlines() if re.match(r"\| P\d+ \|", line)]
    assert [row[1].strip() for row in rows] == [f"P{n}" for n in range(1, 19)]
    for row in rows:
        assert "tests/" in row[3], row[1]


def test_every_decision_is_in_the_list_of_decisions() -> None:
    folder = ROOT / "docs/decisions"
    listed = re.findall(r"^\| \[\d{4}\]\(([^)]+)\)", text_of(folder / "README.md"), re.MULTILINE)
    assert listed == sorted(page.name for page in folder.glob("[0-9]*.md"))


def rewrite() -> None:
    """Writes every generated table anew."""
    for (page, name), make in GENERATED.items():
        before, _, after = split_at(page, name)
        page.write_text(before + make() + after, encoding="utf-8")


if __name__ == "__main__":
    rewrite()


def test_where_to_change_something_names_what_is_there():
    page = (ROOT / "docs" / "dev" / "architecture.md").read_text("utf-8")
    section = page.split("## To change something")[1].split("\n## ")[0]
    rows = re.findall(r"\(\.\./\.\./(pipeline/[^)]+)\) `(\w+)` \|", section)
    assert len(rows) == section.count("\n| ") - 1
    for file, name in rows:
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        named = {getattr(node, "name", getattr(node, "id", None)) for node in ast.walk(tree)}
        assert name in named, (file, name)
