"""Where the parts of the deployment are on this machine: an address for each network namespace, a folder for each mount."""
from __future__ import annotations

import os
import pathlib
import random
import re
import shutil
import socket

from .description import ROOT

CHECK = "/usr/local/bin/http-healthy"


class Block:
    """A block of 127.0.0.0/8 that no other run on this machine has, for as long as this is open."""

    LOCK_PORT = 47_999

    def __init__(self):
        dice = random.Random(os.urandom(8))
        for _ in range(50):
            self.prefix = "127.%d.%d." % (dice.randrange(64, 127), dice.randrange(0, 255))
            self._lock = socket.socket()
            try:
                self._lock.bind((self.prefix + "254", self.LOCK_PORT))
                return
            except OSError:
                self._lock.close()
        raise RuntimeError("no free block of loopback addresses")

    def address(self, number):
        return self.prefix + str(number)

    def close(self):
        self._lock.close()


class Places:
    """Maps what the file says to what is here. Nothing of it exists before `prepare`."""

    def __init__(self, services, folder, programs):
        self.folder = folder
        self.programs = programs
        self.block = Block()
        namespaces = sorted({each.namespace for each in services.values()})
        self.addresses = {name: self.block.address(number + 1) for number, name in enumerate(namespaces)}
        self.names = {name: self.addresses[each.namespace] for each in services.values() for name in each.names}

    def address(self, service):
        return self.addresses[service.namespace]

    def path(self, service, mount):
        """The folder that a mount is here."""
        target, kind, source = mount
        if kind == "volume":
            return self.folder / "volumes" / source
        return self.folder / "mounts" / service.name / target.strip("/").replace("/", "-")

    def _paths(self, service):
        """{path in the container: path here}"""
        found = {"/usr/local/bin/" + each.name: str(each) for each in self.programs.iterdir() if each.name in PROGRAMS}
        found.update({mount[0]: str(self.path(service, mount)) for mount in service.mounts})
        found["/run/secrets"] = str(self.folder / "secrets")
        found[CHECK] = str(self.folder / "mounts" / service.name / "http-healthy")
        return found

    def rewrite(self, text, service):
        """A text with the containers' paths, names and addresses replaced by those here. In one pass, so that nothing is replaced
        twice."""
        paths, address = self._paths(service), self.address(service)
        pattern = r"(?<![\w./-])(?P<path>%s)(?![\w.-])|(?P<own>\b0\.0\.0\.0\b|\b127\.0\.0\.1\b)|(?<![\w.-])(?P<name>%s)(?=:\d)" % (
            "|".join(re.escape(each) for each in sorted(paths, key=len, reverse=True)),
            "|".join(re.escape(each) for each in sorted(self.names, key=len, reverse=True)))

        def here(found):
            if found["path"]:
                return paths[found["path"]]
            return address if found["own"] else self.names[found["name"]]

        return re.sub(pattern, here, text)

    def prepare(self, service):
        """Makes the folders of a service; what it mounts of the repository is copied, with the addresses of here."""
        for mount in service.mounts:
            path = self.path(service, mount)
            path.mkdir(parents=True, exist_ok=True)
            if mount[1] == "bind":
                self._copy(ROOT / "deploy" / mount[2], path, service)
        own = self.folder / "mounts" / service.name
        own.mkdir(parents=True, exist_ok=True)
        self._copy_file(ROOT / "deploy" / "compose" / "http-healthy.sh", own / "http-healthy", service)

    def _copy(self, source, target, service):
        for each in source.rglob("*"):
            if each.is_file():
                (target / each.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
                self._copy_file(each, target / each.relative_to(source), service)

    def _copy_file(self, source, target, service):
        target.write_text(self.rewrite(source.read_text(), service))
        shutil.copymode(source, target)

    def close(self):
        self.block.close()


PROGRAMS = ("postern", "postern-issuer", "trading-demo")


def programs_folder():
    """Where the three programs are: POSTERN_BIN, else the release build."""
    given = pathlib.Path(os.environ.get("POSTERN_BIN", ".build/release"))
    return given if given.is_absolute() else ROOT / given
