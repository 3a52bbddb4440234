"""A FastAPI service as its owner would write it: unmodified behind Postern, and describing itself."""
from __future__ import annotations

import threading
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer, OAuth2PasswordBearer

from .net import wait_until

# What the service would do with tokens on its own is switched off: Postern does it. The document says it all the same.
oauth = OAuth2PasswordBearer(tokenUrl="token", auto_error=False)
bearer = HTTPBearer(auto_error=False)
key = APIKeyHeader(name="X-Key", auto_error=False)


def needs(*scopes):
    return Annotated[str | None, Security(oauth, scopes=list(scopes))]


def application():
    app = FastAPI(title="Orders & Trades", version="1.0")

    @app.get("/health")
    def health():
        return {}

    @app.get("/trades/{trade_id}")
    def trade(trade_id: str, _: needs("trade:read", "account:read")):
        return {"trade": trade_id}

    @app.get("/trades/latest")
    def latest(_: needs("trade:latest")):
        return {}

    @app.post("/trades")
    async def open_trade(request: Request, _: needs("trade:open")):
        return {"size": len(await request.body())}

    @app.get("/me")
    def me(request: Request, _: Annotated[object, Depends(bearer)]):
        return {"user": request.headers.get("x-user-id")}

    @app.get("/keyed")
    def keyed(_: Annotated[object, Depends(key)]):
        return {}

    @app.get("/report.{form}")
    def report(form: str, _: needs("report:read")):
        return {"form": form}

    return app


class FastAPIService:
    """The service on a port of its own; `seen` has the method and path of every request that came."""

    def __init__(self):
        self.app = application()
        self.seen = []
        self.server = uvicorn.Server(
            uvicorn.Config(self._record, port=0, log_level="error", lifespan="off", loop="asyncio", http="h11", ws="none",
                           interface="asgi3"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    async def _record(self, scope, receive, send):
        self.seen.append((scope["method"], scope["path"]))
        await self.app(scope, receive, send)

    def __enter__(self):
        self.thread.start()
        wait_until(lambda: self.server.started, 10, "the service to listen")
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = "http://127.0.0.1:%d" % port
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(10)
