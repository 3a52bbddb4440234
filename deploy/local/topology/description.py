"""Reads compose.yaml and the Dockerfile: what runs, how, and after what."""
from __future__ import annotations

import dataclasses
import json
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
FILE = ROOT / "deploy" / "compose.yaml"
VARIABLE = re.compile(r"\$\$|\$\{([A-Z_]+)(?::-([^}]*))?\}")


@dataclasses.dataclass
class Service:
    """One service of the file. `command` is the whole command line, the image's entry point included where it is ours;
    `mounts` are (path in the container, kind, source), the kind one of bind, volume, tmpfs; `namespace` names the service whose
    network it lives in."""

    name: str
    image: str
    command: list
    environment: dict
    mounts: list
    namespace: str
    names: list
    after: dict
    check: list | None
    profiles: list

    def copy(self, suffix, renamed):
        """A replica: it and what it shares a network with have the suffix, everything else stays what it is."""

        def other(name):
            return name + suffix if name in renamed else name

        return dataclasses.replace(
            self, name=self.name + suffix, namespace=other(self.namespace), names=[self.name + suffix],
            after={other(name): condition for name, condition in self.after.items()})


def stages():
    """{stage of the Dockerfile: (entry point + command, environment)}, of those that say either."""
    found, stage = {}, None
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if match := re.match(r"FROM \S+ AS (\S+)", line):
            stage = found.setdefault(match[1], ([], {}))
        elif match := re.match(r"(ENTRYPOINT|CMD) (\[.*\])", line):
            stage[0].append((match[1], json.loads(match[2])))
        elif match := re.match(r"(?:ENV| ) +([A-Z_]+)=(\S+)", line):
            stage[1][match[1]] = match[2]
    return {name: (dict(words), environment) for name, (words, environment) in found.items()}


def interpolate(value, variables):
    """The value with ${NAME}, ${NAME:-default} and $$ replaced in every text of it."""
    if isinstance(value, dict):
        return {key: interpolate(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [interpolate(each, variables) for each in value]
    if not isinstance(value, str):
        return value
    return VARIABLE.sub(lambda found: "$" if found[0] == "$$" else variables.get(found[1], found[2]), value)


def mounts(entry):
    """The mounts of a service, its secrets included."""
    found = [(path, "tmpfs", None) for path in entry.get("tmpfs", [])]
    for each in entry.get("volumes", []):
        if isinstance(each, dict):
            found.append((each["target"], "volume", each["source"] + "/" + each.get("volume", {}).get("subpath", "")))
        else:
            source, target = each.split(":")[:2]
            found.append((target, "bind" if source.startswith(".") else "volume", source))
    return found


def check(entry):
    """The words of its health check."""
    test = entry.get("healthcheck", {}).get("test")
    if test is None:
        return None
    return ["sh", "-c", test[1]] if test[0] == "CMD-SHELL" else test[1:]


def service(name, entry, images):
    """One service of the file; `images` is what `stages` says."""
    stage = entry.get("build", {}).get("target")
    words, environment = images.get(stage, ({}, {}))
    command = entry.get("entrypoint", words.get("ENTRYPOINT", [])) + entry.get("command", words.get("CMD", []))
    after = entry.get("depends_on", {})
    networks = entry.get("networks", {})
    aliases = [alias for each in networks.values() for alias in each.get("aliases", [])] if isinstance(networks, dict) else []
    return Service(
        name, entry["image"], command, dict(environment, **entry.get("environment", {})), mounts(entry),
        entry.get("network_mode", ":" + name).split(":")[1], [name] + aliases,
        after if isinstance(after, dict) else {each: {"condition": "service_started"} for each in after},
        check(entry), entry.get("profiles", []))


def read(variables, profiles=(), scale=None):
    """The services of compose.yaml by name. `variables` stand for the caller's environment; of the services with profiles those are
    there that have one of `profiles`; `scale` says how often a service is to be there, with all that share its network."""
    images = stages()
    document = interpolate(yaml.safe_load(FILE.read_text()), variables)
    found = {}
    for name, entry in document["services"].items():
        each = service(name, entry, images)
        if not each.profiles or set(each.profiles) & set(profiles):
            found[name] = each
    for name, count in (scale or {}).items():
        shared = [each for each in found.values() if each.namespace == found[name].namespace]
        for number in range(2, count + 1):
            for each in shared:
                replica = each.copy("-%d" % number, {one.name for one in shared})
                found[replica.name] = replica
    return found


def in_order(services):
    """The services, each behind what it waits for and what lends it its network."""
    done, waiting = {}, dict(services)
    while waiting:
        ready = [each for each in waiting.values()
                 if all(name in done for name in [*each.after, each.namespace] if name != each.name)]
        if not ready:
            raise ValueError("these wait for each other: " + ", ".join(waiting))
        for each in ready:
            done[each.name] = waiting.pop(each.name)
    return list(done.values())
