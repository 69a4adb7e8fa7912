"""Words of people, requests for access, and the log of accesses."""

from __future__ import annotations

ASK = "Solicitar acceso"
ASK_TEXT = "Su solicitud la lee quien administra el acceso: se responde entre {usual} y {longest} horas."
ASK_ROLE = "¿Qué va a hacer?"
ASK_ROLES = {
    "preparador": "Preparar lotes (Preparador)",
    "aprobador": "Aprobar lotes (Aprobador)",
    "consulta": "Consultar (auditor)",
}
ROLE_MISSING = "Elija qué va a hacer."
ASK_SEND = "Enviar solicitud"
ASKED = "Solicitud recibida"
ASKED_KEEP = "Guarde la dirección de esta página: aquí ve en qué va su solicitud."
RECEIVED = "Recibida"
USUAL = "Respuesta habitual"
LATEST = "A más tardar"
HOURS = "{n} horas"
IN_REVIEW = "En revisión"
INVITED = "Invitación enviada"
REFUSED = "Rechazada"
REFUSED_WHY = "Motivo: {why}"
TOO_LATE = "¿Pasó el plazo? Llame a soporte: {support}"
TOO_LATE_NONE = "Pasó el plazo. Llame a quien administra el acceso de su empresa."

USERS = "Usuarios y solicitudes"
USERS_OF = "Usuarios de {company}"
REQUESTS = "Solicitudes"
NO_REQUESTS = "No hay solicitudes."
ASKS_FOR = "Pide"
SINCE = "Hace"
AGO = "{n} h"
LATE_USUAL = "pasó el plazo habitual"
LATE_LONGEST = "pasó el plazo máximo"
ACCEPT = "Aceptar"
REFUSE = "Rechazar"
WHY = "Motivo"
WHY_WRONG = "Escriba un motivo de 5 a 500 caracteres."
INVITE = "Invitar"
INVITE_PERSON = "Invitar a una persona"
INVITE_NOTE = "Si esa persona ya tiene cuenta con ese correo, recibe los papeles en esta empresa y nada más cambia."
ROLES = "Papeles en esta empresa"
ROLES_MISSING = "Marque por lo menos un papel."
STATE = "Estado"
FACTOR = "2.º factor"
LAST = "Último ingreso"
NEVER = "nunca"
EDIT = "Ver"
NAME = "Nombre"
STATES = {"invitada": "Invitada", "vencida": "Invitación vencida", "activa": "Activa", "suspendida": "Suspendida"}
FACTORS = {"totp": "código", "webauthn": "llave"}
NO_FACTOR = "ninguno"
WAITS = "{role} (espera a otro administrador)"
CONFIRM_ROLE = "Confirmar {role}"
SAVE_ROLES = "Guardar papeles"
SAVED = "Se guardó."
SECOND_NEEDED = "El papel de Aprobador vale cuando otro administrador lo confirme."
SUSPEND = "Suspender"
RESUME = "Volver a activar"
END_SESSIONS = "Cerrar sesiones"
NEW_LINK = "Enlace para una contraseña nueva"
INVITE_AGAIN = "Invitar otra vez"
LINK_ONCE = "Este enlace se muestra una sola vez. Entrégueselo a {name} por un medio seguro; vence {when}."
LINK_MAILED = "Se envió un correo a {name} con el enlace; vence {when}."
SENT_AND_SHOWN = "Por si el correo no llega:"
NOT_SELF = "No puede quitarse a sí mismo."
NOT_OWN_ROLES = "No puede cambiar sus propios papeles: lo hace otro administrador."
LAST_ADMIN = "Es el último administrador activo de la empresa: antes nombre a otro."
NOT_ALL = "Esa persona también está en empresas que usted no administra: aquí solo puede cambiar sus papeles."
NOT_YOUR_OWN_GRANT = "Lo confirma otro administrador, no quien lo dio."

LOG = "Bitácora de accesos"
LOG_TEXT = "Quién entró, qué se rechazó y qué se decidió. Nada de aquí se puede cambiar ni borrar."
LOG_WHO = "Quién"
LOG_WHAT = "Qué"
LOG_ABOUT = "Sobre"
LOG_FILTER = "Filtrar"
LOG_ALL = "Todo"
LOG_CSV = "Descargar CSV"
LOG_NONE = "Nada con ese filtro."
LOG_OLDER = "Más antiguas"
EVENTS = {
    "entrada": "Inicio de sesión",
    "entrada-llave": "Inicio con llave de acceso",
    "segundo-factor": "Segundo factor",
    "salida": "Salida",
    "sin-permiso": "Sin permiso",
    "limite": "Demasiados intentos",
    "alerta": "Muchos intentos en una hora",
    "confirmacion": "Confirmación de identidad",
    "clave-pedida": "Pidió contraseña nueva",
    "clave-nueva": "Contraseña nueva",
    "correo-pedido": "Correo nuevo pedido",
    "correo-nuevo": "Correo nuevo",
    "pide-evidencia": "Paquete de evidencia pedido",
    "usuario-olvidado": "Pidió recordar usuarios",
    "factor-activo": "Segundo factor activado",
    "factor-quitado": "Segundo factor quitado",
    "codigos": "Códigos de recuperación nuevos",
    "sesiones-cerradas": "Sesiones cerradas",
    "solicitud": "Solicitud de acceso",
    "solicitud-aceptada": "Solicitud aceptada",
    "solicitud-rechazada": "Solicitud rechazada",
    "invitacion": "Invitación",
    "papel-dado": "Papel dado",
    "papel-quitado": "Papel quitado",
    "papel-confirmado": "Papel confirmado",
    "suspension": "Suspensión",
    "reactivacion": "Reactivación",
    "enlace": "Enlace de contraseña",
    "desbloqueo": "Desbloqueo",
    "vinculo": "Usuario del equipo vinculado",
    "primera-vez": "Primer administrador",
    "bitacora-csv": "Descarga de la bitácora",
}
