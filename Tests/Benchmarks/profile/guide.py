#!/usr/bin/env python3
"""Prints how often every part of what serves requests runs, for the compiler: deploy/local/profile.proftext, which release builds are made with
(deploy/local/lib.sh). `guide.py > FILE` and FILE put in its place after the hot path, or a dependency on it, has changed much; a function that
is another now is compiled as if nothing were known of it, and the budgets of `make test` say when that has become too much.

Builds a Postern that counts, in .build-profile, and has the benchmark load it (some twelve minutes): HTTP/1.1 with one connection and with
many, access log, bodies, new tokens, introspection, TLS, HTTP/2, WebSockets, gRPC."""
from __future__ import annotations

import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ".build-profile"
ROWS = ("direct,haproxy-http,postern,postern-10k,postern-miss,postern-log,postern-introspect-local,haproxy-tls,postern-tls,haproxy-handshake,"
        "postern-handshake,haproxy-h2,postern-h2,haproxy-websocket,postern-websocket,envoy-grpc,postern-grpc")
# What runs less often than this part of what runs most is left to the compiler's own judgement.
LEAST = 1 / 2000


def toolchain():
    """(llvm-profdata, the library that counts) of the Swift on the PATH: older tools do not read what it writes."""
    swift = shutil.which("swift")
    if not swift:
        raise SystemExit("error: there is no swift on the PATH")
    root = pathlib.Path(swift).resolve().parents[1]
    libraries = sorted(root.glob("lib/clang/*/lib/linux/libclang_rt.profile-%s.a" % platform.machine()))
    if not libraries:
        raise SystemExit("error: the toolchain has no library for profiles")
    return root / "bin" / "llvm-profdata", libraries[-1]


def build(library):
    """The folder of a Postern that counts."""
    flags = ["-Xfrontend", "-ir-profile-generate", "-Xllvm", "-static-func-strip-dirname-prefix=99",
             "-Xfrontend", "-disable-incremental-llvm-codegen"]
    command = ["swift", "build", "-c", "release", "--static-swift-stdlib", "--scratch-path", BUILD, "--product", "postern"]
    for each in flags:
        command += ["-Xswiftc", each]
    for each in (library, "-u", "__llvm_profile_runtime"):
        command += ["-Xlinker", str(each)]
    subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=True)
    return ROOT / BUILD / "release"


def load(folder, counts):
    """Has the benchmark load it: each process leaves its counts when it ends."""
    environment = {**os.environ, "POSTERN_BIN": str(folder), "LLVM_PROFILE_FILE": str(counts / "%p.profraw"),
                   "BENCH_TURNS": "2", "BENCH_ROUNDS": "1", "BENCH_SECONDS": "1", "BENCH_ONLY": ROWS}
    subprocess.run(["deploy/local/bench.sh"], cwd=ROOT, env=environment, stdout=sys.stderr, check=True)


def records(text):
    """(name, hash, counts, other lines) of each function in LLVM's text form. A name begins with the file it is from where others may be
    called the same."""
    for block in re.split(r"\n\n+", text):
        lines = [each for each in block.split("\n") if each and each[0] not in "#:"]
        if lines:
            end = 3 + int(lines[2])
            yield lines[0], lines[1], [int(each) for each in lines[3:end]], lines[end:]


def selected(text):
    """The text with only what runs often."""
    found = list(records(text))
    least = LEAST * max(max(counts) for _, _, counts, _ in found)
    parts = [":ir\n"]
    for name, digest, counts, rest in found:
        if max(counts) >= least:
            # The reader takes a line that begins with a dollar, as names of Swift do, for a size that may stand here: so it does.
            parts.append("\n".join([name, digest, str(len(counts)), *map(str, counts), "$0", *rest]) + "\n")
    return "\n".join(parts)


def main():
    """Prints the text."""
    tool, library = toolchain()
    folder = build(library)
    with tempfile.TemporaryDirectory(prefix="postern-profile-") as path:
        counts = pathlib.Path(path)
        load(folder, counts)
        whole = counts / "whole"
        subprocess.run([str(tool), "merge", "--text", "-o", str(whole), *map(str, counts.glob("*.profraw"))], check=True)
        sys.stdout.write(selected(whole.read_text("utf-8")))


if __name__ == "__main__":
    main()
