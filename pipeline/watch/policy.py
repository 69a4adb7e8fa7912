"""Policy: what the drop folder may send unattended (reliability.md P2), checked against the facts of a plan.

Beyond it the whole batch is held for a person. Nothing here reads or sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.domain.certificates import Finding
from pipeline.domain.ruc import bare

UNATTENDED = "carpeta vigilada"
"""Start of the approver's name for a batch that the policy allowed."""


SECOND_PERSON = "politica-dos-personas"
"""Code of the objection where two people are asked for."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The written policy."""

    #: environment in which the folder may send by itself
    env: str
    #: RUCs
    issuers: frozenset[str]
    #: of one file
    max_rows: int
    #: rows within 24 hours
    max_night: int


@dataclass(frozen=True, slots=True)
class Asked:
    """Facts of a file that are checked against the policy."""

    env: str
    #: whether it is not the local sandbox
    binding: bool
    #: rows to send
    rows: int
    #: as ``Cufe.ruc``
    issuers: Sequence[str]
    #: rows that the folder sent within 24 hours
    before: int


def objections(policy: Policy, asked: Asked) -> list[tuple[str, str]]:
    """Codes and texts of everything that the policy does not allow; empty when the file may be sent."""
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


def second_person(*, two: bool) -> list[tuple[str, str]]:
    """The objection to whatever the folder would send by itself where two people are asked for."""
    words = "lo tiene que aprobar una persona distinta de quien lo pide (ANULAR_APPROVAL=two)"
    return [(SECOND_PERSON, words)] if two else []


def doubtful(doubts: Sequence[str]) -> list[tuple[str, str]]:
    """The objections to a file that a person should check first: comments, conditional formats, views that filter."""
    return [("archivo-por-revisar", doubt.removesuffix(".")) for doubt in doubts]


def of_certificates(found: Sequence[Finding]) -> list[tuple[str, str]]:
    """The objections to a file of whose issuers a certificate cannot be used, where the settings say ``block`` (C8)."""
    return [("certificado-vencido", one.words.removesuffix(".")) for one in found]


def in_words(objections: Sequence[tuple[str, str]]) -> str:
    """All objections in one phrase, each with its code."""
    return "; ".join(f"{words} [{code}]" for code, words in objections)


def _some(issuers: Sequence[str]) -> str:
    shown = ", ".join(issuers[:5])
    return shown if len(issuers) <= 5 else f"{shown} y {len(issuers) - 5} más"
