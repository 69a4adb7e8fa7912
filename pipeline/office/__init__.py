"""Office database: what the people of an office do around the ledgers, one database per machine (or per server).

people       which account of the page a user of the operating system is
outbox       messages that are sent once, whoever sends them
tables       proposals, uploads, certificates, messages to send, and their append-only events
database     serial transactions and reads, on a SQLite file or in a schema of a PostgreSQL server
place        where it is: created, brought to the newest schema, opened
copying      a copy of it in a file, beside who works with it; a move to another place
accounts     accounts of the page, on such a move
migrations   the steps of its schema

It proves nothing about a cancellation: that is the ledger's. It says who asked for what, and who said yes.
"""
