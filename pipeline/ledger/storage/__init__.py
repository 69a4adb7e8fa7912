"""Storage: the databases that can hold a ledger, and what is specific to each.

location         the address decides: a file or a server
database         what both offer: serial transactions, and reads
sqlite           one file, durable and private; ``files`` the files next to it, and texts for disk errors
driver           which SQLite it is; ``wal`` the log beside the file, where it is new enough
postgres         a server's durability and locks; ``postgres_location`` its place, ``postgres_session`` its sessions,
                 ``postgres_errors`` its errors
schema           the migrations (``migrations``) that bring a ledger to the newest schema
integrity_cache  when a large file was last found sound
"""
