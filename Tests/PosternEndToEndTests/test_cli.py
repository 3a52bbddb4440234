"""The command line: what each command prints, and its exit code."""
import json
import re

import jsonschema
import pytest
import yaml

from harness import config as configs
from harness import mint
from harness.certificates import Authority
from harness.net import free_port
from harness.process import environment, run
from harness.table import table

FINE, NO, USAGE, CONFIG = 0, 1, 64, 78


@pytest.fixture
def write(tmp_path):
    def writer(config, name="proxy.yaml"):
        path = tmp_path / name
        path.write_text(config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False))
        return path

    return writer


def plain(**changes):
    config = configs.config("http://127.0.0.1:8001", listen="127.0.0.1:8080", admin="127.0.0.1:9901", **changes)
    return config


def test_version():
    done = run("postern", "--version")
    assert done.returncode == FINE and re.search(r"\d+\.\d+", done.stdout)


def test_help_names_every_command():
    done = run("postern", "--help")
    assert done.returncode == FINE
    for command in ("run", "check", "explain", "routes", "schema", "health"):
        assert command in done.stdout


@pytest.mark.parametrize("arguments", [["--no-such-option"], ["no-such-command"], ["explain"], ["explain", "GET"],
                                       ["check", "--format", "xml"]], ids=" ".join)
def test_usage_errors_are_64(arguments):
    done = run("postern", *arguments)
    assert done.returncode == USAGE
    assert done.stderr and not done.stdout


@pytest.mark.parametrize("command", [["run"], ["check"], ["routes"], ["explain", "GET", "/"], ["health"]], ids=" ".join)
def test_a_missing_file_is_78(command, tmp_path):
    done = run("postern", *command, "--config", tmp_path / "absent.yaml")
    assert done.returncode == CONFIG
    assert "absent.yaml" in done.stderr + done.stdout


def test_proxy_yaml_is_the_default_file(write):
    path = write(plain())
    assert run("postern", "check", cwd=str(path.parent)).returncode == FINE
    assert run("postern", "routes", cwd=str(path.parent)).returncode == FINE


def test_check_of_a_good_file(write):
    path = write(plain())
    for arguments in (["check", path], ["check", "--config", path]):
        assert run("postern", *arguments).returncode == FINE


BASE = """version: 1
listen: 127.0.0.1:8080
upstream: http://127.0.0.1:8001
admin: 127.0.0.1:9901
issuers:
  main:
    issuer: https://issuer.test
    audiences: [a]
    keys: {url: "https://issuer.test/jwks"}
"""
ROUTES = "routes:\n  GET /health: public\n"

# (sentence, text appended to BASE, line and column of the error or None, words that the message must hold)
ERRORS = table(
    ("an unknown key with a near miss", "rotues:\n  GET /x: public\n", (10, 1), ["rotues", "routes"]),
    ("an unknown nested key with a near miss", ROUTES + "timeouts: {hed: 1s}\n", (12, 12), ["timeouts", "hed", "head"]),
    ("an unknown key of a route", "routes:\n  GET /x: {scope: a}\n", (11, 12), ["scope", "scopes"]),
    ("a wrong type", ROUTES + "limits: {headers: many}\n", (12, 19), ["limits.headers"]),
    ("a sequence where a mapping belongs", "routes: [a]\n", (10, 9), ["routes"]),
    ("a duplicate key", ROUTES + "realm: a\nrealm: b\n", (13, 1), ["realm"]),
    ("a duplicate route", "routes:\n  GET /x: public\n  GET /x: deny\n", (12, 3), ["GET /x"]),
    ("a bad duration", ROUTES + "timeouts: {head: 10 parsecs}\n", (12, 18), ["timeouts.head"]),
    ("a negative duration", ROUTES + "timeouts: {head: -1s}\n", (12, 18), ["timeouts.head"]),
    ("a duration that overflows", ROUTES + "timeouts: {head: 99999999999999999h}\n", (12, 18), ["timeouts.head"]),
    ("a bad size", ROUTES + "limits: {head: 1parsec}\n", (12, 16), ["limits.head"]),
    ("a size that overflows", ROUTES + "limits: {head: 99999999999GiB}\n", (12, 16), ["limits.head"]),
    ("another version", None, (1, 10), ["version"]),
    ("an unset variable", ROUTES + 'realm: "${NOT_SET_ANYWHERE}"\n', (12, 8), ["NOT_SET_ANYWHERE"]),
    ("a variable in braces without quotes", ROUTES + "log: {level: ${LEVEL}}\n", (12, None), ["quot"]),
    ("a bad default", ROUTES + "default: perhaps\n", (12, 10), ["default", "deny"]),
    ("a route key without a method", "routes:\n  /x: public\n", (11, 3), ["method"]),
    ("a route key without a slash", "routes:\n  GET x: public\n", (11, 3), ["/"]),
    ("a rest in the middle", "routes:\n  GET /{a...}/b: public\n", (11, 3), ["end"]),
    ("a parameter that is unnamed", "routes:\n  GET /{}/b: public\n", (11, 3), []),
    ("a parameter named twice", "routes:\n  GET /{a}/{a}: public\n", (11, 3), ["a"]),
    ("a route with a dot segment", "routes:\n  GET /a/../b: public\n", (11, 3), []),
    ("a route with an empty segment", "routes:\n  GET /a//b: public\n", (11, 3), []),
    ("two patterns that differ in names only", "routes:\n  GET /a/{x}: public\n  GET /a/{y}: deny\n", (12, 3), ["{x}"]),
    ("an unknown access word", "routes:\n  GET /a: pubic\n", (11, 11), ["public"]),
    ("a claim bound to no parameter", 'routes:\n  GET /a/{x}: {claims: {sub: "{y}"}}\n', (11, None), ["y"]),
    ("a route's issuer that does not exist", "routes:\n  GET /a: {issuers: [mian]}\n", (11, None), ["main"]),
    ("a network of too many bits", ROUTES + "trusted_proxies: [10.0.0.0/33]\n", (12, None), ["trusted_proxies"]),
    ("an identity header that is no name", ROUTES + 'identity: {"X User": user}\n', (12, 12), ["X User"]),
    ("an identity header that frames", ROUTES + "identity: {Content-Length: user}\n", (12, 12), ["Content-Length"]),
    ("event loops of zero", ROUTES + "event_loops: 0\n", (12, 14), ["event_loops"]),
    ("broken YAML", ROUTES + "limits: {head: [\n", (None, None), []),
    ("redis without a seal", ROUTES + 'redis: {url: "redis://127.0.0.1"}\n', (12, 8), ["redis.seal", "required"]),
    ("redis on several hosts", ROUTES + 'redis: {url: "redis://a,b", seal: "0123456789abcdef0123456789abcdef"}\n',
     (12, 14), ["redis.url", "redis+cluster"]),
    ("a trusted proxy that is a host", ROUTES + "trusted_proxies: [10.0.0.1]\n", (12, 19), ["trusted_proxies[0]", "10.0.0.0/8"]),
    ("cors for every origin with credentials", ROUTES + "cors: {origins: '*', credentials: true}\n",
     (12, None), ["cors.origins", "credentials"]),
    ("cors that is answered for nobody", ROUTES + "cors: {preflight: answer}\n", (12, None), ["cors.origins"]),
    ("revocation without redis", "    revocation: redis\n" + ROUTES, (10, 17), ["needs redis"]),
)


@pytest.mark.parametrize("text, place, words", ERRORS)
def test_check_names_file_line_column_and_fix(write, text, place, words):
    path = write(BASE.replace("version: 1", "version: 99") + ROUTES if text is None else BASE + text)
    done = run("postern", "check", path)
    said = done.stdout + done.stderr
    assert done.returncode == CONFIG, said
    line, column = place
    pattern = r"proxy\.yaml:%s:%s\b" % (line or r"\d+", column or r"\d+")
    assert re.search(pattern, said), said
    for word in words:
        assert word in said, said
    started = run("postern", "run", "--config", path)
    assert started.returncode == CONFIG
    assert re.search(pattern, started.stdout + started.stderr), "run says the same as check"


@pytest.fixture
def pair(tmp_path):
    """(certificate, key, another key), files beside the configuration."""
    authority = Authority(tmp_path)
    certificate, key = authority.server(file="own")
    authority.server(file="other")
    return certificate.name, key.name, "other.key"


TLS = table(
    ("a certificate that is not there", "certificate", 'tls: {certificate: gone.pem, key: own.key}', "there is no file"),
    ("a key that is not there", "key", 'tls: {certificate: own.pem, key: gone.key}', "there is no file"),
    ("a key of another certificate", "key", 'tls: {certificate: own.pem, key: other.key}', "is not the key of"),
    ("no certificate in the file", "certificate", 'tls: {certificate: own.key, key: own.key}', "holds no usable PEM certificate"),
    ("no authorities in the file", "client_ca", 'tls: {certificate: own.pem, key: own.key, client_ca: own.key}', "holds no usable"),
    ("certificates of clients without authorities", "client_auth", 'tls: {certificate: own.pem, key: own.key, client_auth: require}',
     "needs client_ca"),
)


@pytest.mark.parametrize("key, tls, words", TLS)
def test_tls_that_cannot_be_is_an_error_at_its_place(write, pair, key, tls, words):
    line = "listen: {address: 127.0.0.1:8080, %s}" % tls
    path = write(BASE.replace("listen: 127.0.0.1:8080", line) + ROUTES)
    number = path.read_text().splitlines().index(line) + 1
    column = line.index(" ", line.index(key + ":")) + 2
    for arguments in (("check", path), ("run", "--config", path)):
        done = run("postern", *arguments)
        said = done.stdout + done.stderr
        assert done.returncode == CONFIG, said
        assert "proxy.yaml:%d:%d: error: listen[0].tls.%s: " % (number, column, key) in said
        assert words in said


def test_an_expired_certificate_is_a_warning(write, pair, tmp_path):
    Authority(tmp_path, "old").server(file="own", days=-1)
    line = "listen: {address: 127.0.0.1:8080, tls: {certificate: own.pem, key: own.key}}"
    path = write(BASE.replace("listen: 127.0.0.1:8080", line) + ROUTES)
    done = run("postern", "check", path)
    assert done.returncode == 0 and "has expired" in done.stdout
    assert run("postern", "check", "--strict", path).returncode == 1


def test_explain_says_how_a_service_is_verified(write):
    path = write(BASE.replace("upstream: http://127.0.0.1:8001", "upstream: https://service.test:8443") + ROUTES)
    done = run("postern", "explain", "GET", "/health", "--config", path)
    assert "its certificate must be for service.test and by an authority of the system" in done.stdout


def test_all_errors_come_at_once(write):
    text = BASE + "routes:\n  GET x: public\n  GET /y: pubic\nlimitz: {}\ntimeouts: {head: soon, idel: 1s}\n"
    done = run("postern", "check", write(text))
    places = set(re.findall(r"proxy\.yaml:(\d+):\d+", done.stdout + done.stderr))
    assert {"11", "12", "13", "14"} <= places, done.stdout + done.stderr
    assert len(re.findall(r"proxy\.yaml:14:\d+", done.stdout + done.stderr)) >= 2


def test_check_in_json(write):
    done = run("postern", "check", "--format", "json", write(BASE + "routes:\n  GET /y: pubic\nlimitz: {}\n"))
    assert done.returncode == CONFIG
    report = json.loads(done.stdout)
    assert isinstance(report, (list, dict))
    assert '"line"' in done.stdout and '"column"' in done.stdout


def test_environment_is_replaced_in_values(write):
    text = (BASE + ROUTES).replace("127.0.0.1:8001", "${UP_HOST}:${UP_PORT:-8001}") + "realm: \"$${literal}\"\n"
    path = write(text)
    assert run("postern", "check", path, env=environment(UP_HOST="127.0.0.1")).returncode == FINE
    done = run("postern", "check", path)
    assert done.returncode == CONFIG and "UP_HOST" in done.stdout + done.stderr


def test_warnings_are_fine_but_for_strict(write):
    config = plain(more_routes={"GET /w": {"any_scope": ["a", "b"], "scopes": ["a"]}, "GET /api/v1/{any}": "public"})
    config["issuers"]["main"]["audiences"] = "any"
    path = write(config)
    relaxed, strict = run("postern", "check", path), run("postern", "check", "--strict", path)
    assert relaxed.returncode == FINE
    if "warning" in (relaxed.stdout + relaxed.stderr).lower():
        assert strict.returncode == NO
    else:
        assert strict.returncode == FINE


EXPLAINED = table(
    ("a public route", ["GET", "/health"], FINE, ["public"]),
    ("a missing token", ["GET", "/auth"], NO, ["missing_token"]),
    ("claims that suffice", ["GET", "/api/v1/trades", "--claims", '{"scope":"trade:read account:read"}'], FINE, ["trade:read"]),
    ("claims that do not", ["GET", "/api/v1/trades", "--claims", '{"scope":"trade:read"}'], NO, ["account:read", "insufficient_scope"]),
    ("a denied route", ["GET", "/internal/x"], NO, ["route_denied"]),
    ("an undeclared path", ["GET", "/nowhere"], NO, ["route_not_declared"]),
    ("an ambiguous path", ["GET", "/public/%2e%2e/x"], NO, ["ambiguous_path"]),
    ("a wrong method", ["PUT", "/health"], NO, ["method_not_allowed"]),
    ("a claim of the path", ["GET", "/api/v1/users/u1/orders", "--claims", '{"sub":"u1","scope":"trade:read"}'], FINE, []),
    ("another's path", ["GET", "/api/v1/users/u2/orders", "--claims", '{"sub":"u1","scope":"trade:read"}'], NO, ["access_denied"]),
)


@pytest.mark.parametrize("arguments, code, words", EXPLAINED)
def test_explain(write, arguments, code, words):
    done = run("postern", "explain", *arguments, "--config", write(plain()))
    assert done.returncode == code, done.stdout + done.stderr
    for word in words:
        assert word in done.stdout, done.stdout


TOKENS = table(
    ("a good token", lambda: configs.token(), FINE, []),
    ("an expired token", lambda: configs.token(exp=1), NO, ["expired"]),
    ("a forged token", lambda: mint.Key("RS256", "rs256-1").token(), NO, ["signature"]),
    ("rubbish", lambda: "rubbish", NO, ["invalid_token"]),
)


@pytest.mark.parametrize("make, code, words", TOKENS)
def test_explain_with_a_token(write, make, code, words):
    token = make()
    done = run("postern", "explain", "GET", "/api/v1/trades", "--token", token, "--config", write(plain()))
    assert done.returncode == code, done.stdout + done.stderr
    for word in words:
        assert word in done.stdout
    assert token not in done.stdout + done.stderr


def test_explain_refuses_claims_that_are_no_json(write):
    done = run("postern", "explain", "GET", "/health", "--claims", "{", "--config", write(plain()))
    assert done.returncode == USAGE


def test_routes_prints_every_route(write):
    done = run("postern", "routes", "--config", write(plain()))
    assert done.returncode == FINE
    for key in configs.ROUTES:
        assert key.split(" ")[1] in done.stdout
    assert "trade:open" in done.stdout


def test_schema_is_a_schema_that_accepts_good_files_and_refuses_bad_ones():
    done = run("postern", "schema")
    assert done.returncode == FINE
    schema = json.loads(done.stdout)
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    validate = validator(schema)
    validate.validate(plain())
    validate.validate(yaml.safe_load(BASE + ROUTES))
    for bad in (dict(plain(), limitz={}), dict(plain(), limits={"headers": "many"}), dict(plain(), routes={"GET /x": {"scope": "a"}})):
        assert list(validate.iter_errors(bad)), bad


def test_health_of_a_running_and_a_dead_postern(start, upstream):
    proxy = start(configs.config(upstream))
    assert run("postern", "health", "--config", proxy.file).returncode == FINE
    assert run("postern", "health", "--ready", "--config", proxy.file).returncode == FINE
    proxy.stop()
    assert run("postern", "health", "--config", proxy.file).returncode == NO


def test_health_ready_follows_readiness(start, upstream):
    keys = {"url": "http://127.0.0.1:%d/jwks" % free_port(), "timeout": "300ms"}
    proxy = start(configs.config(upstream, issuers={"main": configs.issuer(keys=keys)}), ready=False)
    assert run("postern", "health", "--config", proxy.file).returncode == FINE
    assert run("postern", "health", "--ready", "--config", proxy.file).returncode == NO
