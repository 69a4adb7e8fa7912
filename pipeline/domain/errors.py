"""The error tree. Every error that reaches a person is an ``AnularError`` with a Spanish message.

::

    AnularError                      code, message, where, remedy, exit_code
    ├── WrongUsage            (2)    an option, a setting, an impossible combination
    ├── InputRefused          (3)    the file as a whole; nothing was sent
    ├── CufeInvalid                  one code; a row's problem, never the file's
    ├── StoppedEarly          (5)    what was sent is recorded; the rest was not sent
    │   ├── CredentialsRefused       user or password, or the rights behind them
    │   ├── ServiceRefused           wrong address, redirect, certificate, crossed answers
    │   ├── ServiceUnclear           the breaker opened: answers that are not understood
    │   └── StorageTrouble           our own disk, ledger or folder
    ├── AnotherRun            (6)    another run holds the ledger or the credential
    ├── NotApproved           (7)    another person has to say yes first, or it is not what they said yes to
    └── Interrupted         (130)    Ctrl-C or SIGTERM; safe to run again

    Bug                              an illegal move, a lost compare-and-set: stops the run, is never hidden

    RequestFailed                    between transport and client only, never shown to a person
    ├── NothingLeft                  proof that no byte of the request left: may be sent again
    └── AnswerLost                   anything may have happened: query, never send again
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible answer to the question of a refused file: its text, and the options for reading the file again."""

    words: str
    sheet: str = ""
    columns: str = ""
    include_hidden: bool = False
    #: about the values of this file: not to be remembered for others with these headings
    of_this_file: bool = False


class AnularError(Exception):
    """Algo no salió como se esperaba."""

    exit_code = 1

    def __init__(self, message: str = "", *, code: str = "", where: str = "", remedy: str = "") -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.code = code or _code_of(type(self))
        self.where = where
        self.remedy = remedy
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """One sentence for a person: where, what, and what to do."""
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head} {self.remedy}".strip()


class WrongUsage(AnularError):
    """No es válido el comando o la configuración."""

    exit_code = 2


class InputRefused(AnularError):
    """El archivo no se puede procesar. No se envió nada."""

    exit_code = 3
    choices: tuple[Choice, ...] = ()
    headings: tuple[tuple[str, str], ...] = ()

    def offering(self, choices: Iterable[Choice], headings: Iterable[tuple[str, str]] = ()) -> InputRefused:
        """The same refusal with the choices for a person at a terminal; when they are about columns, ``headings`` are
        the letters and the text of each."""
        self.choices, self.headings = tuple(choices), tuple(headings)
        return self


class CufeInvalid(AnularError, ValueError):
    """El CUFE no es válido."""


class StoppedEarly(AnularError):
    """El proceso se detuvo antes de terminar. Lo enviado quedó registrado; el resto no se envió."""

    exit_code = 5


class CredentialsRefused(StoppedEarly):
    """eDoc no aceptó el usuario o la contraseña."""


class ServiceRefused(StoppedEarly):
    """La dirección del servicio no responde como eDoc."""


class ServiceUnclear(StoppedEarly):
    """Varias respuestas seguidas de eDoc no se entendieron. Se dejó de enviar por seguridad."""


class StorageTrouble(StoppedEarly):
    """No se pudo guardar en el disco. Se dejó de enviar por seguridad."""


class SendingStopped(StoppedEarly):
    """Una persona pidió detener el envío. Lo que no había salido quedó RETENIDA."""


class AnotherRun(AnularError):
    """Otra ejecución está usando el mismo historial de envíos. Espere a que termine."""

    exit_code = 6


class NotApproved(AnularError):
    """Falta la aprobación de otra persona. No se envió nada."""

    exit_code = 7


class Interrupted(AnularError):
    """Interrumpido. Lo enviado quedó registrado; puede ejecutar el mismo comando otra vez."""

    exit_code = 130


class Bug(Exception):
    """An impossible situation. Stops the run at once; the ledger stays true."""


class RequestFailed(Exception):
    """A request without an answer. ``reason`` is one of a few fixed values, never text from the wire."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class NothingLeft(RequestFailed):
    """Proof by the transport's trace that no byte of the request left (edoc-api.md 7).

    ``reason``: ``dns``, ``refused``, ``connect``, ``connect-timeout``, ``tls``, ``pool-timeout``.
    """


class AnswerLost(RequestFailed):
    """The request began and no reliable answer came: it may have been applied (edoc-api.md 7).

    ``reason``: ``read-timeout``, ``write-timeout``, ``reset``, ``protocol``, ``deadline``, ``cancelled``, ``other``.
    """


def _code_of(kind: type) -> str:
    """``CredentialsRefused`` -> ``credentials-refused``: the stable code that goes with the Spanish message."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in kind.__name__).lstrip("-")
