"""Internal error: the message after a bug: kind and place, never values, which may be secret (reliability.md P12,
F43)."""

from __future__ import annotations

import os
import traceback
from pathlib import PurePath

from pipeline.domain.errors import Bug, StoppedEarly


def internal(error: BaseException) -> StoppedEarly:
    """The error that ends a run after ``error``, with a message that helps to fix the bug."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}pipeline{os.sep}" in frame.filename] or frames
    place = f" en {PurePath(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    detail = f": {error}" if isinstance(error, Bug) else ""
    return StoppedEarly(
        f"Error interno de anular ({type(error).__name__}{place}{detail}).",
        code="internal",
        remedy="No se envió nada más; lo enviado quedó registrado. Avise a soporte con este mensaje.",
    )
