"""One file through the five steps: what the command line, the drop folder and the workers have in common.

- ``plan``: what would be sent, for the person who approves it; ``plan_words`` says it
- ``questions``: what only a person can answer about a file
- ``intake``: an approved plan becomes a batch in the ledger
- ``session``: service, signals, sending and querying, until the time is up
- ``progress``: the protocol by which a session reports how far it is
- ``early_results``: the workbooks right after sending, before anybody waits for an answer
- ``results``: the workbooks of a batch, and its figures for ``--json`` and notifications; ``figures`` those that need
  no workbook
- ``reconcile``: comparison of the ledger with what eDoc answers now
- ``notification_texts``: what notifications and notes say of batches
- ``side_by_side``: many companies at the same time, those that share a ledger or a credential one after the other
- ``follow_up``: the nightly queries of every company, and what has grown old
"""
