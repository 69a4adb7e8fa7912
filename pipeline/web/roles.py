"""Roles of a person in a company, and what each may do: the matrix of web.md 3, as data."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Role of a person in one company."""

    PREPARER = "preparador"
    APPROVER = "aprobador"
    READER = "consulta"
    ADMIN = "administrador"


class May(StrEnum):
    """Action that needs a role."""

    SEE = "ver"
    SEE_CERTIFICATES = "ver certificados"
    UPLOAD = "cargar"
    APPROVE = "aprobar"
    STOP = "detener"
    CONTINUE_OTHERS = "continuar lo que detuvo otra persona"
    WITHDRAW = "retirar"
    RESOLVE = "resolver"
    ASK_RESEND = "pedir reenvío"
    RESEND = "reenviar"
    EDIT_CERTIFICATES = "editar certificados"
    EVIDENCE = "evidencia"
    ACCESS_LOG = "bitácora"
    ADMINISTER = "administrar"


_P, _A, _C, _D = Role.PREPARER, Role.APPROVER, Role.READER, Role.ADMIN

MATRIX: dict[May, frozenset[Role]] = {
    May.SEE: frozenset({_P, _A, _C}),
    May.SEE_CERTIFICATES: frozenset({_P, _A, _C, _D}),
    May.UPLOAD: frozenset({_P}),
    May.APPROVE: frozenset({_A}),
    May.STOP: frozenset({_P, _A}),
    May.CONTINUE_OTHERS: frozenset({_A}),
    May.WITHDRAW: frozenset({_P, _A}),
    May.RESOLVE: frozenset({_A}),
    May.ASK_RESEND: frozenset({_P}),
    May.RESEND: frozenset({_A}),
    May.EDIT_CERTIFICATES: frozenset({_P, _A, _D}),
    May.EVIDENCE: frozenset({_A, _C}),
    May.ACCESS_LOG: frozenset({_A, _C, _D}),
    May.ADMINISTER: frozenset({_D}),
}

OWN_ONLY = frozenset({(May.STOP, _P), (May.WITHDRAW, _P)})
"""What a role may do with what the person prepared, and with nothing else."""

NEEDS_FACTOR = frozenset({_A, _D})
"""Roles that need a second factor outside the sandbox."""

FRESH = frozenset({May.CONTINUE_OTHERS, May.RESOLVE, May.RESEND})
"""What asks who one is once more, before. Of an approval its own page asks, and of accounts each action."""


def allowed(roles: frozenset[Role], what: May, *, own: bool = True) -> bool:
    """Whether one of ``roles`` may do ``what``; ``own``: it is about something that the person prepared."""
    return any(role in MATRIX[what] and (own or (what, role) not in OWN_ONLY) for role in roles)
