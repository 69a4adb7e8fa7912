"""``anular template``: writes the empty workbook to fill in."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.context import Talk, settings_for
from pipeline.cli.options import Json, Profile
from pipeline.domain.commands import order
from pipeline.domain.errors import WrongUsage

_DEFAULT = Path("plantilla.xlsx")


def write_plantilla(
    file: Annotated[
        Path, typer.Argument(metavar="[ARCHIVO]", help="Cómo se llama el libro nuevo; termina en .xlsx.")
    ] = _DEFAULT,
    as_json: Json = False,
    profile: Profile = "",
) -> int:
    """Escribe la plantilla: un libro vacío con los títulos, que en Excel revisa lo que se escribe en él."""
    from pipeline.report.template import write_template
    from pipeline.runtime.os_error import os_words

    settings, talk = settings_for(profile, ""), Talk(as_json)
    if file.is_dir():
        raise WrongUsage(
            f"«{file}» es una carpeta, y aquí va el nombre del libro nuevo.",
            code="template-name",
            remedy=f"Use por ejemplo {order('template', file / _DEFAULT)}.",
        )
    if file.suffix.lower() != ".xlsx":
        known = file.suffix.lower() in (".xls", ".xlsm", ".xlsb", ".csv", ".ods")
        better = file.with_suffix(".xlsx") if known else file.with_name(f"{file.name}.xlsx")
        raise WrongUsage(
            f"La plantilla es un libro de Excel y «{file.name}» no termina en .xlsx.",
            code="template-name",
            remedy=f"Use por ejemplo {order('template', better)}.",
        )
    content = io.BytesIO()
    write_template(content, settings.company)
    path = file.absolute()
    try:
        with path.open("xb") as target:  # never over another file
            target.write(content.getvalue())
    except FileExistsError:
        other = file.with_name(f"{file.stem} nueva{file.suffix}")
        raise WrongUsage(
            "Ya existe un archivo con ese nombre; no se cambió.",
            code="template-exists",
            where=str(path),
            remedy=f"Use otro nombre, por ejemplo {order('template', other)}.",
        ) from None
    except OSError as error:
        raise WrongUsage(
            f"No se pudo escribir la plantilla: {os_words(error)}.",
            code="template-not-written",
            where=str(path),
            remedy="Revise que la carpeta exista y que se pueda escribir en ella.",
        ) from error
    talk.out.print(f"Plantilla: {path}", markup=False, soft_wrap=True)
    talk.out.print(f"Llénela en Excel y revísela con {order('check', file)}; no se envía nada.", markup=False)
    talk.data({"template": str(path)})
    return 0
