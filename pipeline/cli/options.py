"""Arguments and options that several commands share, with their help texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Files = Annotated[list[Path], typer.Argument(metavar="ARCHIVO...", help="Uno o más archivos CSV o XLSX.")]
Json = Annotated[bool, typer.Option("--json", help="Responde en JSON por la salida estándar.")]
Profile = Annotated[str, typer.Option("--profile", metavar="NOMBRE", help="Perfil del archivo de configuración.")]
Ledger = Annotated[
    str,
    typer.Option(
        "--ledger",
        metavar="URL",
        help="Historial de envíos que se usa: sqlite:////ruta/completa o postgresql+psycopg://usuario@servidor/base.",
    ),
]
SheetName = Annotated[str, typer.Option("--sheet", metavar="HOJA", help="Hoja del libro que se lee.")]
Columns = Annotated[
    str,
    typer.Option(
        "--columns",
        metavar="CUÁLES",
        help="Qué columna es cada una, con su letra o su título: cufe=H,motivo=I,correo=J. Manda sobre los títulos.",
    ),
]
Hidden = Annotated[
    bool,
    typer.Option("--include-hidden", help="Incluye lo oculto, filtrado o que no se ve; «run» pide confirmar."),
]
HiddenCount = Annotated[
    int | None,
    typer.Option(
        "--hidden-count", metavar="N", min=1, help="Cuántas filas, columnas y celdas no se ven, donde no hay terminal."
    ),
]
FarRows = Annotated[
    int | None,
    typer.Option(
        "--far-rows",
        metavar="N",
        min=1,
        help="Cuántas filas hay después de más de 20 filas vacías, que también se incluyen.",
    ),
]
IgnoreViews = Annotated[
    bool, typer.Option("--ignore-views", help="Incluye todas las filas aunque el libro tenga vistas que filtran.")
]
Formulas = Annotated[
    bool, typer.Option("--accept-formulas", help="Toma el texto que cada fórmula tenía al guardar el libro.")
]
BadDigit = Annotated[
    bool, typer.Option("--allow-bad-check-digit", help="Acepta CUFE cuyo dígito verificador no coincide.")
]
NewLedger = Annotated[
    bool,
    typer.Option(
        "--new-ledger",
        help="El historial de envíos anterior se perdió: sigue sin él y consulta cada documento antes de anularlo.",
    ),
]
KnownElsewhere = Annotated[
    int | None,
    typer.Option(
        "--known-elsewhere",
        metavar="N",
        min=1,
        help="Envía también las N facturas ya enviadas según otro historial de este equipo; antes consulta cada una.",
    ),
]
Restored = Annotated[
    bool,
    typer.Option(
        "--restored",
        help="Es un respaldo restaurado o una réplica ascendida: desde ahora vale este, en todos los equipos.",
    ),
]
BatchId = Annotated[str, typer.Argument(metavar="LOTE", help="El lote, con el número que muestra «status».")]
RowName = Annotated[
    str,
    typer.Option(
        "--row", metavar="FILA", help="La fila, como la muestra «Fila» («Noviembre, fila 21») o su número (21)."
    ),
]
Who = Annotated[str, typer.Option("--by", metavar="QUIÉN", help="Quién decide; queda en el historial de envíos.")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXTO", help="Por qué; queda en el historial de envíos.")]
Yes = Annotated[bool, typer.Option("--yes", help="No pregunta antes de enviar.")]
NoPoll = Annotated[bool, typer.Option("--no-poll", help="Termina después de enviar, sin consultar.")]
Confirm = Annotated[
    str, typer.Option("--confirm", metavar="ÚLTIMOS8", help="Últimos 8 caracteres del CUFE, donde no hay terminal.")
]
