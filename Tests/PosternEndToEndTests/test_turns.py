"""Many connections in the same turns of the event loop: nothing of one ever reaches another."""
import threading

from harness import config as configs
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
