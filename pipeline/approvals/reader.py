"""Reader child: one piece of reading or writing of files for a page, in a process without any password.

``python -m pipeline.approvals.reader PROFILE JOB ARGUMENT...`` says how far it is as lines of JSON on standard output,
and ends when its standard input does, that is with its parent. ``readers.py`` starts it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Sequence

from pipeline.approvals.check_upload import Told, check_upload, write_books
from pipeline.approvals.downloads import write_download
from pipeline.approvals.places import Places
from pipeline.approvals.readers import CHECK, DOWNLOAD, FAILED
from pipeline.approvals.store import Proposals
from pipeline.domain.errors import AnularError
from pipeline.settings.load import load_settings
from pipeline.settings.model import Settings
from pipeline.wiring.office import opened_office
from pipeline.wiring.rules import make_clock


def run_job(settings: Settings, job: str, arguments: Sequence[str], places: Places, told: Told) -> None:
    """Does one job. Raises ``AnularError``."""
    clock = make_clock(settings)
    if job == DOWNLOAD:
        batch, kind, *_ = arguments  # a pack's has its order beside them
        write_download(settings, batch, kind, places)
        return
    number = int(arguments[0])
    with opened_office(settings) as office:
        store = Proposals(office, settings.profile, str(settings.env), hours=settings.web_proposal_h)
        with places.new() as folder:
            if job == CHECK:
                check_upload(store, number, settings, clock, places.results(settings), folder, told)
            else:
                write_books(store, number, settings, clock, folder)
            places.put(folder, places.of_proposal(settings, number))


def main(arguments: Sequence[str]) -> int:
    """Does what the command line asks for; the exit code."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    profile, job, *rest = arguments
    try:
        settings = load_settings(profile)
        run_job(settings, job, rest, Places.of(settings), _tell)
    except AnularError as trouble:
        _say({"code": trouble.code, "failed": trouble.sentence})
        return FAILED
    return 0


def _tell(phase: str, rows: int) -> None:
    _say({"phase": phase, "rows": rows})


def _say(words: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _end_with_the_parent(end: Callable[[int], None] = os._exit) -> None:
    while os.read(sys.stdin.fileno(), 4096):  # unbuffered: its lock would be held when the process ends
        pass
    end(FAILED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
