"""Name and version of the program, without anything else to load."""

from __future__ import annotations

PROGRAM = "anular"
VERSION = "0.1.0"
