"""Collectors that fail: requests are served as ever, what is too much is dropped and counted, and the process ends in time."""
import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from harness import config as configs
from harness.collector import Collector
from harness.net import blackhole, free_port, wait_until
from harness.raw import head
from harness.tiers import events

TRACING = {"limit": 1000000, "timeout": "500ms"}


@pytest.fixture
def collector():
    with Collector() as server:
        yield server


def spans(proxy, result):
    return proxy.metrics().value("postern_spans_total", result=result)


def serve(proxy, count):
    """So many requests on one connection; the seconds of the longest."""
    longest = 0
    with proxy.client() as client:
        for _ in range(count):
            begun = time.monotonic()
            assert client.send(head("GET", "/health")).response().status == 200
            longest = max(longest, time.monotonic() - begun)
    return longest


def said(proxy, words):
    return [line for line in events(proxy) if words in line]


def test_collector_that_is_not_there(start, upstream):
    proxy = start(configs.config(upstream, tracing=dict(TRACING, endpoint="http://127.0.0.1:%d" % free_port())))
    before = proxy.rss()
    # Two spans a request: more than are held.
    assert serve(proxy, 2600) < 0.5
    wait_until(lambda: spans(proxy, "dropped") > 0, 5, "spans to be dropped")
    assert proxy.metrics().value("postern_spans_waiting") <= 4096
    assert spans(proxy, "exported") == 0
    assert proxy.rss() - before < 40 * 1024
    wait_until(lambda: said(proxy, "spans cannot be exported"), 3, "a log line")
    begun = time.monotonic()
    proxy.stop()
    assert time.monotonic() - begun < 3
    # Once for the trouble, not once for each attempt.
    assert len(said(proxy, "spans cannot be exported")) == 1


def test_collector_that_hangs_holds_up_neither_requests_nor_the_end(start, upstream, collector):
    collector.gate.clear()
    proxy = start(configs.config(upstream, tracing=dict(TRACING, endpoint=collector.url, timeout="30s")))
    assert serve(proxy, 600) < 0.5
    wait_until(lambda: collector.requests, 3, "an export")
    assert serve(proxy, 100) < 0.5
    begun = time.monotonic()
    proxy.stop()
    # `timeouts.drain` is 1s here, and bounds the export, too.
    assert time.monotonic() - begun < 3
    assert said(proxy, "spans were not exported in time")


def test_collector_that_is_busy_gets_the_same_spans_again(start, upstream, collector):
    collector.answer = (503, {"Retry-After": "0"}, b"busy")
    proxy = start(configs.config(upstream, tracing=dict(TRACING, endpoint=collector.url)))
    serve(proxy, 1)
    wait_until(lambda: len(collector.requests) >= 2, 5, "another try")
    collector.answer = (200, {}, b"")
    wait_until(lambda: spans(proxy, "exported") == 2, 5, "the spans to be taken")
    sent = [request.SerializeToString() for _, request, _ in collector.requests]
    assert len(set(sent)) == 1
    assert spans(proxy, "failed") == 0 and len(said(proxy, "the collector answered 503")) == 1
    assert len(said(proxy, "spans are exported again")) == 1


@pytest.mark.parametrize("status", [400, 500])
def test_collector_that_refuses_is_not_asked_again(start, upstream, collector, status):
    collector.answer = (status, {}, b"no")
    proxy = start(configs.config(upstream, tracing=dict(TRACING, endpoint=collector.url)))
    serve(proxy, 1)
    wait_until(lambda: spans(proxy, "failed") == 2, 5, "the spans to be given up")
    assert len(collector.requests) == 1 and proxy.metrics().value("postern_spans_waiting") == 0


def test_spans_that_the_collector_rejects_are_counted(start, upstream, collector):
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 1
    answer.partial_success.error_message = "too old"
    collector.answer = (200, {}, answer.SerializeToString())
    proxy = start(configs.config(upstream, tracing=dict(TRACING, endpoint=collector.url)))
    serve(proxy, 1)
    wait_until(lambda: spans(proxy, "failed") == 1 and spans(proxy, "exported") == 1, 5, "the counts")


def test_what_is_left_goes_out_at_the_end(start, upstream, collector):
    proxy = start(configs.config(upstream, tracing=dict(TRACING, endpoint=collector.url)))
    serve(proxy, 3)
    proxy.stop()
    assert len(collector.spans) == 6


def test_collector_that_takes_no_connection(start, upstream):
    port, close = blackhole()
    try:
        proxy = start(configs.config(upstream, tracing=dict(TRACING, endpoint="http://127.0.0.1:%d" % port)))
        assert serve(proxy, 100) < 0.5
        wait_until(lambda: said(proxy, "spans cannot be exported"), 5, "a log line")
        begun = time.monotonic()
        proxy.stop()
        assert time.monotonic() - begun < 3
    finally:
        close()
