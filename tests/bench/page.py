"""The results as lines of JSON, and the page that people read: ``docs/rendimiento.md``, in Spanish."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench.runner import BUILD, Figure, Scale, build

ANALYSIS = Path(__file__).with_name("analisis.md")
_LIBRARIES = ("httpx", "httpcore", "pandas", "pandera", "openpyxl", "python-calamine", "sqlalchemy")

TITLES = {
    "start": "Arranque",
    "rate": "Uso del ritmo permitido",
    "submit": "Envío sin límite de ritmo",
    "rivals": "El comando completo, frente a lo que se usaría en su lugar",
    "files": "Leer y validar",
    "reporting": "El libro de resultados",
    "memory": "Memoria",
    "restart": "Volver a empezar con un historial de envíos grande",
    "growth": "Crecimiento",
    "companies": "Muchas empresas en un PostgreSQL",
    "cuts": "Cortes de energía",
    "access": "Un nombre conocido y uno desconocido",
    "page": "La página",
    "page-server": "La página en PostgreSQL",
}
ABOUT = {
    "start": "Un comando frente a importar solo las bibliotecas sin las que no puede trabajar; `anular --help`, "
    "además, frente a un Python que no hace nada. `status` muestra un historial de envíos de un lote; `check` lee y "
    "valida 120 filas y escribe su libro de revisión.",
    "rate": "Cuántas de las solicitudes permitidas llegan en 30 segundos, según el diario del servidor, que "
    "contesta 429 a quien pase del ritmo más una en cualquier segundo. Al lado, el bucle que se suele "
    "escribir: enviar y dormir un intervalo.",
    "submit": "Un servidor que tarda 50 ms. Lo nuestro guarda en disco cada intención antes de enviarla y cada "
    "resultado antes de contarlo, y abre una conexión por anulación; al lado, un bucle de httpx sin "
    "historial de envíos, con conexiones que se reutilizan, repartido entre tantos clientes como mejor le vaya. "
    "`sockets` es el piso: solicitudes escritas a mano en conexiones abiertas. La otra fila de httpx abre, como lo "
    "nuestro, una conexión por solicitud.",
    "rivals": "Mil filas, servidor de 50 ms, 32 en vuelo: leer el Excel, validar, enviar, guardar y escribir el "
    "libro. `newman` y el programa con `requests` envían de una en una; `xargs -P 32 curl` no lee ni "
    "escribe Excel. Ninguno de los tres lleva historial de envíos.",
    "files": "Del archivo a un veredicto por fila, con todas las comprobaciones, frente a lo mínimo de dos "
    "bibliotecas: pandas con calamine y un esquema de pandera de tres expresiones; y frente a pandas con "
    "openpyxl.",
    "reporting": "Del historial de envíos al libro publicado (escrito, leído de nuevo, comparado y sincronizado), "
    "frente a openpyxl en modo solo escritura con las mismas celdas ya en memoria, sin formato y sin comprobar "
    "nada.",
    "memory": "`anular run` con todos los pasos; la memoria residente máxima según el núcleo del sistema.",
    "restart": "Un historial de envíos con filas ya anuladas en 361 lotes, y un archivo nuevo de 20 filas: del comando "
    "a la primera solicitud que llega. Y lo que tarda `anular status`, la primera vez que alguien mira y después.",
    "growth": "Lo que cuesta una fila según cuántas haya. Una razón cercana a 1 significa que el costo por fila no "
    "crece.",
    "companies": "Doscientas empresas con sus 2,000 lotes en un PostgreSQL de este mismo equipo, cada una con su "
    "ritmo de 5 solicitudes por segundo, contra el eDoc de la medición.",
    "cuts": "La energía se corta en un momento al azar de las transacciones del programa, en el modelo de un disco que "
    "pierde, rompe o devuelve lo que no se había sincronizado; después se compara lo que queda con lo que se había "
    "confirmado. Es una muestra: `make powercuts` corta 50,000 veces en cada modo ([fiabilidad](fiabilidad.md)).",
    "access": "Quien prueba nombres en la página no aprende del tiempo cuáles existen: el mismo trabajo para un "
    "usuario o un RUC que existe y para otro que no. Cuenta la mediana de 60 solicitudes en un proceso propio, "
    "sin red.",
    "page": "`anular web` con un historial de envíos de 1,000,000 de filas en 361 lotes, el último de 100,000, en un "
    "archivo SQLite. Quien mira usa HTTP como un navegador; cuenta el 95 % más rápido de las visitas. Las páginas "
    "abiertas siguen el avance de un lote hasta su final, y todas lo ven.",
    "page-server": "Lo que solo se lee, con el mismo historial de envíos y la base de datos de la oficina en un "
    "PostgreSQL de este equipo, adonde los lleva `anular ledger copy`.",
}


def keep(name: str, figures: Sequence[Figure], *, scale: Scale, seconds: float) -> None:
    """``build/bench/NAME.jsonl``: first how it was measured, then a line per figure."""
    told = {"quick": scale.quick, "turns": scale.turns, "seconds": round(seconds, 1)}
    head = {"bench": name, **told, "machine": machine()}
    lines = [json.dumps(head, ensure_ascii=False), *(figure.as_line() for figure in figures)]
    (build() / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "when": datetime.now(UTC).strftime("%d/%m/%Y"),
        "cores": os.cpu_count(),
        "memory_gb": round(pages / 1e9),
        "system": platform.system(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def read(name: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    path = BUILD / f"{name}.jsonl"
    if not path.exists():
        return None
    head, *figures = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return head, figures


def complete(names: Sequence[str]) -> bool:
    """Every benchmark was run in full size."""
    found = [read(name) for name in names]
    return all(one is not None and not one[0]["quick"] for one in found)


def render(names: Sequence[str]) -> str:
    found = {name: told for name in names if (told := read(name)) is not None}
    parts = [_INTRODUCTION, _machine(found), _goals(found)]
    for name, (head, figures) in found.items():
        parts.append(f"## {TITLES[name]}\n\n{ABOUT[name]}\n\n{_table(figures)}\n\n{_order(name, head)}")
    if ANALYSIS.exists():
        parts.append(ANALYSIS.read_text(encoding="utf-8").strip())
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = """# Rendimiento

Para quien opera el programa: qué tan cerca está de lo que permiten la red y las bibliotecas, y qué no alcanza. Esta
página la escribe `make bench`; no se edita a mano.

**Cómo se mide.** Cada cosa se mide junto a su piso y junto a lo que se usaría en su lugar, en la misma ejecución, por
turnos (A B C A B C…), cada una en su propio proceso; cuenta la mediana y se comparan las medianas. El servidor es
otro proceso, escrito sobre asyncio sin nada más, que sigue el paso del más rápido. Los segundos son de este equipo;
lo que vale en otro son las razones. `make bench ARGS=submit` mide una sola parte; `QUICK=1` solo prueba que todo
funciona."""


def _machine(found: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]) -> str:
    if not found:
        return "Aún no se ha medido nada."
    host = next(iter(found.values()))[0]["machine"]
    libraries = ", ".join(f"{name} {number}" for name, number in host["libraries"].items())
    loads = [head["machine"]["load"] for head, _ in found.values()]
    return (
        f"**El equipo.** {host['cores']} núcleos, {host['memory_gb']} GB, {host['system']}, Python {host['python']}; "
        f"{libraries}. Medido el {host['when']}; carga del sistema al terminar cada parte: de {_number(min(loads))} a "
        f"{_number(max(loads))} (incluye lo que otros programas usaban a la vez)."
    )


def _goals(found: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]) -> str:
    lines = ["## Metas", "", "| cifra | valor | meta | |", "|---|---|---|---|"]
    for _, figures in found.values():
        for one in figures:
            if one["goal"] is not None:
                sign, limit = one["goal"]
                mark = "✓ cumplida" if one["met"] else "✗ **no alcanzada**"
                what = f"{one['case']}: {one['name']}"
                lines.append(
                    f"| {what} | {_number(one['value'])} | {'≥' if sign == '>=' else '≤'} {_number(limit)} | {mark} |"
                )
    return "\n".join(lines)


def _table(figures: list[dict[str, Any]]) -> str:
    lines = ["| | medianas | razón |", "|---|---|---|"]
    for one in figures:
        values = " · ".join(f"{way}: {_number(value)}" for way, value in one["medians"].items())
        ratio = f"{one['name']} = {_number(one['value'])}" if one["value"] is not None and " ÷ " in one["name"] else ""
        lines.append(f"| {one['case']} | {values} {one['unit']} | {ratio} |")
    return "\n".join(lines)


def _order(name: str, head: dict[str, Any]) -> str:
    quick = " **Prueba rápida: estas cifras no significan nada.**" if head["quick"] else ""
    turns = f", {head['turns']} turnos como mucho" if "turns" in head else ""
    return f"Comando: `make bench ARGS={name}` (tardó {_number(head['seconds'])} s{turns}).{quick}"


def _number(value: float) -> str:
    """Three or four digits that matter; thousands with a comma as in the rest of the documents."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
