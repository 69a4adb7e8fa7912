"""Steps of the tables of accounts, in Django's order."""
