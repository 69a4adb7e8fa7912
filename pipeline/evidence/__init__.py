"""The evidence pack: one zip that shows what became of a batch to somebody who has neither the ledger nor this program.

``members`` says what lies in it and how it is written; ``pack`` makes one from the ledger; ``box`` opens one that may
be hostile; ``replay`` draws the states of the rows from the events alone; ``check`` compares all of it.
"""
