"""Whether the desk's ports are free, and who holds one that is not."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

from api.serve import listen
from api.settings import Settings

LISTENING = "0A"
#: Seconds for the parts of a desk that was killed a moment ago to be gone.
PATIENCE = 3.0


class PortTaken(RuntimeError):
    """The message says which port, who holds it, and how to choose another."""


def addresses(settings: Settings) -> dict[str, list[tuple[str, int]]]:
    """What each part listens on; the parts reach the front desk on the loopback whatever its public host is."""
    return {
        "front desk": settings.listen_addresses,
        "bot": [("127.0.0.1", settings.loopback_port(1))],
        "actions": [("127.0.0.1", settings.loopback_port(2))],
    }


def check_ports(settings: Settings, patience: float = PATIENCE) -> None:
    """Raise PortTaken unless every port can be listened on."""
    until = time.monotonic() + patience
    while taken := _taken(settings):
        if time.monotonic() > until:
            raise PortTaken(_sentence(settings, *taken))
        time.sleep(0.1)


def _taken(settings: Settings) -> tuple[str, tuple[str, int], OSError] | None:
    for part, places in addresses(settings).items():
        for place in places:
            try:
                listen(place).close()
            except OSError as problem:
                return part, place, problem
    return None


def _sentence(settings: Settings, part: str, place: tuple[str, int], problem: OSError) -> str:
    host, port = place
    if isinstance(problem, PermissionError):
        return f"Port {port} ({part}) is not for this user. Choose one above 1023: MAINSDESK_PORT=8000 make run"
    if isinstance(problem, socket.gaierror) or _free(("127.0.0.1", port)):
        why = problem.strerror or problem
        return f"The {part} cannot listen on {host}: {why}. MAINSDESK_HOST must be an address of this machine."
    holder = holder_of(port)
    why = "" if port == settings.port else f", which follows from MAINSDESK_PORT={settings.port}"
    advice = f"Choose another: MAINSDESK_PORT={other_port(settings)} make run"
    return f"Port {port} ({part}{why}) is taken{f' by {holder}' if holder else ''}. {advice}"


def _free(place: tuple[str, int]) -> bool:
    try:
        listen(place).close()
    except OSError:
        return False
    return True


def other_port(settings: Settings) -> int:
    """A public port near the chosen one with which all three are free."""
    for port in range(settings.port + 10, settings.port + 500, 10):
        other = settings.model_copy(update={"port": port})
        if port < 65_000 and _taken(other) is None:
            return port
    return 8000


def holder_of(port: int) -> str:
    """Such as `pid 4711 (nginx: master process …)`; '' where that cannot be known (another user's, not Linux)."""
    wanted = {f"socket:[{inode}]" for inode in _inodes(port)}
    for folder in Path("/proc").glob("[0-9]*/fd") if wanted else ():
        try:
            if any(str(file.readlink()) in wanted for file in folder.iterdir()):
                command = (folder.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                return f"pid {folder.parent.name} ({command.strip()[:60]})"
        except OSError:  # ended meanwhile, or another user's
            continue
    return ""


def _inodes(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        path = Path("/proc/net") / table
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]
