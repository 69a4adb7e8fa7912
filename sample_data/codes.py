"""Synthetic CUFEs of companies that do not exist, for the test environment (domain.md 1).

The last three digits of the security code choose how the sandbox behaves (``pipeline/sandbox/scenarios.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipeline.domain.cufe import check_digit
from pipeline.domain.ruc import dv

ACCEPTED = "000"
"""The ending of a document that the sandbox cancels at once."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A fictional company: its RUC (of the future, so that nobody holds it) and its branches, code and name."""

    ruc: str
    name: str
    branches: tuple[tuple[str, str], ...]


DISTRIBUTOR = Issuer(
    "155999991-2-2026",
    "Distribuidora Ficticia del Istmo, S.A.",
    (("0000", "Casa matriz"), ("0001", "Vía España"), ("0002", "Penonomé")),
)
HARDWARE = Issuer(
    "155999992-2-2026",
    "Ferretería Imaginaria de Chiriquí, S.A.",
    (("0000", "David (Ferretería Imaginaria)"),),
)
STRANGER = Issuer("155999993-2-2026", "Empresa Ajena de Mentira, S.A.", (("0000", "Casa matriz"),))

ISSUERS = (DISTRIBUTOR, HARDWARE, STRANGER)


def synthetic(
    issuer: Issuer,
    *,
    issued: date,
    number: int,
    scenario: str = ACCEPTED,
    branch: str = "0000",
    wrong_dv: bool = False,
) -> str:
    """A code with a correct check digit. ``number`` is the fiscal number; it also varies the security code.

    ``wrong_dv`` spoils the RUC's check digits, which is a warning and no error (domain.md 1).
    """
    digits = dv(issuer.ruc)
    assert digits is not None, "the companies here are juridical persons"
    if wrong_dv:
        digits = f"{(int(digits) + 1) % 100:02d}"
    security = f"{number * 7919 % 1_000_000:06d}{scenario}"
    text = f"FE012{issuer.ruc:0>20}-{digits}{branch}{issued:%Y%m%d}{number:010d}00101" + f"2{security}"
    return text + check_digit(text)


def respelled(code: str, place: int, text: str) -> str:
    """``code`` with ``text`` from the 0-based ``place`` on, and a check digit that fits again."""
    code = code[:place] + text + code[place + len(text) :]
    return code[:65] + check_digit(code)


def mistyped(code: str) -> str:
    """``code`` with a check digit that does not fit."""
    return code[:65] + str((int(code[65]) + 1) % 10)


PASTES = {
    "espacio": "{} ",
    "nbsp": "\u00a0{}\u00a0",
    "salto": "{}\n",
    "comillas": '"{}"',
    "apostrofo": "'{}",
    "formula": '="{}"',
    "etiqueta": "CUFE: {}",
    "enlace": "https://consulta.example/Consultas/FacturasPorQR?chFE={}&iAmb=2&digestValue=mU4Zb0example",
    "ruta": "https://consulta.example/Consultas/FacturasPorCUFE/{}",
}
"""What stands around a pasted code (domain.md 2)."""


def pasted(code: str, how: str) -> str:
    """``code`` as somebody pastes it: a key of ``PASTES``, or ``raya``, ``menos``, ``minusculas``, ``ancho``,
    ``invisible``. Raises ``KeyError`` for anything else."""
    if how == "raya":
        return code.replace("-", "\u2013")
    if how == "menos":
        return code.replace("-", "\u2212")
    if how == "minusculas":
        return code.lower()
    if how == "ancho":
        return "".join(chr(ord(c) + 0xFEE0) for c in code)
    if how == "invisible":
        return code[:25] + "\u200b" + code[25:50] + "\u00ad" + code[50:] + "\ufeff"
    return PASTES[how].format(code)
