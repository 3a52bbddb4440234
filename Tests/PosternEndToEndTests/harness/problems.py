"""The form of every answer that Postern makes itself (3-behaviour, "Answers made by Postern itself")."""
from __future__ import annotations

import json
import re

STATUS_OF = {
    "bad_request": 400, "ambiguous_path": 400, "invalid_request": 400, "missing_token": 401, "invalid_token": 401,
    "insufficient_scope": 403, "access_denied": 403, "route_denied": 403, "route_not_declared": 403,
    "identity_too_large": 403, "method_not_allowed": 405, "request_timeout": 408, "content_too_large": 413,
    "uri_too_long": 414, "expectation_failed": 417, "request_header_fields_too_large": 431, "not_implemented": 501,
    "http_version_not_supported": 505, "issuer_unavailable": 502, "upstream_unavailable": 502,
    "upstream_invalid_response": 502, "overloaded": 503, "draining": 503, "upstream_timeout": 504,
}
CHALLENGED = {"invalid_request", "missing_token", "invalid_token", "insufficient_scope"}
PARAMETER = r'[a-z_]+="(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"'
CHALLENGE = re.compile(r"Bearer %s(?:, %s)*\Z" % (PARAMETER, PARAMETER))


def check_problem(response, code, method="GET", realm="e2e"):
    """Fails unless `response` is the documented answer for `code`; returns the body's members (None for HEAD)."""
    status = STATUS_OF[code]
    assert response.status == status, response
    assert response.header("content-type") == "application/problem+json", response
    assert response.header("cache-control") == "no-store", response
    request_id = response.header("x-request-id")
    assert request_id and re.match(r"[A-Za-z0-9._-]{1,128}\Z", request_id), response
    length = response.header("content-length")
    assert length is not None and length.isdigit(), response
    challenge = response.header("www-authenticate")
    if code in CHALLENGED:
        parameters = parse_challenge(challenge)
        assert parameters["realm"] == realm
        if code == "missing_token":
            assert set(parameters) == {"realm"}, "RFC 6750 3.1: no error code without a token"
        else:
            assert parameters["error"] == code
        if code == "invalid_token":
            assert parameters["error_description"]
    else:
        assert challenge is None, response
    if code == "method_not_allowed":
        assert response.header("allow"), response
    if code in ("overloaded", "draining"):
        assert re.match(r"[0-9]+\Z", response.header("retry-after") or ""), response
    if method == "HEAD":
        assert response.body == b""
        assert int(length) > 0
        return None
    assert int(length) == len(response.body)
    return check_body(response.body, code, request_id)


def check_body(body, code, request_id=None):
    """The members of the problem document."""
    members = json.loads(body.decode("utf-8"))
    known = {"type", "title", "status", "detail", "code", "request_id", "required"}
    assert set(members) <= known, members
    assert set(members) - {"required"} == known - {"required"}, members
    assert members["type"] == "urn:postern:problem:" + code
    assert members["status"] == STATUS_OF[code]
    assert members["code"] == code
    assert isinstance(members["title"], str) and members["title"]
    assert isinstance(members["detail"], str) and len(members["detail"]) > 10, members
    assert "\n" not in members["detail"]
    if code == "issuer_unavailable":
        assert members["title"] == "Authentication service unavailable"
    if request_id is not None:
        assert members["request_id"] == request_id
    assert "eyJ" not in body.decode("utf-8"), "a token in an answer"
    return members


def parse_challenge(value):
    """The parameters of one Bearer challenge (RFC 6750 section 3), each at most once."""
    assert value is not None and CHALLENGE.match(value), "not a Bearer challenge: %r" % value
    found = re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', value)
    names = [name for name, _ in found]
    assert len(names) == len(set(names)), value
    return dict(found)
