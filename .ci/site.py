"""Hooks of the documentation site (mkdocs.yml): links as they lead on the site, and nothing from other hosts.

The pages are written to be read in the repository too, where a link may lead to any file of it. On the site a link to
a file that the site does not have becomes the file's path. What a page loads (scripts, styles, fonts, pictures) has to
be of the site itself: the build fails otherwise.
"""

from __future__ import annotations

import logging
import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

# Pages of the site that lie elsewhere in the repository.
FROM_ELSEWHERE = {
    "CHANGELOG.md": "dev/changelog.md",
    "CONTRIBUTING.md": "dev/contributing.md",
    "sample_data/README.md": "dev/sample-data.md",
}
AT_HOME = {page: place for place, page in FROM_ELSEWHERE.items()}
README, HOME = "README.md", "index.md"

FENCE = re.compile(r"^\s*(```|~~~)")
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
NOT_A_LIST = re.compile(r"<p>(?:(?!</p>).)*?\n(?:[-*] |\d+\. |\| ?-)", re.DOTALL)
LOADS = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*?\b(?:src|data)\s*=\s*["']?((?:https?:)?//[^"'\s>]+)"""
    r"""|<link\b(?![^>]*\brel=["']?(?:canonical|next|prev)\b)[^>]*?\bhref\s*=\s*["']?((?:https?:)?//[^"'\s>]+)"""
    r"""|(?:url\(|@import\s)\s*["']?((?:https?:)?//[^"'\s)]+)"""
)
SCRIPTS_OF_OTHERS = re.compile(r"https://(?:unpkg|cdn)\.[\w./@-]*")

log = logging.getLogger("mkdocs.hooks.site")


def led(markdown: str, place: str) -> str:
    """The page that lies at ``place`` in the repository, with each link as it leads from there on the site."""
    lines, fenced = [], False
    for line in markdown.split("\n"):
        if FENCE.match(line):
            fenced = not fenced
        lines.append(line if fenced else LINK.sub(lambda found: _link(found, place), line))
    return "\n".join(lines)


def _link(found: re.Match[str], place: str) -> str:
    picture, label, target = found.groups()
    if "://" in target or target.startswith(("#", "mailto:")):
        return found[0]
    path, hash_, anchor = target.partition("#")
    there = posixpath.normpath(posixpath.join(posixpath.dirname(place), path))
    page = page_at(there)
    if page is None:
        plain = label.strip("`")
        return f"`{there}`" if there.endswith(plain.strip("/")) else f"{label} (`{there}`)"
    here = page_at(place) or ""
    return f"{picture}[{label}]({posixpath.relpath(page, posixpath.dirname(here) or '.')}{hash_}{anchor})"


def page_at(place: str) -> str | None:
    """The page or file of the site that lies at ``place`` in the repository; None where the site has none."""
    if place in FROM_ELSEWHERE:
        return FROM_ELSEWHERE[place]
    if place == README:
        return HOME
    if not place.startswith("docs/"):
        return None
    inside = place.removeprefix("docs/")
    return f"{inside}/README.md" if (ROOT / place / "README.md").is_file() else inside


def from_other_hosts(text: str) -> list[str]:
    """What a page or a style loads from other hosts; links that a reader may follow are not among it."""
    return [next(filter(None, found)) for found in LOADS.findall(text)]


# ------------------------------------------------------------------------------------------------ called by mkdocs


def on_config(config: Any) -> Any:
    """The decisions of the folder follow their list."""
    pages = sorted(page.name for page in (ROOT / "docs/decisions").glob("[0-9]*.md"))
    for section in config.nav:
        if "Decisions" in section:
            section["Decisions"] += [f"decisions/{page}" for page in pages]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages that lie outside of docs/."""
    from mkdocs.structure.files import File

    for place, page in FROM_ELSEWHERE.items():
        files.append(File.generated(config, page, content=(ROOT / place).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Mends the links."""
    return led(markdown, AT_HOME.get(page.file.src_uri, f"docs/{page.file.src_uri}"))


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Warns of what was meant as a list or a table, but lacks the empty line before it."""
    if found := NOT_A_LIST.search(html):
        log.warning("%s: a list or table without an empty line before it: %s", page.file.src_uri, found[0][-160:])
    return html


def on_post_build(config: Any) -> None:
    """Takes out what the theme would fetch from other hosts, and fails when anything is left."""
    for path in sorted(Path(config.site_dir).rglob("*")):
        if path.suffix == ".map":
            path.unlink()
        elif path.suffix == ".js":
            text = path.read_text("utf-8")
            if mended := SCRIPTS_OF_OTHERS.sub("", text):
                path.write_text(mended.replace("\n//# sourceMappingURL=", "\n// "), "utf-8")
        elif path.suffix in (".html", ".css", ".svg") and (found := from_other_hosts(path.read_text("utf-8"))):
            log.warning("%s loads from other hosts: %s", path.relative_to(config.site_dir), ", ".join(found))
