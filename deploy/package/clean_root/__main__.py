"""clean-root.sh: installs the package in a clean Debian, runs what it installed, upgrades and purges it."""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from image.dockerfile import Settings
from image.layers import Image, Mounted, debian

ROOT = pathlib.Path(__file__).resolve().parents[3]
# What systemd-analyze calls the exposure of a unit, from 0 to 10, at most.
EXPOSURE = 2.0
CHANGED = "# changed by hand\n"
# What only the unit can read.
SEALED = """redis: {url: "redis://127.0.0.1:6379/0", seal: {file: "${CREDENTIALS_DIRECTORY}/postern_seal"}}
"""


class Clean:
    """The root, as something to run commands in."""

    def __init__(self, root):
        self.root = root

    def run(self, *words, code=0):
        """What a command prints; it has to end with `code`."""
        line = self.root.words(["env", "DEBIAN_FRONTEND=noninteractive", *map(str, words)])
        done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                              check=False)
        if done.returncode != code:
            raise SystemExit("error: %s: exit code %d\n%s" % (" ".join(map(str, words)), done.returncode, done.stdout))
        return done.stdout

    def files(self):
        """{path: kind} of everything but what dpkg and apt keep for themselves, and the machine's."""
        found = {}
        for folder, folders, names in os.walk(self.root.path):
            inside = os.path.relpath(folder, self.root.path)
            if inside == ".":
                folders[:] = [each for each in folders if each not in ("proc", "dev", "sys", "run", "tmp")]
            if inside == "var":
                folders[:] = [each for each in folders if each not in ("lib", "cache", "log")]
            found.update((os.path.join(inside, each), os.path.isdir(os.path.join(folder, each))) for each in folders + names)
        return found


def expect(condition, what):
    if not condition:
        raise SystemExit("error: " + what)
    print("  " + what, flush=True)


def package(programs, folder, version=None):
    """Builds the package, quickly rather than small."""
    settings = {"PROGRAMS": str(programs), "DEB_COMPRESSION": "gzip"}
    said = subprocess.run([str(ROOT / "deploy/package/deb.sh"), str(folder)], check=True, stdout=subprocess.PIPE, encoding="utf-8",
                          env=dict(os.environ, **settings, **({"DEB_VERSION": version} if version else {})))
    return pathlib.Path(said.stdout.split()[-1])


def depends(deb):
    said = subprocess.run(["dpkg-deb", "--field", str(deb), "Depends"], check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    return [re.match(r"[\w.+-]+", each.strip())[0] for each in said.split(",")]


def try_unit(clean):
    said = clean.run("systemd-analyze", "verify", "--man=no", "postern.service")
    expect(not re.search(r"postern\.service", said), "systemd-analyze verify: nothing to say")
    said = clean.run("systemd-analyze", "security", "--offline=true", "--no-pager", "postern.service")
    exposure = float(re.search(r"exposure level for postern\.service: ([\d.]+)", said)[1])
    expect(exposure <= EXPOSURE, "systemd-analyze security: exposure %.1f" % exposure)


def try_programs(clean, root):
    expect(re.fullmatch(r"\d+\.\d+\.\d+\n", clean.run("postern", "--version")), "postern --version")
    expect("postern-issuer" in clean.run("postern-issuer", "--help"), "postern-issuer --help")
    said = clean.run("postern", "check", "/etc/postern/proxy.yaml", code=78)
    expect("upstream: is required" in said, "as installed, it is refused with what is missing: upstream")
    policy = (ROOT / "proxy.yaml").read_text()
    (root.path / "etc/postern/proxy.yaml").write_text(policy + CHANGED)
    clean.run("postern", "check", "/etc/postern/proxy.yaml")
    said = clean.run("systemd-analyze", "cat-config", "systemd/system/postern.service")
    before, start = (re.search(r"^%s=(.*)$" % each, said, re.M)[1].split() for each in ("ExecStartPre", "ExecStart"))
    environment = re.findall(r"^Environment=(.*)$", said, re.M)
    user = "65534:65534"
    words = {name: root.words(["env", *environment, *line], user=user)
             for name, line in (("before", before), ("run", start), ("check", ["/usr/bin/postern", "health"]))}
    subprocess.run(["unshare", "--net", "--pid", "--fork", "--kill-child", sys.executable, "-B", "-m", "clean_root.served"], check=True,
                   input=json.dumps(words), encoding="utf-8")


def boot(root):
    """Starts systemd itself in the root, which starts the unit; what `booted.sh` says there, line by line."""
    (root.path / "etc/postern/credentials/seal").write_text("0123456789abcdef0123456789abcdef")
    policy = (ROOT / "proxy.yaml").read_text() + SEALED + CHANGED
    (root.path / "etc/postern/proxy.yaml").write_text(policy)
    here = pathlib.Path(__file__).parent
    shutil.copy(here / "booted.sh", root.path / "srv/booted.sh")
    done = subprocess.run(["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child",
                           "--propagation", "private", str(here / "boot.sh"), str(root.path)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=120, check=False)
    if done.returncode == 77:
        print("  systemd cannot be started here: the unit was not run", flush=True)
        return
    said = (root.path / "srv/booted").read_text()
    for each in ("started", "healthy", "no rights", "filtered", "reloaded", "stopped", "wrong configuration: not started"):
        expect(each in said.splitlines(), "under systemd: " + each if each in said.splitlines() else
               "under systemd: not %s\n%s\n%s" % (each, said, done.stdout))
    for each in ("booted", "booted.sh"):
        (root.path / "srv" / each).unlink()


def carry_out(programs, folder):
    debian(folder / "debian", "bookworm")
    upper = folder / "layers" / "package"
    first, second = package(programs, folder / "deb"), package(programs, folder / "deb", "9.9.9")
    with Mounted(Image([folder / "debian"], Settings()), folder / "building" / "package", upper) as root:
        clean = Clean(root)
        shutil.copy("/etc/resolv.conf", root.path / "etc/resolv.conf")
        # With manual pages, unlike an image.
        (root.path / "etc/dpkg/dpkg.cfg.d/docker").write_text("force-unsafe-io\n")
        clean.run("apt-get", "update")
        clean.run("apt-get", "install", "-y", "--no-install-recommends", "systemd", *depends(first))
        before = clean.files()
        for each in (first, second):
            shutil.copy(each, root.path / "srv")
        clean.run("dpkg", "-i", "/srv/" + first.name)
        expect(clean.run("dpkg", "--audit") == "", "%s: installed with dpkg -i" % first.name)
        expect(clean.run("dpkg", "--verify", "postern") == "", "every file is as the package has it")
        missing = [each for each in clean.run("dpkg", "-L", "postern").split() if not os.path.lexists(str(root.path) + each)]
        expect(not missing and "/usr/share/man/man5/proxy.yaml.5.gz" in clean.run("dpkg", "-L", "postern"), "manual pages are there")
        try_unit(clean)
        try_programs(clean, root)
        boot(root)
        clean.run("dpkg", "-i", "/srv/" + second.name)
        kept = (root.path / "etc/postern/proxy.yaml").read_text()
        expect(kept.endswith(CHANGED) and "9.9.9" in clean.run("dpkg-query", "-W", "postern"), "upgraded; a changed configuration stays")
        clean.run("systemctl", "enable", "postern.service")
        clean.run("dpkg", "--purge", "postern")
        for each in (first, second):
            (root.path / "srv" / each.name).unlink()
        expect(clean.files() == before, "purged; nothing of it is left")


def main():
    options = argparse.ArgumentParser(prog="clean-root.sh", description=__doc__)
    options.add_argument("--programs", type=pathlib.Path, default=ROOT / ".build/dist", help="built programs (.build/dist)")
    options.add_argument("--folder", type=pathlib.Path, default=ROOT / ".build-image", help="where the root is made")
    chosen = options.parse_args()
    shutil.rmtree(chosen.folder / "layers" / "package", ignore_errors=True)
    chosen.folder.mkdir(exist_ok=True)
    begun = time.monotonic()
    carry_out(chosen.programs.resolve(), chosen.folder.resolve())
    print("  all of it in %.0f s" % (time.monotonic() - begun), flush=True)


if __name__ == "__main__":
    main()
