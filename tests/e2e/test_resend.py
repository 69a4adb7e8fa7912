"""`anular resend`: a person's explicit resend of one row, never in bulk, never beside something in flight."""

from __future__ import annotations

import pytest

REASON_OF_FILE = "Factura emitida con el monto equivocado"
REASON = "Soporte de eDoc confirmó que no se recibió, caso 4471"


def resend(place, batch, row, *more):
    return place.anular("resend", batch, "--row", row, "--by", "Ana", "--reason", REASON, "--json", *more)


def test_each_row_is_resent_only_when_it_may_be(place, cufe):
    """000: done. 930: lost, never found. 931: lost, but cancelled. 950: in flight. 906: returned. 951: alive."""
    scenarios = ["000", "930", "931", "950", "906", "951"]
    batch = place.anular("run", place.batch(scenarios), "--yes", "--no-poll", "--json").data[0]["batch"]
    codes = [cufe(n, scenario) for n, scenario in enumerate(scenarios, start=1)]
    assert [place.posts()[code] for code in codes] == [1, 1, 1, 1, 1, 1]

    lost = resend(place, batch, 3)
    assert (lost.code, "No se cambió nada" in lost.err, place.posts()[codes[1]]) == (2, True, 1)
    lost = resend(place, batch, 3, "--confirm", codes[1][-8:])
    assert (lost.data[0]["outcomes"]["ANULADA"], place.posts()[codes[1]]) == (2, 2)
    row = place.rows()[1]
    assert row["resultado"] == "ANULADA"
    assert "Intentos de envío: 2." in row["observaciones"]
    assert "Decisión de Ana: Reenvío autorizado [resend]; consulta previa: 18" in row["observaciones"]

    found = resend(place, batch, 4)
    assert "Ya está anulada" in found.err
    assert found.data[0]["outcomes"]["ANULADA"] == 3

    flying = resend(place, batch, 5, "--confirm", codes[3][-8:])
    assert (flying.code, "en trámite" in flying.err) == (4, True)
    assert resend(place, batch, 6, "--confirm", codes[4][-8:]).data[0]["outcomes"]["ANULADA"] == 4
    alive = resend(place, batch, 7)  # eDoc says 2; the typed end of the code is wanted all the same
    assert (alive.code, "No se cambió nada" in alive.err) == (2, True)
    assert "no se puede reenviar" in resend(place, batch, 2, "--confirm", codes[0][-8:]).err

    assert place.anular("verify").code == 0
    assert place.anular("run", place.folder / "lote.xlsx", "--yes", "--no-poll").code == 4
    assert [place.posts()[code] for code in codes] == [1, 2, 1, 1, 2, 1]


NEW = "Monto equivocado: se facturó dos veces el flete"


@pytest.mark.long
def test_what_was_given_back_is_corrected_and_sent_again_row_by_row(place, cufe):
    """906: the authority gave it back (6). 915: eDoc did (15). 904: an error of eDoc, whose texts stay."""
    scenarios = ["906", "915", "904"]
    batch = place.anular("run", place.batch(scenarios), "--yes", "--no-poll", "--json").data[0]["batch"]
    codes = [cufe(n, scenario) for n, scenario in enumerate(scenarios, start=1)]

    short = resend(place, batch, 2, "--confirm", codes[0][-8:], "--new-reason", "corto")
    assert (short.code, "--new-reason: El motivo es demasiado corto" in short.err) == (2, True)
    other = resend(place, batch, 4, "--confirm", codes[2][-8:], "--new-reason", NEW)
    assert (other.code, "Solo se corrige" in other.err) == (2, True)
    unsigned = resend(place, batch, 2, "--new-reason", NEW)
    assert (unsigned.code, "Motivo nuevo" in unsigned.err, NEW in unsigned.err) == (2, True, True)
    assert place.posts().total() == 3

    for row, code in ((2, codes[0]), (3, codes[1])):
        more = ("--new-reason", NEW, "--new-email", "contabilidad@empresa.com")
        assert resend(place, batch, row, "--confirm", code[-8:], *more).data[0]["outcomes"]["ANULADA"] == row - 1
    assert [place.posts()[code] for code in codes] == [2, 2, 1]
    for row in place.rows()[:2]:
        assert row["resultado"] == "ANULADA"
        assert f"Se reenvió con otro motivo: «{NEW}» (antes «{REASON_OF_FILE}»)." in row["observaciones"]
        assert "Se reenvió con otro correo: «contabilidad@empresa.com» (antes ninguno)." in row["observaciones"]
    assert place.anular("verify").code == 0
    pack = place.anular("report", batch, "--evidence")
    assert pack.code in (0, 1)
    (path,) = (place.folder / "out").glob("*evidencia.zip")
    assert place.anular("verify", path).code == 0
