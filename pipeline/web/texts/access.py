"""Words of log-in and accounts."""

from __future__ import annotations

LOG_IN = "Iniciar sesión"
USER = "Usuario"
USER_MISSING = "Escriba su usuario."
PASSWORD = "Contraseña"  # noqa: S105 - the word
PASSWORD_MISSING = "Escriba su contraseña."  # noqa: S105 - a sentence
ENTER = "Entrar"
WRONG = "Usuario o contraseña incorrectos."
