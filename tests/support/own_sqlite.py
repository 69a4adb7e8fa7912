"""The interpreter's own SQLite in place of ``pysqlite3``, with ``ANULAR_TEST_SQLITE=own``: as on a machine without it.

Imported before anything of the program. Commands that a test starts as processes of their own have what they have.
"""

from __future__ import annotations

import os
import sys

if os.environ.get("ANULAR_TEST_SQLITE") == "own":
    sys.modules["pysqlite3"] = None  # type: ignore[assignment]
