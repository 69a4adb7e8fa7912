"""People of the page as the command line needs them: which account the operating system's user is.

The page's own tables are Django's (`pipeline/web/models.py`); this is the one look at them from outside.
"""

from __future__ import annotations

from sqlalchemy import Column, MetaData, String, Table, func, inspect, select

from pipeline.office.database import Office

PERSON = Table(
    "web_person", MetaData(), Column("username", String), Column("system_user", String), Column("state", String)
)
SPACE = "anular_office"
ACTIVE = "activa"


def has_people(office: Office) -> bool:
    """Whether the page has a user. Raises ``StorageTrouble``."""
    with office.moment() as connection:
        space = SPACE if connection.dialect.name == "postgresql" else None
        if not inspect(connection).has_table(PERSON.name, schema=space):
            return False
        return bool(connection.execute(select(func.count()).select_from(PERSON)).scalar_one())


def account_of(office: Office, system_user: str) -> str | None:
    """User name of the active account that is this user of the operating system; None for none. Asked only where there
    are people. Raises ``StorageTrouble``."""
    query = select(PERSON.c.username).where(PERSON.c.system_user == system_user, PERSON.c.state == ACTIVE)
    found = office.read(query)
    return str(found[0].username) if len(found) == 1 else None
