"""Commands of a document that cannot be run here are read: the shell takes them, and what they name is there."""
from __future__ import annotations

import functools
import re
import shlex
import subprocess

from .deployment import tool
from .manifests import tree
from .process import ROOT, run

# What readers have on their machines, or are told to have.
KNOWN = {"cat", "cd", "createdb", "createuser", "curl", "docc", "docker", "install", "journalctl", "kubectl", "make", "man", "pg_dump", "postern", "postern-issuer", "redis-cli",
         "sqlite3", "sudo", "swift", "systemctl"}


def read(block, folder):
    """Fails where a shell, shellcheck, or what the commands name does not agree with them."""
    script = folder / "block.sh"
    script.write_text("#!/usr/bin/env bash\n" + block.text)
    done = subprocess.run(["shellcheck", "--exclude=SC2034,SC2164", str(script)], stdout=subprocess.PIPE, encoding="utf-8", check=False)
    assert done.returncode == 0, "%s\n%s" % (block.where, done.stdout)
    for words in _commands(block.text):
        _look(words, block, folder)


def _commands(text):
    """The words of each simple command."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&")
        lexer.whitespace_split = True
        command = []
        for word in [*lexer, ";"]:
            if set(word) <= set("|;&"):
                if command:
                    yield command
                command = []
            else:
                command.append(word)


def _look(words, block, folder):
    while re.match(r"\w+=", words[0]):
        words = words[1:]
    name = words[0]
    path = ROOT / name
    assert name in KNOWN or ("/" in name and path.exists()), "%s: what is %s?" % (block.where, name)
    for word in words[1:]:
        if re.match(r"(Sources|Tests|deploy)/", word) and "secrets" not in word:
            assert (ROOT / word).exists(), "%s: %s is not there" % (block.where, word)
    if name in ("postern", "postern-issuer"):
        _options(words, block)
    elif name == "make":
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
        wanted = [each for each in words[1:] if "=" not in each and not each.startswith("-")]
        assert wanted and set(wanted) <= targets, "%s: no target %s" % (block.where, wanted)
    elif name == "kubectl" and "-k" in words:
        base = tree(folder)
        done = tool("kubectl", "kustomize", base / words[words.index("-k") + 1].removeprefix("deploy/kubernetes/"))
        assert done.returncode == 0, done.stderr
    elif words[:2] == ["docker", "compose"]:
        assert (ROOT / words[words.index("-f") + 1]).exists(), block.where


def _options(words, block):
    """Every long option is one that the command has."""
    command = [each for each in words[1:] if re.fullmatch("[a-z-]+", each) and not each.startswith("-")][:2]
    text = _help(words[0], tuple(command)) + _help(words[0], tuple(command[:1]))
    for option in (each.partition("=")[0] for each in words[1:] if each.startswith("--")):
        assert re.search(r"%s\b" % re.escape(option), text), "%s: %s has no %s" % (block.where, words[0], option)


@functools.cache
def _help(program, command):
    return run(program, *command, "--help").stdout
