"""Who is who: every browser gets a random name in a cookie, which no script can read.

Only work is counted by it. A visitor who sends none, or one that this server never gave, shares the
turns of all others from the same address.
"""

import hmac
import secrets
from hashlib import sha256

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "arena_visitor"


class Visitors:
    """ASGI middleware: sets `request.state.visitor`, and the cookie of a new visitor.

    Args:
      app: what comes after it.
      secret: signs the cookies.
    """

    def __init__(self, app: ASGIApp, secret: bytes):
        self._app, self._secret = app, secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        name, _, signature = request.cookies.get(COOKIE, "").partition(".")
        known = hmac.compare_digest(signature.encode(), self._sign(name).encode())
        address = request.client.host if request.client else ""
        scope.setdefault("state", {})["visitor"] = name if known else f"address {address}"

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and not known:
                fresh = secrets.token_urlsafe(12)
                cookie = f"{COOKIE}={fresh}.{self._sign(fresh)}; Path=/; HttpOnly; SameSite=Lax"
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_cookie)

    def _sign(self, name: str) -> str:
        return hmac.new(self._secret, b"visitor " + name.encode(), sha256).hexdigest()[:32]
