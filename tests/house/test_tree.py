"""What every file of the tree keeps: docstrings, no registry addresses, the documents a reader looks for."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {".git", ".venv", ".anular", "resultados", "build", "dist", "htmlcov", "__pycache__"}
SOURCES = sorted([*ROOT.glob("pipeline/**/*.py"), *ROOT.glob("schemas/**/*.py")])

# Spelled in two halves, so that this file does not mention them itself.
REGISTRY_HOSTS = [
    "py" + "pi.org",
    "pythonhosted" + ".org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "crates" + ".io",
    "anaconda" + ".org",
    "anaconda" + ".com",
    "jfrog" + ".io",
]

# The domain computes; whatever it needs from the outside is handed to it.
OUTSIDE_WORLD = {
    *("asyncio", "ctypes", "glob", "http", "io", "logging", "multiprocessing", "os", "pathlib", "platform", "random"),
    *("secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading"),
    *("time", "urllib.request"),
}
CLOCK_CALLS = {"now", "utcnow", "today"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def files_of_the_tree() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [f for f in folders if f not in NOT_OURS and not (f.startswith(".") and f.endswith("_cache"))]
        yield from (Path(folder, name) for name in names)


def imported_by(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_there_are_sources_to_look_at() -> None:
    assert len(SOURCES) > 10


@pytest.mark.parametrize("source", SOURCES, ids=name_of)
def test_every_module_says_what_it_is(source: Path) -> None:
    docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8")))
    assert docstring, f"{name_of(source)} has no docstring"


@pytest.mark.parametrize("source", [s for s in SOURCES if s.name == "__init__.py"], ids=name_of)
def test_an_init_file_holds_its_docstring_and_nothing_else(source: Path) -> None:
    body = ast.parse(source.read_text(encoding="utf-8")).body
    assert len(body) == 1, f"{name_of(source)} holds more than a docstring"


@pytest.mark.parametrize("source", sorted(ROOT.glob("pipeline/domain/**/*.py")), ids=name_of)
def test_the_domain_has_no_dependency_no_input_and_no_clock(source: Path) -> None:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    for module in imported_by(tree):
        top = module.partition(".")[0]
        assert top in sys.stdlib_module_names or module.startswith("pipeline.domain"), (
            f"{name_of(source)} imports {module}"
        )
        assert not {module, top} & OUTSIDE_WORLD, f"{name_of(source)} imports {module}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in {"open", "print", "input", *CLOCK_CALLS}, (
                f"{name_of(source)}:{node.lineno} calls {called}"
            )


def test_no_file_mentions_a_package_registry() -> None:
    hosts = re.compile("|".join(re.escape(host) for host in REGISTRY_HOSTS).encode())
    found = [name_of(path) for path in files_of_the_tree() if path.is_file() and hosts.search(path.read_bytes())]
    assert not found


@pytest.mark.parametrize(
    "document",
    ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "docs/guia-contable.md", "docs/auditoria.md"],
)
def test_the_documents_of_the_project_exist_and_say_something(document: str) -> None:
    path = ROOT / document
    assert path.is_file(), f"{document} is missing"
    assert len(path.read_text(encoding="utf-8").split()) > 100


@pytest.mark.parametrize(
    "script",
    [
        ".ci/run",
        ".ci/venv",
        ".ci/deps",
        ".ci/demo",
        ".ci/lock",
        ".ci/pictures",
        ".ci/postgres",
        ".ci/pgbouncer",
        ".ci/web",
    ],
)
def test_every_script_can_be_executed(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
