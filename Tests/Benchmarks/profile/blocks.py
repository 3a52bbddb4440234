"""Heap blocks as memcheck lists them, and where they were asked for."""
from __future__ import annotations

import collections
import re

# `1,024 bytes in 2 blocks are …`, with (+0) after each number the second time; `48 (16 direct, 32 indirect) bytes in …`
# counts blocks that hang on these once more: what is direct counts.
_RECORD = re.compile(r"==\d+== ([\d,]+)(?: \(\+[\d,-]+\)| \(-?[\d,]+\))?(?: \(([\d,]+)[^)]*(?:\([^)]*\)[^)]*)* direct.*\))?"
                     r" bytes in ([\d,]+)(?: \([^)]*\))? blocks are ")
_FRAME = re.compile(r"==\d+==    (?:at|by) 0x[0-9A-F]+: (.*?)(?: \((?:in )?[^()]*\))?$")


class Blocks:
    """How many, and how many bytes were asked for."""

    def __init__(self, number=0, size=0):
        self.number = number
        self.size = size

    def plus(self, other, times=1):
        return Blocks(self.number + times * other.number, self.size + times * other.size)

    @property
    def taken(self):
        """What glibc's malloc takes for them: eight bytes more for each, in steps of sixteen, 32 at least."""
        if self.number <= 0:
            return self.size
        return self.number * max(32, (self.size / self.number + 8 + 15) // 16 * 16)


def parse(text):
    """{stack, the innermost function first: Blocks}"""
    found = collections.defaultdict(Blocks)
    record, stack = None, []
    for line in [*text.splitlines(), ""]:
        frame = _FRAME.match(line)
        if frame:
            stack.append(frame.group(1))
            continue
        if record is not None and stack:
            found[tuple(stack)] = found[tuple(stack)].plus(record)
        record, stack = None, []
        head = _RECORD.match(line)
        if head:
            record = Blocks(_number(head.group(3)), _number(head.group(2) or head.group(1)))
    return dict(found)


def growth(few, many):
    """{stack: Blocks} that are in `many` and not in `few`; without those that neither grew nor shrank."""
    differences = {stack: many.get(stack, Blocks()).plus(few.get(stack, Blocks()), -1) for stack in {*few, *many}}
    return {stack: each for stack, each in differences.items() if each.number or each.size}


def by_site(stacks, own):
    """{site: Blocks}, `own` being what makes a site of a stack."""
    found = collections.defaultdict(Blocks)
    for stack, each in stacks.items():
        found[own(stack)] = found[own(stack)].plus(each)
    return dict(found)


def resident(smaps):
    """{kind: KiB} of what is resident by /proc/PID/smaps: memory of files, and memory that the process asked for."""
    kinds = {"files": 0, "heap and stacks": 0}
    kind = None
    for line in smaps.splitlines():
        mapping = re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ (\d+)", line)
        if mapping:
            kind = "heap and stacks" if mapping.group(1) == "0" else "files"
        elif line.startswith("Rss:"):
            kinds[kind] += int(line.split()[1])
    return kinds


def _number(text):
    return int(text.replace(",", ""))
