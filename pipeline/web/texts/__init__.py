"""Every word on screen, in Spanish as in Panama; templates and views name them and have none of their own.

frame        what every page shows, and errors
access       log-in, accounts, people
"""
