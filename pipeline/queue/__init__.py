"""The work queue on the ledger's PostgreSQL: what one machine hands in another one sends (decision 0062)."""
