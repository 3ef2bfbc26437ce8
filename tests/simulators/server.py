"""A small real HTTP server on the loopback, in a thread of its own, with the faults that a vendor can have."""

import contextlib
import http.server
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

#: Bytes of a request body that are read at all.
MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Request:
    """What came in. `query`: the last value of each name."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        found = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[-1] for name, values in found.items()}

    @property
    def forms(self) -> dict[str, list[str]]:
        """Every value of each name, as `StatusCallbackEvent` comes several times."""
        return parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> "Answer":
        return cls(status, json.dumps(value, ensure_ascii=False).encode(), "application/json; charset=utf-8", headers)


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose path contains `path`.

    `drop`: "before" closes the connection without doing anything, "after" does it and then closes without an answer.
    `answer`: said instead of doing anything. `delay`: seconds before all else.
    """

    path: str = ""
    times: int = 1
    delay: float = 0.0
    drop: str = ""
    answer: Answer | None = None


class Server:
    """Override `handle`. Use in a `with`, or `start` and `stop`; `port` 0 takes a free one at once."""

    def __init__(self, port: int = 0) -> None:
        self.lock = threading.RLock()
        #: Rung after every request.
        self.changed = threading.Condition(self.lock)
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self._http = _Http(("127.0.0.1", port), _Handler)
        self._http.simulator = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def handle(self, request: Request) -> Answer:
        raise NotImplementedError

    def fail(self, fault: Fault) -> None:
        """Let it go wrong from now on; faults are used up in their order."""
        with self.lock:
            self.faults.append(fault)

    def answer(self, request: Request) -> Answer | None:
        """The answer, after the next fault that applies; None: close the connection."""
        fault = self._next_fault(request)
        if fault.delay:
            time.sleep(fault.delay)
        if fault.drop == "before":
            return None
        with self.changed:
            self.requests.append(request)
            answer = fault.answer or self.handle(request)
            self.changed.notify_all()
        return None if fault.drop == "after" else answer

    def _next_fault(self, request: Request) -> Fault:
        with self.lock:
            for fault in self.faults:
                if fault.path in request.path and fault.times > 0:
                    fault.times -= 1
                    return fault
        return Fault()


class _Http(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    simulator: Server

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    server: _Http

    def _do(self) -> None:
        size = min(int(self.headers.get("Content-Length") or 0), MOST_BYTES)
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, query, headers, self.rfile.read(size))
        answer = self.server.simulator.answer(request)
        if answer is None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_DELETE = do_PUT = _do  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Silence: a terminal is talking."""
