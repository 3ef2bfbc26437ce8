"""The processes of a desk: how each is started, and with which secrets."""

import os
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from api.serve import listen
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
    #: What it serves on; where there is none, it opens its own.
    sockets: tuple[socket.socket, ...] = ()


def own_environment(settings: Settings) -> dict[str, str]:
    """The environment of what may know every setting."""
    return os.environ | {f"{PREFIX}HOME": str(settings.home), "PYTHONUNBUFFERED": "1"}


def _environment(settings: Settings, **own: str) -> dict[str, str]:
    """That of a part which may know only the settings named here."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return inherited | {"PYTHONUNBUFFERED": "1", f"{PREFIX}TIMEZONE": settings.timezone} | own


def front_desks(settings: Settings) -> list[Part]:
    """FastAPI, the only part that faces the public; as many processes of it as are set."""
    if settings.front_desks == 1:
        return [_front_desk(settings, "", f"{settings.api_url}/healthz", ())]
    shared = [listen(address) for address in settings.listen_addresses]
    counts = settings.home / "tmp" / "metrics"
    shutil.rmtree(counts, ignore_errors=True)
    counts.mkdir(mode=0o700, parents=True)
    parts = []
    for number in range(1, settings.front_desks + 1):
        own = listen(("127.0.0.1", 0))  # by the shared port nobody can ask for one of them
        health = f"http://127.0.0.1:{own.getsockname()[1]}/healthz"
        part = _front_desk(settings, str(number) if number > 1 else "", health, (*shared, own))
        part.environment["PROMETHEUS_MULTIPROC_DIR"] = str(counts)  # where each adds up for all
        parts.append(part)
    return parts


def _front_desk(settings: Settings, number: str, health: str, sockets: tuple[socket.socket, ...]) -> Part:
    return Part(
        f"front desk {number}".strip(),
        f"front-desk-{number}".strip("-"),
        (sys.executable, "-m", "api.serve", *(str(one.fileno()) for one in sockets)),
        own_environment(settings),
        health,
        essential=True,
        sockets=sockets,
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
