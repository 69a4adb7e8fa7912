"""Suggested commands: the texts write them short; ``Here.complete`` adds the options and quotes for the reader's shell.

A text says ``order("poll", batch)``, which reads «anular poll LOTE». Before a person sees it, ``Here.complete``
adds the options that lead to the same company and the same ledger. So a suggested command, typed exactly, does what
the text says, and never the same under another credential or with another ledger (eyes.md 2).
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from pipeline.domain.errors import AnularError

_SUGGESTED = re.compile(r"«anular((?: (?:'[^']*'|\"[^\"]*\"|[^'\"»])*)?)»")
_PLAIN = frozenset({"help", "--help", "--version", "sandbox"})
_WITHOUT_LEDGER = frozenset({"login", "logout", "ledger", "init", "template", "certs"})


def order(*words: object) -> str:
    """«anular …» with these arguments, quoted so that each reaches the program unchanged."""
    return f"«{' '.join(['anular', *(shlex.quote(str(word)) for word in words)])}»"


@dataclass(frozen=True, slots=True)
class Here:
    """The company and the ledger of a text, for suggested commands."""

    #: profile of the company; empty for the default
    profile: str = ""
    #: set only where the settings of ``profile`` alone would not lead to this ledger
    ledger: str = ""
    #: whether the reader's shell is that of Windows
    windows: bool = False

    @classmethod
    def of(cls, arguments: list[str], *, windows: bool = False) -> Here:
        """Taken from the ``arguments`` of the command that was just typed: the next one needs the same."""
        found = {"--profile": "", "--ledger": ""}
        for place, word in enumerate(arguments):
            name, is_there, value = word.partition("=")
            if name in found:
                found[name] = value if is_there else next(iter(arguments[place + 1 : place + 2]), "")
        return cls(found["--profile"], found["--ledger"], windows)

    def complete(self, text: str) -> str:
        """``text`` with the options added to every command in it. A command that has them stays unchanged."""
        return _SUGGESTED.sub(self._whole, text) if "«anular" in text else text

    def complete_error(self, error: AnularError) -> AnularError:
        """Completes the commands in the text of ``error`` and returns it."""
        error.message, error.remedy = self.complete(error.message), self.complete(error.remedy)
        error.args = (error.sentence,)
        return error

    def _whole(self, found: re.Match[str]) -> str:
        try:
            words = shlex.split(found[1])
        except ValueError:
            return found[0]
        name = words[0] if words else "--help"
        of_all = name == "web" and "sender" not in words  # the page is that of every company
        if name not in _PLAIN and "--help" not in words and not of_all:
            if self.profile and "--profile" not in words:
                words += ["--profile", self.profile]
            if self.ledger and "--ledger" not in words and name not in _WITHOUT_LEDGER:
                words += ["--ledger", self.ledger]
        return f"«{' '.join(['anular', *map(self._quoted, words)])}»"

    def _quoted(self, word: str) -> str:
        if not self.windows:
            return shlex.quote(word)
        return word if re.fullmatch(r"[\w@%+=:,./\\-]+", word, re.ASCII) else f'"{word}"'
