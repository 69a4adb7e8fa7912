"""Words of the mails about accounts. Each is a subject and a text."""

from __future__ import annotations

RESET = "anular: contraseña nueva"
RESET_TEXT = """Hola, {name}:

Alguien pidió una contraseña nueva para su usuario. Si fue usted, abra este enlace antes de {when}:

{link}

Sirve una sola vez. Si no fue usted, no haga nada: su contraseña no cambia.
"""
CHANGED = "anular: su contraseña cambió"
CHANGED_TEXT = """Hola, {name}:

Su contraseña cambió el {when} y sus sesiones terminaron. Si no fue usted, avise ahora a su administrador.
"""
NEW_MAIL = "anular: confirme su correo"
NEW_MAIL_TEXT = """Hola, {name}:

Usted pidió que este sea el correo de su usuario. Confírmelo con este enlace antes de {when}:

{link}

Sirve una sola vez. Si no lo pidió, no haga nada.
"""
MAIL_ASKED = "anular: se pidió cambiar su correo"
MAIL_ASKED_TEXT = """Hola, {name}:

El {when} se pidió que el correo de su usuario sea {new}. Hasta que se confirme allí, vale este.
Si no fue usted, cambie su contraseña y avise ahora a su administrador.
"""
MAIL_CHANGED = "anular: su correo cambió"
MAIL_CHANGED_TEXT = """Hola, {name}:

El {when} el correo de su usuario cambió a {new}. Si no fue usted, avise ahora a su administrador.
"""
FACTOR_CHANGED = "anular: su segundo factor cambió"
FACTOR_CHANGED_TEXT = """Hola, {name}:

El {when} cambió el segundo factor de su cuenta. Si no fue usted, avise ahora a su administrador.
"""
INVITATION = "anular: invitación"
INVITATION_TEXT = """Hola, {name}:

{by} lo invita a la página de anular. Su usuario es {user}. Elija su contraseña con este enlace antes de {when}:

{link}

Sirve una sola vez.
"""
USERS = "anular: usuarios de {company}"
USERS_TEXT = """Alguien pidió recordar los usuarios de {company} desde la página de anular. Son:

{users}

Si fue alguien de su empresa, dígale su usuario. Nada más cambió.
"""
ALERT = "anular: muchos intentos de entrar con su usuario"
ALERT_TEXT = """Hola, {name}:

En la última hora hubo muchos intentos fallidos de entrar con su usuario. Su cuenta no cambió.
Si no fue usted, avise a su administrador.
"""
REMINDER = "anular: solicitudes de acceso sin responder"
REMINDER_TEXT = """Hay {n} solicitudes de acceso de {company} que esperan más de {hours} horas. Respóndalas aquí:

{link}
"""
FACTOR_RESET = "anular: se quitó el segundo factor de {user}"
FACTOR_RESET_TEXT = """En la terminal del servidor se quitó el segundo factor del usuario {user} el {when}.
Si nadie de su oficina lo pidió, suspenda ese usuario.
"""
