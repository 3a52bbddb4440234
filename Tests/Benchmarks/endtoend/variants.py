"""What the configurations in peers/ have in addition where a row is about another protocol than plain HTTP/1.1: one client side
and one service side for each, said in every system's own words."""
from __future__ import annotations

import pathlib
import re
import subprocess

from . import websocket
from .figures import Unusable
from .processes import Child, free_port
from .protocols import CALL, GRPC_FIELDS

MESSAGE = b"\0\0\0\0\5hello"
ENVOY_TLS = (
    'transport_socket: {name: tls, typed_config: {"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.'
    "DownstreamTlsContext, common_tls_context: {alpn_protocols: [h2, http/1.1], tls_certificates: [{certificate_chain: "
    "{filename: %s}, private_key: {filename: %s}}]}}}")
ENVOY_H2 = (
    "connect_timeout: 2s\n      typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: "
    '{"@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: '
    "{http2_protocol_options: {}}}}")


def values(variant, port, upstream, encryption):
    """The parts of the templates that a variant settles: plain, tls, websocket or grpc."""
    url = "http://127.0.0.1:%d" % upstream
    found = {
        "BIND": "", "CODEC": "HTTP1", "TRANSPORT": "name: plain", "UPGRADES": "", "CLUSTER": "connect_timeout: 2s",
        "LISTEN": "127.0.0.1:%d" % port, "SERVICE": url,
    }
    if variant == "tls":
        found["BIND"] = " ssl crt %s alpn h2,http/1.1" % encryption.both
        found["CODEC"] = "AUTO"
        found["TRANSPORT"] = ENVOY_TLS % (encryption.certificate, encryption.key)
        found["LISTEN"] = '{address: "127.0.0.1:%d", tls: {certificate: %s, key: %s}}' % (
            port, encryption.certificate, encryption.key)
    elif variant == "websocket":
        found["UPGRADES"] = "{upgrade_type: websocket}"
    elif variant == "grpc":
        found["CODEC"] = "HTTP2"
        found["CLUSTER"] = ENVOY_H2
        found["SERVICE"] = "{url: %s, protocol: h2}" % url
    return found


def service(variant, stage):
    """(child, port) of the service behind a variant; (None, port) where it is the nginx behind every other row."""
    if variant == "websocket":
        port = free_port()
        command = ["python3", pathlib.Path(websocket.__file__), port]
    elif variant == "grpc":
        # A static file as the message, and a trailer as the status: what a unary call looks like on the wire.
        file = stage.folder / "calls" / CALL[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(MESSAGE)
        port = free_port()
        command = [stage.programs["nghttpd"], "--no-tls", "--address=127.0.0.1", "--htdocs=%s" % (stage.folder / "calls"),
                   "--trailer=grpc-status: 0", port]
    else:
        return None, stage.upstream
    child = Child(variant, command, stage.folder, stage.cores.load)
    try:
        child.await_port(port)
    except BaseException:
        child.stop()
        raise
    return child, port


def prove(running, stage):
    """That one call goes through, and that one without a token and one with too few scopes do not."""
    variant, tokens = running.system.variant, stage.tokens
    if variant == "websocket":
        found = [websocket.status(running.port, each) for each in (tokens.one, None, tokens.weak)]
        due = [101, 401, 403] if running.system.authenticates else [101] * 3
    else:
        found = [call_status(running.url(CALL), each, stage) for each in (tokens.one, None, tokens.weak)]
        due = ["0", "16", "7"]
    if found != due:
        raise Unusable("%s answered %r where %r was due: %s" % (running.name, found, due, running.child.said()))


def call_status(url, token, stage):
    """The grpc-status of a unary call, wherever it stands; of one that went through, the message is checked, too."""
    command = ["nghttp", "-v", "-d", stage.message, url]
    for each in GRPC_FIELDS + (("authorization: Bearer " + token,) if token else ()):
        command += ["-H", each]
    done = subprocess.run([str(each) for each in command], stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
    said = re.findall(rb"^\[[ \d.]+\] recv \(stream_id=\d+\) grpc-status: (\d+)$", done.stdout, re.M)
    if said == [b"0"] and MESSAGE not in done.stdout:
        return "no message"
    return said[0].decode() if len(said) == 1 else repr(done.stdout[-300:] + done.stderr[-300:])
