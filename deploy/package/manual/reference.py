"""The page of proxy.yaml, from the JSON Schema that the same table gives which validates the file."""
from __future__ import annotations

import json
import subprocess

from .mdoc import page, words

INTRODUCTION = """The policy and the settings of one postern: whose tokens are accepted, which route needs what, and where requests go. YAML; every
key has a safe default, and what no route declares is denied.

A key that is unknown, written twice or impossible is an error with line, column and the fix; all of them are reported at once. In any string
${NAME} and ${NAME:-default} are replaced from the environment, and $${ is a literal ${. Where a secret is expected, {file: PATH} reads it from a
file. Durations are written 500ms, 30s, 5m, 1h; sizes 512B, 32KiB, 10MiB."""
EXAMPLE = """version: 1
listen: 0.0.0.0:8080
upstream: http://127.0.0.1:8001
issuers:
  main:
    issuer: https://issuer.example
    audiences: [orders]
    keys: {discover: true}
routes:
  GET /health: public
  GET /api/v1/orders/{order_id}: {scopes: order:read}
  POST /api/v1/orders: {scopes: order:write}"""


def schema(program):
    return json.loads(subprocess.run([str(program), "schema"], stdout=subprocess.PIPE, check=True).stdout)


def choices(node):
    """The alternatives of a value, those of alternatives included, but for ${NAME}."""
    if node.get("$ref") == "#/$defs/reference":
        return []
    return [each for other in node["anyOf"] for each in choices(other)] if "anyOf" in node else [node]


def kind(node):
    """One word or two for what may be written."""
    if "enum" in node or "const" in node:
        return " | ".join(json.dumps(each).strip('"') for each in node.get("enum", [node.get("const")]))
    name = node.get("type", "value")
    if isinstance(name, list):
        return " or ".join(name)
    if name == "array":
        inner = sorted({kind(each) for each in choices(node.get("items", {}))})
        return "list of " + " or ".join(inner) if inner else "list"
    if name == "object":
        return "mapping"
    if name == "integer" and "minimum" in node and "maximum" in node:
        low, high = node["minimum"], node["maximum"]
        return str(low) if low == high else "%d to %d" % (low, high)
    return name


def kinds(node):
    found = list(dict.fromkeys(kind(each) for each in choices(node)))
    return " or ".join(found) if found else "value"


def inside(node):
    """Mappings among the alternatives, those in lists included."""
    for each in choices(node):
        if each.get("type") == "array":
            yield from inside(each.get("items", {}))
        elif each.get("type") == "object":
            yield each


def entries(node, path=""):
    """(path, its node, whether it must be there) of all keys below, in the schema's order, each path once."""
    seen = set()
    for mapping in inside(node):
        for name, child in mapping.get("properties", {}).items():
            if name not in seen:
                seen.add(name)
                yield path + name, child, name in mapping.get("required", [])
                yield from entries(child, path + name + ".")
        other = mapping.get("additionalProperties")
        if isinstance(other, dict) and "NAME" not in seen:
            seen.add("NAME")
            yield path + "NAME", other, False
            yield from entries(other, path + "NAME.")


def entry(path, node, required):
    text = node.get("description", "").rstrip(".")
    text += (". " if text else "") + "Takes: %s." % kinds(node)
    if "default" in node:
        text += " Default: %s." % json.dumps(node["default"], ensure_ascii=False).strip('"')
    elif required:
        text += " Must be given."
    return ['.It Ic "%s"' % path] + words(text)


def reference(program, date):
    """The page, as text."""
    lines = [".Sh DESCRIPTION"]
    for paragraph in INTRODUCTION.split("\n\n"):
        lines += ([".Pp"] if len(lines) > 1 else []) + words(paragraph)
    lines += [".Sh KEYS", "Keys of mappings are joined by dots; NAME is a name of your own.", ".Bl -tag -width Ds"]
    lines += [line for each in entries(schema(program)) for line in entry(*each)]
    lines += [".El", ".Sh EXAMPLES", ".Bd -literal"] + EXAMPLE.splitlines() + [".Ed", ".Sh SEE ALSO", ".Xr postern 1"]
    return page("proxy.yaml", 5, date, "what a postern lets through", lines)
