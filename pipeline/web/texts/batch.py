"""Words of a batch: its progress, its totals, its rows, its downloads."""

from __future__ import annotations

BACK = "Volver"
