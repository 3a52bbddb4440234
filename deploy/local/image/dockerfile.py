"""Reads the Dockerfile: stages, their steps, and what an image says of itself. The instructions that it uses, and no others."""
from __future__ import annotations

import dataclasses
import json
import re

KNOWN = {"ARG", "RUN", "COPY", "LABEL", "ENV", "WORKDIR", "USER", "EXPOSE", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


@dataclasses.dataclass
class Stage:
    """`steps` are (instruction, rest of the line); `base` is an image's name or an earlier stage."""

    name: str
    base: str
    steps: list


@dataclasses.dataclass
class Settings:
    """What a stage says besides files; a stage that is built on another begins with a copy of the other's."""

    environment: dict = dataclasses.field(default_factory=dict)
    labels: dict = dataclasses.field(default_factory=dict)
    volumes: list = dataclasses.field(default_factory=list)
    folder: str = "/"
    user: str = "0:0"
    entry: list = dataclasses.field(default_factory=list)
    command: list = dataclasses.field(default_factory=list)
    check: list = dataclasses.field(default_factory=list)

    def copy(self):
        return Settings(dict(self.environment), dict(self.labels), list(self.volumes), self.folder, self.user, list(self.entry),
                        list(self.command), list(self.check))

    def apply(self, instruction, rest):
        """Takes one instruction that changes no file."""
        if instruction in ("ENV", "LABEL"):
            target = self.environment if instruction == "ENV" else self.labels
            target.update((name, value.strip('"')) for name, value in re.findall(r'([\w.]+)=("[^"]*"|\S+)', rest))
        elif instruction == "VOLUME":
            self.volumes += rest.split()
        elif instruction == "WORKDIR":
            self.folder = rest
        elif instruction == "USER":
            self.user = rest
        elif instruction == "HEALTHCHECK":
            self.check = json.loads(rest[rest.index("CMD ") + 4:])
        elif instruction == "ENTRYPOINT":
            self.entry, self.command = json.loads(rest), []
        elif instruction == "CMD":
            self.command = json.loads(rest)


def read(text, arguments=None):
    """{name: Stage} in the file's order; `arguments` are those of --build-arg."""
    values, stages, stage = dict(arguments or {}), {}, None
    joined = re.sub(r"\s*\\\n\s*", " ", "".join(line for line in text.splitlines(True) if not line.lstrip().startswith("#")))
    for line in joined.splitlines():
        instruction, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if not instruction:
            continue
        if instruction in ("FROM", "LABEL", "COPY"):
            rest = re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], rest)
        if instruction == "FROM":
            base, name = re.fullmatch(r"(\S+) AS (\S+)", rest).groups()
            stage = stages[name] = Stage(name, base, [])
        elif instruction not in KNOWN:
            raise ValueError("this does not know the instruction " + instruction)
        elif instruction == "ARG":
            name, _, value = rest.partition("=")
            values.setdefault(name, value)
        else:
            stage.steps.append((instruction, rest))
    return stages
