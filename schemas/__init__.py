"""Schemas: the columns and the valid values of input and results (pandera models).

columns  names, headings and labels of all columns
input    the schema of the input
results  the schema of the sheet ``Resultados``
"""
