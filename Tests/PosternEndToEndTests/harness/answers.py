"""The two documented forms of an error of postern-issuer, and the forms of the values in its answers."""
from __future__ import annotations

import re

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
SECRET = re.compile(r"[A-Za-z0-9_-]{32,}\Z")


def problem(answer, status, code=None):
    """Fails unless the answer is a problem document (RFC 9457) of that status and code; its members."""
    assert answer.status == status, answer
    assert answer.header("content-type") == "application/problem+json", answer
    assert answer.header("cache-control") == "no-store", answer
    members = answer.json()
    required = {"type", "title", "status", "detail", "code", "request_id"}
    assert required <= set(members) <= required | {"errors"}, members
    assert members["status"] == status
    assert members["type"] == "urn:postern:problem:" + members["code"]
    assert members["title"] and members["detail"] and members["request_id"]
    assert code is None or members["code"] == code, members
    if status == 401:
        assert answer.header("www-authenticate"), answer
    return members


def bad_fields(answer):
    """The names of the fields that a 422 names, each once."""
    members = problem(answer, 422, "invalid_fields")
    assert all(set(each) == {"field", "detail"} and each["detail"] for each in members["errors"]), members
    names = [each["field"] for each in members["errors"]]
    assert len(names) == len(set(names)), names
    return set(names)


def oauth_error(answer, status, error):
    """Fails unless the answer is an error as RFC 6749 section 5.2 has it."""
    assert answer.status == status, answer
    assert answer.header("content-type").split(";")[0] == "application/json", answer
    assert answer.header("cache-control") == "no-store", answer
    members = answer.json()
    assert set(members) == {"error", "error_description"}, members
    assert members["error"] == error, members
    # RFC 6749 section 5.2: the characters that a description may have.
    assert re.match(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+\Z", members["error_description"]), members
    return members
