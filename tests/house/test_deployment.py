"""The examples of docs/despliegue: what they start exists, with options that it takes, and each file is well-formed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from pipeline.cli.app import command_line
from pipeline.runtime.shutdown import GRACE_S

FOLDER = Path(__file__).parents[2] / "docs" / "despliegue"
UNITS = sorted([*FOLDER.glob("*.service"), *FOLDER.glob("*.timer")])
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
CRON = FOLDER / "anular.cron"
BY_HAND = FOLDER / "anular.sh"


def sections(unit):
    """A unit as sections of (name, value) pairs; names may repeat."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in unit.read_text("utf-8").splitlines():
        if line.startswith("["):
            found[current := line.strip("[]")] = []
        elif line and not line.startswith("#"):
            name, equals, value = line.partition("=")
            assert equals, line
            found[current].append((name, value))
    return found


def commands():
    """Every command line of an example, from the program's name on."""
    for unit in UNITS:
        for name, value in sections(unit).get("Service", []):
            if name == "ExecStart":
                yield pytest.param(value.split()[1:], id=unit.name)
    for line in CRON.read_text("utf-8").splitlines():
        if " /opt/anular/.venv/bin/anular " in line:
            told = line.partition("/opt/anular/.venv/bin/anular ")[2].partition(" >>")[0]
            yield pytest.param(told.split(), id=f"cron {told.split()[0]}")


@pytest.mark.parametrize("arguments", list(commands()))
def test_what_an_example_starts_is_a_command_with_options_that_it_takes(arguments):
    group = typer.main.get_command(command_line())
    command = group.commands[arguments[0]]  # type: ignore[attr-defined]
    command.make_context(arguments[0], list(arguments[1:]))


def test_there_are_examples_of_every_kind():
    assert {unit.name for unit in UNITS} == {
        *(f"anular-{name}.{kind}" for name in ("watch", "poll") for kind in ("service", "timer")),
        "anular-vigila.service",
        "anular-web.service",
        "anular-worker.service",
    }
    assert len([case for case in commands() if "cron" in str(case.id)]) == 2


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_one_that_systemd_takes(unit, tmp_path):
    """Judged by systemd itself where it is; paths and users of the example are replaced by some that are here."""
    wanted = {"Unit", "Timer", "Install"} if unit.suffix == ".timer" else {"Unit", "Service"}
    assert wanted <= set(sections(unit))
    tool = shutil.which("systemd-analyze")
    if tool is not None:
        for other in UNITS:
            text = re.sub(r"^(User|Group)=anular$", r"\1=root", other.read_text("utf-8"), flags=re.MULTILINE)
            (tmp_path / other.name).write_text(text.replace("/opt/anular/.venv/bin/anular", shutil.which("true") or ""))
        done = subprocess.run([tool, "verify", tmp_path / unit.name], capture_output=True, text=True, timeout=180)
        assert (done.returncode, [x for x in done.stderr.splitlines() if str(tmp_path) in x]) == (0, []), done.stderr


@pytest.mark.parametrize("timer", [unit for unit in UNITS if unit.suffix == ".timer"], ids=lambda unit: unit.name)
def test_a_timer_starts_a_service_of_the_same_name_every_night(timer):
    values = dict(sections(timer)["Timer"])
    assert timer.with_suffix(".service").exists()
    assert re.fullmatch(r"\*-\*-\* 0[0-6]:[0-5]\d:00 America/Panama", values["OnCalendar"])


@pytest.mark.parametrize("service", SERVICES, ids=lambda unit: unit.name)
def test_a_service_is_told_to_stop_once_and_has_time_for_what_is_in_flight(service):
    """A signal to every process would be a second one for a worker's jobs, which gives up what is in flight."""
    values = dict(sections(service)["Service"])
    assert values["KillMode"] == "mixed"
    assert float(values["TimeoutStopSec"]) >= GRACE_S + 15
    assert values["SuccessExitStatus"].split() == (["1", "4", "7"] if values["Type"] == "oneshot" else ["130"])


@pytest.mark.parametrize("service", SERVICES, ids=lambda unit: unit.name)
def test_a_service_may_write_into_its_own_folder_and_nowhere_else(service):
    values = sections(service)["Service"]
    assert {
        ("User", "anular"),
        ("NoNewPrivileges", "yes"),
        ("PrivateTmp", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("ReadWritePaths", "/srv/anular"),
        ("UMask", "0027"),
    } <= set(values)


def test_whichever_way_it_is_started_it_finds_the_same_settings_ledger_and_locks():
    names = ("ANULAR_CONFIG", "XDG_DATA_HOME", "XDG_STATE_HOME")
    wanted = {"/srv/anular/anular.toml", "/srv/anular/datos", "/srv/anular/estado"}
    for example in (*SERVICES, CRON, BY_HAND):
        found = dict(re.findall(rf"({'|'.join(names)})=(\S+)", example.read_text("utf-8")))
        assert (set(found), set(found.values())) == (set(names), wanted), example.name


def test_by_hand_what_was_typed_reaches_the_program_as_it_was_typed(tmp_path):
    """As root it would change the user; a program of that name that only goes on takes its place."""
    stand_in = tmp_path / "runuser"
    stand_in.write_text('#!/bin/sh\nshift 3\nexec "$@"\n', "utf-8")
    stand_in.chmod(0o755)
    text = BY_HAND.read_text("utf-8").replace("/opt/anular/.venv/bin/anular", f"{tmp_path}/shows")
    (tmp_path / "shows").write_text('#!/bin/sh\nprintf "%s\\n" "$ANULAR_CONFIG" "$(umask)" "$@"\n', "utf-8")
    (tmp_path / "shows").chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", text, "anular", "run", "dos palabras.xlsx", "--reason", "«$HOME»"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    told = ["/srv/anular/anular.toml", "0027", "run", "dos palabras.xlsx", "--reason", "«$HOME»"]
    assert (done.stdout.splitlines(), done.returncode) == (told, 0), done.stderr


def test_the_page_names_every_example():
    page = (FOLDER / "README.md").read_text("utf-8")
    for example in (*UNITS, CRON, BY_HAND):
        assert f"]({example.name})" in page, example.name


def test_the_crontab_has_five_fields_and_a_command_in_each_line():
    field = r"(?:\*|\d+)"
    for line in CRON.read_text("utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(rf"[A-Z_]+=\S+|(?:{field} ){{5}}/\S+/anular .+", line), line
        assert "%" not in line, "cron takes a percent sign for the end of the line"
