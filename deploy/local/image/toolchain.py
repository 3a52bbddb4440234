"""The image `swift:VERSION` of the Dockerfile, in a place that has no registry of images: the same Debian, the packages that the
image has, and this machine's toolchain."""
from __future__ import annotations

import pathlib
import re
import shutil
import subprocess

from .layers import Image, Mounted, run

# What the toolchain compiles and links with, as in Swift's own image.
PACKAGES = ("binutils git libc6-dev libcurl4 libedit2 libgcc-12-dev libncurses6 libpython3.11 libsqlite3-0 libstdc++-12-dev libxml2"
            " libz3-4 pkg-config tzdata zlib1g-dev ca-certificates").split()


def toolchain():
    """The folder whose usr/bin has `swift`."""
    found = shutil.which("swift")
    if not found:
        raise SystemExit("error: there is no swift on the PATH")
    return pathlib.Path(found).resolve().parents[2]


def git_mirrors():
    """Local folders that git of this machine is told to ask instead of a server."""
    said = subprocess.run(["git", "config", "--get-regexp", r"^url\..*\.insteadof$"], stdout=subprocess.PIPE, encoding="utf-8",
                          check=False).stdout
    return sorted(set(re.findall(r"^url\.(/.+?)/?\.insteadof", said, re.M)))


def git_rules(mirrors):
    """The same rules for git inside."""
    lines = ["[safe]\n\tdirectory = *\n"]
    lines += ['[url "%s/"]\n\tinsteadOf = https://github.com/\n' % each for each in mirrors]
    return "".join(lines)


def swift(debian, folder):
    """The image: `debian` with the packages; the toolchain and the mirrors are there as mounts while it is built on."""
    upper, mirrors = folder / "layers" / "swift", git_mirrors()
    with Mounted(debian, folder / "building" / "swift", upper) as root:
        shutil.copy("/etc/resolv.conf", root.path / "etc/resolv.conf")
        run(*root.words(["/bin/sh", "-c", "apt-get update && apt-get install -y --no-install-recommends " + " ".join(PACKAGES)]),
            stdout=subprocess.DEVNULL)
        (root.path / "etc/gitconfig").write_text(git_rules(mirrors))
    settings = debian.settings.copy()
    settings.environment["PATH"] = "/opt/toolchain/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return Image(debian.layers + [upper], settings, {"/opt/toolchain": toolchain(), **{each: each for each in mirrors}})
