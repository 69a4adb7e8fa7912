"""The words of the sample batches: customers, reasons, remarks. All of them are made up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Customer:
    """Name, and the address for the notice (empty: none known)."""

    name: str
    email: str = ""


CUSTOMERS = (
    Customer("Panadería La Espiga de Cartón", "compras@espiga.example"),
    Customer("Constructora Muñeco de Nieve, S.A.", "cuentas@muneco.example"),
    Customer("Farmacia Tres Deseos"),
    Customer("Restaurante El Ñandú Azul", "gerencia@nandu.example"),
    Customer("Consultorio Dr. Íñigo Ejemplo", "recepcion@consultorio.example"),
    Customer("Minisúper Nueve Lunas"),
    Customer("Colegio Arcoíris del Mañana", "administracion@arcoiris.example"),
    Customer("Taller Mecánico Pistón Loco", "taller@piston.example"),
    Customer("Hotel Bahía Inventada, S.A.", "proveedores@bahia.example"),
    Customer("Agropecuaria Cañaveral de Papel", "oficina@canaveral.example"),
    Customer("Librería Páginas en Blanco"),
    Customer("Transporte Hormiga Veloz, S.A.", "facturas@hormiga.example"),
    Customer("Clínica Veterinaria Señor Bigotes", "pagos@bigotes.example"),
    Customer("Imprenta Tinta Invisible", "contabilidad@tinta.example"),
    Customer("Consumidor final"),
    Customer("Inversiones Unicornio del Pacífico, S.A.", "cxp@unicornio.example"),
    Customer("Pesquera Marea Tranquila", "admin@marea.example"),
    Customer("Gimnasio Músculo y Compañía"),
    Customer("Cafetería Güira y Canela", "pedidos@guira.example"),
    Customer("Óptica Mira Más Allá", "caja@mira.example"),
    Customer("Mueblería Año Nuevo", "ventas@muebleria.example"),
)

REASONS = (
    "Factura emitida por error al cliente equivocado; se reemplaza por otra.",
    "El cliente canceló el pedido antes de la entrega.",
    "Monto facturado incorrecto: se cobró dos veces el flete.",
    "RUC del cliente mal escrito; se emitirá una factura nueva con los datos correctos.",
    "Factura duplicada por un fallo del punto de venta.",
    "Devolución total de la mercancía por defecto de fábrica.",
    "Se facturó con la lista de precios anterior; el precio acordado era menor.",
    "Venta anulada a solicitud del cliente el mismo día.",
    "Descripción equivocada del producto: decía «cemento gris» y era «cemento blanco».",
    "Error en el ITBMS: la mercancía es exenta y se cobró el 7 %.",
    "Se facturó el anticipo y el total; el anticipo queda sin efecto.",
    "Cantidad equivocada: se facturaron 100 unidades en lugar de 10.",
    "Cliente exento por ley; corresponde factura sin impuesto según su resolución.",
    "Facturada desde la sucursal equivocada; la venta fue de Penonomé.",
    "El pago con tarjeta fue rechazado por el banco y la venta no se concretó.",
    "Pedido facturado a crédito cuando el cliente pagó de contado.",
    "No se entregó la mercancía por falta de existencias en bodega.",
    "Orden de compra cancelada por el cliente: así consta en su correo del lunes.",
    "Factura de prueba emitida durante la capacitación del personal nuevo.",
    "Se aplicó el descuento del aniversario a un artículo que no participaba.",
    "Servicio de instalación reprogramado para diciembre; se facturará entonces.",
    "Nombre del cliente incompleto: falta la razón social que pide su auditoría.",
    "Moneda equivocada en la cotización; la venta se hará de nuevo la próxima semana.",
)

REMARKS = (
    "Cliente avisado por teléfono",
    "Autoriza: Begoña Núñez",
    "Ver correo del 16",
    "La factura nueva ya salió",
    "Mercancía de vuelta en bodega",
    "Falta firma de la nota de devolución",
)
