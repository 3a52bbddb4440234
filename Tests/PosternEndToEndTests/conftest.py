"""Fixtures: an upstream, a postern per module (`proxy`) for the usual configuration, and a starter for others."""
from __future__ import annotations

import pytest

pytest.register_assert_rewrite("harness.problems", "harness.metrics", "harness.process", "harness.raw", "harness.upstream",
                               "harness.load", "harness.introspection", "harness.redis", "harness.resp", "harness.tiers",
                               "harness.answers", "harness.issuer", "harness.postgres", "harness.stores")

from harness import browser, devtools
from harness import config as configs
from harness.garbage import GarbageServer
from harness.introspection import IntrospectionServer
from harness.issuer import IssuerServer
from harness.keyserver import KeyServer
from harness.postgres import PostgresServer
from harness.process import Postern, is_release
from harness.redis import RedisServer
from harness.stores import PostgresDatabase, SQLiteFile
from harness.upstream import RecordingUpstream


def pytest_collection_modifyitems(items):
    if is_release():
        return
    for item in items:
        if item.get_closest_marker("release"):
            item.add_marker(pytest.mark.skip(reason="bounds hold for a release build only"))


@pytest.fixture(scope="module")
def module_upstream():
    with RecordingUpstream() as server:
        yield server


@pytest.fixture
def upstream(module_upstream):
    """The module's upstream with its default script; `requests` holds what this test sent."""
    module_upstream.clear()
    module_upstream.requests = []
    yield module_upstream
    module_upstream.clear()


@pytest.fixture(scope="module")
def settings():
    """Changes to the usual configuration; a module overrides this."""
    return {}


@pytest.fixture(scope="module")
def proxy(module_upstream, settings, tmp_path_factory):
    """The module's postern."""
    child = Postern(tmp_path_factory.mktemp("postern"), configs.config(module_upstream, **settings))
    yield child
    alive = child.alive()
    child.stop()
    assert alive, "postern ended by itself (%s)\n%s" % (child.process.returncode, child.output()[-3000:])
    assert child.process.returncode == 0, "exit code %d after SIGTERM" % child.process.returncode


@pytest.fixture
def start(tmp_path):
    """Starts further posterns, each in a folder of its own; they are stopped, and must stop, at the end."""
    children = []

    def starter(config, **arguments):
        folder = tmp_path / ("postern-%d" % len(children))
        folder.mkdir()
        child = Postern(folder, config, **arguments)
        children.append(child)
        return child

    yield starter
    problems = []
    for child in children:
        try:
            child.stop()
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


@pytest.fixture
def new_upstream():
    """Makes upstreams of a test's own."""
    made = []

    def maker(path=None):
        server = RecordingUpstream(path)
        made.append(server)
        return server

    yield maker
    for server in made:
        server.stop()


@pytest.fixture
def key_server():
    """Makes key servers of a test's own."""
    made = []

    def maker(*keys):
        server = KeyServer(*keys)
        made.append(server)
        return server

    yield maker
    for server in made:
        server.stop()


@pytest.fixture
def introspection_server():
    """Makes introspection servers of a test's own."""
    made = []

    def maker(dialect="rfc7662"):
        server = IntrospectionServer(dialect)
        made.append(server)
        return server

    yield maker
    for server in made:
        server.stop()


@pytest.fixture
def issuer(introspection_server):
    """The introspection server of a test that needs one."""
    return introspection_server()


@pytest.fixture
def redis_server(tmp_path):
    """Starts Redis servers of a test's own."""
    made = []

    def maker(**options):
        server = RedisServer(tmp_path / ("redis-%d" % len(made)), **options)
        made.append(server)
        return server

    yield maker
    for server in made:
        server.stop()


@pytest.fixture(scope="module")
def module_redis(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def redis(module_redis):
    """The module's Redis, emptied."""
    module_redis.do("FLUSHALL")
    return module_redis


@pytest.fixture(scope="session")
def postgres():
    """The PostgreSQL of the run; every test has a database of its own there."""
    with PostgresServer() as server:
        yield server


def make_store(kind, request, folder):
    """An empty store of that kind. PostgreSQL is started when the first test asks for it."""
    return SQLiteFile(folder) if kind == "sqlite" else PostgresDatabase(request.getfixturevalue("postgres"))


@pytest.fixture(params=["sqlite", "postgres"])
def issuer_store(request, tmp_path):
    """An empty store for postern-issuer, once of each kind."""
    return make_store(request.param, request, tmp_path)


@pytest.fixture
def start_issuer(tmp_path):
    """Starts issuers, each in a folder of its own; they are stopped, and must stop well, at the end."""
    made = []

    def starter(store, *arguments, **options):
        made.append(IssuerServer(tmp_path / ("issuer-%d" % len(made)), store, *arguments, **options))
        return made[-1]

    yield starter
    problems = []
    for each in made:
        try:
            each.stop()
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server(request, tmp_path_factory):
    """The module's postern-issuer, once over each kind of store; ISSUER_ARGUMENTS of the module are its options."""
    folder = tmp_path_factory.mktemp("issuer")
    made = IssuerServer(folder, make_store(request.param, request, folder),
                        *getattr(request.module, "ISSUER_ARGUMENTS", ()))
    yield made
    made.stop()


@pytest.fixture(scope="session")
def rotated(tmp_path_factory):
    """(an issuer whose key was rotated by command while it ran, the key before, the one that follows). It reads its keys again
    every 30 seconds: whoever asks for this early need not wait for it late."""
    folder = tmp_path_factory.mktemp("rotated")
    made = IssuerServer(folder, SQLiteFile(folder))
    try:
        before = made.keys()[0]["kid"]
        yield made, before, made.told("key", "rotate")["kid"]
    finally:
        made.stop()


@pytest.fixture
def garbage_server():
    """Makes servers that are no Redis."""
    made = []

    def maker(*arguments, **options):
        server = GarbageServer(*arguments, **options)
        made.append(server)
        return server

    yield maker
    for server in made:
        server.stop()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """The browser of the run, for tests that need one that they can look into. `devtools.FOREIGN` leads to this machine."""
    if browser.find() is None:
        pytest.skip("no headless Chromium on this machine")
    made = devtools.Browser(tmp_path_factory.mktemp("chromium"), hosts={devtools.FOREIGN: "127.0.0.1"})
    yield made
    made.stop()


@pytest.fixture
def page(chromium, proxy):
    """Opens status pages (by default the module's), which then ask only when they are told to. At the end every page is without
    complaints on its console, and has asked nobody else."""
    tabs = []

    def opener(url=None, **arguments):
        tabs.append(devtools.status_page(chromium, url or "http://127.0.0.1:%d/" % proxy.admin, **arguments))
        return tabs[-1]

    yield opener
    for tab in tabs:
        origin = tab.evaluate("location.origin")
        assert tab.problems() == []
        assert [each for each in tab.requested() if not each.startswith((origin + "/", "data:"))] == []
        tab.close()


@pytest.fixture
def only_sentinel(proxy, upstream):
    """Called after a refusal: shows that the upstream saw nothing of it, by a good request sent behind it."""

    def check():
        before = list(upstream.requests)
        assert before == [], "the upstream saw a refused request: %r" % before
        answer = proxy.call("GET", "/health?sentinel")
        assert answer.status == 200, answer
        seen = [each.target for each in upstream.requests]
        assert seen == ["/health?sentinel"], seen
        upstream.requests[0].check()
        for connection in upstream.open_connections():
            assert connection.buffer == b"", "bytes of a refused request at the upstream: %r" % connection.buffer

    return check
