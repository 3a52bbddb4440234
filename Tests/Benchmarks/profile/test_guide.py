"""What the compiler is told of how often functions run."""
from __future__ import annotations

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from . import guide

TEXT = """# IR level Instrumentation Flag
:ir
$s4Core3hotyyF
# Func Hash:
11
# Num Counters:
2
# Counter Values:
8000
3

Pool.swift.o;$s4Core4warmyyF
# Func Hash:
12
# Num Counters:
1
# Counter Values:
4
# Num Value Kinds:
1
# ValueKind = IPVK_IndirectCallTarget:
0
# NumValueSites:
1
1
$s4Core3hotyyF:4

$s4Core4coldyyF
# Func Hash:
13
# Num Counters:
1
# Counter Values:
3

"""


class GuideTests(unittest.TestCase):
    def test_functions_are_read_with_their_counts(self):
        self.assertEqual([(name, counts) for name, _, counts, _ in guide.records(TEXT)],
                         [("$s4Core3hotyyF", [8000, 3]), ("Pool.swift.o;$s4Core4warmyyF", [4]), ("$s4Core4coldyyF", [3])])

    def test_what_seldom_runs_is_left_out(self):
        self.assertEqual(guide.selected(TEXT), ":ir\n\n$s4Core3hotyyF\n11\n2\n8000\n3\n$0\n\nPool.swift.o;$s4Core4warmyyF\n12\n1\n4\n$0\n"
                         "1\n0\n1\n1\n$s4Core3hotyyF:4\n")

    @unittest.skipUnless(shutil.which("swift"), "needs the toolchain's llvm-profdata")
    def test_the_toolchain_reads_what_is_selected_and_what_is_checked_in(self):
        tool = guide.toolchain()[0]
        with tempfile.TemporaryDirectory() as folder:
            few = pathlib.Path(folder) / "few.proftext"
            few.write_text(guide.selected(TEXT), encoding="utf-8")
            for file, least in ((few, 2), (guide.ROOT / "deploy/local/profile.proftext", 500)):
                with self.subTest(file=file.name):
                    merged = str(pathlib.Path(folder) / "merged")
                    subprocess.run([str(tool), "merge", "-o", merged, str(file)], check=True, timeout=60)
                    done = subprocess.run([str(tool), "show", merged], check=True, timeout=60, capture_output=True, encoding="utf-8")
                    total = next(line for line in done.stdout.splitlines() if line.startswith("Total functions: "))
                    self.assertGreaterEqual(int(total.rpartition(" ")[2]), least)

    def test_what_is_checked_in_names_no_folder(self):
        text = (guide.ROOT / "deploy/local/profile.proftext").read_text("utf-8")
        self.assertEqual([name for name, *_ in guide.records(text) if "/" in name], [])


if __name__ == "__main__":
    unittest.main()
