"""gRPC end to end: grpcio's client and grpcio's server with Postern between them, over HTTP/2 on both sides."""
import queue
import signal
import threading
import time

import pytest

from harness import config as configs
from harness.certificates import Authority
from harness.config import RSA
from harness.grpcs import DETAILS, MIB, Caller, Service, error, grpc
from harness.net import free_port, wait_until

ROUTES = {
    "POST /test.Calls/{method}": {"scopes": "trade:read"},
    "POST /test.Calls/Down": {"scopes": "trade:admin"},
    "POST /test.Calls/Up": {"scopes": "trade:read", "timeout": "20s", "body": "64MiB"},
}
GOOD = {"scope": "trade:read trade:admin"}


class Conversation:
    """A stream's messages of the client, sent one by one."""

    def __init__(self):
        self.queue = queue.Queue()

    def say(self, message):
        self.queue.put(message)

    def end(self):
        self.queue.put(None)

    def __iter__(self):
        return self

    def __next__(self):
        message = self.queue.get()
        if message is None:
            raise StopIteration
        return message


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def made():
    """What is closed at the end of a test, last first."""
    things = []
    yield things
    for each in reversed(things):
        each.__exit__()


@pytest.fixture
def service(made):
    made.append(Service())
    return made[-1]


def before(service, **changes):
    """A configuration in front of a service."""
    return configs.config({"url": service.url, "protocol": "h2"}, more_routes=ROUTES, **changes)


@pytest.fixture
def dial(made):
    """Opens channels; with a good token unless told otherwise."""

    def opener(proxy, token=True, **options):
        made.append(Caller(proxy.port, RSA.token(**GOOD) if token is True else token, **options))
        return made[-1]

    return opener


@pytest.fixture(params=["cleartext", "TLS"])
def pair(request, start, made, dial, authority):
    """(proxy, service, caller): both sides without TLS, then both with."""
    if request.param == "cleartext":
        made.append(Service())
        proxy = start(before(made[-1]))
        return proxy, made[-1], dial(proxy)
    identity = authority.server()
    service = Service(identity)
    made.append(service)
    listen = {"address": "127.0.0.1:%d" % free_port(), "tls": {"certificate": str(identity[0]), "key": str(identity[1])}}
    proxy = start(configs.config(
        {"url": service.url, "protocol": "h2", "tls": {"ca": str(authority.ca)}}, more_routes=ROUTES, listen=listen))
    return proxy, service, dial(proxy, authority=authority)


def metadata(pairs):
    return [(each.key, each.value) for each in pairs]


# The four kinds of call

def test_unary_with_metadata_both_ways(pair):
    proxy, service, caller = pair
    answer, call = caller.unary(
        "Unary", b"hello", ("x-custom", "a"), ("x-custom", "b, c"), ("x-bytes-bin", b"\x00\xff\r\n\x80"), ("x-user-id", "root"),
        ("x-request-id", "unary-1"))
    assert answer == b"hello" and call.code() is grpc.StatusCode.OK
    assert ("x-first", "1") in metadata(call.initial_metadata())
    assert ("bytes-bin", b"\x00\xff\r\n") in metadata(call.initial_metadata())
    assert {("x-last", "2"), ("more-bin", b"\x01\x00")} <= set(metadata(call.trailing_metadata()))
    seen = service.calls[0]
    assert ", ".join(seen.all("x-custom")) == "a, b, c"
    assert seen.all("x-bytes-bin") == [b"\x00\xff\r\n\x80"]
    # Who calls, as the proxy knows it, and not as the client says.
    assert seen.all("x-user-id") == ["user-7"] and seen.all("x-client-id") == ["trading-dashboard"]
    assert seen.all("authorization") == [] and seen.all("x-request-id") == ["unary-1"]
    assert len(seen.all("x-forwarded-for")) == 1 and len(seen.all("traceparent")) == 1
    line = proxy.access("unary-1")
    assert (line["status"], line["decision"], line["user"], line["spoofed"]) == (200, "permit", "user-7", True)


def test_a_stream_down(pair):
    _, service, caller = pair
    call = caller.down("Down", b"2000")
    assert list(call) == [b"%d" % number for number in range(2000)]
    assert call.code() is grpc.StatusCode.OK and ("x-count", "2000") in metadata(call.trailing_metadata())
    assert list(caller.down("Down", b"0")) == []


def test_a_stream_up(pair):
    _, service, caller = pair
    answer, _ = caller.up(b"x" * (number % 700) for number in range(2000))
    assert answer == b"2000 %d" % sum(number % 700 for number in range(2000))
    assert caller.up(iter([]))[0] == b"0 0"


def test_both_ways_at_once(pair):
    """Each message is answered before the next one is sent: nothing waits for an end that is not there yet."""
    _, service, caller = pair
    talk = Conversation()
    call = caller.both(talk)
    for number in range(200):
        talk.say(b"message %d" % number)
        assert next(call) == b"MESSAGE %d" % number
    talk.end()
    assert list(call) == []
    assert call.code() is grpc.StatusCode.OK and ("x-last", "2") in metadata(call.trailing_metadata())


def test_many_calls_over_one_connection(start, service, dial):
    proxy = start(before(service, event_loops=2))
    caller = dial(proxy)
    calls = [caller.begin("Unary", b"%d" % number, timeout=20) for number in range(300)]
    assert [each.result() for each in calls] == [b"%d" % number for number in range(300)]


# Ends: deadlines, cancellation, errors

def test_the_client_s_deadline_ends_the_call_at_the_service(pair):
    _, service, caller = pair
    found = error(lambda: caller.unary("Wait", timeout=0.5))
    assert found.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    seen = service.wait(1)
    assert seen.time_left <= 0.5, "grpc-timeout did not arrive"
    assert seen.ended.wait(3), "the service still works for nobody"
    assert caller.unary("Unary", b"next")[0] == b"next"


def test_a_cancelled_call_ends_at_the_service(pair):
    _, service, caller = pair
    call = caller.begin("Wait")
    seen = service.wait(1)
    assert call.cancel()
    assert seen.ended.wait(3)
    stream = caller.down("Flood", b"100000")
    assert len(next(stream)) == 65536
    stream.cancel()
    assert service.wait(2).ended.wait(3)
    talk = Conversation()
    both = caller.both(talk)
    talk.say(b"x")
    assert next(both) == b"X"
    both.cancel()
    assert service.wait(3).ended.wait(3)
    assert caller.unary("Unary", b"next")[0] == b"next"


@pytest.mark.parametrize("code, details", [
    (5, "no such trade"), (16, "the service's own word"), (13, "größe 100% of\ttabs € 😀"), (8, ""), (14, "try later")])
def test_the_service_s_errors_pass_unchanged(start, service, dial, code, details):
    proxy = start(before(service))
    found = error(lambda: dial(proxy).unary("Fail", ("%d %s" % (code, details)).encode()))
    assert found.code().value[0] == code and found.details() == details
    assert {("grpc-status-details-bin", DETAILS), ("x-why", "because")} <= set(metadata(found.trailing_metadata()))


def test_an_error_after_messages(pair):
    _, service, caller = pair
    stream = caller.down("BreakOff", b"")
    assert next(stream) == b"first"
    found = error(lambda: next(stream))
    assert (found.code(), found.details()) == (grpc.StatusCode.DATA_LOSS, "in the middle")


def test_a_service_that_dies_in_the_middle(start, made, dial):
    service = Service()
    made.append(service)
    proxy = start(before(service))
    caller = dial(proxy)
    talk = Conversation()
    call = caller.both(talk)
    talk.say(b"a")
    assert next(call) == b"A"
    service.stop()
    found = error(lambda: next(call))
    assert found.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.CANCELLED,
                            grpc.StatusCode.UNKNOWN)
    talk.end()
    assert proxy.alive()


# Refusals

def test_refusals_are_statuses_with_details(start, service, dial):
    proxy = start(before(service))
    for token, method, code, words in (
            (None, "Unary", grpc.StatusCode.UNAUTHENTICATED, "Send an access token"),
            (RSA.token(exp=1), "Unary", grpc.StatusCode.UNAUTHENTICATED, "expired"),
            (RSA.token(scope="trade:read"), "Down", grpc.StatusCode.PERMISSION_DENIED, "lacks a scope"),
            (RSA.token(scope="x"), "Unary", grpc.StatusCode.PERMISSION_DENIED, "lacks a scope")):
        caller = dial(proxy, token)
        for _ in range(3):
            found = error(lambda: caller.unary(method))
            assert found.code() is code and words in found.details(), found
            trailing = dict(metadata(found.trailing_metadata()))
            assert trailing["x-request-id"] and trailing["www-authenticate"].startswith('Bearer realm="e2e"')
    assert service.calls == []
    caller = dial(proxy, None)
    undeclared = error(lambda: caller.channel.unary_unary("/other.Service/Call")(b"", 10))
    assert undeclared.code() is grpc.StatusCode.PERMISSION_DENIED and "No route" in undeclared.details()


def test_a_refused_stream_is_told_while_the_client_still_talks(start, service, dial):
    proxy = start(before(service))
    caller = dial(proxy, None)
    talk = Conversation()
    call = caller.both(talk)
    talk.say(b"a")
    found = error(lambda: next(call))
    assert found.code() is grpc.StatusCode.UNAUTHENTICATED and "access token" in found.details()
    talk.end()
    found = error(lambda: caller.up(b"x" * 65536 for _ in range(200)))
    assert found.code() is grpc.StatusCode.UNAUTHENTICATED
    assert service.calls == []


def test_one_connection_carries_refused_and_good_calls(start, service, dial):
    proxy = start(before(service))
    caller = dial(proxy, None)
    good = ("authorization", "Bearer " + RSA.token(**GOOD))
    for number in range(20):
        assert error(lambda: caller.unary("Unary")).code() is grpc.StatusCode.UNAUTHENTICATED
        assert caller.unary("Unary", b"%d" % number, good)[0] == b"%d" % number
    assert proxy.metrics().value("postern_requests_total", status="401") == 20
    assert proxy.metrics().value("postern_requests_total", status="200") == 20


def test_a_service_that_is_down(start, dial):
    proxy = start(configs.config(
        {"url": "http://127.0.0.1:%d" % free_port(), "protocol": "h2"}, more_routes=ROUTES))
    found = error(lambda: dial(proxy).unary("Unary"))
    assert found.code() is grpc.StatusCode.UNAVAILABLE and "could not be reached" in found.details()


def test_a_service_that_does_not_answer_in_time(start, service, dial):
    proxy = start(before(service, timeouts={"response": "300ms"}))
    found = error(lambda: dial(proxy).unary("Wait", timeout=15))
    assert found.code() is grpc.StatusCode.UNAVAILABLE and "in time" in found.details()
    assert service.wait(1).ended.wait(3)


def test_a_stream_that_is_larger_than_the_route_takes(start, service, dial):
    routes = {"POST /test.Calls/Up": {"scopes": "trade:read", "body": "1MiB"}}
    proxy = start(configs.config({"url": service.url, "protocol": "h2"}, more_routes=routes))
    found = error(lambda: dial(proxy).up(b"x" * 65536 for _ in range(100)))
    assert found.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger" in found.details()
    assert service.wait(1).ended.wait(3)


# Size and time

def test_large_messages(pair):
    _, service, caller = pair
    message = bytes(range(256)) * (16 * MIB // 256)
    assert caller.unary("Unary", message, timeout=30)[0] == message


def settled(value):
    """The value once it has stopped changing for half a second."""
    last, since = value(), time.monotonic()
    wait_for = time.monotonic() + 15
    while time.monotonic() < wait_for:
        time.sleep(0.05)
        now = value()
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > 0.5:
            return last
    raise AssertionError("it goes on and on: %r" % last)


@pytest.mark.release
def test_a_client_that_does_not_read_holds_the_service_up(pair):
    proxy, service, caller = pair
    caller.unary("Unary")
    before = proxy.rss()
    stream = caller.down("Flood", b"4096")
    next(stream)
    sent = settled(lambda: service.calls[-1].sent)
    assert sent < 1024, "%d MiB went into a client that reads nothing" % (sent // 16)
    assert proxy.rss() - before < 16 * 1024
    assert sum(len(each) for each in stream) == 4095 * 65536


@pytest.mark.release
def test_a_service_that_does_not_read_holds_the_client_up(pair):
    proxy, service, caller = pair
    caller.unary("Unary")
    before, given = proxy.rss(), [0]

    def messages():
        for _ in range(1000):
            given[0] += 1
            yield b"x" * 65536

    answers = []
    thread = threading.Thread(target=lambda: answers.append(caller.up(messages(), ("x-slow", "1"), timeout=30)[0]))
    thread.start()
    try:
        assert settled(lambda: given[0]) < 600
        assert proxy.rss() - before < 16 * 1024
    finally:
        service.release.set()
        thread.join(30)
    assert answers == [b"1000 %d" % (1000 * 65536)]


def test_a_stream_may_be_silent(start, service, dial):
    """As streams of events may: silence is what most of them are made of."""
    proxy = start(before(service, timeouts={"body_idle": "300ms"}))
    talk = Conversation()
    call = dial(proxy).both(talk)
    for message in (b"a", b"b"):
        talk.say(message)
        assert next(call) == message.upper()
        time.sleep(1)
    talk.end()
    assert list(call) == []


def test_calls_that_are_under_way_survive_the_end_of_the_process(start, service, dial):
    proxy = start(before(service, timeouts={"drain": "10s"}))
    talk = Conversation()
    call = dial(proxy).both(talk)
    talk.say(b"a")
    assert next(call) == b"A"
    proxy.signal(signal.SIGTERM)
    wait_until(lambda: _refuses(proxy.port), 5, "the listener to close")
    talk.say(b"b")
    assert next(call) == b"B"
    talk.end()
    assert list(call) == [] and call.code() is grpc.StatusCode.OK
    assert proxy.wait(5) == 0


def _refuses(port):
    import socket
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return False
    except OSError:
        return True
