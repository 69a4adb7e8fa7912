"""Makes a picture of what a command printed: colours as on a terminal in, SVG out. Called by .ci/pictures.

usage: python .ci/terminal.py TITLE FIRST LAST < OUTPUT > PICTURE      lines FIRST to LAST, each a part of a line

The picture names a font of the reader's machine and loads nothing.
"""

from __future__ import annotations

import io
import sys

from rich.console import Console
from rich.text import Text

WIDTH = 118  # columns; what is longer is cut

# rich's own, without the fonts that it fetches from another host
SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<style>
.{unique_id}-matrix {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {char_height}px;
line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: arial; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />\
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""


def part(lines: list[str], first: str, last: str) -> list[str]:
    """The lines from the one with ``first`` in it to the next one with ``last``. Raises ``ValueError`` without them."""
    start = next((n for n, line in enumerate(lines) if first in line), None)
    if start is None:
        raise ValueError(f"no line with {first!r}")
    stop = next((n for n, line in enumerate(lines) if n >= start and last in line), None)
    if stop is None:
        raise ValueError(f"no line with {last!r} after it")
    return lines[start : stop + 1]


def picture(title: str, lines: list[str]) -> str:
    """An SVG of ``lines``, which may hold colours of a terminal."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in [*lines, ""]:  # below the last line there has to be room for what hangs from it
        text = Text.from_ansi(line)
        text.rstrip()
        text.truncate(WIDTH - 1, overflow="ellipsis")
        console.print(text, no_wrap=True, highlight=False)
    return console.export_svg(title=title, code_format=SVG, unique_id="terminal")


def main(title: str, first: str, last: str) -> None:
    """The picture of a part of standard input."""
    sys.stdout.write(picture(title, part(sys.stdin.read().splitlines(), first, last)))


if __name__ == "__main__":
    main(*sys.argv[1:])
