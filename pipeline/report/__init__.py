"""Step 5, report: what the ledger proves, as a workbook that can be trusted and is easy to read.

summary       ledger lines -> ``Report`` (pure); ``lines`` one line, ``model`` the records, ``labels`` the texts,
              ``lineage`` those of corrections
printed       what ``Resultados`` shows of a row beside the person's own columns
workbook      ``Report`` -> .xlsx, computing nothing; ``sheets`` one file each, ``styles`` their look
corrections   the rows that a person can correct; ``notes`` the comments on their cells
preview       the same for ``anular check``; ``review`` its figures
comparison    what the ledger holds beside what eDoc says now (``reconcile``)
receipt       the constancias as PDF, of a batch and of each cancelled invoice
publish       temporary file, check, rename; ``verify`` compares, ``names`` and ``temporary`` the files
inert         text that stays text; ``rowxml`` and ``xlsx_writer`` the same bytes each time
edit_check    whether a workbook is unchanged; ``vml_check`` its drawings, ``layout`` the program version that made it
exports       CSV and JSON lines; ``support_case`` what eDoc's support desk needs
template      the empty workbook to fill in, which checks what is typed
"""
