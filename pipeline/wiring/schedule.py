"""Scheduled commands: one description, written as a task of Windows, lines of cron or units of systemd."""

from __future__ import annotations

import os
import shlex
import subprocess  # nosec B404 - schtasks and systemctl
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from pathlib import Path

from pipeline.domain.errors import WrongUsage
from pipeline.runtime.own_process import NO_WINDOW

EVERY = (5, 10, 15, 20, 30, 60)
"""Minutes between two starts that every system can say."""
ENDINGS = "1 4 7 130"
"""Exit codes that are an ordinary end (docs/despliegue/README.md); the last one is that of a page that is ended."""


class System(StrEnum):
    """What starts commands on a machine."""

    WINDOWS = "windows"
    CRON = "cron"
    SYSTEMD = "systemd"


@dataclass(frozen=True, slots=True)
class Job:
    """A command that a system starts by itself."""

    #: name of the task, of the units
    name: str
    #: what it is, in Spanish
    words: str
    #: the program and its arguments
    command: tuple[str, ...]
    #: time of the day of the first start
    hour: int = 0
    minute: int = 0
    #: minutes between two starts; 0 for once a day
    every: int = 0
    #: begins when the user logs on (cron and systemd: when the machine starts) and goes on; no time counts then
    at_log_on: bool = False
    #: whether it needs the network
    network: bool = True
    #: user that Windows starts it as, ``PC\\ana``
    user: str = ""
    #: folder it starts in
    home: str = ""
    #: variables of the environment, for cron and systemd
    variables: tuple[tuple[str, str], ...] = ()


def time_of(text: str) -> tuple[int, int]:
    """Hour and minute of ``02:05``. Raises ``WrongUsage``."""
    hour, colon, minute = text.partition(":")
    if not (colon and hour.isdigit() and minute.isdigit() and len(minute) == 2 and hour.isascii() and minute.isascii()):
        raise _no_time(text)
    if int(hour) > 23 or int(minute) > 59:
        raise _no_time(text)
    return int(hour), int(minute)


def _no_time(text: str) -> WrongUsage:
    return WrongUsage(f"«{text}» no es una hora.", code="schedule-time", remedy="Escriba la hora como 02:05 o 18:30.")


def files_of(job: Job, system: System) -> dict[str, bytes]:
    """Files that ``system`` takes, by name."""
    if system is System.WINDOWS:
        return {f"{job.name}.xml": windows_task(job).encode("utf-16")}
    if system is System.CRON:
        return {f"{job.name}.cron": cron_lines(job).encode()}
    service, timer = systemd_units(job)
    found = {f"{job.name}.service": service.encode(), f"{job.name}.timer": timer.encode()}
    return {name: data for name, data in found.items() if data}


def installing(job: Job, system: System, folder: Path) -> str:
    """Command with which the person hands the files in ``folder`` to the system."""
    if system is System.WINDOWS:
        return subprocess.list2cmdline(
            ["schtasks", "/Create", "/F", "/TN", job.name, "/XML", str(folder / f"{job.name}.xml")]
        )
    if system is System.CRON:
        return f"(crontab -l; cat {shlex.quote(str(folder / f'{job.name}.cron'))}) | crontab -"
    kinds = ("service",) if job.at_log_on else ("service", "timer")
    units = " ".join(shlex.quote(str(folder / f"{job.name}.{kind}")) for kind in kinds)
    return (
        f"mkdir -p ~/.config/systemd/user && cp {units} ~/.config/systemd/user/ && "
        f"systemctl --user daemon-reload && systemctl --user enable --now {job.name}.{kinds[-1]}"
    )


def install(job: Job, system: System, folder: Path) -> bool:
    """Writes the files into ``folder`` and hands them to the system; whether it took them. A crontab is left to the
    person: it may hold what is not ours."""
    if system is System.CRON:
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files_of(job, system).items():
            (folder / name).write_bytes(data)
        command = (
            ["schtasks", "/Create", "/F", "/TN", job.name, "/XML", str(folder / f"{job.name}.xml")]
            if system is System.WINDOWS
            else ["sh", "-c", installing(job, system, folder)]
        )
        done = subprocess.run(  # noqa: S603  # nosec B603 - the system's own program, with our own words
            command, check=False, capture_output=True, timeout=60, creationflags=NO_WINDOW
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def windows_task(job: Job) -> str:
    """Task of the Task Scheduler: of the logged-on user, who has the credentials; also on batteries, which is where a
    laptop is, and only with a network where it needs one."""
    repeated = f"<Repetition><Interval>PT{job.every}M</Interval></Repetition>" if job.every else ""
    user = f"\n      <UserId>{escape(job.user)}</UserId>" if job.user else ""
    trigger = f"""<CalendarTrigger>
      {repeated}<StartBoundary>2026-01-01T{job.hour:02d}:{job.minute:02d}:00</StartBoundary>
      <ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>
    </CalendarTrigger>"""
    if job.at_log_on:
        trigger = f"<LogonTrigger>{user}\n    </LogonTrigger>"
    longest = "PT0S" if job.at_log_on else "PT6H"
    home = f"\n      <WorkingDirectory>{escape(job.home)}</WorkingDirectory>" if job.home else ""
    return f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>{escape(job.words)}</Description></RegistrationInfo>
  <Triggers>
    {trigger}
  </Triggers>
  <Principals>
    <Principal id="Author">{user}
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>{str(job.network).lower()}</RunOnlyIfNetworkAvailable>
    <ExecutionTimeLimit>{longest}</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{escape(job.command[0])}</Command>
      <Arguments>{escape(" ".join(map(_quoted, job.command[1:])))}</Arguments>{home}
    </Exec>
  </Actions>
</Task>
"""


def _quoted(text: str) -> str:
    """An argument in quotes, whatever it holds: a batch file would take an & without them for its own."""
    told = subprocess.list2cmdline([text])
    if told.startswith('"'):
        return told
    return f'"{told}\\"' if told.endswith("\\") else f'"{told}"'


def cron_lines(job: Job) -> str:
    """Lines of a crontab; a percent sign would be a line feed there."""
    when = f"*/{job.every} * * * *" if 0 < job.every < 60 else f"{job.minute} * * * *" if job.every else ""
    when = "@reboot" if job.at_log_on else when or f"{job.minute} {job.hour} * * *"
    before = "".join(f"{name}={shlex.quote(value)} " for name, value in job.variables)
    line = f"{before}{shlex.join(job.command)}".replace("%", r"\%")
    return f"# {job.words}\n{when} {line}\n"


def systemd_units(job: Job) -> tuple[str, str]:
    """Service and timer of the user; "" for the timer of what begins at log-on."""
    when = f"*-*-* *:0/{job.every}:00" if 0 < job.every < 60 else f"*-*-* *:{job.minute:02d}:00" if job.every else ""
    when = when or f"*-*-* {job.hour:02d}:{job.minute:02d}:00"
    variables = "".join(f"Environment={_word(f'{name}={value}')}\n" for name, value in job.variables)
    online = "After=network-online.target\nWants=network-online.target\n" if job.network else ""
    kind = "simple" if job.at_log_on else "oneshot"
    service = f"""[Unit]
Description={job.words.replace("%", "%%")}
{online}
[Service]
Type={kind}
ExecStart={" ".join(map(_word, job.command))}
SuccessExitStatus={ENDINGS}
TimeoutStopSec=40
KillMode=mixed
UMask=0077
LimitCORE=0
{variables}"""
    if job.at_log_on:
        return f"{service}\n[Install]\nWantedBy=default.target\n", ""
    timer = f"""[Unit]
Description={job.words.replace("%", "%%")}

[Timer]
OnCalendar={when}
Persistent=true

[Install]
WantedBy=timers.target
"""
    return service, timer


def _word(text: str) -> str:
    """An argument as systemd reads it: in quotes, and its own signs doubled."""
    told = text.replace("%", "%%").replace("$", "$$").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{told}"' if not told or set(told) & set(" \t;'\"") else told


def this_system() -> System:
    """What starts commands on this machine."""
    if os.name == "nt":
        return System.WINDOWS
    return System.SYSTEMD if Path("/run/systemd/system").is_dir() else System.CRON


def arguments_of(what: str, folder: Path | None, profile: str) -> Sequence[str]:
    """Arguments of ``watch``, ``poll``, ``backup`` or ``web`` as they are scheduled. Raises ``WrongUsage``."""
    if (folder is None) != (what in ("poll", "web")):
        raise WrongUsage(
            "Falta la carpeta." if folder is None else f"{what} no lleva carpeta.",
            code="schedule-folder",
            remedy="watch lleva la carpeta vigilada, y backup la carpeta donde se guardan las copias.",
        )
    if what == "poll" and not profile:
        return ["poll", "--all"]
    if what == "web" and profile:
        raise WrongUsage("La página es de todas las empresas: no lleva --profile.", code="schedule-web")
    if what == "backup" and not profile:
        return ["backup", str(folder), "--all"]
    own = ["--profile", profile] if profile else []
    place = [str(folder)] if folder is not None else []
    return [what, *place, *(["--once"] if what == "watch" else []), *own]
