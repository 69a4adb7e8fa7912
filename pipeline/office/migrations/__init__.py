"""Schema migrations of the office database (Alembic). A released step is history: add another, never edit one."""
