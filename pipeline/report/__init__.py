"""Step 5, report: what the ledger proves, as a workbook that can be trusted and is a pleasure to read.

``summary`` turns ledger lines into a ``Report`` (pure); ``workbook`` prints a ``Report`` and computes nothing;
``publish`` checks what was written and puts it in place; ``preview`` does the same for ``anular check``;
``exports`` writes the same rows as CSV and JSON lines.
"""
