"""Composition root: settings -> clock, ledger, limiter, client. The only place that opens or starts anything.

- ``rules``: the clock, and the rules of validating, sending and querying
- ``credentials``: user and password, and the lock on a credential
- ``keyring_store``: credentials in the system's keyring
- ``ledger``: the ledger of one command, opened and owned; ``views``: opened for reading
- ``many``: the ledgers of a command that works for many companies, opened once
- ``lost_ledger``: what says that a ledger was here before this one
- ``companies``: whose a batch is
- ``service``: the client of eDoc with its limiter and tokens
- ``sandbox``: the local eDoc that a run starts for itself
- ``telemetry``: the log and the metrics file that the settings name
"""
