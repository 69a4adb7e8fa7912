"""The pages that are made from the program: up to date, with every command, option and setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.scripts import CI, loaded

ROOT = Path(__file__).resolve().parents[2]


pages, site = loaded(CI / "pages.py"), loaded(CI / "site.py")
CHANGES = site.FROM_ELSEWHERE["CHANGELOG.md"].removeprefix("dev/")


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.name)
def test_a_page_that_is_made_from_the_program_is_up_to_date(page: Path) -> None:
    name, write = pages.PAGES[page]
    assert pages.split_at(page, name)[1] == write(), "run: make pages"


def test_every_command_has_its_part_with_every_option() -> None:
    parts = pages.commands_part().split("\n## anular ")[1:]
    assert [part.split("\n")[0] for part in parts] == list(pages.commands())
    for part, command in zip(parts, pages.commands().values(), strict=True):
        names = {name for one in command.params if not one.hidden for name in one.opts if name.startswith("-")}
        assert {name for name in names if f"| `{name}" not in part} == set()
        assert "None" not in part


def test_every_setting_stands_once_with_its_default() -> None:
    names = [name for group in pages.grouped().values() for name in group]
    assert sorted(names) == sorted(pages.Settings.model_fields.keys() - set(pages.NOT_SET_BY_PEOPLE))
    assert all(pages.grouped().values())
    lines = [line for line in pages.settings_part().splitlines() if line.startswith("| `ANULAR_")]
    assert len(lines) == len(names) + 1
    assert "| `ANULAR_RATE` | solicitudes por segundo, en total | `5` | más de 0, hasta 10,000 |" in lines
    assert not [line for line in lines if "SecretStr" in line or "None" in line]


# ------------------------------------------------------------------------------------- links and pages on the site


@pytest.mark.parametrize(
    ("place", "link", "on_the_site"),
    [
        ("docs/fiabilidad.md", "[guía](auditoria.md#qué)", "[guía](auditoria.md#qué)"),
        ("docs/spec/eyes.md", "[decisions](../decisions/README.md)", "[decisions](../decisions/README.md)"),
        ("docs/spec/eyes.md", "[all of them](../decisions/)", "[all of them](../decisions/README.md)"),
        ("docs/dev/x.md", "[the start](../../README.md)", "[the start](../index.md)"),
        ("docs/dev/x.md", "[changes](../../CHANGELOG.md)", f"[changes]({CHANGES})"),
        ("CHANGELOG.md", "[errores](docs/errores.md)", "[errores](../errores.md)"),
        ("CHANGELOG.md", "![a](docs/img/a.png)", "![a](../img/a.png)"),
        ("docs/dev/x.md", "[a site](https://example.com/a)", "[a site](https://example.com/a)"),
        ("docs/dev/x.md", "[below](#below)", "[below](#below)"),
        ("docs/fiabilidad.md", "[fallos](../tests/faults/judge.py)", "fallos (`tests/faults/judge.py`)"),
        ("docs/fiabilidad.md", "[judge.py](../tests/faults/judge.py)", "`tests/faults/judge.py`"),
        ("docs/fiabilidad.md", "[tests/faults/](../tests/faults/)", "`tests/faults`"),
    ],
)
def test_a_link_leads_to_a_page_of_the_site_or_names_the_file(place: str, link: str, on_the_site: str) -> None:
    assert site.led(f"See {link}.", place) == f"See {on_the_site}."


def test_what_stands_in_a_block_of_code_is_no_link() -> None:
    assert site.led("```\n[a](../b.py)\n```", "docs/x.md") == "```\n[a](../b.py)\n```"


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/css?family=A">',
        "<img alt=x src=http://example.com/x.png>",
        "@import url('https://example.com/x.css');",
        "a{background:url(https://example.com/x.png)}",
    ],
)
def test_what_a_page_loads_from_another_host_is_found(page: str) -> None:
    assert len(site.from_other_hosts(page)) == 1


@pytest.mark.parametrize(
    "page",
    [
        '<a href="https://example.com">there</a>',
        '<script src="../assets/x.js"></script><link rel="stylesheet" href="assets/x.css">',
        "<img src=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E\">",
        '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>',
    ],
)
def test_what_is_of_the_site_or_only_named_is_not(page: str) -> None:
    assert site.from_other_hosts(page) == []


# --------------------------------------------------------------------------------------------- pictures of a terminal

terminal = loaded(CI / "terminal.py")


def test_of_what_was_printed_a_part_is_drawn_with_its_colours_and_nothing_from_elsewhere() -> None:
    lines = ["before", " Plan ", "\x1b[32mANULADA\x1b[0m   ", "x" * 200, "Nota", "after"]
    drawn = terminal.picture("anular run", terminal.part(lines, "Plan", "Nota"))
    assert "ANULADA" in drawn
    assert "x…" in drawn
    assert "before" not in drawn
    assert "after" not in drawn
    assert site.from_other_hosts(drawn) == []


@pytest.mark.parametrize(("first", "last"), [("Nothing", "Nota"), ("Plan", "Nothing")])
def test_a_part_that_was_not_printed_gives_no_picture(first: str, last: str) -> None:
    with pytest.raises(ValueError, match="Nothing"):
        terminal.part([" Plan ", "Nota"], first, last)


@pytest.mark.parametrize("drawing", sorted(ROOT.glob("docs/img/*.svg")), ids=lambda path: path.name)
def test_a_picture_of_the_documentation_loads_nothing(drawing: Path) -> None:
    assert site.from_other_hosts(drawing.read_text("utf-8")) == []
