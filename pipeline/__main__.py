"""``python -m pipeline`` is ``anular``."""

from __future__ import annotations

import sys


def start() -> None:
    """Refuses an interpreter that is too old, in words, before anything is imported that it could not even read."""
    if sys.version_info < (3, 11):  # noqa: UP036 - an installed package checks it, a source tree does not
        found = ".".join(str(part) for part in sys.version_info[:3])
        sys.exit(f"anular necesita Python 3.11 o posterior; este es Python {found}.")
    from pipeline.runtime.garbage import loading

    with loading():
        from pipeline.cli.main import main

    main()


if __name__ == "__main__":
    start()
