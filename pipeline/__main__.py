"""``python -m pipeline`` is ``anular``."""

from __future__ import annotations

import os
import sys


def start() -> None:
    """Refuses an interpreter that is too old, in words, before anything is imported that it could not even read."""
    if sys.version_info < (3, 11):  # noqa: UP036 - an installed package checks it, a source tree does not
        found = ".".join(str(part) for part in sys.version_info[:3])
        sys.exit(f"anular necesita Python 3.11 o posterior; este es Python {found}.")
    # No package that happens to be installed takes part when settings are read, and none is looked for.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    from pipeline.runtime.garbage import loading

    with loading():
        from pipeline.cli.main import main

    main()


if __name__ == "__main__":
    start()
