"""Settings: each with its unit and default, in a frozen model (interface.md 3); environment over TOML over defaults.

The default environment is the local sandbox; production has to be named. Secrets are masked by type and have no
option on the command line.
"""

from __future__ import annotations

import os
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline.domain.commands import Here
from pipeline.domain.edoc_states import QueryDescribes
from pipeline.read.limits import MEGABYTE, Limits
from pipeline.settings.companies import Pair
from pipeline.settings.version import PROGRAM as PROGRAM
from pipeline.settings.version import VERSION as VERSION

PREFIX = "ANULAR_"


class Env(StrEnum):
    SANDBOX = "sandbox"
    LAB = "lab"
    PRODUCTION = "production"


# edoc-api.md 1 [seen]: hosts and versions change, so each is a setting. The sandbox says its own when it starts.
BASES = {
    Env.LAB: "https://labpa.guru-soft.com/EdocPanama/4.0/",
    Env.PRODUCTION: "https://pa.edocnube.com/4.0/",
}
AUTH_PATH = "Autenticacion/Api/ServicioEDOC"
CANCEL_PATH = "Emision/Eventos/API/Anulacion"
QUERY_PATH = "Emision/Api/Consulta/ConsultarDocumentoRuta"

HOME = ("127.0.0.1", "localhost", "::1")

# What the program says of each environment, and which CUFEs belong there (CUFE position 56; None: both).
ENV_WORDS = {
    Env.SANDBOX: "sandbox (pruebas locales, sin efecto legal)",
    Env.LAB: "laboratorio de eDoc (pruebas, sin efecto legal)",
    Env.PRODUCTION: "PRODUCCIÓN (efecto legal, no se puede deshacer)",
}
CUFE_DIGIT: dict[Env, Literal["1", "2"] | None] = {Env.SANDBOX: None, Env.LAB: "2", Env.PRODUCTION: "1"}


class Settings(BaseSettings):
    """Settings of one profile. Raises pydantic's ValidationError, which ``load_settings`` translates."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    profile: str = Field("", exclude=True, description="perfil; se elige con --profile")
    spare: Pair | None = Field(
        None, exclude=True, description="usuario y contraseña de los ajustes sin perfil, si el perfil no tiene"
    )
    half: tuple[str, ...] = Field((), exclude=True, description="lo que se dice a quien envía si falta la contraseña")
    home: str = Field("", exclude=True, description="historial de envíos según el archivo de configuración solo")
    company: str = Field("", max_length=100, description="nombre de la empresa; por defecto, el del perfil")
    env: Env = Field(Env.SANDBOX, description="ambiente: sandbox, lab o production")
    base_url: str = Field("", description="dirección base del servicio; por defecto, la del ambiente")
    auth_url: str = Field("", description="dirección del token")
    cancel_url: str = Field("", description="dirección de la anulación")
    query_url: str = Field("", description="dirección de la consulta de estado")
    user: str = Field("", description="usuario de eDoc")
    password: SecretStr = Field(SecretStr(""), description="contraseña de eDoc")
    password_file: Path | None = Field(None, description="archivo que contiene la contraseña")
    user_file: Path | None = Field(None, description="archivo que contiene el usuario")
    ledger: str = Field(
        "",
        description="historial de envíos: sqlite:////ruta/completa o postgresql+psycopg://usuario@servidor/base; "
        "por defecto, un archivo en la carpeta de datos del usuario",
    )
    office: str = Field(
        "",
        description="base de datos de la oficina (propuestas y certificados), como ledger; por defecto, un archivo en "
        "la carpeta de datos del usuario, o el servidor donde todas las empresas tienen su historial de envíos",
    )
    rate: float = Field(5.0, gt=0, le=10_000, description="solicitudes por segundo, en total")
    concurrency: int = Field(4, ge=1, le=512, description="solicitudes en vuelo, como máximo")
    poll_every: float = Field(5.0, ge=0.05, le=86_400, description="segundos entre consultas de una factura")
    poll_for: float = Field(300.0, ge=0, le=604_800, description="segundos de consulta por ejecución")
    out: Path | None = Field(None, description="carpeta de los resultados; por defecto, junto al archivo")
    integration_name: str = Field(
        f"{PROGRAM} {VERSION}", max_length=100, description="nombreIntegracion que se envía a eDoc"
    )
    notify_email: str = Field("", max_length=100, description="correo para las facturas que no traen uno")
    issuers: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(),
        description="RUC de la empresa, separados por comas; forzoso fuera del sandbox, y ninguno en dos perfiles",
    )
    sheet: str = Field(
        "", max_length=31, description="hoja que se lee donde no se puede preguntar: su nombre, first o last"
    )
    deadline_hours: int = Field(182, ge=1, le=8760, description="plazo legal en horas desde la emisión")
    approval: Literal["none", "two"] | None = Field(
        None,
        description="two: cada envío lo prepara una persona y lo aprueba otra (propose, approve); none: basta una, "
        "que es lo que vale en la terminal por defecto",
    )
    web_url: str = Field(
        "", description="dirección pública de la página (https://…); sin ella solo atiende en este equipo"
    )
    web_host: str = Field("127.0.0.1", description="dirección en la que atiende la página")
    web_port: int = Field(8420, ge=1, le=65535, description="puerto en el que atiende la página")
    web_idle_min: float = Field(15.0, ge=1, le=240, description="minutos sin uso tras los que termina una sesión")
    web_session_h: float = Field(8.0, gt=0, le=24, description="horas que dura una sesión, como máximo")
    web_tls_cert: Path | None = Field(None, description="certificado TLS de la página (PEM)")
    web_tls_key: Path | None = Field(None, description="clave del certificado TLS de la página (PEM)")
    web_proxy: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="direcciones de los proxys a los que se cree X-Forwarded-*, separadas por comas"
    )
    web_secret_file: Path | None = Field(
        None,
        description="archivo con la clave de firma de la página; por defecto, uno en la carpeta de datos del usuario",
    )
    web_access_hours: Annotated[tuple[int, int], NoDecode] = Field(
        (48, 120),
        description="horas habituales y máximas para responder una solicitud de acceso, separadas por una coma",
    )
    web_user_hint: Literal["masked", "mail"] = Field(
        "masked", description="¿Olvidó su usuario?: masked muestra parte del correo del administrador; mail, nada"
    )
    web_support: str = Field(
        "",
        max_length=500,
        description="a quién se llama: nombre, teléfono, WhatsApp o correo que se muestra en la página",
    )
    web_proposal_h: float = Field(72.0, gt=0, le=8760, description="horas tras las que caduca una propuesta sin enviar")
    web_folder: Path | None = Field(
        None,
        description="carpeta privada donde la página guarda lo que puede volver a hacer (revisiones y descargas); por "
        "defecto, en la carpeta de datos del usuario",
    )
    web_keep_days: float = Field(
        30.0, gt=0, le=3650, description="días tras los que se borra el archivo de una propuesta que no se envió"
    )
    web_scan: str = Field(
        "",
        description="comando que recibe cada archivo cargado por su entrada estándar (un antivirus); si no termina "
        "con 0, el archivo no se acepta",
    )
    late_rows: Literal["warn", "reject", "ignore"] = Field(
        "warn", description="facturas con plazo vencido: warn (se envían al final y se marcan), reject, ignore"
    )
    resend_after_429: bool = Field(True, description="un 429 cuenta como no aplicado y se vuelve a intentar")
    query_describes: QueryDescribes = Field(
        QueryDescribes.INVOICE, description="de qué habla el estado 2 de una consulta: invoice o cancellation"
    )
    preflight: Literal["off", "on"] = Field(
        "off", description="on: consulta cada documento antes de anularlo (duplica las solicitudes); off: no consulta"
    )
    breaker_wait: float = Field(30.0, gt=0, le=3600, description="segundos de pausa cuando eDoc no se entiende")
    connect_timeout: float = Field(10.0, gt=0, le=300, description="segundos para conectar")
    read_timeout: float = Field(60.0, gt=0, le=600, description="segundos para recibir la respuesta completa")
    max_file_mb: float = Field(25, gt=0, le=1024, description="tamaño máximo del archivo, en MB")
    max_rows: int = Field(100_000, ge=1, le=1_048_575, description="filas de un archivo, como máximo")
    max_columns: int = Field(50, ge=2, le=1000, description="columnas de un archivo, como máximo")
    max_unpacked_mb: float = Field(200, gt=0, le=8192, description="tamaño máximo del XLSX descomprimido, en MB")
    read_memory_mb: int = Field(
        1536,
        ge=192,
        le=65_536,
        description="memoria del proceso que lee el archivo, en MB (donde el sistema la limita)",
    )
    read_cpu_s: int = Field(
        60, ge=1, le=3600, description="segundos de cálculo del proceso que lee; de reloj, cuatro veces más"
    )
    watch_env: Env = Field(Env.SANDBOX, description="ambiente en el que la carpeta vigilada puede enviar sola")
    watch_issuers: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="RUC que la carpeta puede anular sola, separados por comas; forzoso fuera del sandbox"
    )
    watch_max_rows: int = Field(1000, ge=0, description="facturas por archivo que la carpeta envía sola, como máximo")
    watch_max_night: int = Field(5000, ge=0, description="facturas en 24 horas que la carpeta envía sola, como máximo")
    watch_manifest: Literal["optional", "required"] = Field(
        "optional", description="required: cada archivo debe traer su manifiesto; optional: se comprueba si lo trae"
    )
    watch_hmac_file: Path | None = Field(None, description="archivo con la clave del HMAC de los manifiestos")
    watch_quiet: float = Field(
        60.0, ge=0, le=86_400, description="segundos sin cambios para dar un archivo por completo"
    )
    watch_manifest_wait: float = Field(
        3600.0, ge=0, le=604_800, description="segundos que un archivo espera su manifiesto forzoso antes de retenerse"
    )
    watch_every: float = Field(60.0, gt=0, le=86_400, description="segundos entre miradas a la carpeta, como máximo")
    watch_retry: float = Field(900.0, gt=0, le=86_400, description="segundos de espera tras detenerse antes de tiempo")
    watch_max_files: int = Field(100, ge=1, le=10_000, description="archivos por pasada, como máximo")
    queue_every: float = Field(
        10.0, gt=0, le=3600, description="segundos entre las miradas de un trabajador a lo que quedó sin dueño"
    )
    queue_stale: float = Field(
        60.0, ge=1, le=3600, description="segundos sin señal para dar por muerto a un trabajador"
    )
    queue_retry: float = Field(
        900.0, gt=0, le=86_400, description="segundos hasta que un lote que se detuvo vuelve a salir de la cola"
    )
    queue_poll: float = Field(
        900.0, gt=0, le=604_800, description="segundos tras los que un trabajador vuelve a consultar lo pendiente"
    )
    old_hours: float = Field(
        24.0, gt=0, le=8760, description="horas tras las que «poll --all» nombra lo que sigue abierto"
    )
    mail_host: str = Field("", description="servidor de correo de los avisos (SMTP)")
    mail_port: int = Field(587, ge=1, le=65535, description="puerto del servidor de correo")
    mail_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls, tls, o none (solo hacia este mismo equipo)"
    )
    mail_user: str = Field("", description="usuario del servidor de correo")
    mail_password: SecretStr = Field(SecretStr(""), description="contraseña del servidor de correo")
    mail_password_file: Path | None = Field(None, description="archivo que contiene la contraseña del correo")
    mail_from: str = Field("", description="remitente de los avisos; por defecto, el usuario")
    mail_to: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="destinatarios de los avisos, separados por comas"
    )
    mail_attach: Literal["off", "on"] = Field(
        "off", description="on: el correo lleva el libro de resultados, hasta 5 MB; off: solo dice dónde está"
    )
    webhook_url: str = Field("", description="dirección que recibe los avisos en JSON")
    webhook_key_file: Path | None = Field(None, description="archivo con la clave de la firma de los avisos")
    cert_policy: Literal["off", "warn", "block"] = Field(
        "warn",
        description="emisor cuyo certificado registrado no se puede usar: off (no se mira), warn (se avisa), block (no "
        "se envía)",
    )
    cert_remind: Annotated[tuple[int, ...], NoDecode] = Field(
        (60, 30, 7), description="días antes del vencimiento de un certificado en que se avisa, separados por comas"
    )
    cert_review_days: int = Field(
        8, ge=1, le=60, description="días hábiles tras los que se consulta el estado de una solicitud de certificado"
    )
    cert_renew_months: int = Field(
        11, ge=1, le=60, description="meses de vigencia tras los que se abre una nueva solicitud de certificado"
    )
    cert_holidays: Annotated[frozenset[date], NoDecode] = Field(
        frozenset(), description="días libres además de los feriados de Panamá, como AAAA-MM-DD, separados por comas"
    )
    log: Path | None = Field(None, description="bitácora técnica: un evento por línea, en JSON")
    metrics: Path | None = Field(None, description="archivo de métricas para Prometheus, terminado en .prom")
    sandbox_now: datetime | None = Field(None, description="fecha con la que empieza el reloj del sandbox")
    sandbox_journal: Path | None = Field(None, description="archivo donde el sandbox anota lo que recibe")

    @property
    def here(self) -> Here:
        """Options that a suggested command needs to name this company and this ledger, on any terminal of this machine;
        without a password that the address may have."""
        return Here(self.profile, "" if self.ledger == self.home else without_password(self.ledger), os.name == "nt")

    @field_validator("issuers", "watch_issuers", "mail_to", "web_proxy", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple | set | frozenset) or not all(isinstance(part, str) for part in parts):
            return value
        found = frozenset(part.strip() for part in parts if part.strip())
        if value and not found:  # «,» must not come to mean "any"
            raise ValueError("no trae ninguno; escríbalos separados por comas, o deje el ajuste vacío")
        return found

    @field_validator("web_access_hours", mode="before")
    @classmethod
    def _hours(cls, value: object) -> object:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            return value
        told = [str(part).strip() for part in parts]
        right = len(told) == 2 and all(one.isascii() and one.isdigit() and 0 < int(one) <= 8760 for one in told)
        if not right or int(told[0]) > int(told[1]):
            raise ValueError("deben ser dos números de horas, el habitual y el máximo, por ejemplo 48,120")
        return int(told[0]), int(told[1])

    @field_validator("web_url")
    @classmethod
    def _page(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.query):
            raise ValueError("debe ser https:// con el nombre del servidor y nada más")
        return value.rstrip("/")

    @field_validator("cert_remind", mode="before")
    @classmethod
    def _days(cls, value: object) -> object:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            return value
        days = [str(part).strip() for part in parts if str(part).strip()]
        if not days or not all(day.isascii() and day.isdigit() and 0 < int(day) <= 365 for day in days):
            raise ValueError("debe ser uno o más números de días entre 1 y 365, separados por comas")
        return tuple(sorted({int(day) for day in days}, reverse=True))

    @field_validator("cert_holidays", mode="before")
    @classmethod
    def _free_days(cls, value: object) -> object:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple | set | frozenset):
            return value
        try:  # a date of the TOML file is one already
            return frozenset(date.fromisoformat(text) for part in parts if (text := str(part).strip()))
        except ValueError:
            raise ValueError("debe ser una o más fechas como AAAA-MM-DD, separadas por comas") from None

    @field_validator("base_url", "auth_url", "cancel_url", "query_url", "webhook_url")
    @classmethod
    def _safe_address(cls, value: str) -> str:
        if value and not is_safe_address(value):
            raise ValueError("debe ser https:// (http:// solo hacia este mismo equipo), sin usuario ni contraseña")
        return value

    @field_validator("metrics")
    @classmethod
    def _for_the_collector(cls, value: Path | None) -> Path | None:
        if value is not None and value.suffix != ".prom":
            raise ValueError("debe terminar en .prom: el recolector no lee otros archivos")
        return value

    @field_validator("sandbox_now")
    @classmethod
    def _with_zone(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("necesita la zona horaria, por ejemplo 2026-11-20T10:00:00-05:00")
        return value

    @model_validator(mode="after")
    def _mail_is_private(self) -> Settings:
        if self.mail_security == "none" and self.mail_host and self.mail_host not in HOME:
            raise ValueError("ANULAR_MAIL_SECURITY=none solo se admite hacia este mismo equipo (127.0.0.1)")
        return self

    @model_validator(mode="after")
    def _sandbox_stays_at_home(self) -> Settings:
        if self.env is not Env.SANDBOX:
            if self.sandbox_now is not None:
                raise ValueError("ANULAR_SANDBOX_NOW solo se admite con ANULAR_ENV=sandbox")
            return self
        for url in (self.base_url, self.auth_url, self.cancel_url, self.query_url):
            if url and urlsplit(url).hostname not in HOME:
                raise ValueError("con ANULAR_ENV=sandbox las direcciones deben ser de este mismo equipo (127.0.0.1)")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The values given to the constructor are the TOML file's: the environment wins over them.
        return env_settings, init_settings


def whose(profile: str, ledger: str) -> Here:
    """Place of a command for settings that cannot be read: their profile and ledger as given."""
    return Here(profile, ledger, os.name == "nt")


def without_password(url: str) -> str:
    """Address of a ledger without its password, as it may be shown; the password comes from ``~/.pgpass``."""
    parts = urlsplit(url)
    if not parts.password:
        return url
    user = f"{parts.username}@" if parts.username else ""
    where = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{user}{where}").geturl()


def is_safe_address(url: str) -> bool:
    """Whether an address is https, or plain http to this machine, and without credentials in it (interface.md 3)."""
    parts = urlsplit(url)
    if parts.username or parts.password or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in HOME)


def addresses(settings: Settings, base: str = "") -> tuple[str, str, str]:
    """Token, cancellation and query addresses; ``base`` is the running sandbox's."""
    root = (settings.base_url or base or BASES.get(settings.env, "")).rstrip("/") + "/"
    return (
        settings.auth_url or root + AUTH_PATH,
        settings.cancel_url or root + CANCEL_PATH,
        settings.query_url or root + QUERY_PATH,
    )


def limits(settings: Settings) -> Limits:
    """Limits of an input file: its size, and the memory and time for reading it."""
    return Limits(
        size=int(settings.max_file_mb * MEGABYTE),
        rows=settings.max_rows,
        columns=settings.max_columns,
        unpacked=int(settings.max_unpacked_mb * MEGABYTE),
        memory=settings.read_memory_mb * MEGABYTE,
        cpu=settings.read_cpu_s,
    )
