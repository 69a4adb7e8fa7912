"""Sheets of the workbooks, a module each; none of them computes anything.

overview  ``Resumen``
todo      ``Pendientes de acción``
results   ``Resultados``
credit    ``Notas de crédito``
legend    ``Estados eDoc``
log       ``Bitácora``
howto     ``Instrucciones`` of the corrections workbook
fixes     ``Corregir`` of the corrections workbook
page      what they share: print set-up, lines of merged cells
"""
