"""Screens about files, batches and rows.

routes       their addresses
shared       reader children, names of people, downloads
start        the first page of a company
upload       a file is handed in
review       what would happen to it, and what its preparer does
approve      another person approves exactly that
"""
