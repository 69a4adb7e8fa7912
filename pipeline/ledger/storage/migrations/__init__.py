"""Schema migrations of the ledger (Alembic). A released step is history: add another, never edit one."""
