"""Django's way to a SQLite file, as the office database needs it.

base         the connection
"""
