"""Evidence packs that a page asks for: made by the sender, because a pack is an event of the ledger, as by
``anular report --evidence``; its bytes are the same.

The sender keeps it in its folder for the state that the batch had. A page with another folder (another machine, another
user) has a reader child make it again from the ledger alone.
"""

from __future__ import annotations

from pipeline.approvals.downloads import EVIDENCE, PACK, keep, newest
from pipeline.approvals.orders import NEWEST, Order
from pipeline.approvals.places import Places
from pipeline.approvals.store import Proposals
from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.domain.orders import OrderState
from pipeline.evidence.pack import write_pack
from pipeline.run.results import write_results
from pipeline.runtime.clock import Clock
from pipeline.runtime.os_error import os_words
from pipeline.settings.model import Settings
from pipeline.wiring.companies import check_own
from pipeline.wiring.ledger import open_memory


def carry_evidence(order: Order, store: Proposals, settings: Settings, clock: Clock) -> Order:
    """``order`` after its pack was made, or refused for good. Raises ``AnularError`` for what keeps it from being made
    now. Begun again after a kill, the pack is the same, and recorded once."""
    places = Places.of(settings)
    with open_memory(settings, sends=False) as memory:
        info = memory.views.batch(order.wish.batch)
        if info is None:
            raise WrongUsage(f"El lote {order.wish.batch} no está en este historial de envíos.", code="no-batch")
        check_own(memory.views, info)
        if order.state is OrderState.ASKED:
            order = store.orders.take(order, OrderState.DOING, clock.now())
        try:
            with places.new() as folder:
                info = write_results(info, memory.views, folder).batch
                book = next(folder.glob("*__resultados.xlsx"))
                write_pack(memory.views.extract(info), book, clock.now(), who=order.signature)
                for file in folder.iterdir():
                    if not file.name.endswith(PACK.ending):
                        file.unlink()
                keep(settings, info, EVIDENCE, folder, places)
        except StorageTrouble as trouble:
            if trouble.code != "evidence-broken":
                raise
            return store.orders.take(order, OrderState.REFUSED, clock.now(), trouble.sentence)
        except OSError as error:
            raise StorageTrouble(
                f"No se pudo guardar el paquete de evidencia: {os_words(error)}.",
                code="evidence-unsaved",
                where=str(places.root),
                remedy="Revise el espacio y los permisos de esa carpeta; se intenta otra vez sin pedirlo de nuevo.",
            ) from None
    return store.orders.take(order, OrderState.DONE, clock.now(), "Paquete de evidencia listo", {NEWEST: newest(info)})
