"""Addresses of log-in, accounts, people, and the log of accesses."""

from __future__ import annotations

from pipeline.web.access.account import account, change_password, end_sessions, stay
from pipeline.web.access.choose import choose
from pipeline.web.access.confirm import confirm_page
from pipeline.web.access.factor_pages import codes, remove_app
from pipeline.web.access.factor_pages import second_factor as own_factor
from pipeline.web.access.first import invitation, reset, set_up
from pipeline.web.access.forgotten import forgotten_password, forgotten_user
from pipeline.web.access.log_in import log_in, log_out, second_factor
from pipeline.web.access.log_page import log_csv, log_page
from pipeline.web.access.new_mail import change_mail, confirm_mail
from pipeline.web.access.passkeys import add_key, enter_with_key, new_options, options, remove_key
from pipeline.web.access.people import invite, people, person_page, refuse
from pipeline.web.access.requests import ask, state
from pipeline.web.health import health
from pipeline.web.roles import May
from pipeline.web.routes import Door, Route
from pipeline.web.static_files import static_file

BOTH, POST = ("GET", "POST"), ("POST",)
OPEN, ENTERING, SIGNED_IN = Door.OPEN, Door.ENTERING, Door.SIGNED_IN

ROUTES = [
    Route("entrar", log_in, "log_in", OPEN, BOTH),
    Route("entrar/segundo-factor", second_factor, "second_factor", OPEN, BOTH),
    Route("entrar/llave/opciones", options, "key_options", OPEN, POST),
    Route("entrar/llave", enter_with_key, "key", OPEN, POST),
    Route("entrar/olvide-usuario", forgotten_user, "forgotten_user", OPEN, BOTH),
    Route("entrar/olvide-clave", forgotten_password, "forgotten_password", OPEN, BOTH),
    Route("entrar/clave/<str:code>", reset, "reset", OPEN, BOTH),
    Route("entrar/correo/<str:code>", confirm_mail, "confirm_mail", OPEN, BOTH),
    Route("entrar/invitacion/<str:code>", invitation, "invitation", OPEN, BOTH),
    Route("entrar/solicitar", ask, "ask", OPEN, BOTH),
    Route("entrar/solicitud/<str:code>", state, "asked", OPEN),
    Route("entrar/confirmar", confirm_page, "confirm", ENTERING, BOTH),
    Route("inicio/<str:code>", set_up, "set_up", OPEN, BOTH),
    Route("salir", log_out, "log_out", ENTERING, POST),
    Route("sesion", stay, "stay", ENTERING, POST),
    Route("empresa", choose, "choose", SIGNED_IN, POST),
    Route("cuenta", account, "account", SIGNED_IN),
    Route("cuenta/clave", change_password, "change_password", SIGNED_IN, BOTH),
    Route("cuenta/correo", change_mail, "change_mail", SIGNED_IN, BOTH, confirmed=True),
    Route("cuenta/sesiones", end_sessions, "end_sessions", SIGNED_IN, POST),
    Route("cuenta/segundo-factor", own_factor, "own_factor", ENTERING, BOTH, confirmed=True),
    Route("cuenta/segundo-factor/quitar", remove_app, "remove_app", SIGNED_IN, POST, confirmed=True),
    Route("cuenta/llaves/opciones", new_options, "new_key_options", ENTERING, POST, confirmed=True),
    Route("cuenta/llaves", add_key, "add_key", ENTERING, POST, confirmed=True),
    Route("cuenta/llaves/<int:number>/quitar", remove_key, "remove_key", SIGNED_IN, POST, confirmed=True),
    Route("cuenta/codigos", codes, "codes", ENTERING, BOTH, confirmed=True),
    Route("usuarios", people, "people", May.ADMINISTER),
    Route("usuarios/invitar", invite, "invite", May.ADMINISTER, BOTH, confirmed=True),
    Route("usuarios/<int:number>", person_page, "person", May.ADMINISTER, BOTH, confirmed=True),
    Route("usuarios/solicitudes/<int:number>", refuse, "refuse", May.ADMINISTER, BOTH),
    Route("bitacora", log_page, "log", May.ACCESS_LOG),
    Route("bitacora.csv", log_csv, "log_csv", May.ACCESS_LOG),
    Route("salud", health, "health", OPEN),
    Route("estatico/<str:mark>/<str:name>", static_file, "static", OPEN),
]
