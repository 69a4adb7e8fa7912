"""Column table: names, accepted headings and printed labels, from ``pipeline/domain/columns.py``.

It is there because the reader needs it too, and only validation and the report may import the schemas.
"""

from __future__ import annotations

from pipeline.domain.columns import INPUT_COLUMNS, RESULT_COLUMNS, RESULTS_SHEET, InputColumn

__all__ = ["INPUT_COLUMNS", "RESULTS_SHEET", "RESULT_COLUMNS", "InputColumn"]
