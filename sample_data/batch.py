"""A batch of invoices from a plan: one word for each row, in the order in which an accountant lists them.

A word is the ending of the security code (what the sandbox will do), or ``!mistake``; ``/paste`` says how the code was
pasted, ``@2`` that the second company issued it: ``000``, ``000/nbsp``, ``962@2``, ``!corto``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from sample_data.codes import ACCEPTED, DISTRIBUTOR, HARDWARE, mistyped, pasted, synthetic
from sample_data.words import CUSTOMERS, REASONS, REMARKS

_WORD = re.compile(r"(?:(?P<scenario>[0-9]{3})|!(?P<mistake>[a-z]+))(?:/(?P<paste>[a-z]+))?(?P<second>@2)?")
_NUMBER_CELL = 1.5599999120261118e64
_OTHER_REASON = "El cliente pidió la factura a nombre de otra sociedad del grupo."


@dataclass(frozen=True, slots=True)
class Row:
    """One invoice. ``code`` is the CUFE as typed: text, the number that Excel made of it, or nothing."""

    issued: date
    number: str
    customer: str
    code: str | float | None
    amount: float
    tax: float
    reason: str
    email: str
    branch: str
    remark: str = ""


def rows_of(plan: Mapping[date, str], first_number: int) -> list[Row]:
    """The rows of ``plan`` (words by issue date), numbered from ``first_number`` on.

    Raises ``ValueError`` for a word that is none.
    """
    rows: list[Row] = []
    for issued, words in plan.items():
        same_day: list[Row] = []
        for word in words.split():
            same_day.extend(_rows(word, issued, first_number + len(rows) + len(same_day), same_day))
        rows.extend(same_day)
    return rows


def _rows(word: str, issued: date, number: int, before: list[Row]) -> Iterator[Row]:
    match = _WORD.fullmatch(word)
    if match is None:
        raise ValueError(f"{word!r} is no word of a plan")
    row = _plain(issued, number, match["scenario"] or ACCEPTED, second=match["second"] is not None)
    if match["mistake"]:
        yield from _spoiled(match["mistake"], row, before)
    elif match["paste"]:
        assert isinstance(row.code, str)
        yield replace(row, code=pasted(row.code, match["paste"]))
    else:
        yield row


def _plain(issued: date, number: int, scenario: str, *, second: bool) -> Row:
    issuer = HARDWARE if second else DISTRIBUTOR
    code, branch = issuer.branches[number * 5 // 7 % len(issuer.branches)]
    customer = CUSTOMERS[number * 8 % len(CUSTOMERS)]
    cents = number * 104_729 % 248_950 + 1_050
    return Row(
        issued=issued,
        number=f"{number:010d}",
        customer=customer.name,
        code=synthetic(issuer, issued=issued, number=number, scenario=scenario, branch=code),
        amount=cents / 100,
        tax=0.0 if number % 9 == 0 else (cents * 7 + 50) // 100 / 100,
        reason=REASONS[number * 7 % len(REASONS)],
        email=customer.email,
        branch=branch,
        remark=REMARKS[number // 6 % len(REMARKS)] if number % 6 == 0 else "",
    )


def _spoiled(mistake: str, row: Row, before: list[Row]) -> Iterator[Row]:
    """``row`` with a mistake in it, as people make them; two rows for a pair that contradicts itself."""
    code = row.code
    assert isinstance(code, str)
    if mistake == "repetida":
        yield replace(before[0], remark="Repetida al copiar")
    elif mistake == "conflicto":
        yield row
        yield replace(row, reason=_OTHER_REASON, remark="¿Cuál motivo vale?")
    elif mistake == "digito":
        yield replace(row, code=mistyped(code))
    elif mistake == "incompleto":
        yield replace(row, code=code[:40] + code[41:])
    elif mistake == "letra":
        yield replace(row, code=code[:42] + "O" + code[43:])
    elif mistake == "numero":
        yield replace(row, code=_NUMBER_CELL)
    elif mistake == "cientifico":
        yield replace(row, code="1,55999991202611E+64")
    elif mistake == "vacio":
        yield replace(row, code=None, remark="Falta buscar el CUFE en el portal")
    elif mistake == "corto":
        yield replace(row, reason="Error")
    elif mistake == "correo":
        yield replace(row, email="compras@espiga,example")
    else:
        raise ValueError(f"{mistake!r} is no mistake")
