"""Words of the first step of the set-up: the company."""

from __future__ import annotations

TITLE = "Su empresa"
TEXT = (
    "Estas respuestas se guardan en este equipo y se pueden cambiar después con el comando init, que sirve "
    "también para varias empresas."
)
NAME = "Nombre corto de la empresa"
NAME_HINT = "Letras minúsculas sin acento y números, sin espacios: por ejemplo, istmo."
RUC = "RUC"
RUC_HINT = "Con su dígito verificador si lo sabe: 155596713-2-2015 DV 59."
MISSING = {"required": "Escriba este dato."}
ENV = "¿Qué quiere hacer?"
ENVS = [
    ("probar", "Probar en este equipo, sin efecto legal"),
    ("laboratorio", "Laboratorio de eDoc: pruebas, sin efecto legal"),
]
ENV_TEXT = (
    "Para el laboratorio falta después el comando login, que guarda el usuario y la contraseña de eDoc: esta "
    "página nunca los pide ni los conoce. Producción se elige con el comando init, que antes los comprueba."
)
PEOPLE = "¿Cuántas personas?"
COUNTS = [
    ("2", "Dos: una prepara y otra aprueba"),
    ("1", "Una sola, que prepara y aprueba; queda escrito en cada lote"),
]
FOLDER = "Carpeta de trabajo"
FOLDER_HINT = "Lo que se deja en su carpeta inbox se revisa. El historial de envíos no queda ahí."
SAVED = "Guardado"
SAVED_TEXT = "La página se abre otra vez con su empresa; en unos segundos sigue el primer usuario."
STEP = "Antes de empezar"
