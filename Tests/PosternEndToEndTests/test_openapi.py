"""`postern import openapi` and `postern check --openapi`, with documents that real services make of themselves."""
import json

import pytest
import yaml

from harness import config as configs
from harness.fastapi_service import FastAPIService, application
from harness.issuer import IssuerServer
from harness.keyserver import KeyServer
from harness.net import free_port
from harness.process import Postern, run
from harness.stores import SQLiteFile

WHOLE = ("--upstream", "http://127.0.0.1:1", "--issuer", "https://issuer.test", "--audience", "mt5-api")


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """What FastAPI says of the service."""
    path = tmp_path_factory.mktemp("openapi") / "openapi.json"
    path.write_text(json.dumps(application().openapi()))
    return path


@pytest.fixture(scope="module")
def service():
    with FastAPIService() as made:
        yield made


@pytest.fixture(scope="module")
def imported(document, service, tmp_path_factory):
    """Postern in front of the service, by the policy that was made of its document and written to a file."""
    folder = tmp_path_factory.mktemp("imported")
    with KeyServer(configs.RSA) as keys:
        done = run("postern", "import", "openapi", document, "--upstream", service.url, "--issuer", keys.url, "--audience",
                   "orders", "--listen", "127.0.0.1:%d" % free_port(), "--output", folder / "made.yaml")
        assert done.returncode == 0 and not done.stdout, done
        assert run("postern", "check", folder / "made.yaml", "--openapi", document).returncode == 0
        made = yaml.safe_load((folder / "made.yaml").read_text())
        assert made["service"] == "orders-trades" and made["default"] == "deny"
        made.update(admin="127.0.0.1:%d" % free_port(), timeouts={"drain": "1s"}, event_loops=1)
        child = Postern(folder, made)
        child.issuer = keys.url
        yield child
        child.stop()


# (method, path, scopes of the token or None, status); what is not 200 never comes to the service.
REQUESTS = [
    ("GET", "/trades/7", "trade:read account:read", 200), ("GET", "/trades/7", "trade:read", 403), ("GET", "/trades/7", None, 401),
    ("HEAD", "/trades/7", "trade:read", 403), ("GET", "/trades/7/", "trade:read account:read", 403),
    ("GET", "/trades/latest", "trade:latest", 200), ("GET", "/trades/latest", "trade:read account:read", 403),
    ("POST", "/trades", "trade:open", 200), ("POST", "/trades", "trade:read", 403), ("GET", "/trades", "trade:open", 405),
    ("GET", "/me", "", 200), ("GET", "/me", None, 401),
    # The document is silent, names what Postern cannot check, or what it cannot say, or has no such path.
    ("GET", "/health", "", 200), ("GET", "/health", None, 401), ("GET", "/keyed", "trade:read", 403),
    ("GET", "/report.pdf", "report:read", 403), ("GET", "/docs", "trade:read", 403), ("GET", "/openapi.json", None, 403),
]


@pytest.mark.parametrize("method, path, scopes, status", REQUESTS)
def test_requests_get_through_as_the_document_says(imported, service, method, path, scopes, status):
    token = None if scopes is None else configs.token(iss=imported.issuer, aud="orders", scope=scopes)
    service.seen.clear()
    answer = imported.call(method, path, token=token, body=b"x" if method == "POST" else None)
    # FastAPI sends the first route that matches, and "/trades/{trade_id}" stands before "/trades/latest".
    assert answer.status == status, answer
    assert service.seen == ([(method, path)] if status == 200 else [])


def test_silence_and_what_cannot_be_said_have_comments(document):
    done = run("postern", "import", "openapi", document)
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[lines.index("  GET /health: authenticated") - 1] == "  # the document is silent: no security here, and none at its root"
    assert "X-Key" in " ".join(lines[lines.index("  GET /keyed: deny") - 2:][:2])
    assert any(line.startswith("  # No route for GET /report.{form}: ") for line in lines)
    assert "paths./report.{form}.get" in done.stderr and "openapi.json:1:" in done.stderr
    assert "  GET /health: public" in run("postern", "import", "openapi", document, "--silent", "public").stdout


def test_yaml_and_standard_input_are_the_same(document, tmp_path):
    expected = run("postern", "import", "openapi", document, "--base-path", "/api").stdout.splitlines()[3:]
    assert any("GET /api/me: authenticated" in line for line in expected)
    (tmp_path / "d.yaml").write_text(yaml.safe_dump(json.loads(document.read_text()), sort_keys=False))
    assert run("postern", "import", "openapi", tmp_path / "d.yaml", "--base-path", "/api").stdout.splitlines()[3:] == expected
    piped = run("postern", "import", "openapi", "-", "--base-path", "/api", input=document.read_text())
    assert piped.stdout.splitlines()[3:] == expected and '"standard input"' in piped.stdout


def test_usage(document, tmp_path):
    for arguments in (["--upstream", "http://h"], ["--base-path", "api"], ["--silent", "perhaps"]):
        done = run("postern", "import", "openapi", document, *arguments)
        assert (done.returncode, done.stdout) == (64, ""), done
    assert run("postern", "check", "--base-path", "/api").returncode == 64
    (tmp_path / "there.yaml").write_text("mine")
    assert run("postern", "import", "openapi", document, "--output", tmp_path / "there.yaml").returncode == 64
    assert (tmp_path / "there.yaml").read_text() == "mine"
    assert run("postern", "import", "openapi", tmp_path / "absent.json").returncode == 78


def test_check_names_what_differs(document, tmp_path):
    policy = tmp_path / "proxy.yaml"
    assert run("postern", "import", "openapi", document, *WHOLE, "--output", policy).returncode == 0
    text = policy.read_text()
    text = text.replace("  GET /trades/{trade_id}: {scopes: [trade:read, account:read]}", "  GET /trades/{id}: {scopes: trade:read}")
    text = text.replace("  POST /trades: {scopes: trade:open}", "  POST /orders: {scopes: trade:open}")
    policy.write_text(text)
    done = run("postern", "check", policy, "--openapi", document, "--strict")
    assert done.returncode == 1, done
    for words in (": warning: weaker: routes.GET /trades/{id}: ", ": warning: missing: paths./trades.post: ",
                  "write POST /trades: {scopes: trade:open}", ": warning: surplus: routes.POST /orders: "):
        assert words in done.stdout, done.stdout
    found = json.loads(run("postern", "check", policy, "--openapi", document, "--format", "json").stdout)
    weaker = [each for each in found["findings"] if each["kind"] == "weaker"]
    assert [each["document"]["path"] for each in weaker] == ["paths./trades/{trade_id}.get"]
    assert "{id}" in text.splitlines()[weaker[0]["line"] - 1]


def test_the_issuers_own_document(tmp_path):
    issuer = IssuerServer(tmp_path, SQLiteFile(tmp_path))
    try:
        described = issuer.call("GET", "/openapi.json").json()
    finally:
        issuer.stop()
    (tmp_path / "issuer.json").write_text(json.dumps(described))
    done = run("postern", "import", "openapi", tmp_path / "issuer.json", *WHOLE)
    assert done.returncode == 0 and not done.stderr, done
    (tmp_path / "proxy.yaml").write_text(done.stdout)
    routes = yaml.safe_load(done.stdout)["routes"]
    operations = [(path, method) for path, item in described["paths"].items() for method in item if method in ("get", "post", "patch", "delete")]
    assert len(routes) == len(operations)
    # Clients may prove who they are in the body, which is nothing that a proxy sees.
    assert routes["POST /oauth/introspect"] == "optional" and routes["GET /openapi.json"] == "public", routes
    # A client's token needs the scope and a user's does not; which of the two a token is cannot be seen.
    assert routes["GET /api/v1/admin/users"]["scopes"], routes
    assert all(rule != "public" for route, rule in routes.items() if "/admin/" in route), routes
    checked = run("postern", "check", tmp_path / "proxy.yaml", "--openapi", tmp_path / "issuer.json")
    assert checked.returncode == 0, checked
    assert not any(": %s: " % kind in checked.stdout for kind in ("weaker", "missing", "surplus")), checked.stdout
