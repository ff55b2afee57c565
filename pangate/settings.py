"""This file is the settings: read from the environment once, at the door, and nowhere else.

Names: design section 10. Any secret may also come from a file: NAME_FILE names it.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from catalogue import disk
from schema.errors import Misconfigured
from schema.federation import Federation, read_federation

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_NO_ADDRESS = re.compile(r'[\s<>"{}|\\^`]')


class Settings(BaseSettings):
    """Everything that may be set by PANGATE_… variables."""

    model_config = SettingsConfigDict(env_prefix="PANGATE_", extra="ignore", frozen=True)

    federation: Path = Field(Path("federation.yaml"), description="the federation file")
    data: Path = Field(Path("var"), description="the folder of the embedded stores")
    database: str | None = Field(
        None, description="sqlite:///path or postgresql://…; a file in the data folder without it"
    )
    index: str | None = Field(
        None, description="a folder, or http(s)://… of Elasticsearch; a folder in the data folder without it"
    )
    index_prefix: str = Field("pangate", description="what the names of the indexes in Elasticsearch begin with")
    index_shards: int = Field(1, ge=1, le=1024, description="primary shards of each index in Elasticsearch")
    index_replicas: int = Field(0, ge=0, le=16, description="replicas of each shard in Elasticsearch")
    index_calls: int = Field(
        48, ge=1, le=1024, description="calls to Elasticsearch that a gateway has under way at once, over all addresses"
    )
    index_ca: Path | None = Field(None, description="the certificate authority of an https Elasticsearch, a file")
    broker: str | None = Field(None, description="redis://… or amqp://…; within the process without it")
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="where a worker or beat tells its figures and that it lives; nowhere without it",
    )
    host: str = Field("127.0.0.1", description="the address to listen on")
    port: int = Field(8080, ge=1, le=65535, description="the port to listen on")
    proxies: str = Field(
        "127.0.0.1",
        description="addresses or networks of the proxies whose X-Forwarded-For is believed, parted by commas",
    )
    url: str | None = Field(None, description="the public address, when it is another than host and port")
    oidc_issuer: str | None = Field(None, description="the identity provider; nobody can sign in without it")
    oidc_client_id: str | None = Field(None, description="our name at the provider")
    operators: str | None = Field(
        None, description="the group (of the claim `groups`) whose members may harvest and see rejects"
    )
    vocabulary: str | None = Field(
        None,
        description="path or http(s) address of a PaNET release (OWL) or table (.json), in the place of the packaged one",
    )
    grace: int = Field(
        35,
        ge=5,
        le=3600,
        description="seconds after SIGTERM in which a process is gone, whatever hangs; fewer than its platform gives it",
    )
    rate_limit: bool = Field(True, description="whether readers are limited in how much they ask")
    log_level: str = Field("info", description="debug, info, warning or error")

    @field_validator("url", "oidc_issuer")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in ("http", "https") or _NO_ADDRESS.search(value)):
            raise ValueError(
                "an address begins with https:// (or http:// on this machine) and holds no blank, quote or bracket"
            )
        return value

    @model_validator(mode="after")
    def _safe(self) -> Settings:
        for name, value in (("PANGATE_URL", self.url), ("PANGATE_OIDC_ISSUER", self.oidc_issuer)):
            parts = urlsplit(value or "")
            if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
                raise ValueError(f"{name} must be https: sign-in over plain http is only allowed on this machine")
        if self.index_url is not None and any(
            "@" in urlsplit(each.strip()).netloc for each in self.index_url.split(",")
        ):
            raise ValueError("PANGATE_INDEX must not hold a login: give PANGATE_INDEX_USER and PANGATE_INDEX_PASSWORD")
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("PANGATE_OIDC_ISSUER is set, so PANGATE_OIDC_CLIENT_ID must be set too")
        return self

    @property
    def public_url(self) -> str:
        """The public address, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def database_url(self) -> str:
        """Where the truth is, as it was set."""
        return self.database or f"sqlite:///{(self.data / 'pangate.sqlite').absolute()}"

    @property
    def index_url(self) -> str | None:
        """The address of the Elasticsearch cluster, if the index is one."""
        return self.index if self.index and urlsplit(self.index).scheme in ("http", "https") else None

    @property
    def index_folder(self) -> Path:
        """Where the embedded index is."""
        return Path(self.index) if self.index else self.data / "index"


def read_settings() -> Settings:
    """The settings of this process. Raises Misconfigured with one sentence a fault."""
    try:
        return Settings()
    except ValidationError as error:
        faults = (_fault(fault) for fault in error.errors(include_url=False, include_input=False))
        raise Misconfigured("\n".join(faults)) from None


_PLAIN = {
    "int_parsing": "this must be a whole number",
    "float_parsing": "this must be a number",
    "bool_parsing": "this must be true or false",
}
"""Faults that pydantic tells in words of its own."""


def _fault(fault: Mapping[str, object]) -> str:
    place = fault["loc"]
    name = f"PANGATE_{str(place[0]).upper()}: " if isinstance(place, tuple) and place else ""
    plain = _PLAIN.get(str(fault["type"]), str(fault["msg"]).removeprefix("Value error, "))
    return f"{name}{plain}."


def read_file(settings: Settings) -> Federation:
    """The federation file. Raises Misconfigured."""
    try:
        text = settings.federation.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        message = f"the federation file cannot be read ({reason}); set PANGATE_FEDERATION."
        raise Misconfigured(message, where=str(settings.federation)) from None
    return read_federation(text, str(settings.federation))


class Environment:
    """Named secrets: the variable of that name, or the file that NAME_FILE names."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ

    def secret(self, name: str) -> str:
        """The value. Raises Misconfigured naming the variable, never a value."""
        if value := self._environ.get(name):
            return value
        if path := self._environ.get(f"{name}_FILE"):
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise Misconfigured(f"the file that {name}_FILE names cannot be read ({error.strerror}).") from None
        raise Misconfigured(
            f"the secret {name} is not set; put it into the environment, or its file's path into {name}_FILE."
        )

    def optional(self, name: str) -> str:
        """The value, empty when it is not set at all. Raises Misconfigured for a file that cannot be read."""
        return self.secret(name) if self._environ.get(name) or self._environ.get(f"{name}_FILE") else ""


def truth_url(settings: Settings, environment: Environment) -> str:
    """Where the truth is; the password of a server's user may come from PANGATE_DATABASE_PASSWORD. Raises Misconfigured."""
    return with_password(settings.database_url, environment.optional("PANGATE_DATABASE_PASSWORD"), "PANGATE_DATABASE")


def broker_url(settings: Settings, environment: Environment) -> str | None:
    """Where the wake-ups go; the password may come from PANGATE_BROKER_PASSWORD. None: they stay in the process."""
    if settings.broker is None:
        return None
    return with_password(settings.broker, environment.optional("PANGATE_BROKER_PASSWORD"), "PANGATE_BROKER")


def with_password(url: str, password: str, name: str) -> str:
    """A server's URL with a password that was kept apart from it. Raises Misconfigured when it names another already."""
    parts = urlsplit(url)
    if not password:
        return url
    if parts.password is not None or not parts.hostname:
        raise Misconfigured(f"{name} must be a server's address without a password when {name}_PASSWORD is set.")
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}"))


def naming_key(secret: bytes) -> bytes:
    """The key by which a gateway knows the launches it has named, made of its own secret."""
    return hashlib.blake2b(secret, digest_size=32, person=b"pangate-launches").digest()


def gateway_secret(settings: Settings, environment: Environment) -> bytes:
    """The gateway's own secret: PANGATE_SECRET, else a file in the data folder that is made once, readable by its owner alone."""
    try:
        return environment.secret("PANGATE_SECRET").encode()
    except Misconfigured:
        path = settings.data / "secret"
    with disk.told("PANGATE_DATA"):
        if (
            not path.exists() or not path.read_bytes()
        ):  # an empty one is what a crash may leave of a file: nothing was made with it
            _keep_secret(path)
        return path.read_bytes()


def _keep_secret(path: Path) -> None:
    """Make the file, whole or not at all; where another process makes it at the same time, one of the two stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_urlsafe(48).encode())
            file.flush()
            os.fsync(file.fileno())
        if path.exists() and not path.read_bytes():
            aside.replace(path)
        else:
            with suppress(FileExistsError):
                path.hardlink_to(aside)
    finally:
        aside.unlink(missing_ok=True)
