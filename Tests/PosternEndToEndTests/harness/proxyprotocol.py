"""PROXY headers (versions 1 and 2) as bytes."""
from __future__ import annotations

import ipaddress
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def text(source, destination="10.0.0.1", ports=(4660, 443)):
    """A header of version 1 from `source`."""
    family = "TCP%d" % ipaddress.ip_address(source).version
    if family == "TCP6" and ":" not in destination:
        destination = "fd00::1"
    return ("PROXY %s %s %s %d %d\r\n" % (family, source, destination, *ports)).encode("ascii")


def binary(source=None, command=1, family=None, tlvs=b"", addresses=None):
    """A header of version 2; without `source` one of no family."""
    kind, packed = 0, b""
    if source is not None:
        address = ipaddress.ip_address(source)
        kind = 0x11 if address.version == 4 else 0x21
        other = ipaddress.ip_address("10.0.0.1" if address.version == 4 else "fd00::1")
        packed = address.packed + other.packed + struct.pack("!HH", 4660, 443)
    body = (packed if addresses is None else addresses) + tlvs
    return SIGNATURE + bytes([0x20 | command, kind if family is None else family]) + struct.pack("!H", len(body)) + body
