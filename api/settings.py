"""Settings: environment variables with the prefix MAINSDESK_, and `$MAINSDESK_HOME/.env`."""

import os
import secrets
from functools import cached_property
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "MAINSDESK_"
#: Secrets that the first start invents, so that no default one can ever be in use.
GENERATED = ("SERVICE_TOKEN", "BOT_TOKEN", "RASA_TOKEN", "ADMIN_PASSWORD")
HIGHEST_PORT = 65535


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
    admin_password: SecretStr = SecretStr("")
    #: Seconds that one turn may take in Rasa before the customer gets an honest sentence instead.
    turn_seconds: float = 3.5
    #: Conversations whose turns one front desk works on at a time.
    turn_workers: int = 8

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
