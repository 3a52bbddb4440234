"""icu.py OUTPUT: an object file with a part of ICU's data, to be linked in place of the toolchain's whole (link.sh).

Postern itself links only Foundation's essentials. What the issuer is made of (GRDB, Hummingbird) links the whole, which brings ICU, and ICU
34 MB of data, most of it every language's names and sort orders, and old character sets. Kept is what URLs are read with (IDNA), and
what Foundation asks for in the root and English locales: with less, some of its calls end the process. Other locales look like those
two. Standard library, ar, readelf, clang."""
from __future__ import annotations

import fnmatch
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

# Of the package's items, by their names: normalization and IDNA; calendars, numbers and time zones; the trees' root and English.
KEPT = """*.nrm cnvalias.icu icustd.res icuver.res res_index.res root.res pool.res en.res en_001.res en_US.res en_US_POSIX.res
supplementalData.res metadata.res keyTypeData.res numberingSystems.res likelySubtags.res plurals.res pluralRanges.res dayPeriods.res
timezoneTypes.res tzdbNames.res zoneinfo64.res metaZones.res currencyNumericCodes.res genderList.res units.res""".split()
TREES = ("curr", "zone", "lang", "region", "unit")
KEPT += [tree + "/" + name for tree in TREES for name in ("root.res", "en.res", "pool.res", "res_index.res", "supplementalData.res")]


def output(*words):
    return subprocess.run([str(each) for each in words], stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout


def archive():
    """The static library of the toolchain on the PATH."""
    swift = shutil.which("swift")
    if not swift:
        raise SystemExit("icu.py: there is no swift on the PATH")
    return pathlib.Path(swift).resolve().parents[1] / "lib/swift_static/linux/lib_FoundationICU.a"


def symbol(member):
    """(name, its bytes) of the data in an object file."""
    for line in output("readelf", "--wide", "--symbols", member).splitlines():
        found = re.match(r"\s*\d+:\s+(\w+)\s+(\w+)\s+OBJECT\s+GLOBAL\s+\w+\s+(\d+)\s+(icudt\d+_dat)$", line)
        if found:
            value, size, section, name = found.groups()
            break
    else:
        return None
    for line in output("readelf", "--wide", "--sections", member).splitlines():
        found = re.match(r"\s*\[\s*%s\]\s+\S+\s+\S+\s+\w+\s+(\w+)" % section, line)
        if found:
            start = int(found[1], 16) + int(value, 16)
            return name, member.read_bytes()[start:start + int(size, 0)]
    raise SystemExit("icu.py: the section of %s is missing" % name)


def trimmed(data):
    """A package of ICU (format CmnD 1) with the kept items alone: a header, then the table of contents (count; offsets of name and
    content, from its own beginning; names), then the contents, each at a multiple of 16."""
    start = struct.unpack_from("<H", data)[0]
    if data[2:4] != b"\xda\x27" or data[12:16] != b"CmnD":
        raise SystemExit("icu.py: this is no ICU package")
    table = data[start:]
    count = struct.unpack_from("<I", table)[0]
    places = [struct.unpack_from("<II", table, 4 + 8 * index) for index in range(count)]
    ends = [place for _, place in places[1:]] + [len(table)]
    items = [(table[name:table.index(b"\0", name)], table[place:end]) for (name, place), end in zip(places, ends)]
    items = [(name, content) for name, content in items
             if any(fnmatch.fnmatchcase(name.decode().partition("/")[2], each) for each in KEPT)]
    names = b"".join(name + b"\0" for name, _ in items)
    at_name, at_content = 4 + 8 * len(items), -(-(4 + 8 * len(items) + len(names)) // 16) * 16
    entries, contents = struct.pack("<I", len(items)), b""
    for name, content in items:
        entries += struct.pack("<II", at_name, at_content + len(contents))
        at_name += len(name) + 1
        contents += content + b"\0" * (-len(content) % 16)
    return data[:start] + (entries + names).ljust(at_content, b"\0") + contents


def main():
    target = pathlib.Path(sys.argv[1]).resolve()
    library = archive()
    if not library.exists():
        raise SystemExit("icu.py: there is no %s: the programs get what the toolchain gives" % library)
    if target.exists() and target.stat().st_mtime > max(library.stat().st_mtime, pathlib.Path(__file__).stat().st_mtime):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        subprocess.run(["ar", "x", str(library), "icu_packaged_data.cpp.o"], check=True, cwd=folder)
        name, data = symbol(folder / "icu_packaged_data.cpp.o") or sys.exit("icu.py: no data in the toolchain's library")
        kept = trimmed(data)
        (folder / "data").write_bytes(kept)
        source = '.section .rodata\n.balign 16\n.globl %s\n.type %s, @object\n%s:\n.incbin "%s"\n.size %s, %d\n' % (
            name, name, name, folder / "data", name, len(kept))
        source += '.section .note.GNU-stack,"",@progbits\n'
        (folder / "data.s").write_text(source)
        subprocess.run(["clang", "-c", str(folder / "data.s"), "-o", str(target)], check=True)
    print("%s: %.1f of %.1f MB" % (name, len(kept) / 1e6, len(data) / 1e6))


if __name__ == "__main__":
    main()
