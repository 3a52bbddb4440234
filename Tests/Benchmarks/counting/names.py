"""The names of functions, for people: demangled, and without the runtime's own."""
from __future__ import annotations

import re
import shutil
import subprocess

# What stands between the code that allocates and malloc.
_RUNTIME = re.compile(r"swift_|_swift_|swift::|operator new|_?_?(m|c|re)alloc$|\$s7NIOCore19ByteBufferAllocatorV")

# Where the heap storage of a String is made: a request on the hot path must never come by.
_STRING = re.compile(r"\$ss15__StringStorageC|\$ss21__SharedStringStorageC|\$ss22_allocateStringStorage|\$ss11_StringGutsV|\$sSS")


def own_frames(chain):
    """A chain of callers without the allocator and the runtime, the nearest first."""
    frames = list(chain[1:])
    while frames and _RUNTIME.match(frames[0]):
        frames.pop(0)
    return tuple(frames)


def makes_string(chain):
    """Whether this allocation is the storage of a String."""
    return any(_STRING.match(frame) for frame in own_frames(chain)[:1])


def demangle(names):
    """Names as the source has them; as they are where there is no `swift`."""
    names = list(names)
    if shutil.which("swift") is None or not names:
        return {name: name for name in names}
    done = subprocess.run(["swift", "demangle", "--simplified", "--compact"], input="\n".join(names) + "\n",
                          stdout=subprocess.PIPE, check=True, timeout=60, encoding="utf-8")
    return dict(zip(names, (_short(text) for text in done.stdout.splitlines())))


def _short(text):
    """`generic specialization <…> of f(a:)` is f(a:)."""
    text = re.sub(r"^(?:.*specialization.* of |merged |(?:protocol witness for|partial apply for) )+", "", text)
    text = re.sub(r" in conformance .*$", "", text)
    return text if len(text) <= 150 else text[:147] + "…"
