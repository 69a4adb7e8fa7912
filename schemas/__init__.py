"""Schemas: the columns and the valid values of input (a pandera schema) and results.

columns  names, headings and labels of all columns
input    the schema of the input
results  the schema of the sheet ``Resultados``
"""
