"""The other commands, the help, and the silly things that people try (interface.md 2 and 3)."""

from __future__ import annotations

import ast
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook

from pipeline.__main__ import start
from tests.support.long import long
from tests.support.warm import LONGEST_S, ROOT

COMMANDS = ["check", "run", "poll", "status", "report", "sandbox", "login", "logout", "doctor"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_in_spanish(place, command):
    done = place.anular(command, "--help")

    assert done.code == 0
    assert done.out.lstrip().startswith(f"Uso: anular {command}")
    assert not [word for word in ("Usage", "Options", "Show this", "default") if word in done.out]


def test_the_program_lists_its_commands(place):
    done = place.anular("--help")

    assert all(command in done.out for command in COMMANDS)


def test_who_types_the_name_alone_is_shown_the_commands(place):
    done = place.anular()

    assert done.code == 2
    assert done.out == place.anular("--help").out


@pytest.mark.parametrize("asked", ["--version", "version"])
def test_the_version_is_told_or_how_to_ask_for_it(place, asked):
    done = place.anular(asked)

    told = (0, "anular 0.1.0") if asked.startswith("-") else (2, "¿Quiso decir --version?")
    assert (done.code, told[1] in done.out + done.err) == (told[0], True)


def test_help_loads_none_of_the_heavy_libraries(place):
    code = (
        "import sys\nfrom pipeline.cli.main import run_command\nrun_command(['--help'])\n"
        "heavy = {'pandas','pandera','openpyxl','sqlalchemy','httpx','pydantic','numpy','asyncio','rich.console'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**place.env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.rstrip().endswith("[]")


def test_check_sends_nothing_writes_no_ledger_and_tells_every_problem(place, cufe):
    reason = "Factura emitida con el monto equivocado"
    good, other = cufe(1), cufe(2)
    file = place.file(
        [
            [1, "a", good, reason, 1],
            [2, "b", good[:-1] + str((int(good[-1]) + 1) % 10), "corto", 2],
            [3, "c", other, reason, 3],
            [4, "d", other, reason, 4],
        ]
    )
    done = place.anular("check", file, "--json")
    answer = done.data[0]

    assert done.code == 1
    assert (answer["rows"], answer["accepted"], answer["rejected"], answer["duplicates"]) == (4, 2, 1, 1)
    assert [problem["cell"] for problem in answer["problems"]] == ["Hoja1!C3", "Hoja1!D3"]
    assert answer["issuers"] == ["29-29-29"]
    assert not (place.folder / "ledger").exists()
    assert load_workbook(answer["workbook"], read_only=True)["Resultados"] is not None


def test_check_of_a_good_file_ends_with_0(place):
    assert place.anular("check", place.batch(["000"])).code == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vacio.csv", b""),
        ("vacio.xlsx", b""),
        ("sin_filas.csv", b"cufe,motivo\n"),
        ("sin_encabezado.csv", b"FE0120000,otra cosa\n1,2\n"),
        ("dos_encabezados.csv", b"cufe,motivo\ncufe,motivo\na,b\n"),
        ("otra_codificacion.csv", "cufe,motivo\nx,razón\n".encode("utf-16-le")),
        ("pdf.xlsx", b"%PDF-1.7 no es un libro"),
        ("html.xlsx", b"<html><table><tr><td>cufe</td></tr></table></html>"),
        ("viejo.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600),
        ("roto.xlsx", b"PK\x03\x04" + b"\0" * 100),
        ("binario.csv", bytes(range(256)) * 20),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_file_that_cannot_be_used_is_one_spanish_sentence_and_exit_3(place, name, content, command):
    path = place.folder / name
    path.write_bytes(content)
    done = place.anular(command, path, *(["--yes"] if command == "run" else []))

    assert done.code == 3
    assert done.words.count("✗") == 1
    assert name in done.words
    assert place.posts() == {}


def test_a_directory_is_one_sentence(place):
    done = place.anular("run", place.folder, "--yes")

    assert done.code == 3
    assert "carpeta" in done.words


def test_a_file_that_does_not_exist_is_one_sentence(place):
    done = place.anular("run", "no-existe.xlsx", "--yes")

    assert done.code == 3
    assert "no-existe.xlsx" in done.words


def test_a_file_without_permission_is_one_sentence(place, monkeypatch):
    path = place.batch(["000"])
    path.chmod(0)
    if os.geteuid() == 0:
        # Root reads everything: what another user would meet is shown by the reader's own test.
        path.chmod(stat.S_IRUSR)
        assert place.anular("check", path).code == 0
        return
    assert place.anular("run", path, "--yes").code == 3


def test_a_results_folder_that_cannot_be_written_ends_with_5_and_the_ledger_keeps_all(place):
    (place.folder / "out").write_text("un archivo en el lugar de la carpeta")
    done = place.anular("run", place.batch(["000"]), "--yes")

    assert done.code == 5
    assert "resultados" in done.words
    (place.folder / "out").unlink()
    assert place.anular("run", place.folder / "lote.xlsx", "--yes").code == 0
    assert set(place.posts().values()) == {1}


def test_a_ledger_that_cannot_be_written_ends_with_5_and_nothing_is_sent(place):
    blocker = place.folder / "archivo"
    blocker.write_text("x")
    done = place.anular("run", place.batch(["000"]), "--yes", "--ledger", f"sqlite:///{blocker}/r.db")

    assert done.code == 5
    assert place.posts() == {}


@pytest.mark.parametrize(
    ("setting", "value", "word"),
    [
        ("ANULAR_ENV", "produccion", "ANULAR_ENV"),
        ("ANULAR_RATE", "0", "mayor que"),
        ("ANULAR_RATE", "rápido", "número"),
        ("ANULAR_LATE_ROWS", "quizás", "warn"),
        ("ANULAR_BASE_URL", "http://example.com/", "https"),
        ("ANULAR_BASE_URL", "https://example.com/", "127.0.0.1"),
        ("ANULAR_RATO", "5", "ANULAR_RATO"),
        ("ANULAR_CONFIG", "/no/existe.toml", "configuración"),
        ("ANULAR_LEDGER", "mysql://x/y", "SQLite"),
    ],
)
def test_a_wrong_setting_is_named_and_ends_with_2(place, setting, value, word):
    done = place.anular("run", place.batch(["000"]), "--yes", **{setting: value})

    assert done.code == 2
    assert word in done.words


def test_production_without_credentials_is_refused_before_anything_is_written(place, cufe):
    production = {"ANULAR_ENV": "production", "ANULAR_ISSUERS": "29-29-29", "ANULAR_SANDBOX_NOW": ""}
    done = place.anular("run", place.batch(["000"]), "--yes", **production)

    assert done.code == 2
    assert "«anular login»" in done.words
    missing = place.anular("check", place.batch(["000"]), **{**production, "ANULAR_ISSUERS": ""})
    assert (missing.code, "[issuers-missing]" in missing.words) == (2, True)


def test_the_demo_clock_is_for_the_sandbox_only(place):
    done = place.anular("status", ANULAR_ENV="production")

    assert done.code == 2
    assert "ANULAR_SANDBOX_NOW" in done.words


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["corre"], "No existe el comando"),
        (["run"], "uno o más archivos"),
        (["run", "x.xlsx", "--si"], "No existe la opción --si"),
        (["run", "x.xlsx", "--only", "0"], "--only"),
        (["run", "x.xlsx", "--only", "dos"], "--only"),
        (["report", "no-hay"], "No existe el lote"),
        (["status", "no-hay"], "No existe el lote"),
        (["poll", "no-hay"], "No existe el lote"),
        (["status", "a", "b"], "Sobra"),
        (["login"], "terminal"),
        (["logout"], "Administrador de credenciales"),
        (["sandbox", "--port", "99999"], "--port"),
        (["status", "--profile", "nadie"], "perfil"),
    ],
)
def test_what_is_typed_wrongly_is_said_in_spanish_and_ends_with_2(place, arguments, word):
    done = place.anular(*arguments)

    assert done.code == 2
    assert word in done.words


def test_the_doctor_finds_the_sandbox_in_good_health_and_shows_no_secret(place):
    pair = {"ANULAR_USER": "sandbox", "ANULAR_PASSWORD": "sandbox"}
    done = place.anular("doctor", "--json", **pair, ANULAR_SANDBOX_NOW="")

    assert done.code == 0, done.words
    assert all(check["good"] for check in done.data["checks"])
    assert done.data["settings"]["ANULAR_PASSWORD"] == "**********"
    assert place.posts() == {}


def test_the_doctor_says_what_does_not_answer(place):
    done = place.anular("doctor", ANULAR_BASE_URL="http://127.0.0.1:9/", ANULAR_SANDBOX_NOW="")

    assert done.code == 5
    assert "✗" in done.words


def test_profiles_come_from_the_configuration_file_and_the_environment_wins(place):
    config = place.folder / "anular.toml"
    config.write_text('rate = 7\n[profile.empresa]\nrate = 9\nissuers = "29-29-29"\n', "utf-8")
    more = {"ANULAR_CONFIG": str(config), "ANULAR_RATE": ""}

    assert place.anular("doctor", "--json", **more).data["settings"]["ANULAR_RATE"] == "7.0"
    assert place.anular("doctor", "--json", "--profile", "empresa", **more).data["settings"]["ANULAR_RATE"] == "9.0"
    more["ANULAR_RATE"] = "3"
    assert place.anular("doctor", "--json", "--profile", "empresa", **more).data["settings"]["ANULAR_RATE"] == "3.0"


def test_a_password_in_the_configuration_file_is_refused(place):
    config = place.folder / "anular.toml"
    config.write_text('password = "hunter2"\n', "utf-8")
    done = place.anular("status", ANULAR_CONFIG=str(config))

    assert done.code == 2
    assert "hunter2" not in done.words


def test_the_sandbox_serves_until_it_is_stopped(place):
    process = place.start("sandbox", "--port", "0")
    assert process.stdout is not None
    url = process.stdout.readline()
    process.terminate()
    process.communicate(timeout=LONGEST_S)

    assert url.startswith("http://127.0.0.1:")
    assert process.returncode == 0


@pytest.mark.parametrize(
    "command", [[Path(sys.executable).with_name("anular")], *long([sys.executable, "-m", "pipeline"])]
)
def test_what_a_person_types_starts_the_program_that_reads_the_file_and_the_sandbox(place, command):
    """All other tests here have them forked by a process that had started before (``tests/support/warm.py``)."""
    file = place.batch(["000", "905"])
    done = subprocess.run(
        [*command, "run", file, "--yes", "--json"],
        cwd=place.folder,
        env={**place.env, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )

    assert (done.returncode, json.loads(done.stdout)[0]["outcomes"]) == (0, {"ANULADA": 2}), done.stderr
    assert sorted(place.posts().values()) == [1, 1]


def test_f50_python_with_assertions_off_is_refused(place):
    done = subprocess.run(
        [sys.executable, "-O", "-m", "pipeline", "status"],
        env={**place.env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "-O" in done.stderr


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 9, 2), (3, 0, 0), (2, 7, 18)])
def test_f50_a_python_that_is_too_old_is_refused_in_one_sentence(monkeypatch, version):
    """``make install`` and ``pip`` look at it before; whoever starts the source tree with another Python meets this."""
    monkeypatch.setattr(sys, "version_info", (*version, "final", 0))
    with pytest.raises(SystemExit) as refused:
        start()

    assert refused.value.code == (
        f"anular necesita Python 3.11 o posterior; este es Python {'.'.join(map(str, version))}."
    )


def test_f50_what_is_read_before_that_sentence_can_be_read_by_every_python_3_7_and_newer():
    source = Path(__file__).parents[2] / "pipeline" / "__main__.py"
    tree = ast.parse(source.read_text("utf-8"), feature_version=(3, 7))

    imported = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imported] == ["from __future__ import annotations", "import sys"]
    package = ast.parse((source.parent / "__init__.py").read_text("utf-8"), feature_version=(3, 7))
    assert [type(node).__name__ for node in package.body] == ["Expr"]
