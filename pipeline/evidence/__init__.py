"""The evidence pack: one zip that shows what became of a batch to somebody who has neither the ledger nor this program.

format    what lies in it and how each part is written
pack      makes one from the ledger
unzip     opens one that may be hostile
check     compares all of it; ``sheet`` reads its workbook, ``workbook`` and ``remake`` hold it against the events
book      a workbook without its pack, against the ledger at hand
"""
