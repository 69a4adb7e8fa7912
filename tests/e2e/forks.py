"""A process that has imported everything and forks a command for whoever asks: milliseconds instead of a second.

A script: JSON lines in (a command), JSON lines out (its number, then how it ended). It has one thread, so that a fork
is a whole process. The fork is a command like any other: a session, a folder, an environment, and standard streams of
its own; it ends as an interpreter ends.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import IO, Any, NoReturn

from tests.storm import rigging


def main() -> None:
    import pipeline.cli  # noqa: F401

    orders, answers = _apart(0, "r"), _apart(1, "w")
    rigging.warm()
    gc.freeze()
    _say(answers, {})
    while line := orders.readline():
        order = json.loads(line)
        number = os.fork()
        if number == 0:
            orders.close()
            answers.close()
            _live(order)
        _say(answers, {"pid": number})
        _, status = os.waitpid(number, 0)
        _say(answers, {"code": os.waitstatus_to_exitcode(status)})


def _apart(number: int, mode: str) -> IO[str]:
    """A standard stream under another number, which no command inherits; its own number leads nowhere."""
    stream = os.fdopen(os.dup(number), mode, encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, number)
    os.close(nowhere)
    return stream


def _say(answers: IO[str], words: dict[str, Any]) -> None:
    answers.write(json.dumps(words) + "\n")
    answers.flush()


def _live(order: dict[str, Any]) -> NoReturn:
    """The life of a fork, as ``python -m pipeline`` has it."""
    os.setsid()
    for number, place in ((1, order["out"]), (2, order["err"])):
        stream = os.open(place, os.O_WRONLY | os.O_APPEND)
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["folder"])
    sys.argv = ["anular", *order["arguments"]]
    from pipeline.cli import main as run

    run()
    sys.exit()


if __name__ == "__main__":
    main()
