"""Screens about files, batches and rows.

routes       their addresses
shared       reader children, names of people, downloads
start        the first page of a company
upload       a file is handed in
review       what would happen to it, and what its preparer does
approve      another person approves exactly that
batch        its progress, what to do now, and what people ask the sender for
rows         its rows, one row, and decisions about it
downloads    its files
search       rows and batches by what a person has in hand
certificates digital certificates of the issuers
configuration  the settings, read-only
help         what everything means, and the template
"""
