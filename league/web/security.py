"""What is checked of every request, and the headers of every answer.

A page of a stranger, open in the same browser, can send requests to a server on loopback: by a name
that it lets point there (DNS rebinding; the Host header tells), or across origins (Origin and
Sec-Fetch-Site tell). Both are refused.
"""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1 << 20
"""The largest body of a request."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",  # colours of plots and widths of bars; no style sheets
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""The content security policy: scripts and styles of our own files, and nothing from elsewhere."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """ASGI middleware: refuses requests that no page of ours sends, and sets the headers.

    Args:
      app: what it guards.
      host: the address that the server is bound to, or a name of it.
    """

    def __init__(self, app: ASGIApp, host: str):
        self._app, self._names = app, frozenset(_names(host))
        self._loopback = _is_loopback(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request, or refuses it in one line."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope["method"], headers)
        if refusal:
            await PlainTextResponse(refusal[1] + "\n", refusal[0], _HEADERS)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    found.setdefault(name, value)
                found.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, _Body(receive), send_with_headers)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """Status and message, if a request is not to be served."""
        host = headers.get("host", "")
        if not self._is_ours(host):
            return 400, f"this server is not called {host!r:.99}"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, f"requests from {origin!r:.99} are not served"
        fetch = headers.get("sec-fetch-site", "none")
        navigation = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
        if fetch not in ("same-origin", "none") and not navigation:
            return 403, "requests from other sites are not served"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 15 or int(length) > MOST_BYTES:
            return 413, _too_large()
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names:
            return True
        # No stranger's name can stand for an address that is written out.
        return not self._loopback and _address(name) is not None


class _Body:
    """Counts the bytes of a body, whose length need not have been told."""

    def __init__(self, receive: Receive):
        self._receive, self._left = receive, MOST_BYTES

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, _too_large())
        return message


def _too_large() -> str:
    return f"a request holds at most {MOST_BYTES >> 20} MiB"


def _names(host: str) -> Iterable[str]:
    yield from ("localhost", "127.0.0.1", "::1", host.lower())
    if not _is_loopback(host):
        yield socket.gethostname().lower()
        yield socket.getfqdn().lower()


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
