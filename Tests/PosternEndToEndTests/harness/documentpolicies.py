"""The proxy.yaml of a document, made ready for `postern check`: its variables are set, and the files that it names are there."""
from __future__ import annotations

import functools
import json
import re

import yaml

from . import mint
from .certificates import Authority
from .process import ROOT, environment, run

REFERENCE = re.compile(r"(?<!\$)\$\{(\w+)(:-[^}]*)?\}")
# Long enough for a seal or a shared secret.
SECRET = "secret-of-the-documents-0123456789abcdef"
CERTIFICATES = ("certificate", "key", "ca", "client_ca")


def whole(block, page):
    """The text of the policy that the block is, or is a part of."""
    base = block.marked("part of")
    if base is None:
        return block.text
    saved = [each.text for each in page.blocks if each.file == base and each.line < block.line]
    policy = yaml.safe_load(saved[-1] if saved else (ROOT / base).read_text())
    policy.update(yaml.safe_load(block.text))
    return yaml.safe_dump(policy, sort_keys=False, width=1000)


class Place:
    """A folder where a policy can be checked."""

    def __init__(self, folder):
        self.folder = folder

    def check(self, text):
        """`postern check --strict`: the finished process."""
        values = {name: SECRET for name, default in REFERENCE.findall(text) if not default}
        for use, path in files(yaml.safe_load(text)):
            named = REFERENCE.sub(lambda found: values.get(found.group(1)) or found.group(2)[2:], path)
            file = self.folder / named.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self._contents(use, path))
            text = text.replace(path, str(file))
        proxy = self.folder / "proxy.yaml"
        proxy.write_text(text)
        return run("postern", "check", "--strict", proxy, env=environment(**values))

    @functools.cached_property
    def _certificates(self):
        authority = Authority(self.folder)
        certificate, key = authority.server()
        return {"certificate": certificate, "key": key, "ca": authority.ca, "client_ca": authority.ca}

    def _contents(self, use, path):
        """What a file of that use and name holds."""
        if use in CERTIFICATES:
            return self._certificates[use].read_bytes()
        if path.endswith(".pem"):
            return mint.key("RS256").pem()
        if path.endswith(".json"):
            return json.dumps(mint.jwks(mint.key("RS256"))).encode()
        return (SECRET + path).encode()


def files(value, name=None):
    """(key, path) of every file that a policy names, each once."""
    if isinstance(value, dict):
        found = [each for key, inner in value.items() for each in files(inner, key)]
    elif isinstance(value, list):
        found = [each for inner in value for each in files(inner, name)]
    else:
        found = [(name, value)] if isinstance(value, str) and name in CERTIFICATES + ("file",) else []
    return list(dict.fromkeys(found))
