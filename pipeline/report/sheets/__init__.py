"""The five sheets of the results workbook, a module each; none of them computes anything."""
