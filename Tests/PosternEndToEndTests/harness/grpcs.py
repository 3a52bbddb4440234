"""gRPC by grpcio, without generated code: messages are bytes. A service that keeps what it saw, and channels through a
proxy."""
from __future__ import annotations

import os
import threading
from concurrent import futures

# The tests start processes; nothing of grpcio is to go on in them.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import grpc  # noqa: E402

from .net import wait_until  # noqa: E402

PATH = "/test.Calls/"
DETAILS = b"\x08\x05\x12\x07details"
MIB = 1 << 20
OPTIONS = [("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", 64 * MIB),
           ("grpc.max_send_message_length", 64 * MIB)]


class Call:
    """What the service saw of one call. `ended` is set when the call is over for the service, in whichever way."""

    def __init__(self, method, context):
        self.method = method
        self.metadata = [(each.key, each.value) for each in context.invocation_metadata()]
        self.time_left = context.time_remaining()
        self.messages = 0
        self.sent = 0
        self.ended = threading.Event()
        self.context = context
        if not context.add_callback(self.ended.set):
            self.ended.set()

    def all(self, name):
        return [value for key, value in self.metadata if key == name]


class Service:
    """Listens on a port of its own; `calls` holds every call in order. With `identity` (certificate, key) it speaks TLS."""

    def __init__(self, identity=None):
        self.calls = []
        self.release = threading.Event()
        kinds = {
            "Unary": grpc.unary_unary_rpc_method_handler(self._unary),
            "Fail": grpc.unary_unary_rpc_method_handler(self._fail),
            "Wait": grpc.unary_unary_rpc_method_handler(self._wait),
            "Down": grpc.unary_stream_rpc_method_handler(self._down),
            "Flood": grpc.unary_stream_rpc_method_handler(self._flood),
            "BreakOff": grpc.unary_stream_rpc_method_handler(self._break_off),
            "Up": grpc.stream_unary_rpc_method_handler(self._up),
            "Both": grpc.stream_stream_rpc_method_handler(self._both),
        }
        self.server = grpc.server(futures.ThreadPoolExecutor(16), options=OPTIONS)
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Calls", kinds)])
        if identity:
            certificate, key = (each.read_bytes() for each in identity)
            credentials = grpc.ssl_server_credentials([(key, certificate)])
            self.port = self.server.add_secure_port("127.0.0.1:0", credentials)
        else:
            self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.url = "%s://127.0.0.1:%d" % ("https" if identity else "http", self.port)
        self.server.start()

    def stop(self):
        self.release.set()
        self.server.stop(0).wait(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait(self, count, timeout=5.0):
        wait_until(lambda: len(self.calls) >= count, timeout, "call %d at the service" % count)
        return self.calls[count - 1]

    def _begin(self, method, context):
        self.calls.append(Call(method, context))
        return self.calls[-1]

    def _unary(self, message, context):
        self._begin("Unary", context).messages = 1
        context.send_initial_metadata((("x-first", "1"), ("bytes-bin", b"\x00\xff\r\n")))
        context.set_trailing_metadata((("x-last", "2"), ("more-bin", b"\x01\x00")))
        return message

    def _fail(self, message, context):
        self._begin("Fail", context)
        code, _, details = message.decode().partition(" ")
        context.set_trailing_metadata((("grpc-status-details-bin", DETAILS), ("x-why", "because")))
        context.abort(next(each for each in grpc.StatusCode if each.value[0] == int(code)), details)

    def _wait(self, message, context):
        self._begin("Wait", context).ended.wait(20)
        return b""

    def _down(self, message, context):
        call = self._begin("Down", context)
        context.set_trailing_metadata((("x-count", message.decode()),))
        for number in range(int(message)):
            call.sent += 1
            yield b"%d" % number

    def _flood(self, message, context):
        """Messages of 64 KiB, as many as are asked for, or until the caller is gone."""
        call = self._begin("Flood", context)
        for _ in range(int(message)):
            if not context.is_active():
                return
            call.sent += 1
            yield b"x" * 65536

    def _break_off(self, message, context):
        self._begin("BreakOff", context)
        yield b"first"
        context.abort(grpc.StatusCode.DATA_LOSS, "in the middle")

    def _up(self, messages, context):
        call = self._begin("Up", context)
        size = 0
        if ("x-slow", "1") in call.metadata:
            self.release.wait(20)
        for each in messages:
            call.messages += 1
            size += len(each)
        return b"%d %d" % (call.messages, size)

    def _both(self, messages, context):
        call = self._begin("Both", context)
        context.set_trailing_metadata((("x-last", "2"),))
        for each in messages:
            call.messages += 1
            yield each.upper()


class Caller:
    """A channel, and the calls of the service by it. `token` goes along with each call."""

    def __init__(self, port, token=None, authority=None, options=()):
        self.token = token
        options = OPTIONS + list(options)
        if authority is None:
            self.channel = grpc.insecure_channel("127.0.0.1:%d" % port, options)
        else:
            credentials = grpc.ssl_channel_credentials(authority.ca.read_bytes())
            self.channel = grpc.secure_channel("localhost:%d" % port, credentials, options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def metadata(self, *more):
        mine = [("authorization", "Bearer " + self.token)] if self.token else []
        return mine + list(more)

    def unary(self, method, message=b"hello", *metadata, timeout=10):
        """(message, call): the answer, and what gives its metadata."""
        return self.channel.unary_unary(PATH + method).with_call(message, timeout, self.metadata(*metadata))

    def begin(self, method, message=b"hello", *metadata, timeout=None):
        """A unary call that is not waited for."""
        return self.channel.unary_unary(PATH + method).future(message, timeout, self.metadata(*metadata))

    def down(self, method, message, *metadata, timeout=20):
        return self.channel.unary_stream(PATH + method)(message, timeout, self.metadata(*metadata))

    def up(self, messages, *metadata, timeout=20):
        return self.channel.stream_unary(PATH + "Up").with_call(messages, timeout, self.metadata(*metadata))

    def both(self, messages, *metadata, timeout=20):
        return self.channel.stream_stream(PATH + "Both")(messages, timeout, self.metadata(*metadata))


def error(call):
    """The error that `call` ends with."""
    try:
        call()
    except grpc.RpcError as found:
        return found
    raise AssertionError("the call did not fail")
