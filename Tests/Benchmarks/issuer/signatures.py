"""What a signature costs by itself: `openssl speed`, on the issuer's core."""
from __future__ import annotations

import re
import subprocess

from endtoend.machine import pinned

# By the `alg` of a token: the name for `openssl speed`, and how its line begins.
SPEED = {
    "RS256": ("rsa2048", r"rsa\s+2048 bits"),
    "ES256": ("ecdsap256", r"256 bits ecdsa \(nistp256\)"),
    "EdDSA": ("ed25519", r"253 bits EdDSA \(Ed25519\)"),
}


def parse(text, algorithm):
    """Microseconds for one signature, from the table of `openssl speed`, or None. The columns are named above the line, differ
    from version to version, and the times are rounded to nothing for the quick ones: the rate is taken."""
    line = re.search(r"^\s*%s\s+(.+)$" % SPEED[algorithm][1], text, re.M)
    names = re.search(r"^\s+(sign\s+verify.*)$", text, re.M)
    if not line or not names:
        return None
    columns = dict(zip(names.group(1).split(), line.group(1).split()))
    try:
        return 1e6 / float(columns["sign/s"])
    except (KeyError, ValueError, ZeroDivisionError):
        return None


def measured(algorithm, cores):
    """Microseconds of one signature in libcrypto alone, or None if it cannot be had."""
    try:
        done = subprocess.run(pinned(cores, ["openssl", "speed", "-seconds", "1", SPEED[algorithm][0]]), stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, encoding="utf-8", timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse(done.stdout, algorithm)
