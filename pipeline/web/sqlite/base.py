"""Connection of Django to the office database in a SQLite file.

Django writes `CHECK (json_valid(…))` into tables with JSON. Every other connection to this file is opened with
`trusted_schema=OFF`, where SQLite then refuses the whole file as malformed: so no table here has that rule.
"""

from __future__ import annotations

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """SQLite without rules that call functions."""

    data_type_check_constraints: dict[str, str] = {  # noqa: RUF012 - Django's way
        kind: rule for kind, rule in base.DatabaseWrapper.data_type_check_constraints.items() if kind != "JSONField"
    }
