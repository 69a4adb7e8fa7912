"""Step 2, validate: a Sheet -> every row with a verdict, and every problem of every row in plain Spanish.

- ``check``: all rows of a sheet
- ``clean_rows``: the rows of which there is nothing to say, found by whole columns
- ``draft``: any other row while it is being checked
- ``bulk_records``: many records at once
"""
