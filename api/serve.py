"""Serves the front desk: `python -m api.serve`, with everything from the settings."""

import socket

import uvicorn

from api.settings import load_settings

#: Seconds that open requests and streams get when the process is told to end.
GRACE = 2


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
    sockets = [
        socket.create_server(address, family=socket.AF_INET6 if ":" in address[0] else socket.AF_INET, backlog=2048)
        for address in settings.listen_addresses
    ]
    uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    main()
