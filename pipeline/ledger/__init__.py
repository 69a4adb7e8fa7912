"""The durable memory: tables, engine, one store whose every query has a name, one writer that groups commits."""
