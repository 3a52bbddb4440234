"""Many connections in the same turns of the event loop: nothing of one ever reaches another."""
import socket
import threading

import pytest

from harness import config as configs
from harness import scripts
from harness.raw import RawClient, head

# Around the sizes at which bytes are copied, written in one piece, or handed over in slices.
SIZES = [0, 1, 700, 8 * 1024 - 1, 8 * 1024, 8 * 1024 + 1, 16 * 1024 + 1, 70_000, 300_000]
CLIENTS = 48
ROUNDS = 6


def returned(exchange):
    """Answers with the body that came, and with who the service was told is calling; chunked for every other length."""
    body = exchange.read_body()
    caller = exchange.request.header("x-user-id")
    lines = ["HTTP/1.1 200 OK", "X-Seen: %s %s" % (caller, exchange.request.header("x-mark"))]
    if len(body) % 2:
        data = b"".join(
            b"%x\r\n" % len(part) + part + b"\r\n" for part in (body[i : i + 50_000] for i in range(0, len(body), 50_000)))
        exchange.send("\r\n".join(lines + ["Transfer-Encoding: chunked"]).encode() + b"\r\n\r\n" + data + b"0\r\n\r\n")
    else:
        exchange.send("\r\n".join(lines + ["Content-Length: %d" % len(body)]).encode() + b"\r\n\r\n" + body)


def test_every_client_gets_its_own_answers_and_speaks_as_itself(start, upstream):
    upstream.default = returned
    proxy = start(configs.config(upstream, more_routes={"POST /turns": "authenticated"}))
    problems = []
    together = threading.Barrier(CLIENTS)

    def client(number):
        me = "caller-%d" % number
        token = configs.token(sub=me)
        try:
            with RawClient(proxy.port, timeout=20) as connection:
                for turn in range(ROUNDS):
                    together.wait(20)
                    size = SIZES[(number + turn) % len(SIZES)]
                    body = (b"%d:%d." % (number, turn) * (size // 4 + 1))[:size]
                    mark = "%d-%d" % (number, turn)
                    connection.send(
                        head("POST", "/turns", "Content-Length: %d" % size, "X-Mark: %s" % mark,
                             "Authorization: Bearer " + token) + body)
                    response = connection.response("POST")
                    seen = response.header("x-seen")
                    if response.status != 200 or seen != "%s %s" % (me, mark) or response.body != body:
                        problems.append((me, turn, size, response.status, seen, len(response.body)))
        except Exception as error:  # a thread's failure belongs to the test
            problems.append((me, repr(error)))
            together.abort()

    threads = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not problems, problems[:5]
    assert proxy.metrics().value("postern_upstream_duration_seconds_count") == CLIENTS * ROUNDS


def all_of(sock):
    """Everything until the other side closes."""
    data = b""
    while True:
        part = sock.recv(65536)
        if not part:
            return data
        data += part


@pytest.mark.parametrize("requests", [1, 3])
def test_a_client_that_closes_its_side_at_once_gets_what_was_answered(start, upstream, requests):
    proxy = start(configs.config(upstream))
    for _ in range(30):
        with proxy.client() as client:
            client.sock.sendall(head("GET", "/auth") * requests)
            client.sock.shutdown(socket.SHUT_WR)
            assert all_of(client.sock).count(b"HTTP/1.1 401 ") == requests


def test_what_came_of_an_answer_before_it_broke_arrives(start, upstream):
    proxy = start(configs.config(upstream, more_routes={"POST /turns": "public"}))
    for _ in range(30):
        upstream.script(scripts.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun", then="close"))
        with proxy.client() as client:
            client.sock.sendall(head("POST", "/turns", "Content-Length: 1") + b"x")
            data = all_of(client.sock)
        assert data.startswith(b"HTTP/1.1 200 OK\r\n") and data.endswith(b"\r\n\r\nbegun"), data


def test_an_answer_before_one_that_breaks_arrives_whole(start, upstream):
    proxy = start(configs.config(upstream))
    body = bytes(range(256)) * 1200
    for _ in range(10):
        upstream.script(
            scripts.answer(200, body), scripts.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun", then="close"))
        with proxy.client() as client:
            client.sock.sendall(head("GET", "/public/1") + head("GET", "/public/2"))
            data = all_of(client.sock)
        first = data.index(b"\r\n\r\n") + 4
        assert data[first : first + len(body)] == body
        assert data.endswith(b"\r\n\r\nbegun")


def test_a_flood_of_refusals_that_nobody_reads_is_held_up_after_little(start, upstream):
    proxy = start(configs.config(upstream))
    assert proxy.call("GET", "/auth").status == 401
    flood = head("GET", "/internal/x", host="a") * 20_000
    before = proxy.rss()
    clients = [proxy.client() for _ in range(10)]
    try:
        for client in clients:
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sock.setblocking(False)
        for client in clients:
            try:
                while True:
                    client.sock.send(flood)
            except BlockingIOError:
                pass
        # Somebody else is still served, and what the ten have sent does not pile up as answers.
        for _ in range(20):
            assert proxy.call("GET", "/auth", timeout=5).status == 401
        assert proxy.rss() - before < 20 * 1024, "KiB for ten connections"
    finally:
        for client in clients:
            client.sock.close()
