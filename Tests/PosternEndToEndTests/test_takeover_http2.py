"""Take-overs under the load of HTTP/2 clients that try nothing twice, on cleartext and over TLS."""
import threading

import hyperframe.frame as frames
import pytest

from harness import config as configs
from harness.certificates import Authority
from harness.http2 import Raw, fields
from harness.net import free_port, wait_until
from harness.tls import client_context
from test_takeover import lines, successor

TAKEOVERS = 6


class Streams:
    """Threads with a connection each, on which they ask again and again, several streams at a time. One that is told to leave
    (GOAWAY) opens no more streams, waits for its answers, and goes on with another connection; nothing is asked twice."""

    def __init__(self, port, token, context=None, threads=2, each=4):
        self.port, self.token, self.context, self.each = port, token, context, each
        self.served, self.connections, self.failures = 0, 0, []
        self.end = threading.Event()
        self.threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        for thread in self.threads:
            thread.join(20)

    def _run(self):
        try:
            while not self.end.is_set():
                with Raw(self.port, self.context() if self.context else None, timeout=10) as client:
                    # Room for all that comes on the connection.
                    client.send(frames.WindowUpdateFrame(0, (1 << 30)))
                    self.connections += 1
                    stream = 1
                    while not self.end.is_set() and not client.goaways():
                        client.frames = []
                        self._ask(client, range(stream, stream + 2 * self.each, 2))
                        stream += 2 * self.each
        except (OSError, AssertionError) as error:
            self.failures.append(repr(error))

    def _ask(self, client, streams):
        request = fields(path="/auth", more=[("authorization", "Bearer " + self.token)])
        # Nothing is read between these: whoever has said that he has heard opens no more.
        assert client.send(*[client.headers(stream, request) for stream in streams]), "the connection was closed"
        for stream in streams:
            client.ended(stream)
            assert client.status(stream) == 200, client.frames
            self.served += 1


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_takeovers_fail_no_stream(start, upstream, tmp_path):
    authority = Authority(tmp_path)
    tls = dict(zip(("certificate", "key"), map(str, authority.server())))
    plain, secured = free_port(), free_port()
    proxy = start(configs.config(upstream, timeouts={"drain": "5s"}, event_loops=2, listen=[
        "127.0.0.1:%d" % plain, {"address": "127.0.0.1:%d" % secured, "tls": tls}]))
    token = configs.token(lifetime=3600)
    with Streams(plain, token) as clear, Streams(secured, token, lambda: client_context(authority)) as over_tls:
        for number in range(TAKEOVERS):
            before, served = proxy, (clear.served, over_tls.served)
            proxy = successor(start, before, dict(proxy.config))
            assert before.wait(15) == 0
            assert [line["connections_broken"] for line in lines(before, "drained")] == ["0"]
            wait_until(lambda: clear.failures or over_tls.failures or (
                clear.served > served[0] + 40 and over_tls.served > served[1] + 40), 10, "streams to be served")
            assert not clear.failures and not over_tls.failures, (number, clear.failures, over_tls.failures)
    assert not clear.failures and not over_tls.failures
    assert clear.connections > TAKEOVERS and over_tls.connections > TAKEOVERS
    print("%d take-overs: %d streams on %d connections, %d over TLS on %d; none failed" % (
        TAKEOVERS, clear.served, clear.connections, over_tls.served, over_tls.connections))
