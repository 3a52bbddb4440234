"""Configurations that tests start from. Only keys of the documented proxy.yaml."""
from __future__ import annotations

import copy

from . import mint
from .introspection import KEY

RSA = mint.key("RS256")
SEAL = "seal-of-the-tests-0123456789abcdef"

ROUTES = {
    "GET /health": "public",
    "ANY /public/{rest...}": "public",
    "GET|POST /optional": "optional",
    "GET|POST|PUT|DELETE /auth": "authenticated",
    "GET /api/v1/trades": {"scopes": ["trade:read", "account:read"]},
    "POST /api/v1/trades": {"scopes": "trade:open"},
    "DELETE /api/v1/trades/{trade_id}": {"scopes": "trade:close"},
    "GET /api/v1/account": {"scopes": "account:read"},
    "GET /api/v1/account/balance": {"scopes": "account:balance"},
    "GET /api/v1/market/{symbol}": {"scopes": "market:data"},
    "GET /api/v1/admin/stats": {"scopes": "admin:system", "claims": {"is_trusted": True}},
    "GET /api/v1/users/{user_id}/orders": {"scopes": "trade:read", "claims": {"sub": "{user_id}"}},
    "ANY /internal/{rest...}": "deny",
}


def issuer(*keys, **changes):
    """An issuer whose keys stand in the file."""
    keys = keys or (RSA,)
    entry = {
        "issuer": mint.ISSUER,
        "audiences": [mint.AUDIENCE],
        "algorithms": sorted({each.alg for each in keys}),
        "keys": {"inline": mint.jwks(*keys)},
    }
    entry.update(changes)
    return {name: value for name, value in entry.items() if value is not None}


def config(upstream, **changes):
    """A whole configuration in front of `upstream` (a RecordingUpstream or a URL)."""
    result = {
        "version": 1,
        "upstream": getattr(upstream, "url", upstream),
        "issuers": {"main": issuer()},
        "routes": copy.deepcopy(ROUTES),
        "realm": "e2e",
        "service": "mt5-api",
        "event_loops": 1,
        "timeouts": {"drain": "1s"},
    }
    timeouts = dict(result["timeouts"], **changes.pop("timeouts", {}))
    routes = dict(result["routes"], **changes.pop("more_routes", {}))
    result.update(timeouts=timeouts, routes=routes)
    result.update(changes)
    return {name: value for name, value in result.items() if value is not None}


def token(**changes):
    """A good token of the default issuer."""
    header = changes.pop("header", None)
    return RSA.token(header, **changes)


def introspection(server, **changes):
    """An issuer that is asked about every token: at `server` (an IntrospectionServer, or a URL). Changes whose names
    are keys of an issuer go there, the others to `introspection`; None takes a key out."""
    entry = {
        "url": getattr(server, "url", server), "dialect": getattr(server, "dialect", "rfc7662"), "credentials": {"bearer": KEY},
        "timeout": "2s", "cache": "30s", "negative_cache": "5s",
    }
    outer = {name: changes.pop(name) for name in list(changes) if name in ISSUER_KEYS}
    entry.update(changes)
    outer["introspection"] = {name: value for name, value in entry.items() if value is not None}
    return {name: value for name, value in outer.items() if value is not None}


ISSUER_KEYS = ("issuer", "audiences", "leeway", "claims", "admin", "revocation")


def redis(server, **changes):
    """The `redis` section for a server, a setup or a URL."""
    entry = {"url": getattr(server, "url", server), "timeout": "200ms", "seal": SEAL}
    entry.update(changes)
    return {name: value for name, value in entry.items() if value is not None}
