"""One description becomes a task of Windows, lines of cron and units of systemd that start exactly that command."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
from defusedxml.ElementTree import fromstring

from pipeline.cli.app import command_line
from pipeline.domain.errors import WrongUsage
from pipeline.wiring.schedule import (
    EVERY,
    Job,
    System,
    arguments_of,
    cron_lines,
    files_of,
    install,
    installing,
    systemd_units,
    time_of,
    windows_task,
)

TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
ODD = "C:\\Users\\ana\\Ñandú & Cía (100%)\\carpeta"
JOB = Job("anular-watch", "anular: la carpeta vigilada", ("anular.exe", "watch", ODD, "--once"), 2, 5, user="PC\\ana")


@pytest.mark.parametrize(
    ("what", "folder", "profile"),
    [
        ("watch", "/srv/a b", ""),
        ("watch", "/srv/a", "acme"),
        ("poll", None, ""),
        ("poll", None, "acme"),
        ("backup", "/media/usb", "acme"),
        ("backup", "/media/usb", ""),
        ("web", None, ""),
    ],
)
def test_what_is_scheduled_is_a_command_with_options_that_it_takes(what, folder, profile):
    words = arguments_of(what, Path(folder) if folder else None, profile)
    group = typer.main.get_command(command_line([what]))
    group.commands[words[0]].make_context(words[0], list(words[1:]))  # type: ignore[attr-defined]


def test_a_copy_without_a_profile_is_of_every_company():
    assert arguments_of("backup", Path("/media/usb"), "")[-1] == "--all"
    assert "--all" not in arguments_of("backup", Path("/media/usb"), "acme")


def test_the_page_begins_at_log_on_and_is_ended_by_no_clock():
    job = Job("anular-web", "anular: la página", ("/opt/anular", "web"), at_log_on=True, network=False, user="PC\\ana")
    task = fromstring(windows_task(job).encode("utf-16"))
    assert task.findtext(f".//{TASK}LogonTrigger/{TASK}UserId") == "PC\\ana"
    assert task.find(f".//{TASK}CalendarTrigger") is None
    assert task.findtext(f".//{TASK}ExecutionTimeLimit") == "PT0S"
    assert cron_lines(job).splitlines()[1].startswith("@reboot ")
    (name,) = files_of(job, System.SYSTEMD)
    service = files_of(job, System.SYSTEMD)[name].decode()
    assert name == "anular-web.service"
    assert "Type=simple" in service
    assert "WantedBy=default.target" in service
    assert installing(job, System.SYSTEMD, Path("/t")).endswith("enable --now anular-web.service")


def test_the_page_is_of_all_companies():
    with pytest.raises(WrongUsage, match="todas las empresas"):
        arguments_of("web", None, "acme")


def test_what_is_in_a_crontab_is_left_alone(tmp_path):
    assert not install(JOB, System.CRON, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("code", "taken"), [(0, True), (1, False)])
def test_a_system_that_takes_a_task_says_so(tmp_path, monkeypatch, code, taken):
    asked = []

    def run(command, **_more):
        asked.append(command)
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, "run", run)
    assert install(JOB, System.WINDOWS, tmp_path / "tareas") is taken
    assert asked == [
        ["schtasks", "/Create", "/F", "/TN", JOB.name, "/XML", str(tmp_path / "tareas" / "anular-watch.xml")]
    ]
    assert (tmp_path / "tareas" / "anular-watch.xml").exists()


@pytest.mark.parametrize(
    ("text", "told"), [("a b", '"a b"'), ("a&b", '"a&b"'), ("C:\\x\\", '"C:\\x\\\\"'), ("C:\\x y\\", '"C:\\x y\\\\"')]
)
def test_every_argument_of_a_task_is_in_quotes(text, told):
    job = Job("a", "palabras", ("tarea.bat", text))
    assert fromstring(windows_task(job).encode("utf-16")).findtext(f".//{TASK}Arguments") == told


@pytest.mark.parametrize(
    ("what", "folder"), [("watch", None), ("backup", None), ("poll", Path("/srv")), ("web", Path("/srv"))]
)
def test_a_folder_is_there_where_one_is_needed(what, folder):
    with pytest.raises(WrongUsage):
        arguments_of(what, folder, "")


def test_a_task_of_windows_is_the_logged_on_users_and_runs_on_batteries_too():
    task = fromstring(files_of(JOB, System.WINDOWS)["anular-watch.xml"])
    told = {name: task.findtext(f".//{TASK}{name}") for name in (
        "UserId", "LogonType", "RunLevel", "DisallowStartIfOnBatteries", "StopIfGoingOnBatteries",
        "RunOnlyIfNetworkAvailable", "StartWhenAvailable", "MultipleInstancesPolicy", "StartBoundary", "Command",
    )}  # fmt: skip
    assert told == {
        "UserId": "PC\\ana",
        "LogonType": "InteractiveToken",
        "RunLevel": "LeastPrivilege",
        "DisallowStartIfOnBatteries": "false",
        "StopIfGoingOnBatteries": "false",
        "RunOnlyIfNetworkAvailable": "true",
        "StartWhenAvailable": "true",
        "MultipleInstancesPolicy": "IgnoreNew",
        "StartBoundary": "2026-01-01T02:05:00",
        "Command": "anular.exe",
    }
    assert task.findtext(f".//{TASK}Arguments") == f'"watch" "{ODD}" "--once"'
    assert f'"{ODD}"' not in windows_task(JOB)  # the ampersand is written as XML has it


def test_a_line_of_cron_has_no_line_feed_of_a_percent_sign():
    job = Job("a", "palabras", ("/opt/a b/anular", "backup", "/media/100%"), 18, 30, variables=(("V", "/x y"),))
    comment, line, _ = cron_lines(job).split("\n")
    assert comment == "# palabras"
    assert line.startswith("30 18 * * * ")
    command = line.removeprefix("30 18 * * * ").replace(r"\%", "%")
    assert shlex.split(command) == ["V=/x y", "/opt/a b/anular", "backup", "/media/100%"]


@pytest.mark.parametrize("every", EVERY)
def test_every_so_many_minutes_is_said_in_every_language(every):
    job = Job("a", "palabras", ("anular", "poll", "--all"), 4, 35, every=every)
    assert fromstring(windows_task(job).encode("utf-16")).findtext(f".//{TASK}Interval") == f"PT{every}M"
    assert cron_lines(job).splitlines()[1].startswith("35 * * * * " if every == 60 else f"*/{every} * * * * ")
    assert ("OnCalendar=*-*-* *:35:00" if every == 60 else f"OnCalendar=*-*-* *:0/{every}:00") in systemd_units(job)[1]


def test_units_are_understood_by_systemd(tmp_path):
    job = Job("anular-x", "anular: 100%", ("/bin/true", "watch", '/srv/100% "a" $b'), 2, 5, variables=(("V", "/x y"),))
    service, timer = systemd_units(job)
    assert 'ExecStart=/bin/true watch "/srv/100%% \\"a\\" $$b"' in service
    assert 'Environment="V=/x y"' in service
    assert "OnCalendar=*-*-* 02:05:00" in timer
    analyze = shutil.which("systemd-analyze")
    if analyze is not None:
        for name, data in files_of(job, System.SYSTEMD).items():
            (tmp_path / name).write_bytes(data)
        done = subprocess.run(
            [analyze, "verify", "--man=no", *map(str, tmp_path.iterdir())], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def test_the_person_is_told_how_to_install_it():
    folder = Path("/home/ana/Mis tareas")
    assert installing(JOB, System.WINDOWS, folder).startswith('schtasks /Create /F /TN anular-watch /XML "')
    assert "'/home/ana/Mis tareas/anular-watch.cron'" in installing(JOB, System.CRON, folder)
    assert "systemctl --user enable --now anular-watch.timer" in installing(JOB, System.SYSTEMD, folder)


@pytest.mark.parametrize("text", ["", "2", "24:00", "12:60", "2:5", "٢:٠٥", "-1:00", "02:05:00"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(WrongUsage, match="02:05"):
        time_of(text)


@pytest.mark.parametrize(("text", "found"), [("02:05", (2, 5)), ("2:05", (2, 5)), ("23:59", (23, 59))])
def test_a_time_is_an_hour_and_a_minute(text, found):
    assert time_of(text) == found
