"""Settings: environment variables with the prefix MAINSDESK_, and `$MAINSDESK_HOME/.env`."""

import os
import re
import secrets
from collections.abc import Iterable
from functools import cached_property
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "MAINSDESK_"
#: Secrets that the first start invents, so that no default one can ever be in use.
GENERATED = ("SERVICE_TOKEN", "BOT_TOKEN", "RASA_TOKEN", "AUDIT_KEY", "SECRET_KEY", "ADMIN_PASSWORD")
HIGHEST_PORT = 65535
#: What a vendor's channel cannot do without. The telephone's signatures are made over the public URL.
CHANNELS = {
    "WeChat": ("wechat_app_id", "wechat_app_secret", "wechat_token", "wechat_aes_key"),
    "the telephone": ("twilio_account_sid", "twilio_auth_token", "public_url"),
}
#: What signing in by an OpenID provider cannot do without. Its answers come to an address below the public URL.
OPENID = {"OpenID Connect": ("oidc_issuer", "oidc_client_id", "oidc_client_secret", "public_url")}
#: Who works at the console (the column `role` of agents).
ROLES = ("agent", "supervisor", "dispatcher", "admin")
#: What stands in examples and is nobody's secret.
PLACEHOLDERS = frozenset(
    {"changeme", "change-me", "change_me", "default", "example", "none", "password", "placeholder", "secret", "xxx"}
)


def home_folder() -> Path:
    """Where all state lives: `$MAINSDESK_HOME`, by default `var` in the working folder."""
    return Path(os.environ.get(f"{PREFIX}HOME") or "var").resolve()


def ensure_env_file(home: Path) -> bool:
    """Add random secrets to `<home>/.env` (mode 600) where it, or the file itself, is without. True if it was."""
    path = home / ".env"
    home.mkdir(parents=True, exist_ok=True)
    present = path.read_text(encoding="utf-8") if path.exists() else ""
    values = dotenv_values(stream=StringIO(present))
    missing = [name for name in GENERATED if not values.get(f"{PREFIX}{name}")]
    if missing:
        text = "".join(f"{PREFIX}{name}={secrets.token_urlsafe(24)}\n" for name in missing)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text if not present or present.endswith("\n") else f"\n{text}")
    path.chmod(0o600)
    return bool(missing)


def _plain(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _variables(names: Iterable[str]) -> str:
    return ", ".join(f"{PREFIX}{name.upper()}" for name in names)


class Settings(BaseSettings):
    """Everything that differs between two desks; field names are the variable names without the prefix."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")

    home: Path = Field(default_factory=home_folder)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=HIGHEST_PORT)
    database_url: str = ""
    timezone: str = "Asia/Shanghai"
    public_url: str = ""
    trusted_proxies: str = ""
    service_token: SecretStr = SecretStr("")
    bot_token: SecretStr = SecretStr("")
    rasa_token: SecretStr = SecretStr("")
    #: Signs the audit log; with another one the log cannot be verified.
    audit_key: SecretStr = SecretStr("")
    #: Encrypts agents' second factors; with another one they have to be set up again.
    secret_key: SecretStr = SecretStr("")
    admin_password: SecretStr = SecretStr("")
    wechat_app_id: str = ""
    wechat_app_secret: SecretStr = SecretStr("")
    wechat_token: SecretStr = SecretStr("")
    wechat_aes_key: SecretStr = SecretStr("")
    wechat_api_base: str = "https://api.weixin.qq.com"
    #: Take unencrypted messages too; for tests, as anyone who learns the token could then write messages.
    wechat_plain: bool = False
    #: Seconds that WeChat's callback waits for the bot's answer, to carry it without spending quota.
    wechat_reply_seconds: float = Field(default=2.0, ge=0, le=2.2)
    #: Minutes without a word after which a follower's next message begins a new conversation.
    wechat_idle_minutes: int = Field(default=120, ge=1)
    twilio_account_sid: str = ""
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_from: str = ""
    twilio_api_base: str = "https://api.twilio.com"
    #: Whether calls are recorded, which the greeting then says.
    voice_recorded: bool = False
    #: Minutes without a click or a key after which the console asks to sign in again.
    console_idle_minutes: int = Field(default=30, ge=1, le=720)
    #: Whether agents may open every conversation, and not only those that their work brings them.
    agents_read_all: bool = False
    #: Roles that need a second factor, separated by commas, e.g. `supervisor,admin`.
    require_otp: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    #: Whether a first sign-in by the provider finds its agent by a verified e-mail address that is the username.
    oidc_link_by_email: bool = False
    #: Who translates between customers and agents: a name of api.translation.registry.
    translator: str = "glossary"
    #: Seconds that one turn may take in Rasa before the customer gets an honest sentence instead.
    turn_seconds: float = 3.5
    #: Conversations whose turns one front desk works on at a time.
    turn_workers: int = 8
    #: Processes that share the front desk's port and its work; more than one needs PostgreSQL.
    front_desks: int = Field(default=1, ge=1, le=16)

    @field_validator("translator")
    @classmethod
    def known_translator(cls, name: str) -> str:
        """Imported here: translators are made of settings."""
        from api.translation.registry import TRANSLATORS

        if name not in TRANSLATORS:
            known = ", ".join(sorted(TRANSLATORS))
            raise ValueError(f"{_variables(['translator'])} names no translator; there are: {known}")
        return name

    @model_validator(mode="after")
    def whole_channels(self) -> "Settings":
        """A channel has all of its secrets, each a real one, or none."""
        for channel, needed in (CHANNELS | OPENID).items():
            values = {name: _plain(getattr(self, name)) for name in needed}
            if not any(value for name, value in values.items() if name != "public_url"):
                continue
            missing = [name for name, value in values.items() if not value]
            if missing:
                raise ValueError(f"{channel} is configured by half; missing: {_variables(missing)}")
            weak = [name for name, value in values.items() if value.lower().strip("<>") in PLACEHOLDERS]
            if weak:
                raise ValueError(f"{channel} has a placeholder where its secret should be: {_variables(weak)}")
        if self.twilio_from and not self.voice_on:
            raise ValueError(f"the telephone is configured by half; missing: {_variables(CHANNELS['the telephone'])}")
        if self.wechat_on and not re.fullmatch(r"[A-Za-z0-9]{43}", self.wechat_aes_key.get_secret_value()):
            raise ValueError(f"{_variables(['wechat_aes_key'])} must be the 43 letters and digits of EncodingAESKey")
        if self.public_url and not re.match(r"https?://[^/?#]+", self.public_url):
            raise ValueError(f"{_variables(['public_url'])} must be a URL such as https://desk.example.com")
        if self.oidc_on and not re.match(r"https://[^/?#]+|http://(127\.0\.0\.1|localhost)[:/]", self.oidc_issuer):
            raise ValueError(f"{_variables(['oidc_issuer'])} must be an https URL")
        if unknown := sorted(self.otp_roles - set(ROLES)):
            raise ValueError(f"{_variables(['require_otp'])} names no role: {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def one_desk_on_sqlite(self) -> "Settings":
        """Processes hear of each other's work by PostgreSQL alone."""
        if self.front_desks > 1 and self.sqlalchemy_url.startswith("sqlite"):
            raise ValueError(
                f"{_variables(['front_desks'])} is {self.front_desks}, and more than one front desk needs PostgreSQL: "
                f"set {_variables(['database_url'])} to postgresql://user:password@host/name, or leave it at 1"
            )
        return self

    @property
    def wechat_on(self) -> bool:
        return bool(self.wechat_app_id)

    @property
    def voice_on(self) -> bool:
        return bool(self.twilio_account_sid)

    @property
    def oidc_on(self) -> bool:
        return bool(self.oidc_issuer)

    @property
    def otp_roles(self) -> frozenset[str]:
        """Roles that cannot work without a second factor."""
        return frozenset(filter(None, re.split(r"[\s,]+", self.require_otp)))

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def sqlalchemy_url(self) -> str:
        """The async SQLAlchemy URL; a plain postgresql:// or sqlite:// URL gets its async driver."""
        url = self.database_url or f"sqlite:///{self.home / 'mainsdesk.db'}"
        for plain, driver in (
            ("postgresql://", "postgresql+asyncpg://"),
            ("postgres://", "postgresql+asyncpg://"),
            ("sqlite://", "sqlite+aiosqlite://"),
        ):
            if url.startswith(plain):
                return driver + url.removeprefix(plain)
        return url

    def loopback_port(self, step: int) -> int:
        """The port `step` ten-thousands away (1: Rasa, 2: actions), so that neighbouring desks never collide."""
        port = self.port + 10_000 * step
        return port if port <= HIGHEST_PORT else self.port - 10_000 * step

    @property
    def listen_addresses(self) -> list[tuple[str, int]]:
        """Host and port pairs of the front desk; whatever its public host is, its own parts find it on the loopback."""
        everywhere_here = ("127.0.0.1", "localhost", "0.0.0.0")  # noqa: S104
        loopback = [] if self.host in everywhere_here else [("127.0.0.1", self.port)]
        return [(self.host, self.port), *loopback]

    @property
    def names_file(self) -> Path:
        """Where the front desk writes the names of places and lines for the bot."""
        return self.home / "names.json"

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def rasa_url(self) -> str:
        return f"http://127.0.0.1:{self.loopback_port(1)}"

    @property
    def actions_url(self) -> str:
        return f"http://127.0.0.1:{self.loopback_port(2)}"


def load_settings() -> Settings:
    """Settings from the environment, then from the home's `.env` (the environment wins)."""
    home = home_folder()
    return Settings(_env_file=home / ".env", home=home)
