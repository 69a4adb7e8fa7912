"""Pasted text: repairs and mistakes of what people paste instead of a CUFE (domain.md 2).

``unpaste`` repairs what cannot change the meaning (invisible characters, dash look-alikes, full-width and lower-case
letters, quotes, links, labels) and returns what it repaired. ``mistake`` names what must not be repaired: a person
has to correct it. Neither says that a code is valid: ``Cufe.parse`` does.

What may stand next to a code is a fixed list (eyes.md 1): any other text may be a person's "no" and is kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.domain.cufe import Cufe
from pipeline.domain.errors import CufeInvalid

INVISIBLE = "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
"""Zero-width characters that ``str.strip`` does not remove."""

DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d"

CANONICAL = re.compile(r"FE[0-9A-Z-]{64}")
_CODE = re.compile(r"(?<![0-9A-Z-])FE[0-9]{2}[12][0-9A-Z-]{21}[0-9]{2}[0-9A-Z]{4}[0-9]{34}(?![0-9A-Z-])")
_QUOTES_AROUND = r"""["'“”‘’«»]*"""
# «No» needs its full stop and is not accepted in capitals: «NO FE…» and «NO. FE…» say no.
_LABELS = rf"(?:{_QUOTES_AROUND}(?:(?i:CUFE|C[OÓ]DIGO(?:\s*[UÚ]NICO)?|FACTURA)|[Nn]o\.){_QUOTES_AROUND}[\s:.-]*)*"
_LABELLED = re.compile(rf"(?P<label>{_LABELS}){_QUOTES_AROUND}(?P<code>(?i:FE[0-9A-Z-]{{64}})){_QUOTES_AROUND}")
_CODE_GIVEN = r"(?P<{}>FE[0-9A-Z-]{{64}})"
_PARAMETER = r"(?:iAmb|digestValue|jwt)=[0-9A-Za-z+/=%._~-]*"
_AND = "&(?:amp;)?"
_LINKED = re.compile(
    rf"{_LABELS}{_QUOTES_AROUND}(?i:(?:https?://)?(?:[0-9a-z-]+\.)+[0-9a-z-]+(?::[0-9]+)?/(?:Consultas/)?(?:"
    rf"FacturasPorQR\?(?:{_PARAMETER}{_AND})*chFE={_CODE_GIVEN.format('asked')}(?:{_AND}{_PARAMETER})*"
    rf"|FacturasPorCUFE/{_CODE_GIVEN.format('named')}(?:\?{_PARAMETER}(?:{_AND}{_PARAMETER})*)?)){_QUOTES_AROUND}"
)
_WRAPPED = re.compile(r"""^(?:=\s*"(.*)"|"(.*)"|'(.*)'|“(.*)”|‘(.*)’|«(.*)»|'(.*))$""", re.DOTALL)
_DASH_MAP = dict.fromkeys(map(ord, DASHES), "-")
_DROP = dict.fromkeys(map(ord, INVISIBLE))

_RUN = re.compile(r"(?<![0-9A-Z-])(?=[A-Z-]*[0-9])[0-9A-Z-]{10,}|(?<![0-9A-Z])F\s*E(?:\s*[0-9]){4}")
"""Ten characters of a code with a digit among them, or the start of a code, with or without spaces."""

_SHAPE = re.compile(r"FE[0-9]{2}[12][0-9A-Z-]{20,}")
_NAMED = 4
_WORDS_SHOWN = 40
_QUOTES = "se quitaron comillas"
_SPACES = "se quitaron espacios o saltos de línea"
_HIDDEN = "se quitaron caracteres invisibles"
_DASHED = "se cambiaron rayas por guiones"
_WIDE = "se cambiaron letras o números de ancho completo"
_UPPER = "se pasó a mayúsculas"
_LINK = "se extrajo el código del enlace"
_LABEL = "se quitó el rótulo que lo acompaña"


@dataclass(frozen=True, slots=True)
class Pasted:
    """Repaired text."""

    #: what is left
    text: str
    #: the repairs, in Spanish; empty when it was clean
    what: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mistake:
    """A code of ``problems.py`` with the values for its message template."""

    code: str
    words: dict[str, str]


def unpaste(text: str) -> Pasted:
    """``text`` written as a code, with the repairs that were needed.

    >>> unpaste(" fe01–20 ")
    Pasted(text='FE01-20', what=('se cambiaron rayas por guiones (U+2013)', 'se quitaron espacios o saltos de línea', \
'se pasó a mayúsculas'))
    """
    if CANONICAL.fullmatch(text):
        return Pasted(text)
    what: list[str] = []
    odd = [] if text.isascii() else [char for char in text if not char.isascii()]
    spaces = _naming(_SPACES, (char for char in odd if char.isspace()))
    if odd:
        text = _noting(text, text.translate(_DROP), _naming(_HIDDEN, (c for c in odd if ord(c) in _DROP)), what)
        text = _noting(text, text.translate(_DASH_MAP), _naming(_DASHED, (c for c in odd if ord(c) in _DASH_MAP)), what)
    # NFKC also turns special spaces into plain ones; those are reported as spaces, below.
    spaced = "".join(" " if c.isspace() else c for c in text)
    text = _noting(spaced, unicodedata.normalize("NFKC", spaced), _WIDE, what)
    text = _unwrap(text, spaces, what)
    if linked := _LINKED.fullmatch(text):
        return _taken(linked["asked"] or linked["named"], what, _LINK)
    # White space in a link, or next to other text, separates what must not be joined.
    bare = text if "/" in text else "".join(text.split())
    labelled = _LABELLED.fullmatch(bare)
    if labelled and labelled["label"]:
        return _taken(labelled["code"], what, _LABEL)
    bare = _noting(text, bare, spaces, what)
    if labelled:
        if bare != labelled["code"] and _QUOTES not in what:
            what.append(_QUOTES)
        return _taken(labelled["code"], what)
    return Pasted(bare.upper(), _with(what, bare != bare.upper(), _UPPER))


def _taken(code: str, what: list[str], how: str = "") -> Pasted:
    if how:
        what.append(how)
    return Pasted(code.upper(), _with(what, code != code.upper(), _UPPER))


def codes_in(text: str) -> tuple[str, ...]:
    """The distinct codes in ``text`` that stand alone."""
    return tuple(dict.fromkeys(_CODE.findall(text.upper())))


MARKER = "(corregir)"
"""What a cell says that a person has to fill in: no column accepts it."""


def is_invoice(code: str, reason: str) -> bool:
    """Whether a row with these cells is an invoice; totals, notes and signatures are not (eyes.md 1). A row that is
    still to be corrected is one."""
    return code.strip() == MARKER or bool(reason.strip().strip(INVISIBLE).strip()) or shows_code(code)


def shows_code(text: str) -> bool:
    """Whether ``text`` contains anything that may be a code, or a piece of one.

    >>> shows_code("Total registros: 3"), shows_code("Preparado por A. Ruiz"), shows_code("fe01 2000 0155")
    (False, False, True)
    """
    return _RUN.search(unicodedata.normalize("NFKC", text.translate(_DROP).translate(_DASH_MAP)).upper()) is not None


def has_shape(text: str) -> bool:
    """Whether ``text`` contains something shaped like a CUFE, complete or not, with spaces or not."""
    return _SHAPE.search("".join(text.split()).upper()) is not None


def words_beside(received: str) -> str:
    """The text around the one code in ``received``, with ``…`` for the code; empty when there is none, or several.

    >>> words_beside("NO ANULAR: FE01200000000000029-29-29-5676322018101525982740639300126729580548")
    'NO ANULAR: …'
    """
    text = unicodedata.normalize("NFKC", received.translate(_DROP).translate(_DASH_MAP))
    for one in (text, "".join(text.split())):
        found = set(_CODE.findall(one.upper()))
        if len(found) == 1:
            return " ".join(re.sub(re.escape(found.pop()), "…", one, flags=re.IGNORECASE).split())
    return ""


def _unwrap(text: str, spaces: str, what: list[str]) -> str:
    """``text`` without surrounding white space and without the quotes or formula marks around it."""
    bare = text.strip()
    while match := _WRAPPED.match(bare):
        inner = next(group for group in match.groups() if group is not None).strip()
        if _QUOTES not in what:
            what.append(_QUOTES)
        bare, text = inner, inner
    return _noting(text, bare, spaces, what)


def _naming(words: str, chars: Iterable[str]) -> str:
    """``words`` with the code points of ``chars``: invisible characters and look-alikes need a name."""
    points = list(dict.fromkeys(f"U+{ord(char):04X}" for char in chars))
    return f"{words} ({', '.join(points[:_NAMED])}{', …' * (len(points) > _NAMED)})" if points else words


def _noting(before: str, after: str, words: str, what: list[str]) -> str:
    if before != after and words not in what:
        what.append(words)
    return after


def _with(what: list[str], also: bool, words: str) -> tuple[str, ...]:
    return (*what, words) if also else tuple(what)


# What is not repaired -----------------------------------------------------------------------------------------

_EXCEL_ERRORS = re.compile(
    r"#(?:N/[AD]|¡?REF!|¡?VALUE!|¡?VALOR!|¿?NAME\?|¿?NOMBRE\?|¡?DIV/0!|¡?NUM!|¡?NULL!|¡?NULO!|¡?SPILL!|"
    r"¡?DESBORDAMIENTO!|¡?CALC!|GETTING_DATA|#+)"
)
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?E[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?[0-9]{1,43}(?:[.,][0-9]+)?")
_FOREIGN: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"[0-9A-F]{96}"), "Colombia", "CUFE colombiano"),
    (re.compile(r"E[0-9]{12}"), "la República Dominicana", "e-NCF"),
    (re.compile(r"[0-9]{44}"), "Paraguay", "CDC"),
    (re.compile(r"[0-9]{49}"), "Ecuador", "clave de acceso"),
    (re.compile(r"[0-9]{50}"), "Costa Rica", "clave numérica"),
)
_LOOKS_LIKE = {"O": "0 (cero)", "I": "1 (uno)", "L": "1 (uno)"}
# Places (0-based) that hold digits only; no RUC of the authority contains an O or an L.
_DIGITS = frozenset([2, 3, 4, 26, 27, *range(32, 66)])
_RUC = range(5, 25)


def mistake(received: str) -> Mistake | None:
    """What ``received`` is instead of a CUFE, if it can be recognised; None otherwise."""
    text = unpaste(received).text
    if not text:
        return Mistake("cufe-vacio", {})
    if len(codes := codes_in(received)) > 1:
        return Mistake("cufe-varios", {"count": str(len(codes))})
    if not CANONICAL.fullmatch(text) and (words := words_beside(received)):
        shown = words if len(words) <= 2 * _WORDS_SHOWN else f"{words[:_WORDS_SHOWN]} … {words[-_WORDS_SHOWN:]}"
        return Mistake("cufe-con-texto", {"words": shown})
    if (place := _first_unseen(text)) is not None:
        return Mistake("cufe-invisible", {"point": f"{ord(text[place]):04X}", "place": str(place + 1)})
    if _EXCEL_ERRORS.fullmatch(text):
        return Mistake("cufe-error-excel", {"word": text})
    for pattern, country, name in _FOREIGN:
        if pattern.fullmatch(text):
            return Mistake("cufe-extranjero", {"country": country, "name": name})
    if _SCIENTIFIC.fullmatch(text):
        return Mistake("cufe-cientifico", {})
    if text.startswith("="):
        return Mistake("cufe-formula-texto", {})
    if _NUMBER.fullmatch(text):
        return Mistake("cufe-numero-suelto", {})
    if len(text) == 64 and _is_valid("FE" + text):
        return Mistake("cufe-sin-fe", {"full": "FE" + text})
    places = list(_look_alikes(text, received))
    return Mistake("cufe-parecido", {"places": "; ".join(places)}) if places else None


def _first_unseen(text: str) -> int | None:
    """Position of the first character that is not visible alone: a control, a mark on the one before it."""
    if text.isascii() and text.isprintable():
        return None
    unseen = (place for place, char in enumerate(text) if unicodedata.category(char)[0] in "CM")
    return next(unseen, None)


def _look_alikes(text: str, received: str) -> Iterator[str]:
    """Where letters replace digits, or letters of another alphabet replace ours; positions count from 1."""
    if len(text) != 66:
        return
    small_l = "l" in received and "L" not in received
    for place, char in enumerate(text):
        if not char.isascii():
            yield f"en la posición {place + 1} hay «{char}» (U+{ord(char):04X}), que no es una letra latina sin acento"
        elif char in _LOOKS_LIKE and (place in _DIGITS or (place in _RUC and not _is_pi(text, place))):
            shown = "l" if char == "L" and small_l else char
            yield f"en la posición {place + 1} hay la letra «{shown}» donde debe ir {_LOOKS_LIKE[char]}"


def _is_pi(text: str, place: int) -> bool:
    return text[place] == "I" and text[place - 1] == "P"


def _is_valid(code: str) -> bool:
    try:
        Cufe.parse(code)
    except CufeInvalid:
        return False
    return True
