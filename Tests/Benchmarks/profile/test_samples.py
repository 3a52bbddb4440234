"""What perf and memcheck print is read."""
from __future__ import annotations

import collections
import unittest

from . import blocks, kernel, samples

SCRIPT = """
	ffffffff8200da6b tcp_sendmsg_locked ([kernel.kallsyms])
	ffffffff81234567 net_rx_action ([kernel.kallsyms])
	ffffffff81234568 handle_softirqs ([kernel.kallsyms])
	ffffffff81e2f330 __x64_sys_sendto ([kernel.kallsyms])
	ffffffff821ed511 do_syscall_64 ([kernel.kallsyms])
	          10aba4 __send (/usr/lib/x86_64-linux-gnu/libc.so.6)
	          c4b638 $s8NIOPosix3runyyKF (/opt/postern)

	ffffffff821f94c3 schedule ([kernel.kallsyms])
	ffffffff821ed6db do_syscall_64 ([kernel.kallsyms])
	           f82ec __GI___writev (/usr/lib/x86_64-linux-gnu/libc.so.6)

	          c4b638 $s8NIOPosix3runyyKF(Swift.Int) (/opt/postern)
	           891f5 start_thread (/usr/lib/x86_64-linux-gnu/libc.so.6)

	    7fff12345abc __vdso_clock_gettime ([vdso])

"""


class Samples(unittest.TestCase):
    def test_a_sample_belongs_to_what_runs_or_to_its_system_call(self):
        rows = [samples.row(frames) for frames in samples.stacks(SCRIPT)]
        self.assertEqual(rows, ["kernel: sendto", "kernel: writev", samples.OWN, samples.VDSO])

    def test_code_outside_of_the_program(self):
        self.assertEqual(samples.row([("EVP_DigestVerify", "/usr/lib/libcrypto.so.3")]), samples.LIBCRYPTO)
        self.assertEqual(samples.row([("memcpy", "/usr/lib/libc.so.6")]), samples.LIBC)
        self.assertEqual(samples.row([("x", "[kernel.kallsyms]"), ("asm_exc_page_fault", "[kernel.kallsyms]"),
                                      ("memcpy", "/usr/lib/libc.so.6")]), samples.REST)
        self.assertEqual(samples.row([("x", "[kernel.kallsyms]"), ("do_syscall_64", "[kernel.kallsyms]"),
                                      ("pthread_cond_signal@@GLIBC_2.3.2", "/usr/lib/libc.so.6")]), "kernel: futex")

    def test_shares_are_parts_of_all_samples(self):
        found = samples.shares(SCRIPT)
        self.assertEqual((found["kernel: sendto"], found[samples.OWN], found[samples.SOFTIRQ]), (0.25, 0.25, 0.25))
        self.assertRaises(ValueError, samples.shares, "perf said something else")

    def test_rare_system_calls_share_a_row(self):
        found = [collections.Counter({samples.OWN: 0.5, "kernel: read": 0.492, "kernel: fstat": 0.008})]
        rows = dict(kernel.rows(found))
        self.assertEqual(rows["kernel: read"], [0.492])
        self.assertEqual(rows["kernel: other system calls"], [0.008])
        self.assertAlmostEqual(rows["**all of the kernel**"][0], 0.5)
        self.assertEqual(kernel.table(["a"], found)[2], "| Postern, NIO, Swift runtime | 50.0 |")


MEMCHECK = """sending command leak_check full reachable any unlimited to pid 7
==7== 2,048 bytes in 2 blocks are still reachable in loss record 3 of 4
==7==    at 0x538F7B4: malloc (in /usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so)
==7==    by 0x55E9004: $s7NIOCore10ByteBufferV (in /tmp/x/postern)
==7==    by 0x5BF71F4: start_thread (pthread_create.c:442)
==7==
==7== 48 (16 direct, 32 indirect) bytes in 1 blocks are definitely lost in loss record 4 of 4
==7==    at 0x538F7B4: swift::once(swift::Job*) (in /tmp/x/postern)
==7==
"""
BUFFER = ("malloc", "$s7NIOCore10ByteBufferV", "start_thread")


class Blocks(unittest.TestCase):
    def test_records_are_read(self):
        found = blocks.parse(MEMCHECK)
        self.assertEqual({stack: (each.number, each.size) for stack, each in found.items()},
                         {BUFFER: (2, 2048), ("swift::once(swift::Job*)",): (1, 16)})

    def test_numbers_with_what_changed_since_the_last_time(self):
        text = MEMCHECK.replace("2,048 bytes in 2 blocks", "3,072 (+1,024) bytes in 3 (+1) blocks").replace(
            "48 (16 direct, 32 indirect)", "48 (+0) (16 (+0) direct, 32 (+0) indirect)")
        sizes = [(each.number, each.size) for each in blocks.parse(text).values()]
        self.assertEqual(sizes, [(3, 3072), (1, 16)])

    def test_growth_and_sites(self):
        few = blocks.parse(MEMCHECK)
        many = blocks.parse(MEMCHECK.replace("2,048 bytes in 2 blocks", "6,144 bytes in 6 blocks"))
        growth = blocks.growth(few, many)
        self.assertEqual([(stack, each.number, each.size) for stack, each in growth.items()], [(BUFFER, 4, 4096)])
        self.assertEqual(blocks.by_site(growth, lambda stack: stack[1])["$s7NIOCore10ByteBufferV"].size, 4096)
        self.assertEqual(blocks.Blocks(4, 4096).taken, 4 * 1040)
        self.assertEqual(blocks.Blocks(1, 1).taken, 32)

    def test_resident_memory_by_kind(self):
        text = ("55d0-55d1 r-xp 00000000 fe:00 5360 /opt/postern\nRss:   100 kB\n"
                "7f00-7f01 rw-p 00000000 00:00 0\nRss:    8 kB\n7f02-7f03 rw-p 00000000 00:00 0 [stack]\nRss:   4 kB\n")
        self.assertEqual(blocks.resident(text), {"files": 100, "heap and stacks": 12})


if __name__ == "__main__":
    unittest.main()
