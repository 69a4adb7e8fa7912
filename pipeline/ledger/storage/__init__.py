"""Which database keeps a ledger, and what is that database's own.

location         the address decides: a file or a server
database         what both offer: transactions one after the other, and reads
sqlite           one file, durable and private; ``files`` what lies beside it, and words for what a disk says
postgres         a server's durability and locks; ``postgres_errors`` words for what it says
schema           the steps (``migrations``) that bring a ledger to the schema of today
integrity_cache  that a large file was found sound lately
"""
