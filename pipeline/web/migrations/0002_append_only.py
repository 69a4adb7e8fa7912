"""Lines of the log of accesses cannot be changed or removed: the database refuses it."""

from __future__ import annotations

from typing import Any

from django.db import migrations

TABLE = "web_audit"


def forbid(_apps: Any, editor: Any) -> None:
    if editor.connection.vendor == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            editor.execute(
                f"CREATE TRIGGER {TABLE}_no_{verb.lower()} BEFORE {verb} ON {TABLE} "
                "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
            )
        return
    for verb, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        editor.execute(
            f"CREATE TRIGGER {TABLE}_no_{verb.lower()} BEFORE {verb} ON anular_office.{TABLE} "
            f"FOR EACH {each} EXECUTE FUNCTION anular_office.append_only()"
        )


class Migration(migrations.Migration):
    """After the tables."""

    dependencies = (("web", "0001_initial"),)
    operations = (migrations.RunPython(forbid, migrations.RunPython.noop, atomic=True),)
