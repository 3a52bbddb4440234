"""deploy/kubernetes as kustomize builds it: the objects of a folder, and what refers to what in them."""
from __future__ import annotations

import shutil

import yaml

from .deployment import DEPLOY, secrets, tool

REDIS_URL = "rediss://cache.example:6380/0"


def tree(folder):
    """A copy of deploy/kubernetes with the secrets in it that its users make."""
    target = folder / "kubernetes"
    shutil.copytree(DEPLOY / "kubernetes", target, ignore=shutil.ignore_patterns("secrets"))
    for name in ("reference", "reference-external-redis"):
        secrets(target / name / "secrets")
        (target / name / "secrets" / "url").write_text(REDIS_URL)
    return target


def build(folder):
    """The text of a folder's objects."""
    done = tool("kubectl", "kustomize", folder)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


class Objects:
    """Objects by kind and name."""

    def __init__(self, text):
        self.all = [each for each in yaml.safe_load_all(text) if each]

    def of(self, kind):
        return {each["metadata"]["name"]: each for each in self.all if each["kind"] == kind}

    def pods(self):
        """{(kind, name): pod template} of everything that makes pods."""
        return {(each["kind"], each["metadata"]["name"]): each["spec"]["template"] for each in self.all
                if each["kind"] in ("Deployment", "StatefulSet")}

    def selected(self, labels):
        """The names of what makes pods that a selector finds."""
        assert labels, "a selector without labels selects everything"
        return [name for (_, name), pod in self.pods().items() if labels.items() <= pod["metadata"]["labels"].items()]


def containers(pod):
    return pod["spec"].get("initContainers", []) + pod["spec"]["containers"]


def sidecar(pod):
    """The container `postern` of a pod."""
    found = [each for each in pod["spec"].get("initContainers", []) if each["name"] == "postern"]
    assert len(found) == 1, [each["name"] for each in containers(pod)]
    return found[0]


def environment(container):
    """{name: value} of what is not taken from elsewhere."""
    return {each["name"]: each["value"] for each in container.get("env", []) if "value" in each}


def volume(pod, container, path):
    """The volume that a container has at a path."""
    mount = next(each for each in container["volumeMounts"] if each["mountPath"] == path)
    return next(each for each in pod["spec"]["volumes"] if each["name"] == mount["name"])
