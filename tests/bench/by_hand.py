"""The script that a user would write: requests and openpyxl, one row after the other.

``python by_hand.py ADDRESS IN.xlsx OUT.xlsx``. It keeps no ledger: what it lost when it breaks off, nobody knows.
"""

from __future__ import annotations

import importlib
import sys

from openpyxl import Workbook, load_workbook

requests = importlib.import_module("requests")  # installed beside the benchmarks, not with the project


def main(address: str, source: str, target: str) -> None:
    rows = load_workbook(source, read_only=True).worksheets[0].iter_rows(min_row=2, values_only=True)
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["CUFE", "Motivo", "Correo", "Cliente", "Monto", "HTTP", "Estado", "Mensaje"])
    session = requests.Session()
    session.headers["Authorization"] = "Bearer t"
    for row in rows:
        fields = {"cufe": row[0], "motivoAnulacion": row[1], "correoNotificacion": row[2]}
        answer = session.post(address, json=fields, timeout=60)
        said = answer.json()
        sheet.append([*row, answer.status_code, said["estado"], said["MensajeRespuesta"]])
    book.save(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
