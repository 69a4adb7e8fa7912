"""Evidence pack: one zip that proves what happened to a batch, without the ledger and without this program.

format    the members and how each is written
pack      makes a pack from the ledger
kind      tells a pack from a workbook and from a ledger
unzip     opens a pack that may be hostile
check     compares all of it; ``sheet`` reads its workbook, ``workbook`` and ``remake`` compare it with the events
beside    the same for a large pack's texts, in a process of its own while the workbook is written
book      a workbook without its pack, compared with the ledger at hand
"""
