"""The HTTP around `routes`: limits, headers, and which names it is reached by."""

from __future__ import annotations

import errno
import ipaddress
import logging
import math
import shutil
import socket
import socketserver
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import SEEK_END, BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pipeline.config import ConfigError
from pipeline.config.serve import ServeOptions
from pipeline.gate import ExitCode
from pipeline.serve.errors import Refusal
from pipeline.serve.routes import Request, Response, problem, respond
from pipeline.serve.subject import Subject, open_run
from pipeline.signals import terminated_as_interrupted

log = logging.getLogger(__name__)

_SECONDS = 20            # in which a whole request must have come, and the next one be begun
_SENDING = 60            # seconds in which a whole answer must have been taken
_CONNECTIONS = 64        # at a time, one thread each; for one more, the most overdue is closed
_MOST_FIELDS = 20        # of a query
_LINGER = 2              # seconds that a refused request is read on, so that the answer arrives
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",     # the page's own has the rest
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def serve(config: ServeOptions) -> ExitCode:
    """Answers for the run `config.run` until it is interrupted or terminated.

    Raises:
        ConfigError: there is no such run, or the address can't be had.
        PersistenceError, LoweringError: the run can't be opened.
    """
    subject = open_run(config)
    with Server(subject) as server, terminated_as_interrupted():
        print(f"{server.url}  {subject.directory}  (Ctrl-C ends)", flush=True)
        if not server.loopback:
            log.warning("serve.host=%s: everyone who reaches this address sees the run and may "
                        "use its model", config.serve.host)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            log.info("ended")
    return ExitCode.PASSED


class Server(ThreadingHTTPServer):
    """Listens for one run; so many connections at a time, each with a deadline."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, subject: Subject) -> None:
        self.subject, self.settings = subject, subject.config.serve
        self._deadlines: dict[socket.socket, float] = {}   # of every open connection
        self._ended = threading.Condition()
        host = self.settings.host
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, self.settings.port), Handler)
        except (OSError, UnicodeError) as error:
            raise ConfigError(_explain(error, host, self.settings.port)) from None

    def server_bind(self) -> None:
        """Without the base class's look-up of the machine's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answers it in a thread of its own, once there is one to have."""
        with self._ended:
            while len(self._deadlines) >= _CONNECTIONS:
                overdue = min(self._deadlines, key=lambda one: self._deadlines[one])
                if self._deadlines[overdue] < math.inf:     # we don't work on it ourselves
                    self._cut(overdue)
                self._ended.wait(0.1)
            self._deadlines[request] = time.monotonic() + _SECONDS
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """Closes what is overdue, whatever its thread waits for: called twice a second."""
        now = time.monotonic()
        with self._ended:
            for connection in [one for one, end in self._deadlines.items() if end < now]:
                self._cut(connection)

    def expect(self, connection: socket.socket, seconds: float) -> None:
        """The connection's next part must be over within `seconds`; infinite for our own work."""
        with self._ended:
            self._deadlines[connection] = time.monotonic() + seconds

    def _cut(self, connection: socket.socket) -> None:
        """Ends a connection under its thread, which then gives it back."""
        self._deadlines[connection] = math.inf
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request: Any) -> None:
        """Reads on for a while: a connection that is closed with bytes unread loses its answer."""
        until = time.monotonic() + _LINGER
        with suppress(OSError):
            request.shutdown(socket.SHUT_WR)
            request.settimeout(_LINGER)
            while time.monotonic() < until and request.recv(1 << 16):
                pass
        with self._ended:
            self._deadlines.pop(request, None)
            self._ended.notify()
        self.close_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that the other side ended is no error of ours."""
        log.debug("connection from %s", client_address, exc_info=True)

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        host = str(self.server_address[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_address[1]}/"

    @property
    def loopback(self) -> bool:
        """Whether it is reached from this machine alone."""
        return ipaddress.ip_address(str(self.server_address[0])).is_loopback

    def accepts(self, host: str) -> bool:
        """Whether a request for this Host is meant for us.

        A foreign name that leads to a loopback address is how other sites would read from here.
        """
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return not self.loopback or name in ("localhost", str(self.server_address[0]))

    def respond(self, request: Request) -> Response:
        """The answer to a request."""
        return respond(self.subject, request)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "jaxfrost", ""
    timeout = _SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1            # head and body in one piece

    def do_GET(self) -> None:
        """Answers."""
        try:
            request = self._read()
            self.server.expect(self.connection, math.inf)
            response = self.server.respond(request)
        except Refusal as refused:
            self.close_connection = True     # what follows on it can't be told from a body
            response = problem(refused.status, str(refused))
        self._send(response)
        self.server.expect(self.connection, _SECONDS)

    do_HEAD = do_POST = do_GET

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """As the base class calls it for what is no HTTP: in JSON, like all other errors."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._send(problem(status, message or status.phrase))

    def log_message(self, format: str, *args: object) -> None:
        """Requests are nobody's business unless one looks for them."""
        log.debug(format, *args)

    def _read(self) -> Request:
        if not self.server.accepts(self.headers.get("Host", "")):
            raise Refusal(HTTPStatus.MISDIRECTED_REQUEST,
                          f"Host: {self.headers.get('Host')}; expected {self.server.url}")
        address = urlsplit(self.path)
        try:
            query = dict(parse_qsl(address.query, True, max_num_fields=_MOST_FIELDS))
        except ValueError:
            raise Refusal(HTTPStatus.BAD_REQUEST,
                          f"a query of more than {_MOST_FIELDS} fields") from None
        method = "GET" if self.command == "HEAD" else self.command
        return Request(method, address.path, query, self._body(),
                       self.headers.get("Content-Type", ""))

    def _body(self) -> bytes:
        text = self.headers.get("Content-Length", "0" if self.command != "POST" else "")
        if not (text.isascii() and text.isdecimal()) or "Transfer-Encoding" in self.headers:
            raise Refusal(HTTPStatus.LENGTH_REQUIRED, "a body needs its Content-Length in bytes")
        length, most = int(text[:20]), self.server.settings.largest_upload
        if length > most:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                          f"a body of {length:,} bytes; expected at most serve.largest_upload="
                          f"{most:,}")
        body = self.rfile.read(length)
        if len(body) < length:
            raise Refusal(HTTPStatus.BAD_REQUEST,
                          f"the body ended after {len(body):,} of {length:,} bytes")
        return body

    def _send(self, response: Response) -> None:
        self.server.expect(self.connection, _SENDING)
        with response.file.open("rb") if response.file else BytesIO(response.body) as body:
            self._send_head(response, body.seek(0, SEEK_END))
            body.seek(0)
            if self.command != "HEAD":
                shutil.copyfileobj(body, self.wfile)
            self.wfile.flush()

    def _send_head(self, response: Response, length: int) -> None:
        self.request_version = self.protocol_version   # or a malformed line would get no headers
        self.send_response(response.status)
        headers = {**_HEADERS, **response.headers, "Content-Type": response.content_type,
                   "Content-Length": str(length)}
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()


def _explain(error: Exception, host: str, port: int) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"serve.port={port}: in use; serve.port=0 picks one that is free"
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return f"serve.port={port}: not allowed; give one from 1024, or 0"
    return f"serve.host={host}: cannot listen there ({error}); give an address of this machine"
