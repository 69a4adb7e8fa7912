"""Commands that a text suggests: begun here alone, completed for whoever reads it, quoted for the shell that he has.

A text says ``order("poll", batch)``, which reads «anular poll LOTE»; where it is shown to a person, ``Here.complete``
adds what leads to the same company and the same ledger. So a suggestion that is typed word by word does what the text
says, and not the same under another credential or beside another memory (eyes.md 2).
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from pipeline.domain.errors import AnularError

_SUGGESTED = re.compile(r"«anular((?: (?:'[^']*'|\"[^\"]*\"|[^'\"»])*)?)»")
_PLAIN = frozenset({"help", "--help", "--version", "sandbox"})
_WITHOUT_LEDGER = frozenset({"login", "logout", "ledger", "init", "template"})


def order(*words: object) -> str:
    """«anular …» with these words, each of which reaches the program as it is."""
    return f"«{' '.join(['anular', *(shlex.quote(str(word)) for word in words)])}»"


@dataclass(frozen=True, slots=True)
class Here:
    """Which company and which ledger a text speaks of, for whoever follows it elsewhere: ``ledger`` only where the
    settings of ``profile`` alone would not lead there. ``windows``: the reader's shell is Windows' own."""

    profile: str = ""
    ledger: str = ""
    windows: bool = False

    @classmethod
    def of(cls, arguments: list[str], *, windows: bool = False) -> Here:
        """What the person at this terminal gave to the command that he typed: he will type the next one here too."""
        found = {"--profile": "", "--ledger": ""}
        for place, word in enumerate(arguments):
            name, is_there, value = word.partition("=")
            if name in found:
                found[name] = value if is_there else next(iter(arguments[place + 1 : place + 2]), "")
        return cls(found["--profile"], found["--ledger"], windows)

    def complete(self, text: str) -> str:
        """``text`` with every command in it whole. What is whole already stays as it is."""
        return _SUGGESTED.sub(self._whole, text) if "«anular" in text else text

    def told(self, error: AnularError) -> AnularError:
        """The same error, its words completed."""
        error.message, error.remedy = self.complete(error.message), self.complete(error.remedy)
        error.args = (error.sentence,)
        return error

    def _whole(self, found: re.Match[str]) -> str:
        try:
            words = shlex.split(found[1])
        except ValueError:
            return found[0]
        name = words[0] if words else "--help"
        if name not in _PLAIN and "--help" not in words:
            if self.profile and "--profile" not in words:
                words += ["--profile", self.profile]
            if self.ledger and "--ledger" not in words and name not in _WITHOUT_LEDGER:
                words += ["--ledger", self.ledger]
        return f"«{' '.join(['anular', *map(self._quoted, words)])}»"

    def _quoted(self, word: str) -> str:
        if not self.windows:
            return shlex.quote(word)
        return word if re.fullmatch(r"[\w@%+=:,./\\-]+", word, re.ASCII) else f'"{word}"'
