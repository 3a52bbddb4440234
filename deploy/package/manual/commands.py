"""A program's page, from the description of its command line that swift-argument-parser prints."""
from __future__ import annotations

import json
import subprocess

from .mdoc import page, paragraphs, words

# What the parser cannot know. Texts of a page are (heading, lines).
SEE = {"postern": ["proxy.yaml 5"], "postern-issuer": ["postern 1"]}
FILES = {
    "postern": [("proxy.yaml", "The configuration, where neither an option nor the environment names another."),
                ("/etc/postern/proxy.yaml", "The configuration of the systemd unit.")],
    "postern-issuer": [("postern-issuer.sqlite", "The store, where neither an option nor the environment names another.")],
}
ENVIRONMENT = {"postern": [("POSTERN_CONFIG", "The configuration, where no option names another.")], "postern-issuer": []}


def described(program):
    """The program's root command, as a tree of dictionaries."""
    said = subprocess.run([str(program), "--experimental-dump-help"], stdout=subprocess.PIPE, check=True)
    return json.loads(said.stdout)["command"]


def dashed(name):
    """The name of an option for .Fl, which puts one dash before it."""
    return ("-" if name["kind"] == "long" else "") + name["name"]


def shown(command):
    """The arguments and commands that people are shown; what each command has, help and version, only at the root."""
    return [each for each in command.get("arguments", []) if each.get("shouldDisplay", True)]


def subcommands(command):
    return [each for each in command.get("subcommands", []) if each.get("shouldDisplay", True) and each["commandName"] != "help"]


def common(argument):
    return argument["valueName"] in ("help", "version") and argument["kind"] == "flag"


def synopsis_of(argument):
    """The words of one argument in the synopsis."""
    if argument["kind"] == "positional":
        inner = ["Ar", argument["valueName"]]
    else:
        inner = ["Fl", dashed(argument["preferredName"])] + (["Ar", argument["valueName"]] if argument["kind"] == "option" else [])
    quoted = " ".join(each if each in ("Ar", "Fl") else '"%s"' % each for each in inner)
    tail = " ..." if argument["isRepeating"] else ""
    return (".Op " if argument["isOptional"] else ".") + quoted + tail


def item(argument):
    """An entry of a list of arguments."""
    if argument["kind"] == "positional":
        head = '.It Ar "%s"' % argument["valueName"]
    else:
        names = sorted(argument["names"], key=lambda name: name["kind"] == "long")
        value = ' Ar "%s"' % argument["valueName"] if argument["kind"] == "option" else ""
        head = ".It " + " , ".join('Fl "%s"' % dashed(name) for name in names) + value
    text = argument.get("abstract", "")
    if argument.get("allValues"):
        text += " One of: %s." % ", ".join(argument["allValues"])
    if argument.get("defaultValue"):
        text += " Default: %s." % argument["defaultValue"]
    return [head] + words(text) + paragraphs(argument.get("discussion", ""))


def list_of(arguments):
    if not arguments:
        return []
    return [".Bl -tag -width Ds"] + [line for each in arguments for line in item(each)] + [".El"]


def leaves(command, path=()):
    """(words of the command, command) of all commands below that do something themselves."""
    for each in subcommands(command):
        below = path + (each["commandName"],)
        if subcommands(each):
            yield from leaves(each, below)
        else:
            yield below, each


def synopsis(root):
    lines = [".Sh SYNOPSIS"]
    for path, command in leaves(root):
        lines += [".Nm", '.Cm "%s"' % " ".join(path)]
        lines += [synopsis_of(each) for each in shown(command) if not common(each)]
    return lines


def section(path, command):
    lines = ['.Ss "%s"' % " ".join(path)] + words(command.get("abstract", ""))
    if command.get("discussion"):
        lines += [".Pp"] + paragraphs(command["discussion"])
    return lines + list_of([each for each in shown(command) if not common(each)])


def pairs(heading, kind, entries):
    if not entries:
        return []
    lines = [".Sh " + heading, ".Bl -tag -width Ds"]
    for name, text in entries:
        lines += ['.It %s "%s"' % (kind, name)] + words(text)
    return lines + [".El"]


def manual(program, date):
    """The page of a program, as text."""
    root = described(program)
    name = root["commandName"]
    lines = synopsis(root) + [".Sh DESCRIPTION"] + words(root["abstract"])
    if root.get("discussion"):
        lines += [".Pp"] + paragraphs(root["discussion"])
    lines += [".Pp", "Every command has these options:"] + list_of([each for each in shown(root) if common(each)])
    lines += [".Sh COMMANDS"] + [line for path, command in leaves(root) for line in section(path, command)]
    lines += pairs("ENVIRONMENT", "Ev", ENVIRONMENT[name]) + pairs("FILES", "Pa", FILES[name])
    lines += [".Sh EXIT STATUS"] + words(
        "0: it was done, or the answer is yes. 1: the answer is no. 64: wrong usage. 78: wrong configuration.")
    lines += [".Sh SEE ALSO"] + [".Xr " + each for each in SEE[name]]
    title = root["abstract"].rstrip(".")
    return name, page(name, 1, date, title[0].lower() + title[1:], lines)
