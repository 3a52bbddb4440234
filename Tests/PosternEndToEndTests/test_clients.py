"""Clients that the world uses, unmodified: curl, requests, http.client, urllib3's pool."""
import gzip
import http.client
import json
import subprocess

import pytest
import requests

from harness import config as configs
from harness import scripts


def url(proxy, path):
    return "http://127.0.0.1:%d%s" % (proxy.port, path)


def curl(*arguments, input=None):
    done = subprocess.run(["curl", "--noproxy", "*", "-sS", "--max-time", "10"] + list(arguments), input=input,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=15)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_curl_get(proxy, upstream):
    answer = json.loads(curl(url(proxy, "/auth?a=b"), "-H", "Authorization: Bearer " + configs.token()))
    assert answer["target"] == "/auth?a=b"


def test_curl_head_and_many_on_one_connection(proxy, upstream):
    assert curl("-I", url(proxy, "/health")).startswith(b"HTTP/1.1 200")
    out = curl("-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null", "-w", "%{num_connects} ",
               *[url(proxy, "/public/%d" % n) for n in range(3)])
    assert out.split() == [b"1", b"0", b"0"]


def test_curl_upload_with_expect(proxy, upstream):
    data = b"x" * (2 << 20)
    out = curl("-X", "POST", "-H", "Expect: 100-continue", "-H", "Authorization: Bearer " + configs.token(),
               "--data-binary", "@-", url(proxy, "/auth"), input=data)
    assert json.loads(out)["length"] == len(data)


def test_curl_chunked_upload(proxy, upstream):
    out = curl("-T", "-", "-X", "PUT", "-H", "Authorization: Bearer " + configs.token(), url(proxy, "/auth"), input=b"y" * 300000)
    assert json.loads(out)["length"] == 300000
    assert upstream.requests[0].check().body == b"y" * 300000


def test_curl_http_1_0(proxy, upstream):
    assert curl("-0", "-i", url(proxy, "/health")).startswith(b"HTTP/1.1 200")


def test_curl_asking_for_h2c_is_served_in_http_1_1(proxy, upstream):
    assert curl("--http2", "-i", url(proxy, "/health")).startswith(b"HTTP/1.1 200")


def test_curl_sees_the_refusal(proxy):
    out = curl("-i", url(proxy, "/auth"))
    assert out.startswith(b"HTTP/1.1 401") and b"urn:postern:problem:missing_token" in out


def test_curl_refused_upload_ends(proxy, upstream):
    out = curl("-i", "-X", "POST", "-H", "Expect:", "--data-binary", "@-", url(proxy, "/auth"), input=b"z" * (1 << 20))
    assert b"missing_token" in out
    assert upstream.requests == []


def test_curl_download_with_compression_of_the_upstream(proxy, upstream):
    upstream.script(scripts.answer(200, gzip.compress(b"plain text"), ["Content-Encoding: gzip"]))
    assert curl("--compressed", url(proxy, "/public/gz")) == b"plain text"


def test_requests_session(proxy, upstream):
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = "Bearer " + configs.token()
        for _ in range(5):
            assert session.get(url(proxy, "/auth"), timeout=5).json()["target"] == "/auth"
        assert session.post(url(proxy, "/auth"), data=b"abc", timeout=5).json()["length"] == 3
        assert session.post(url(proxy, "/auth"), data=iter([b"ab", b"c"]), timeout=5).json()["length"] == 3
        assert session.put(url(proxy, "/auth"), json={"a": 1}, timeout=5).status_code == 200
        assert session.head(url(proxy, "/auth"), timeout=5).status_code == 200


def test_requests_sees_the_problem(proxy):
    answer = requests.get(url(proxy, "/internal/x"), timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (403, "route_denied")


def test_requests_streams(proxy, upstream):
    upstream.script(scripts.download(8 << 20, chunked=True))
    with requests.get(url(proxy, "/public/stream"), stream=True, timeout=5) as answer:
        assert sum(len(part) for part in answer.iter_content(65536)) == 8 << 20


def test_requests_notices_a_truncated_answer(proxy, upstream):
    upstream.script(scripts.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", then="close"))
    with pytest.raises(requests.exceptions.RequestException):
        requests.get(url(proxy, "/public/cut"), timeout=5)


def test_http_client(proxy, upstream):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=5)
    for number in range(3):
        connection.request("GET", "/auth?%d" % number, headers={"Authorization": "Bearer " + configs.token()})
        answer = connection.getresponse()
        assert answer.status == 200 and json.loads(answer.read())["target"] == "/auth?%d" % number
    connection.request("POST", "/auth", body=iter([b"ab", b"c"]), encode_chunked=True,
                       headers={"Authorization": "Bearer " + configs.token(), "Transfer-Encoding": "chunked"})
    assert json.loads(connection.getresponse().read())["length"] == 3
    connection.close()
