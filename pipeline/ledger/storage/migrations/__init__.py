"""The ledger's schema, step by step (Alembic). A released step is history: add another, never edit one."""
