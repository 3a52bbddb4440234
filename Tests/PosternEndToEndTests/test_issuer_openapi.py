"""/openapi.json, and schemathesis, which reads it and sends whatever it can think of: no 5xx, no undeclared answer."""
import os
import subprocess
import sys

import pytest

from harness.issuer import IssuerServer, basic
from harness.stores import SQLiteFile

PATHS = {
    "/api/v1/auth/service-token": {"post"}, "/oauth/token": {"post"}, "/oauth/introspect": {"post"}, "/oauth/revoke": {"post"},
    "/api/v1/admin/service-clients": {"get", "post"}, "/auth/service-keys": {"get", "post"}, "/auth/introspect": {"post"},
    "/auth/login": {"post"}, "/auth/refresh": {"post"}, "/auth/logout-all": {"post"}, "/api/v1/admin/users": {"get", "post"},
    "/.well-known/jwks.json": {"get"}, "/.well-known/oauth-authorization-server": {"get"},
    "/.well-known/openid-configuration": {"get"}, "/health": {"get"}, "/openapi.json": {"get"},
}
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("issuer")
    made = IssuerServer(folder, SQLiteFile(folder))
    yield made
    made.stop()


def test_the_description_names_every_endpoint(issuer):
    answer = issuer.call("GET", "/openapi.json")
    assert answer.status == 200 and "max-age=300" in answer.header("cache-control"), answer
    assert answer.header("content-type").split(";")[0] in ("application/json", "application/vnd.oai.openapi+json")
    document = answer.json()
    assert document["openapi"].startswith("3.1.")
    found = {path: set(methods) & {"get", "post", "put", "patch", "delete"} for path, methods in document["paths"].items()}
    assert {path: found.get(path) for path in PATHS} == PATHS
    by_name = sorted((path.rsplit("{", 1)[0], sorted(methods)) for path, methods in found.items() if "{" in path)
    assert by_name == [
        ("/api/v1/admin/service-clients/", ["delete", "get", "patch"]), ("/api/v1/admin/service-clients/", ["post"]),
        ("/api/v1/admin/users/", ["delete", "get", "patch"]), ("/auth/service-keys/", ["delete"])]
    assert len(found) == len(PATHS) + len(by_name)


def settings(kind, kept, spare):
    """A configuration that says which clients or users are there: one for everything, and one to be deleted. Left to itself
    schemathesis takes the description's examples, and deletes the administrator."""
    return """
[[operations]]
include-path-regex = '%s/\\{'
exclude-method = "DELETE"
parameters = { id = "%s" }

[[operations]]
include-path-regex = '%s/\\{'
include-method = "DELETE"
parameters = { id = "%s" }
""" % (kind, kept, kind, spare)


def schemathesis(issuer, folder, authorization, *words, config=""):
    """Runs it to its end with that Authorization header. A fixed seed: every run sends the same."""
    file = folder / "schemathesis.toml"
    file.write_text(config)
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(file), "run", issuer.url + "/openapi.json",
        "--checks", CHECKS, "--seed", "1", "--max-examples", "8", "--phases", "examples,coverage,fuzzing",
        "--generation-database", "none", "--suppress-health-check", "all", "--request-timeout", "10", "--no-color", "--no-shrink",
        "--continue-on-failure", "--warnings", "off", "--header", authorization, *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=100,
                          env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"), cwd=str(folder))
    assert done.returncode == 0, done.stdout[-6000:]
    assert issuer.child.alive()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_schemathesis_as_an_administrator(issuer, tmp_path):
    config = settings("service-clients", issuer.add_client(), issuer.add_client())
    config += settings("users", issuer.add_user()["user_id"], issuer.add_user()["user_id"])
    schemathesis(issuer, tmp_path, "Authorization: Bearer " + issuer.admin_token(), "--exclude-path-regex", "^/oauth/|introspect",
                 config=config)
    issuer.admin("GET", "/api/v1/admin/service-clients/admin", status=200)


@pytest.mark.timeout(120)
def test_schemathesis_as_a_client(issuer, tmp_path):
    name = issuer.add_client(rate_limit_per_minute=100000, rate_limit_per_hour=1000000)
    schemathesis(issuer, tmp_path, basic(name, issuer.secrets[name]), "--include-path-regex", "^/oauth/")


@pytest.mark.timeout(120)
def test_schemathesis_as_a_service(issuer, tmp_path):
    key = issuer.add_service_key()["api_key"]
    schemathesis(issuer, tmp_path, "Authorization: Bearer " + key, "--include-path-regex", "introspect|^/oauth/revoke")
