"""Command line: parses, calls, prints, returns the exit code.

Heavy libraries are imported inside the commands that need them.

Starting:

- ``main``: the entry point, and what an error becomes
- ``app``: every command, in the order of the help
- ``options``: arguments and options of several commands
- ``context``: settings, streams and exit code of one command

One file a command: ``check``, ``run``, ``release``, ``worker``, ``poll``, ``watch``, ``status``, ``find``,
``report``, ``decide`` (resolve, withdraw), ``resend``, ``support``, ``verify``, ``backup``, ``ledger`` (adopt, ledger
copy), ``sandbox``, ``login``, ``doctor``.

What they share:

- ``inputs``: files and batches as they are named
- ``approve``: a person's approval before anything is sent
- ``output``: the plan before sending, the results after it, notifications
- ``render``: the data of ``--json``, and the same in words
- ``found``: the same for ``find``
- ``console``: tables, lists and progress on a terminal
- ``stdio``: standard output that cannot bring the program down
- ``help``: help pages and usage errors in Spanish
"""
