"""Screens about files, batches and rows.

routes       their addresses
start        the first page of a company
"""
