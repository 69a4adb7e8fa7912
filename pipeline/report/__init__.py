"""Step 5, report: what the ledger proves, as a workbook that can be trusted and is a pleasure to read.

summary       ledger lines -> ``Report`` (pure); ``lines`` one line, ``model`` the records, ``labels`` the Spanish words
workbook      ``Report`` -> .xlsx, computing nothing; ``sheets`` one file each, ``styles`` how it looks
corrections   which rows a person can mend; ``notes`` the comments on their cells
preview       the same for ``anular check``
publish       written aside, checked, put in place; ``verify`` compares, ``names`` and ``temporary`` the files
inert         text that can only be text; ``rowxml`` and ``xlsx_writer`` the same bytes each time
edit_check    whether a workbook is as it was written; ``vml_check`` its drawings, ``layout`` which program laid it out
exports       CSV and JSON lines
"""
