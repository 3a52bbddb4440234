"""An OTLP/HTTP receiver of traces: decodes what comes by the protocol's own definitions, and answers by a script."""
from __future__ import annotations

import http.server
import threading

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (ExportTraceServiceRequest,
                                                                      ExportTraceServiceResponse)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from .net import wait_until


class Span:
    """One span: ids as hexadecimal text, attributes as Python values."""

    def __init__(self, message, resource):
        self.message = message
        self.resource = resource
        self.trace = message.trace_id.hex()
        self.id = message.span_id.hex()
        self.parent = message.parent_span_id.hex()
        self.state = message.trace_state
        self.name = message.name
        self.kind = SpanMessage.SpanKind.Name(message.kind)[len("SPAN_KIND_"):].lower()
        self.start, self.end = message.start_time_unix_nano, message.end_time_unix_nano
        self.flags = message.flags
        self.is_error = message.status.code == 2
        self.attributes = values(message.attributes)

    def __getitem__(self, name):
        return self.attributes[name]

    def get(self, name):
        return self.attributes.get(name)

    def __repr__(self):
        return "<Span %s %s %r>" % (self.kind, self.name, self.attributes)


def values(attributes):
    """Attributes as a mapping; a name that comes twice fails."""
    result = {}
    for each in attributes:
        assert each.key not in result, each.key
        result[each.key] = getattr(each.value, each.value.WhichOneof("value"))
    return result


class Collector:
    """Takes spans at `url`. `answer` is (status, {header: value}, body); while `gate` is cleared every answer waits."""

    def __init__(self):
        self.requests = []  # (headers, ExportTraceServiceRequest)
        self.paths = []
        self.answer = (200, {}, ExportTraceServiceResponse().SerializeToString())
        self.gate = threading.Event()
        self.gate.set()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = ExportTraceServiceRequest()
                request.ParseFromString(body)
                collector.paths.append(self.path)
                collector.requests.append((dict(self.headers.items()), request, collector.answer[0]))
                collector.gate.wait(30)
                status, headers, answer = collector.answer
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.url = "http://127.0.0.1:%d" % self.port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def spans(self):
        """All spans of requests that were taken."""
        found = []
        for _, request, status in list(self.requests):
            for group in request.resource_spans if status == 200 else []:
                resource = values(group.resource.attributes)
                for scope in group.scope_spans:
                    assert scope.scope.name == "postern" and scope.scope.version
                    found += [Span(each, resource) for each in scope.spans]
        return found

    def of(self, request_id, timeout=5.0):
        """The spans of the trace of a request, as {kind: [span]}, when its server span has come. Children come before it."""

        def server():
            return [each for each in self.spans if each.get("postern.request_id") == request_id]

        found = wait_until(server, timeout, "the server span of " + request_id)
        assert len(found) == 1, found
        kinds = {}
        for each in self.spans:
            if each.trace == found[0].trace:
                kinds.setdefault(each.kind, []).append(each)
        check(found[0], kinds)
        return kinds


def check(server, kinds):
    """What holds for the spans of one request, whatever it was."""
    spans = [each for group in kinds.values() for each in group]
    assert len({each.id for each in spans}) == len(spans)
    known = {each.id: each for each in spans}
    for each in spans:
        assert len(each.trace) == 32 and len(each.id) == 16 and int(each.trace, 16) and int(each.id, 16)
        assert each.flags & 0xFF == 1 and each.flags & 0x100
        assert each.start <= each.end
        if each is server or each.id == server.id:
            assert bool(each.flags & 0x200) == bool(each.parent)
            continue
        parent = known[each.parent]
        assert parent.start <= each.start and each.end <= parent.end, (each, parent)
        assert not each.flags & 0x200
