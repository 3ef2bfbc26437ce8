"""Serves the front desk: `python -m api.serve`, with everything from the settings.

Arguments, if any, are the descriptors of open sockets to serve on, which several front desks share.
"""

import socket
import sys

import uvicorn

from api.settings import load_settings

#: Seconds that open requests and streams get when the process is told to end.
GRACE = 2
#: Connections that wait to be accepted.
BACKLOG = 2048


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = load_settings()
    config = uvicorn.Config(
        "api.main:app",
        factory=True,
        access_log=False,  # it would hold query strings
        log_level="warning",
        server_header=False,
        ws="none",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE,
    )
    given = [socket.socket(fileno=int(descriptor)) for descriptor in sys.argv[1:]]
    uvicorn.Server(config).run(sockets=given or [listen(address) for address in settings.listen_addresses])


def listen(address: tuple[str, int]) -> socket.socket:
    """A listening socket; raises OSError."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    return socket.create_server(address, family=family, backlog=BACKLOG)


if __name__ == "__main__":
    main()
