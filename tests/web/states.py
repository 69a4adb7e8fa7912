"""Every screen of the page in each of its states (empty, full, loading, error), made in a ``House``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from pipeline.approvals.store import Proposal
from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Finding, Source
from tests.support.browsing import Shown
from tests.support.pages import PASSWORD, SAMPLES, House
from tests.web.test_batches import approved, sending, sent, stopped
from tests.web.test_factors import set_up
from tests.web.test_proposals import ISSUER, OTHER, cufe, draft, hand_in, number_of, table, waiting


@dataclass(frozen=True)
class State:
    """A screen in one state, and how a browser gets there."""

    name: str
    path: str
    #: user name; "" for nobody
    who: str = ""
    #: typed or chosen before the form is sent, by the id of the field; {} sends it as it is, None not at all
    given: Mapping[str, str] | None = None
    #: the form that is sent
    form: str = "main form"
    #: something is wrong on it: its title begins with «Error:»
    wrong: bool = False
    #: what stands there; "" for anything
    words: str = ""
    #: replaced while it is asked for: object, name, value
    under: tuple[Any, str, Any] | None = field(default=None, compare=False)


WRONG = "no es esta frase"
EMPTY: Mapping[str, str] = {}
LONG_NAME = "anulaciones de noviembre de 2026 de todas las sucursales, revisado por contabilidad (final) v3.csv"


def states(shown: Shown) -> list[State]:
    """All of them. What they need is made first; nothing on the way to one changes another one."""
    strangers, accounts, batches = _strangers(shown), _accounts(shown), _batches(shown)
    files = _files(shown)  # after the batches: what is approved here is sent by nobody
    return [*strangers, *accounts, *files, *batches, *_certificates(shown), *_help()]


# --- log-in and accounts


def _strangers(shown: Shown) -> list[State]:
    from pipeline.web.access import first as first_pages
    from pipeline.web.access import links
    from pipeline.web.models import LinkKind

    house = shown.house
    asked = _request(house, "Marta Ríos", hours=0)
    late = _request(house, "Raúl Paz", hours=121)
    refused = _request(house, "Sara Gil", hours=30, state="rechazada", why="No trabaja en esta empresa")
    where = {one: _path(shown, links.make(LinkKind.REQUEST, request=one)[0]) for one in (asked, late, refused)}
    reset = _path(shown, links.make(LinkKind.RESET, person=house.person("olga"))[0])
    first = _path(shown, links.make(LinkKind.SET_UP)[0])
    nobody = (first_pages, "Person", SimpleNamespace(objects=SimpleNamespace(exists=lambda: False)))
    new = {"ruc": ISSUER, "nombre": "Iris Vega", "correo": "iris@empresa.example"}
    return [
        State("log-in", "/entrar", words="¿Olvidó su usuario?"),
        State("log-in, nothing typed", "/entrar", given=EMPTY, wrong=True, words="Escriba su usuario."),
        State("log-in, wrong", "/entrar", given={"usuario": "nadie", "clave": WRONG}, wrong=True),
        State("session over", "/entrar?termino=1"),
        State("user forgotten", "/entrar/olvide-usuario"),
        State("user forgotten, nothing typed", "/entrar/olvide-usuario", given=EMPTY, wrong=True),
        State("user forgotten, answered", "/entrar/olvide-usuario", given={"ruc": ISSUER}, words="lo administra"),
        State("password forgotten", "/entrar/olvide-clave"),
        State("password forgotten, nothing typed", "/entrar/olvide-clave", given=EMPTY, wrong=True),
        State("password forgotten, answered", "/entrar/olvide-clave", given={"usuario": "ana"}),
        State("access asked for", "/entrar/solicitar"),
        State("access, nothing typed", "/entrar/solicitar", given=EMPTY, wrong=True),
        State("access, received", "/entrar/solicitar", given={**new, "papel_0": "on"}, words="Solicitud recibida"),
        State("access, waiting", where[asked], words="Respuesta habitual"),
        State("access, late", where[late], words="Pasó el plazo"),
        State("access, refused", where[refused], words="No trabaja en esta empresa"),
        State("dead link", "/entrar/clave/nada", words="Este enlace ya no sirve. Pida otro."),
        State("own password chosen", reset),
        State("own password, too short", reset, given={"nueva": "corta", "otra": "otra"}, wrong=True),
        State("first time", first, words="Usted será el administrador", under=nobody),
        State("first time, nothing typed", first, given=EMPTY, wrong=True, under=nobody),
        State("first time, link used", "/inicio/nada", words="Ejecute anular web de nuevo."),
        State("not there", "/nada"),
    ]


def _path(shown: Shown, address: str) -> str:
    return address.removeprefix(shown.url)


def _request(house: House, name: str, *, hours: int, state: str = "recibida", why: str = "") -> Any:
    from pipeline.web.models import AccessRequest

    return AccessRequest.objects.create(
        ruc=ISSUER, profile="istmo", name=name, email=f"{name.split()[0].lower()}@empresa.example", role="consulta",
        state=state, why=why, at=house.clock.now() - timedelta(hours=hours),
    )  # fmt: skip


def _accounts(shown: Shown) -> list[State]:
    from pipeline.web.access import links
    from pipeline.web.models import AccessRequest, LinkKind

    house = shown.house
    set_up(house.client("nadie"))
    new_mail = _path(shown, links.make(LinkKind.MAIL, person=house.person("ana"), email="ana@otro.example")[0])
    ana, asked = house.person("ana"), AccessRequest.objects.get(name="Raúl Paz")
    return [
        State("account", "/cuenta", "ana", words="Mis sesiones"),
        State("password changed", "/cuenta/clave", "ana"),
        State("password, present one wrong", "/cuenta/clave", "ana", given={"actual": WRONG, "nueva": "a"}, wrong=True),
        State("second factor", "/cuenta/segundo-factor", "ana", words="Aplicación de códigos"),
        State("second factor, wrong code", "/cuenta/segundo-factor", "ana", given={"codigo": "000000"}, wrong=True),
        State("second factor asked for", "/entrar", given={"usuario": "nadie", "clave": PASSWORD}, words="6 dígitos"),
        State(
            "recovery codes", "/cuenta/segundo-factor", "nadie", given=EMPTY, form="[action$=codigos]", words="Ya los"
        ),
        State("mail address", "/cuenta/correo", "ana"),
        State("mail address confirmed", new_mail, words="correo"),
        State("confirmed", "/entrar/confirmar?siguiente=/cuenta", "ana"),
        State("confirmed, nothing typed", "/entrar/confirmar?siguiente=/cuenta", "ana", given=EMPTY, wrong=True),
        State("people", "/usuarios", "admin", words="pasó el plazo máximo"),
        State("person", f"/usuarios/{ana.pk}", "admin"),
        State(
            "oneself", f"/usuarios/{house.person('admin').pk}", "admin", words="No puede cambiar sus propios papeles"
        ),
        State("invitation", "/usuarios/invitar", "admin"),
        State("invitation of who asked", f"/usuarios/invitar?solicitud={asked.pk}", "admin", words="Invitar"),
        State("invitation, nothing typed", "/usuarios/invitar", "admin", given=EMPTY, wrong=True),
        State("request refused", f"/usuarios/solicitudes/{asked.pk}", "admin"),
        State(
            "request refused without a reason", f"/usuarios/solicitudes/{asked.pk}", "admin", given=EMPTY, wrong=True
        ),
        State("log of accesses", "/bitacora", "admin"),
        State("log of accesses, nothing found", "/bitacora?quien=ninguno", "admin", words="Nada con ese filtro."),
        State("settings", "/configuracion", "admin", words="ANULAR_RATE"),
        State("no permission", "/usuarios", "marta", words="No tiene permiso"),
        State("start of who administers", "/", "admin"),
    ]


# --- files and proposals


def _files(shown: Shown) -> list[State]:
    house = shown.house
    ana = house.client("ana")
    review = number_of(hand_in(ana, (SAMPLES / "lote_mensual.xlsx").read_bytes(), LONG_NAME.replace(".csv", ".xlsx")))
    faulty = number_of(hand_in(ana, (SAMPLES / "lote_con_errores.xlsx").read_bytes(), "errores.xlsx"))
    none = draft(house, "FE0120")
    unusable = number_of(hand_in(ana, b"CUFE,Motivo\n", "vacio.csv"))
    columns = number_of(hand_in(ana, b"Nota,Cosa\n1,2\n", "columnas.csv"))
    checking = _checking(house)
    waits = waiting(house, cufe(500), cufe(501, OTHER))
    declined = waiting(house, cufe(510))
    house.client("luis").post(f"/propuestas/{declined.id}/no-aprobar", {"motivo": "El emisor no es de este mes"})
    yes = approved(house, 520, 521)
    approve = f"/propuestas/{waits.id}/aprobar"
    busy = (house.site.readers, "ask", lambda *_: None)
    return [
        State("start, nothing yet", "/", "olga", words="Todavía no hay lotes."),
        State("start", "/", "ana", words="Lotes recientes"),
        State("start of who approves", "/", "luis", words="Por aprobar"),
        State("start without a company", "/", "nadie", words="Usted todavía no tiene un papel"),
        State("file", "/cargar", "ana"),
        State("file, none chosen", "/cargar", "ana", given=EMPTY, wrong=True, words="Elija un archivo."),
        State("file, corrected", f"/cargar?de={unusable}", "ana", words="Es el archivo corregido"),
        State("review", f"/propuestas/{review}", "ana", words="Enviar a aprobación"),
        State("review, faults", f"/propuestas/{faulty}", "ana"),
        State("review, rows of a cause", f"/propuestas/{faulty}/filas?problema=cufe-verificador", "ana"),
        State("review, no row", f"/propuestas/{none.id}", "ana", words="Ninguna fila se puede enviar."),
        State("review, being made", f"/propuestas/{checking.id}", "ana", words="Revisando", under=busy),
        State("review, file refused", f"/propuestas/{unusable}", "ana", wrong=True, words="No se puede usar"),
        State("review, columns not found", f"/propuestas/{columns}", "ana", wrong=True),
        State("review, waits", f"/propuestas/{waits.id}", "ana", words="La aprueba otra persona"),
        State("review, not approved", f"/propuestas/{declined.id}", "ana", words="El emisor no es de este mes"),
        State("review, approved", f"/propuestas/{yes.id}", "ana", words="Aprobada"),
        State("approval", approve, "luis", words="Esto no se puede deshacer."),
        State("approval, wrong count", approve, "luis", given={"cantidad": "9"}, wrong=True),
        State("approval, not allowed", approve, "ana"),
        State("approval, closed", f"/propuestas/{declined.id}/aprobar", "luis", wrong=True, words="ya no"),
        State("not approved", f"/propuestas/{waits.id}/no-aprobar", "luis"),
        State("not approved without a reason", f"/propuestas/{waits.id}/no-aprobar", "luis", given=EMPTY, wrong=True),
    ]


def _checking(house: House) -> Proposal:
    """A proposal whose check was begun and is not over."""
    from pipeline.approvals.uploads import Handed, receive
    from pipeline.settings.model import limits

    settings, now = house.site.companies["istmo"], house.clock.now()
    handed = Handed("en camino.csv", table(cufe(530)))
    found = receive(house.desk.store, None, handed, limits(settings), now, who="ana", address="x").proposal
    assert found is not None
    return found


# --- batches and rows


def _batches(shown: Shown) -> list[State]:
    from pipeline.web.screens import batch as screen

    house = shown.house
    batch, halted, moving = sent(house), stopped(house), sending(house, 600, 601, 602)
    doubt = approved(house, 650)
    house.desk.findings[cufe(650)] = Finding(Source.CANCELLATION, Event.UNCLEAR, http=200)
    house.desk.carry(doubt)
    unknown = _line(house, f"/lotes/{house.desk.store.get(doubt.id).batch}/filas")
    rows = f"/lotes/{halted.batch}/filas"
    line = _line(house, rows + "?resultado=RETENIDA")
    done = _line(house, f"/lotes/{batch}/filas?resultado=ANULADA")
    bad = _line(house, f"/lotes/{batch}/filas?resultado=RECHAZADA")
    busy = (house.site.readers, "ask", lambda *_: None)
    return [
        State("batch, sent", f"/lotes/{batch}", "marta", words="Qué hacer ahora"),
        State("batch, stopped", f"/lotes/{halted.batch}", "luis", words="Continuar"),
        State("batch, ended without a reason", f"/lotes/{halted.batch}", "luis", given=EMPTY, wrong=True,
              form="[action$=terminar]"),
        State("batch, sending", f"/lotes/{moving.batch}", "ana", words="Puede cerrar esta página"),
        State("batch, list being made", f"/lotes/{batch}", "marta", words="Se está preparando",
              under=(screen, "_summary", lambda *_: None)),
        State("rows", f"/lotes/{batch}/filas", "marta"),
        State("rows, none", f"/lotes/{batch}/filas?resultado=CONFLICTO", "marta", words="Ninguna fila"),
        State("row, sent", done, "marta", words="Historia"),
        State("row, rejected", bad, "marta"),
        State("row, held", line, "ana", words="Decidir sobre esta fila"),
        State("row, unknown", unknown, "ana", words="Decidir sobre esta fila"),
        State("row, resolved", f"{unknown}/resolver", "luis"),
        State("row, resolved without a reason", f"{unknown}/resolver", "luis", given=EMPTY, wrong=True),
        State("row, resend asked for", f"{unknown}/reenviar", "ana"),
        State("row, taken out", f"{line}/retirar", "ana"),
        State("row, taken out without a reason", f"{line}/retirar", "ana", given=EMPTY, wrong=True),
        State("row, not there", f"/lotes/{batch}/filas/99999", "marta"),
        State("download, being made", f"/descargas/{batch}/jsonl", "marta", words="Se está preparando",
              under=busy),
        State("evidence", f"/descargas/{batch}/evidencia", "luis"),
        State("evidence, being made", f"/descargas/{batch}/evidencia", "luis", given=EMPTY),
        State("search", "/buscar", "marta"),
        State("search, a batch", "/buscar?q=lote", "marta", words="Lotes"),
        State("search, an invoice", f"/buscar?q={cufe(100)}", "marta", words="Facturas"),
        State("search, nothing", f"/buscar?q={cufe(77)}", "marta", words="Eso no prueba que esté vigente"),
        State("search, list", "/buscar?mes=2026-11", "marta"),
        State("search, empty list", "/buscar?mes=2026-01", "marta", words="Ningún lote así."),
    ]  # fmt: skip


def _line(house: House, rows: str) -> str:
    found = re.search(r'href="(/lotes/[\w-]+/filas/\d+)"', house.client("marta").get(rows).content.decode())
    assert found is not None, rows
    return found[1]


# --- certificates, help


def _certificates(shown: Shown) -> list[State]:
    from datetime import date

    from pipeline.certificates.registry import Dates, Registry
    from pipeline.domain.certificates import Certificate
    from pipeline.domain.certificates import State as Of

    house, now = shown.house, shown.house.clock.now()
    registry = Registry(house.site.office, house.site.companies["istmo"], "web: ana")
    holder = "Distribuidora Istmo, S.A."
    good = registry.register(
        Certificate(0, 0, ISSUER, Of.IN_PROCESS, holder), Dates(now - timedelta(300), now + timedelta(43)), now
    )
    asked = registry.request(
        Certificate(0, 0, OTHER, Of.IN_PROCESS, "Ferretería Canal", requested_on=date(2026, 11, 10)), now
    )
    ends = {"ruc": "155999994-2-2026", "desde": "01/11/2026", "hasta": "01/11/2025"}
    return [
        State("certificates, none", "/certificados", "olga"),
        State("certificates", "/certificados", "ana", words="Completado"),
        State("certificate", f"/certificados/{good.id}", "ana"),
        State("certificate, asked for", f"/certificados/{asked.id}", "ana", words="Consulte el estado"),
        State("certificate, rejected form", f"/certificados/{asked.id}/rechazada", "ana"),
        State("certificate, new", "/certificados/nuevo", "ana"),
        State("certificate, nothing typed", "/certificados/nuevo", "ana", given=EMPTY, wrong=True),
        State("certificate, wrong dates", "/certificados/nuevo", "ana", given=ends, wrong=True),
        State("certificates from a file", "/certificados/importar", "ana"),
        State("certificates, no file", "/certificados/importar", "ana", given=EMPTY, wrong=True),
    ]


def _help() -> list[State]:
    return [
        State("help", "/ayuda", "marta", words="Qué significa cada resultado"),
        State("help, deadline", "/ayuda?emision=18/11/2026", "marta", words="Está en plazo"),
        State("help, wrong day", "/ayuda?emision=ayer", "marta", wrong=True),
    ]
