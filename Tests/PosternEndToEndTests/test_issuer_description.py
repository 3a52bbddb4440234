"""What /openapi.json says, held against the running issuer by tools that know nothing of it."""
import json
import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from harness.description import Description
from harness.issuer import FORM, IssuerServer, basic
from harness.stores import SQLiteFile
from harness.table import table


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("issuer")
    made = IssuerServer(folder, SQLiteFile(folder))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def description(issuer):
    return Description(issuer.call("GET", "/openapi.json").json())


def test_it_is_openapi_3_1(description):
    assert description.document["openapi"] == "3.1.0"
    assert [str(each) for each in OpenAPIV31SpecValidator(description.document).iter_errors()] == []


def test_it_names_the_issuer(issuer, description):
    assert description.document["servers"] == [{"url": issuer.url}]
    flow = description.document["components"]["securitySchemes"]["clientToken"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == issuer.url + "/oauth/token"


def test_whoever_has_it_is_not_sent_it_again(issuer, description):
    first = issuer.call("GET", "/openapi.json")
    again = issuer.call("GET", "/openapi.json", "If-None-Match: " + first.header("etag"))
    assert (again.status, again.body) == (304, b"")
    assert again.header("etag") == first.header("etag")
    other = issuer.call("GET", "/openapi.json", 'If-None-Match: "other"')
    assert (other.status, other.body) == (200, first.body)


# What each operation is asked; none has any effect but for new secrets of a client that nobody uses.
PLAIN = table(
    ("nothing but the request line", lambda issuer: {}),
    ("an administrator, without a body", lambda issuer: {"token": issuer.admin_token()}),
    ("an administrator, with an empty object", lambda issuer: {"token": issuer.admin_token(), "json_body": {}}),
    ("an administrator, with what is no JSON", lambda issuer: {"token": issuer.admin_token(), "json_body": b"{"}),
    ("an administrator, with an unknown member", lambda issuer: {"token": issuer.admin_token(), "json_body": {"nothing": 1}}),
    ("an administrator, with an empty form", lambda issuer: {"token": issuer.admin_token(), "form": {"nothing": "1"}}),
    ("a client, with a form", lambda issuer: {"lines": [basic("admin", issuer.secrets["admin"])], "form": {"token": "x"}}),
    ("another client's secret", lambda issuer: {"lines": [basic("admin", "x")], "form": {"token": "x"}}),
    ("a token that is none", lambda issuer: {"token": "x", "json_body": {"token": "x"}}),
    ("too much", lambda issuer: {"token": issuer.admin_token(), "json_body": b"{" + b" " * (70 * 1024) + b"}"}),
    ("too much of a form", lambda issuer: {"form": {"token": "x" * (70 * 1024)}}),
)


@pytest.mark.parametrize("content", PLAIN)
def test_every_operation_answers_as_it_declares(issuer, description, content):
    content = content(issuer)
    lines = content.pop("lines", [])
    found, asked = [], 0
    for method, path, operation in description.operations():
        answer = issuer.call(method, re.sub(r"\{[a-z_]+\}", "nobody", path), *lines, **content)
        found += ["%s %s %d: %s" % (method, path, answer.status, each) for each in description.faults(operation, answer)]
        asked += 1
    assert found == []
    assert asked >= 25


def test_other_methods_are_refused_and_named(issuer, description):
    allowed = {}
    for method, path, _ in description.operations():
        allowed.setdefault(path, set()).update([method] + (["HEAD"] if method == "GET" else []))
    for path, methods in allowed.items():
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - methods:
            answer = issuer.call(method, path.replace("{id}", "x").replace("{name}", "x"))
            assert answer.status == 405, (method, path, answer)
            assert set(answer.header("allow").split(", ")) == methods, (method, path)


def test_a_description_that_is_wrong_is_noticed(issuer, description):
    """The test above can fail: health is held against descriptions that say something else."""
    answer = issuer.call("GET", "/health")
    right = description.document["paths"]["/health"]["get"]
    assert description.faults(right, answer) == []

    def faults(**changes):
        wrong = json.loads(json.dumps(right))
        wrong["responses"]["200"].update(changes)
        return description.faults(wrong, answer)

    assert faults(content={"text/plain": {"schema": {}}}) == ["content type application/json"]
    assert faults(content={"application/json": {"schema": {"type": "array"}}})
    assert faults(content={"application/json": {"schema": {"$ref": "#/components/schemas/KeySet"}}})
    assert faults(headers={"ETag": {"required": True, "schema": {"type": "string"}}}) == ["there is no ETag"]
    assert description.faults({"responses": {}}, answer) == ["status 200 is not declared"]
    assert FORM in description.document["paths"]["/oauth/token"]["post"]["requestBody"]["content"]
