"""Every word on screen, in Spanish as in Panama; templates and views name them and have none of their own.

frame        what every page shows, and errors
access       log-in, accounts, people
first_office the company, where nothing is configured
upload       the page that takes a file
options      options of the command line as the page calls them
review       the review of a file, and its approval
batch        a batch, its rows and downloads
start        the first page of a company
search       the search
certificates digital certificates
configuration the settings, read-only
help         the help
"""
