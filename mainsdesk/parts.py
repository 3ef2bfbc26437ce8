"""The three processes of a desk: how each is started, and with which secrets."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from api.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Part:
    """One process. `health` is answered with 200 while it works; without an `essential` part there is no desk."""

    name: str
    log_name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    health: str
    essential: bool = False


def own_environment(settings: Settings) -> dict[str, str]:
    """The environment of what may know every setting."""
    return os.environ | {f"{PREFIX}HOME": str(settings.home), "PYTHONUNBUFFERED": "1"}


def _environment(settings: Settings, **own: str) -> dict[str, str]:
    """That of a part which may know only the settings named here."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return inherited | {"PYTHONUNBUFFERED": "1", f"{PREFIX}TIMEZONE": settings.timezone} | own


def front_desk(settings: Settings) -> Part:
    """FastAPI, the only part that faces the public."""
    return Part(
        "front desk",
        "front-desk",
        (sys.executable, "-m", "api.serve"),
        own_environment(settings),
        f"{settings.api_url}/healthz",
        essential=True,
    )


def bot(settings: Settings, model: Path) -> Part:
    """Rasa, from the environment of its own."""
    return Part(
        "bot",
        "bot",
        (
            *(str(ROOT / ".venv-bot" / "bin" / "python"), "-m", "rasa", "run", "--quiet"),
            *("-i", "127.0.0.1", "-p", str(settings.loopback_port(1)), "-m", str(model)),
            *("--endpoints", "endpoints.yml", "--credentials", "credentials.yml"),
        ),
        _environment(
            settings,
            MAINSDESK_RASA_TOKEN=settings.rasa_token.get_secret_value(),
            MAINSDESK_ACTIONS_URL=f"{settings.actions_url}/webhook",
            MAINSDESK_RASA_DB=str(settings.home / "rasa.db"),
            MAINSDESK_NAMES=str(settings.names_file),
            SANIC_HOST="127.0.0.1",
            RASA_TELEMETRY_ENABLED="false",
            PYTHONWARNINGS="ignore",  # hundreds of lines of its libraries' deprecations
            SQLALCHEMY_SILENCE_UBER_WARNING="1",
            OPENBLAS_NUM_THREADS="1",  # the products are small: more threads only wait for one another
        ),
        f"{settings.rasa_url}/webhooks/desk/",
    )


def actions(settings: Settings) -> Part:
    """The action server."""
    return Part(
        "actions",
        "actions",
        (sys.executable, "-m", "bot.actions"),
        _environment(
            settings,
            MAINSDESK_ACTIONS_PORT=str(settings.loopback_port(2)),
            MAINSDESK_RASA_TOKEN=settings.rasa_token.get_secret_value(),
            MAINSDESK_API_URL=settings.api_url,
            MAINSDESK_BOT_TOKEN=settings.bot_token.get_secret_value(),
            SANIC_HOST="127.0.0.1",
        ),
        f"{settings.actions_url}/health",
    )
