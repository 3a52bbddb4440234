"""deploy/local/image: how it reads the Dockerfile, which `make image` carries out; how large Postern is. deploy/local/icu.py: what it
leaves of ICU's data."""
import struct
import subprocess

import pytest

from harness.deployment import DEPLOY  # noqa: F401  (puts deploy/local on the path)
from harness.process import ROOT, binary
from icu import trimmed
from image.__main__ import PROGRAM_LIMIT
from image.dockerfile import Settings, read

TEXT = '''
ARG BASE=debian:12
# A comment
FROM ${BASE} AS first
RUN one \\
    # in the middle
    && for each in a b; do echo "$each" || exit 1; done
ARG VERSION=1
LABEL version="${VERSION}" \\
      base="${BASE}"
FROM first AS second
COPY --from=first /a /b
'''


def settings(name, stages):
    """What the image of a stage says, the stages below it included."""
    stage = stages[name]
    found = settings(stage.base, stages) if stage.base in stages else Settings()
    for instruction, rest in stage.steps:
        if instruction not in ("RUN", "COPY"):
            found.apply(instruction, rest)
    return found


def test_stages_steps_and_arguments():
    stages = read(TEXT, {"VERSION": "7"})
    assert [(each.name, each.base) for each in stages.values()] == [("first", "debian:12"), ("second", "first")]
    assert stages["first"].steps == [
        ("RUN", 'one && for each in a b; do echo "$each" || exit 1; done'), ("LABEL", 'version="7" base="debian:12"')]
    assert stages["second"].steps == [("COPY", "--from=first /a /b")]
    assert settings("second", stages).labels == {"version": "7", "base": "debian:12"}


def test_an_unknown_instruction_is_no_silent_no_op():
    with pytest.raises(ValueError, match="ONBUILD"):
        read("FROM debian:12 AS a\nONBUILD RUN x\n")


@pytest.mark.parametrize("name, check", [
    ("postern", ["/usr/local/bin/postern", "health"]), ("postern-issuer", ["/usr/local/bin/http-healthy", "8000"]),
    ("trading-demo", ["/usr/local/bin/http-healthy", "8001"])])
def test_what_the_images_say(name, check):
    said = settings(name, read((ROOT / "Dockerfile").read_text()))
    assert (said.user, said.entry, said.check) == ("10001:10001", ["/usr/local/bin/" + name], check)
    assert said.command and said.labels["org.opencontainers.image.title"] == name
    assert said.labels["org.opencontainers.image.base.name"].startswith("docker.io/library/debian:bookworm-")


@pytest.mark.release
def test_postern_is_small_and_has_no_part_of_icu(tmp_path):
    subprocess.run(["strip", "-o", str(tmp_path / "postern"), str(binary("postern"))], check=True, timeout=60)
    program = (tmp_path / "postern").read_bytes()
    assert len(program) <= PROGRAM_LIMIT * 1e6
    # The name by which ICU's own code finds its data.
    assert b"icudt" not in program


HEADER = struct.pack("<HBBHHBBBB4s", 32, 0xda, 0x27, 20, 0, 0, 0, 2, 0, b"CmnD").ljust(32, b"\0")


def package(items):
    """An ICU package: a header, the table of contents, the contents."""
    names, contents, entries = b"", b"", b""
    start = 4 + 8 * len(items)
    first = -(-(start + sum(len(name) + 1 for name in items)) // 16) * 16
    for name, content in items.items():
        entries += struct.pack("<II", start + len(names), first + len(contents))
        names += name.encode() + b"\0"
        contents += content.ljust(-(-len(content) // 16) * 16, b"\0")
    return HEADER + (struct.pack("<I", len(items)) + entries + names).ljust(first, b"\0") + contents


def contents(data):
    """{name: content} of a package, contents to the beginning of the next."""
    table = data[32:]
    count = struct.unpack_from("<I", table)[0]
    places = [struct.unpack_from("<II", table, 4 + 8 * index) for index in range(count)]
    assert all(place % 16 == 0 for _, place in places)
    ends = [place for _, place in places[1:]] + [len(table)]
    return {table[name:].split(b"\0")[0].decode(): table[place:end].rstrip(b"\0") for (name, place), end in zip(places, ends)}


def test_what_is_left_of_icus_data():
    items = {"icudt76l/" + name: name.encode() * 3 for name in (
        "curr/de.res", "curr/en.res", "de.res", "gb18030-2022.cnv", "nfkc.nrm", "root.res", "translit/root.res", "uts46.nrm")}
    assert contents(package(items)) == items
    kept = contents(trimmed(package(items)))
    assert kept == {name: items[name] for name in items if name.partition("/")[2] in (
        "curr/en.res", "nfkc.nrm", "root.res", "uts46.nrm")}
    assert list(kept) == sorted(kept)


def test_what_is_no_package_of_icu_is_refused():
    with pytest.raises(SystemExit, match="no ICU package"):
        trimmed(b"\0" * 64)
