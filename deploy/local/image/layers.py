"""Stages as overlay mounts: one folder of changes a stage, on top of those of the stages below it. What an image adds is then what
its folders hold."""
from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What Debian's own images say to dpkg and apt: no downloaded packages, no documents.
SLIM = {
    "etc/apt/apt.conf.d/docker-clean": 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };\n'
                                       'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";\n',
    "etc/dpkg/dpkg.cfg.d/docker": "force-unsafe-io\npath-exclude /usr/share/doc/*\npath-exclude /usr/share/man/*\n"
                                  "path-exclude /usr/share/locale/*\npath-include /usr/share/doc/*/copyright\n",
}


def run(*words, **options):
    subprocess.run([str(each) for each in words], check=True, **options)


def debian(folder, suite):
    """A clean Debian of that release in `folder`, as small as its own images."""
    if folder.exists():
        return
    # Under its own name only when it is whole.
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    run("debootstrap", "--variant=minbase", suite, new, stdout=subprocess.DEVNULL)
    for path, text in SLIM.items():
        (new / path).write_text(text)
    for each in ("usr/share/doc", "usr/share/man", "usr/share/locale"):
        shutil.rmtree(new / each)
    for each in (new / "var/cache/apt/archives").glob("*.deb"):
        each.unlink()
    new.rename(folder)


class Image:
    """A stage that was carried out: its layers, the topmost last, and what it says of itself. `mounts` are folders of the machine
    that are in it while it is built on: {path inside: folder}."""

    def __init__(self, layers, settings, mounts=None):
        self.layers = layers
        self.settings = settings
        self.mounts = mounts or {}

    def added(self, base=1):
        """Bytes of all files above the first `base` layers."""
        return sum(os.lstat(os.path.join(folder, name)).st_size for layer in self.layers[base:]
                   for folder, _, names in os.walk(layer) for name in names)


class Mounted:
    """An image's files at `path`, for the length of a `with` block: changes go to `upper`; without one it is read-only."""

    def __init__(self, image, path, upper=None):
        self.image = image
        self.path = path
        self.upper = upper
        self.below = []

    def __enter__(self):
        self.path.mkdir(parents=True, exist_ok=True)
        lower = ":".join(str(each) for each in reversed(self.image.layers))
        if self.upper:
            work = self.upper.with_name(self.upper.name + ".work")
            for each in (self.upper, work):
                each.mkdir(parents=True, exist_ok=True)
            options = "lowerdir=%s,upperdir=%s,workdir=%s" % (lower, self.upper, work)
        elif len(self.image.layers) > 1:
            options = "ro,lowerdir=" + lower
        else:
            raise ValueError("a single layer is mounted to be changed only")
        run("mount", "-t", "overlay", "overlay", "-o", options, self.path)
        self.below.append(self.path)
        self.bind("/proc", "proc")
        self.bind("/dev", "dev")
        return self

    def bind(self, source, target):
        """A folder of the machine inside."""
        place = self.path / str(target).lstrip("/")
        if self.upper:
            place.mkdir(parents=True, exist_ok=True)
        run("mount", "--rbind", source, place)
        self.below.append(place)

    def memory(self, target):
        """A writable, empty folder inside that belongs to the images' user."""
        run("mount", "-t", "tmpfs", "-o", "mode=0700,uid=10001,gid=10001", "tmpfs", self.path / str(target).lstrip("/"))
        self.below.append(self.path / str(target).lstrip("/"))

    def __exit__(self, *_):
        for each in reversed(self.below):
            run("umount", "--recursive", "--lazy", each)

    def words(self, command, settings=None, user=None):
        """The command line that runs `command` inside, with nothing of this process's environment."""
        settings = settings or self.image.settings
        variables = dict({"PATH": PATH, "HOME": "/"}, **settings.environment)
        return ["chroot", "--userspec=" + (user or settings.user), "--groups=", str(self.path), "/usr/bin/env", "-i",
                "--chdir=" + settings.folder, *["%s=%s" % item for item in variables.items()], *command]


class Builder:
    """Carries stages out, each once. `context` is the repository; `provided` are folders in place of a stage's files."""

    def __init__(self, stages, folder, context, bases, provided):
        self.stages = stages
        self.folder = folder
        self.context = context
        self.bases = bases
        self.provided = provided
        self.done = {}

    def image(self, name):
        """The image of a stage; what it is built on comes first."""
        if name not in self.done:
            stage = self.stages[name]
            below = self.image(stage.base) if stage.base in self.stages else self.bases(stage.base)
            self.done[name] = self._carry_out(stage, below)
        return self.done[name]

    def _carry_out(self, stage, below):
        settings, upper = below.settings.copy(), self.folder / "layers" / stage.name
        with Mounted(below, self.folder / "building" / stage.name, upper) as root:
            shutil.copy("/etc/resolv.conf", root.path / "etc/resolv.conf")
            for inside, source in below.mounts.items():
                root.bind(source, inside)
            for instruction, rest in stage.steps:
                if instruction == "RUN":
                    run(*root.words(["/bin/sh", "-c", rest], settings), stdout=subprocess.DEVNULL)
                elif instruction == "COPY":
                    self._copy(root.path, rest, settings)
                else:
                    settings.apply(instruction, rest)
                    if instruction == "WORKDIR":
                        (root.path / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        return Image(below.layers + [upper], settings)

    def _copy(self, root, rest, settings):
        options = dict(re.findall(r"--(\w+)=(\S+)", rest))
        source, target = re.sub(r"--\w+=\S+\s*", "", rest).split()
        place = root / os.path.join(settings.folder, target).lstrip("/")
        for found in self._sources(options.get("from"), source):
            into = place / found.name if target.endswith("/") else place
            into.parent.mkdir(parents=True, exist_ok=True)
            if found.is_dir():
                shutil.copytree(found, into, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".build", "__pycache__"))
            else:
                shutil.copy2(found, into)
                into.chmod(int(options.get("chmod", "0755" if os.access(found, os.X_OK) else "0644"), 8))
            run("chown", "--recursive", "0:0", into)

    def _sources(self, stage, path):
        """The files that a COPY means: of the repository, or of another stage."""
        if stage is None:
            return [self.context / path]
        if stage in self.provided:
            return [self.provided[stage] / pathlib.Path(path).name]
        return [layer / path.lstrip("/") for layer in self.image(stage).layers if (layer / path.lstrip("/")).exists()][-1:]
