"""Words of every page: head, menu, environment, errors."""

from __future__ import annotations

from pipeline.web.roles import Role

PROGRAM = "anular"
SKIP = "Saltar al contenido"
COMPANY = "Empresa"
CHANGE_COMPANY = "Cambiar"
LOG_OUT = "Salir"
HELP = "Ayuda"
SUPPORT = "Soporte"
NO_SUPPORT = "Pregunte al administrador de su empresa."
MENU = "Menú principal"
MENU_START = "Inicio"
MENU_PEOPLE = "Usuarios"
MENU_LOG = "Bitácora"
ACCOUNT = "Mi cuenta"
MENU_UPLOAD = "Cargar"
MENU_SEARCH = "Buscar"
MENU_CERTIFICATES = "Certificados"
MENU_SETTINGS = "Configuración"
NO_NAME = "Empresa sin nombre"
NO_COMPANY = "Usted todavía no tiene un papel en ninguna empresa. Pídaselo a su administrador."

ROLES = {
    Role.PREPARER: "Preparador",
    Role.APPROVER: "Aprobador",
    Role.READER: "Consulta",
    Role.ADMIN: "Administrador",
}

BAND_SANDBOX = "Sandbox: pruebas en este equipo, sin efecto legal"
BAND_LAB = "Laboratorio de eDoc: pruebas, sin efecto legal"
BAND_PRODUCTION = "PRODUCCIÓN: lo que se apruebe aquí anula facturas reales y no se puede deshacer"
BAND_ALONE = (
    "Aprobación de una sola persona: en esta oficina quien prepara también puede aprobar (ANULAR_APPROVAL=none)."
)
BAND_STALLED = "Nada se está enviando: lo que envía no da señales. Avise a quien administra el equipo."

ERROR = "Error:"
PROBLEM = "Hay un problema"
SHOW = "Mostrar"
HIDE = "Ocultar"
BACK_TO_START = "Volver al inicio"
NUMBER = "Número para soporte:"

STAY = "Seguir aquí"
ENDS_SOON = "Su sesión termina en 2 minutos por falta de uso."
ENDED = "Su sesión terminó; el envío sigue."

BAD_REQUEST = "Esa dirección no es de esta página"
BAD_REQUEST_TEXT = "El navegador pidió la página de una forma que no se acepta. Ábrala desde su dirección de siempre."
REFUSED = "No tiene permiso"
REFUSED_TEXT = "Su papel en esta empresa no permite esto. Si lo necesita, pídaselo a su administrador."
NOT_FOUND = "No se encontró"
NOT_FOUND_TEXT = "Aquí no hay nada con esa dirección. Puede que sea de otra empresa: elíjala arriba."
FORGED = "El formulario venció"
FORGED_TEXT = "Por seguridad no se hizo nada. Vuelva atrás, cargue la página otra vez y repita lo que iba a hacer."
BROKEN = "Algo falló en la página"
BROKEN_TEXT = "No se pudo mostrar. El envío no depende de esta página: lo que estaba en marcha sigue."
TROUBLE = "No se pudo hacer"
TOO_LARGE = "Lo que se envió es más grande de lo que se acepta. No se guardó nada.\n"
NOT_UNDERSTOOD = "Lo que se envió no se entiende.\n"
TOO_SLOW = "Lo que se envió no llegó a tiempo. No se guardó nada; cargue la página y vuelva a intentarlo.\n"
WELL = "ok\n"
NOT_WELL = "no disponible\n"
