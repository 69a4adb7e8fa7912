"""Step 1, read: a CSV or Excel file becomes a Sheet: the cells as they are, each with its true position."""
