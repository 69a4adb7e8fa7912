"""Workbooks by hand whose cells have looks: fonts, fills, formats, runs, comments, views, each as its own XML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from tests.corpus.parts import HEAD, MAIN, PACKAGE, RELATION, Content, packed, parts, sheet

THREADED = "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"
VIEWS = "http://schemas.microsoft.com/office/spreadsheetml/2019/namedsheetviews"


def looking(address: str, text: str, style: int | None = None) -> str:
    """A text cell of a style."""
    said = "" if style is None else f' s="{style}"'
    return f'<c r="{address}"{said} t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def in_runs(address: str, *runs: tuple[str, str], style: int = 0) -> str:
    """A text cell of runs: what each says of its font, and its text."""
    inside = "".join(f"<r><rPr>{font}</rPr><t>{escape(text)}</t></r>" for font, text in runs)
    return f'<c r="{address}" s="{style}" t="inlineStr"><is>{inside}</is></c>'


def row(number: int, *cells: str, attributes: str = "") -> str:
    return f'<row r="{number}"{attributes}>{"".join(cells)}</row>'


def styles(
    *xfs: str, fonts: Sequence[str] = (), fills: Sequence[str] = (), formats: Sequence[str] = (), parents: str = ""
) -> str:
    """The part of styles: fonts from number 1 on, fills from 2 on, formats from 164 on, ``xfs`` from 1 on."""
    made = "".join(
        f'<numFmt numFmtId="{164 + n}" formatCode="{escape(one, {chr(34): "&quot;"})}"/>'
        for n, one in enumerate(formats)
    )
    return (
        f'{HEAD}<styleSheet xmlns="{MAIN}"><numFmts>{made}</numFmts>'
        f'<fonts><font><sz val="11"/></font>{"".join(f"<font>{one}</font>" for one in fonts)}</fonts>'
        '<fills><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
        f"{''.join(f'<fill>{one}</fill>' for one in fills)}</fills>"
        f'<borders><border/></borders><cellStyleXfs><xf numFmtId="0" fontId="0" fillId="0"/>{parents}</cellStyleXfs>'
        f'<cellXfs><xf numFmtId="0" fontId="0" fillId="0" xfId="0"/>{"".join(f"<xf {one}/>" for one in xfs)}</cellXfs>'
        "</styleSheet>"
    )


def solid(colour: str) -> str:
    """A fill of one colour, given as its attribute."""
    return f'<patternFill patternType="solid"><fgColor {colour}/></patternFill>'


def comments(*said: tuple[str, str], author: str = "Ana") -> tuple[str, str]:
    """The part of comments: where, and what."""
    inside = "".join(
        f'<comment ref="{ref}" authorId="0"><text><r><t>{escape(text)}</t></r></text></comment>' for ref, text in said
    )
    return (
        "comments",
        f'{HEAD}<comments xmlns="{MAIN}"><authors><author>{author}</author></authors>'
        f"<commentList>{inside}</commentList></comments>",
    )


def thread(*said: tuple[str, str]) -> tuple[str, str]:
    """The part of threads: where, and what."""
    inside = "".join(
        f'<threadedComment ref="{ref}" id="{{1}}"><text>{escape(text)}</text></threadedComment>' for ref, text in said
    )
    return "threadedComment", f'{HEAD}<ThreadedComments xmlns="{THREADED}">{inside}</ThreadedComments>'


def view(name: str, *, filters: bool = True) -> tuple[str, str]:
    """A named view of the sheet, as Excel in the browser keeps it."""
    wanted = f'<x:filters xmlns:x="{MAIN}"><x:filter val="a"/></x:filters>'
    column = f'<columnFilter colId="2"><filter colId="2">{wanted}</filter></columnFilter>'
    inside = column if filters else "<sortRules/>"
    return (
        "namedSheetView",
        f'{HEAD}<namedSheetViews xmlns="{VIEWS}"><namedSheetView name="{name}">'
        f'<nsvFilter ref="A1:C5">{inside}</nsvFilter></namedSheetView></namedSheetViews>',
    )


def dressed(
    *rows: str,
    looks: str = "",
    strings: str = "",
    theme: str = "",
    beside: Sequence[tuple[str, str]] = (),
    before: str = "",
    after: str = "",
    more: Mapping[str, Content] | None = None,
) -> bytes:
    """A workbook of one sheet, with these parts of its own and ``beside`` the sheet."""
    made = parts(sheet(*rows, before=before, after=after))
    links = {"styles": looks, "sharedStrings": strings, "theme": theme}
    inside = "".join(
        f'<Relationship Id="rId9{n}" Type="{RELATION}/{kind}" Target="{kind}.xml"/>'
        for n, (kind, content) in enumerate(links.items())
        if content
    )
    relations = str(made["xl/_rels/workbook.xml.rels"]).replace("</Relationships>", f"{inside}</Relationships>")
    own = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATION}/{kind}" Target="../{kind}{n}.xml"/>'
        for n, (kind, _) in enumerate(beside)
    )
    own = f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{own}</Relationships>'
    return packed(
        {
            **made,
            "xl/_rels/workbook.xml.rels": relations,
            **{f"xl/{kind}.xml": content for kind, content in links.items() if content},
            "xl/worksheets/_rels/sheet1.xml.rels": own,
            **{f"xl/{kind}{n}.xml": content for n, (kind, content) in enumerate(beside)},
            **(more or {}),
        }
    )
