"""The documents of the repository as their readers see them: pages, code blocks and what is to be done with each, links.

What a code block is follows from its language; a comment on the line before it says the rest:

    <!-- test: part of proxy.yaml -->      YAML: these keys put in place of those of the page's file of that name, or of the
                                           repository's
    <!-- test: only parsed: REASON -->     commands that cannot be run here
    <!-- test: answer to METHOD PATH -->   JSON: what Postern answers to this request without the scope that it needs
    <!-- test: kustomization -->           YAML: a kustomization beside those of deploy/kubernetes
    <!-- test: has mistakes -->            YAML: a policy that is refused

A block after a line that ends with "as `NAME`:" is that file, for the commands of the page that come after it."""
from __future__ import annotations

import dataclasses
import functools
import pathlib
import re
import subprocess

from .process import ROOT

CATALOGUE = ROOT / "Sources" / "postern" / "Postern.docc"
FENCE = re.compile(r"^( *)(`{3,})(.*)$")
MARKER = re.compile(r"^ *<!-- test: (.*) -->$")
SAVED = re.compile(r"as `([\w./-]+)`[^`:]*:$")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block."""

    page: str
    line: int
    language: str
    text: str
    marker: str | None
    file: str | None

    @property
    def where(self):
        return "%s:%d" % (self.page, self.line)

    def marked(self, kind):
        """What the marker says after `kind`; None where it says something else."""
        if self.marker is None or not (self.marker + " ").startswith(kind + " "):
            return None
        return self.marker[len(kind):].strip()


class Page:
    """A Markdown file."""

    def __init__(self, path, root=ROOT):
        self.path = path
        self.name = str(path.relative_to(root))
        self.text = path.read_text("utf-8")
        self.blocks, self.prose = [], []
        self._read(self.text.splitlines())

    def _read(self, lines):
        index = 0
        while index < len(lines):
            fence = FENCE.match(lines[index])
            if not fence:
                self.prose.append((index + 1, lines[index]))
                index += 1
                continue
            indent, ticks, language = fence.groups()
            end = next((at for at in range(index + 1, len(lines)) if lines[at].strip() == ticks), None)
            assert end is not None, "%s:%d: a block without an end" % (self.name, index + 1)
            marker, file = self._before(lines, index)
            text = "".join(line[len(indent):] + "\n" for line in lines[index + 1:end])
            self.blocks.append(Block(self.name, index + 1, language.strip(), text, marker, file))
            index = end + 1

    @staticmethod
    def _before(lines, index):
        """The marker right before the fence, and the name of the file that the sentence before says the block is."""
        marker, at = None, index - 1
        if at >= 0 and MARKER.match(lines[at]):
            marker, at = MARKER.match(lines[at]).group(1), at - 1
        while at >= 0 and not lines[at].strip():
            at -= 1
        saved = SAVED.search(lines[at]) if at >= 0 else None
        return marker, saved.group(1) if saved else None

    @functools.cached_property
    def anchors(self):
        """The anchors of the headings, as renderers of Markdown make them."""
        found = {}
        for _, line in self.prose:
            heading = re.match(r"^#{1,6} +(.*?) *$", line)
            if heading:
                text = re.sub(r"`|\*", "", heading.group(1)).lower()
                slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
                found[slug] = found.get(slug, 0) + 1
        return set(found)

    @property
    def links(self):
        """(line, target) of every link and image."""
        return [(number, target) for number, line in self.prose for target in LINK.findall(line)]

    @property
    def paths(self):
        """(line, path) of what looks like a file of the repository between backticks."""
        pattern = re.compile(r"`((?:Sources|Tests|deploy)/[\w./+-]+)`")
        return [(number, path) for number, line in self.prose for path in pattern.findall(line)]

    @property
    def commands(self):
        """The blocks of commands, and of files for them, in the order of the page."""
        return [each for each in self.blocks if each.language in ("sh", "console") or each.file]


@functools.cache
def pages():
    """Every document that belongs to the repository, tracked or about to be."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"], cwd=str(ROOT),
                            stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout.splitlines()
    return [Page(ROOT / name) for name in sorted(listed) if (ROOT / name).exists()]


def page(name):
    """A page of the catalogue, or README.md."""
    return Page(ROOT / name if name == "README.md" else CATALOGUE / name)
