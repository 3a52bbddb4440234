"""What a sample of perf was taken in: code of the process, or a system call on its behalf."""
from __future__ import annotations

import collections
import re

# The rows, in their order. Postern is linked with NIO and the Swift runtime: they are one file.
OWN = "Postern, NIO, Swift runtime"
LIBCRYPTO = "libcrypto"
LIBC = "C library"
VDSO = "vdso (clock)"
KERNEL = "kernel: "
REST = KERNEL + "interrupts, page faults"
# Part of the rows above: over loopback, whoever sends also does what the receiver's network card would have done.
SOFTIRQ = "of the kernel: in softirq (delivery to the other end)"
USER = (OWN, LIBCRYPTO, LIBC, VDSO)

_FRAME = re.compile(r"\s*[0-9a-f]+ (.*) \((.*)\)$")
# The kernel's function for a call, where it is in the chain; some have left it by a jump, and others not reached it yet.
_CALL = re.compile(r"(?:__x64_sys_|__arm64_sys_|ksys_|__sys_)(\w+)$")
_ENTRY = ("do_syscall_64", "entry_SYSCALL_64_after_hwframe", "el0_svc", "el0_svc_common", "syscall_return_via_sysret")
# What the C library calls it, where that differs.
_DECORATION = re.compile(r"^_*(?:GI_+)?(?:libc_)?|@.*$")
_WRAPPERS = {"send": "sendto", "recv": "recvfrom", "pthread_cond_signal": "futex", "pthread_cond_wait": "futex"}
_KERNEL = ("[kernel.kallsyms]", "[kernel]", "[guest.kernel.kallsyms]")


def stacks(text):
    """[[(function, file), …], …] of what `perf script -F ip,sym,dso` printed; the innermost first."""
    for block in re.split(r"\n\s*\n", text):
        frames = [found.groups() for found in map(_FRAME.match, block.splitlines()) if found]
        if frames:
            yield frames


def row(frames):
    """The row that a sample belongs to."""
    file = frames[0][1]
    if not _in_kernel(file):
        for part, answer in (("[vdso]", VDSO), ("libcrypto", LIBCRYPTO), ("libc.so", LIBC), ("libc-", LIBC)):
            if part in file:
                return answer
        return OWN
    if not any(function in _ENTRY for function, _ in frames):
        return REST
    call = next((found.group(1) for found in (_CALL.match(function) for function, _ in frames) if found), None)
    if call is None:
        # The innermost function outside the kernel is the one that made the call.
        call = next((_DECORATION.sub("", function) for function, file in frames if not _in_kernel(file)), "unknown")
        call = _WRAPPERS.get(call, call)
    return KERNEL + call


def _in_kernel(file):
    return file in _KERNEL or file.endswith((".ko", "vmlinux")) or (file.startswith("[") and "vdso" not in file)


def shares(text):
    """Counter of rows, as parts of all samples; SOFTIRQ besides."""
    counted = collections.Counter()
    for frames in stacks(text):
        counted["all"] += 1
        counted[row(frames)] += 1
        counted[SOFTIRQ] += _in_kernel(frames[0][1]) and any("softirq" in function for function, _ in frames)
    if not counted["all"]:
        raise ValueError("perf took no sample: %r" % text[:300])
    return {name: count / counted["all"] for name, count in counted.items()}
