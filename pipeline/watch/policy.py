"""What the drop folder may send while nobody looks (reliability.md P2): a written policy, judged over a plan's facts.

Beyond it the whole batch is held for a person. Nothing here reads or sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.domain.ruc import bare

UNATTENDED = "carpeta vigilada"
"""How the approver of a batch begins that the policy let through."""


@dataclass(frozen=True, slots=True)
class Policy:
    """``env`` in which the folder may send by itself, for these ``issuers`` (RUCs), ``max_rows`` of one file and
    ``max_night`` within 24 hours."""

    env: str
    issuers: frozenset[str]
    max_rows: int
    max_night: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What a file asks for: rows to send, of these issuers (``Cufe.ruc``), in this environment; ``before`` are the rows
    that the folder sent within 24 hours. ``binding``: not the local sandbox."""

    env: str
    binding: bool
    rows: int
    issuers: Sequence[str]
    before: int


def objections(policy: Policy, asked: Asked) -> list[tuple[str, str]]:
    """Codes and words of everything that the policy does not allow; empty when the file may go."""
    found: list[tuple[str, str]] = []
    if asked.env != policy.env:
        words = f"la carpeta no tiene permiso escrito para el ambiente {asked.env} (ANULAR_WATCH_ENV)"
        found.append(("politica-ambiente", words))
    allowed = {bare(ruc) for ruc in policy.issuers}
    others = [ruc for ruc in asked.issuers if ruc not in allowed]
    if asked.binding and not allowed:
        found.append(("politica-emisores", "falta la lista de emisores de la carpeta (ANULAR_WATCH_ISSUERS)"))
    elif allowed and others:
        found.append(("politica-emisores", f"emisores que la carpeta no puede anular sola: {_some(others)}"))
    if asked.rows > policy.max_rows:
        found.append(("politica-filas", f"pide {asked.rows} anulaciones y el máximo por archivo es {policy.max_rows}"))
    if asked.before + asked.rows > policy.max_night:
        found.append(
            (
                "politica-noche",
                f"con las {asked.before} de las últimas 24 horas serían {asked.before + asked.rows} anulaciones y el "
                f"máximo es {policy.max_night}",
            )
        )
    return found


def doubtful(doubts: Sequence[str]) -> list[tuple[str, str]]:
    """The objections to a file of which a person should look at something first: comments, conditional formats, views
    that filter."""
    return [("archivo-por-revisar", doubt.removesuffix(".")) for doubt in doubts]


def in_words(objections: Sequence[tuple[str, str]]) -> str:
    """All objections in one phrase, each with its code."""
    return "; ".join(f"{words} [{code}]" for code, words in objections)


def _some(issuers: Sequence[str]) -> str:
    shown = ", ".join(issuers[:5])
    return shown if len(issuers) <= 5 else f"{shown} y {len(issuers) - 5} más"
