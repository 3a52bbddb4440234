"""Server-sent events pass unbuffered: each arrives before the next one is sent."""
import threading

import pytest

from harness import config as configs
from harness.raw import bearer, head


@pytest.mark.parametrize("chunked", [True, False])
def test_each_event_arrives_before_the_next_is_sent(proxy, upstream, chunked):
    seen = threading.Semaphore(0)
    count = 20

    def events(exchange):
        exchange.read_body()
        framing = "Transfer-Encoding: chunked\r\n" if chunked else "Connection: close\r\n"
        exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n%s\r\n" % framing)
        for number in range(count):
            event = b"data: %d\n\n" % number
            exchange.send(b"%x\r\n%s\r\n" % (len(event), event) if chunked else event)
            if not seen.acquire(timeout=5):
                return exchange.close(reset=True)
        if chunked:
            exchange.send(b"0\r\n\r\n")
        else:
            exchange.close()

    upstream.script(events)
    with proxy.client() as client:
        client.send(head("GET", "/auth", bearer(configs.token())))
        client.head()
        for number in range(count):
            event = b"data: %d\n\n" % number
            expected = b"%x\r\n%s\r\n" % (len(event), event)
            assert client.exactly(len(expected)) == expected
            seen.release()
        assert client.exactly(5) == b"0\r\n\r\n"
