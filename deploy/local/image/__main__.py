"""image.sh: from a clean Debian to images that run and are healthy, and what they weigh."""
from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

from .dockerfile import Settings, read
from .layers import Builder, Image, Mounted, debian, run
from .toolchain import swift

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAMS = ("postern", "postern-issuer", "trading-demo")
# In MB (10^6 bytes): what an image may add to Debian, and how large Postern's program may be.
IMAGE_LIMIT, PROGRAM_LIMIT = 60, 40
ISSUER = {"POSTERN_ISSUER_ISSUER": "http://127.0.0.1:8000", "POSTERN_ISSUER_AUDIENCE": "mt5-api"}


def strip(source, target):
    """Stripped copies of programs that are built already: what the stage `build` leaves in /dist."""
    target.mkdir(parents=True, exist_ok=True)
    for name in PROGRAMS:
        run("strip", "-o", target / name, source / name)
    return target


def bases(folder):
    """What an image's name of the Dockerfile is here: a Debian, with the Swift toolchain of this machine if it is Swift's."""

    def base(name):
        debian(folder / "debian", "bookworm")
        image = Image([folder / "debian"], Settings())
        return swift(image, folder) if name.startswith("swift:") else image

    return base


def weigh(images):
    """Prints sizes; whether every image, and Postern's program, is within its limit."""
    within = True
    for name, image in images.items():
        program = (image.layers[-1] / "usr/local/bin" / name).stat().st_size / 1e6
        added = image.added() / 1e6
        print("  %-16s adds %5.1f MB to Debian, %5.1f of them the program" % (name, added, program), flush=True)
        within = within and added <= IMAGE_LIMIT and (name != "postern" or program <= PROGRAM_LIMIT)
    if not within:
        print("  that is over the limit: %d MB, %d of them Postern's program" % (IMAGE_LIMIT, PROGRAM_LIMIT), flush=True)
    return within


def commands(mounted):
    """What `pod` runs of each image, as its entry point, command, environment, user and health check say."""
    found = {}
    for name in ("postern-issuer", "trading-demo", "postern"):
        root, settings = mounted[name], mounted[name].image.settings.copy()
        before = []
        if name == "postern-issuer":
            settings.environment.update(ISSUER)
            before = [root.words(settings.entry + ["bootstrap"], settings)]
        ready = settings.check + (["--ready"] if name == "postern" else [])
        found[name] = {"before": before, "run": root.words(settings.entry + settings.command, settings),
                       "check": root.words(ready, settings)}
    return found


def start(images, folder):
    """Runs the three as a pod would. The configuration is mounted, everything else of the roots is read-only."""
    policy = folder / "policy"
    policy.mkdir(exist_ok=True)
    shutil.copy(ROOT / "proxy.yaml", policy / "proxy.yaml")
    with contextlib.ExitStack() as stack:
        mounted = {name: stack.enter_context(Mounted(image, folder / "running" / name)) for name, image in images.items()}
        for volume in images["postern-issuer"].settings.volumes:
            mounted["postern-issuer"].memory(volume)
        mounted["postern"].bind(policy, "/etc/postern")
        subprocess.run(
            ["unshare", "--net", "--pid", "--fork", "--kill-child", sys.executable, "-B", "-m", "image.pod"], check=True,
            input=json.dumps(commands(mounted)), encoding="utf-8", env=dict(os.environ, PYTHONPATH=str(ROOT / "deploy/local")))


def main():
    options = argparse.ArgumentParser(prog="image.sh", description=__doc__)
    options.add_argument("--programs", type=pathlib.Path, help="take built programs from this folder, and skip the stage `build`")
    options.add_argument("--folder", type=pathlib.Path, default=ROOT / ".build-image", help="where the roots are made")
    chosen = options.parse_args()
    shutil.rmtree(chosen.folder / "layers", ignore_errors=True)
    chosen.folder.mkdir(exist_ok=True)
    provided = {"build": strip(chosen.programs, chosen.folder / "dist")} if chosen.programs else {}
    builder = Builder(read((ROOT / "Dockerfile").read_text()), chosen.folder, ROOT, bases(chosen.folder), provided)
    images = {name: builder.image(name) for name in PROGRAMS}
    within = weigh(images)
    start(images, chosen.folder)
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
