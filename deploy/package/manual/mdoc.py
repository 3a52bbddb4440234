"""Text in mdoc(7), the language of manual pages."""
from __future__ import annotations

import re
import textwrap

ESCAPES = str.maketrans({"\\": "\\e", "…": "...", "’": "'", "‘": "`", "–": "\\(en", "—": "\\(em", "→": "->"})


def escaped(text):
    """Words of running text, such that none of them is read as a command."""
    return text.translate(ESCAPES)


def words(text):
    """Lines of running text: a sentence begins a line, and no line begins as a command would."""
    lines = []
    for sentence in re.split(r"(?<=[.;:!?])\s+(?=[A-Z0-9])", " ".join(text.split())):
        lines += textwrap.wrap(escaped(sentence), 78, break_long_words=False, break_on_hyphens=False)
    return [r"\&" + line if line[0] in ".'" else line for line in lines]


def paragraphs(text):
    """The same of a text whose paragraphs are parted by empty lines."""
    lines = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines += ([".Pp"] if lines else []) + words(paragraph)
    return lines


def page(name, section, date, title, lines):
    """A whole page. `date` is YYYY-MM-DD; `title` goes on in the sentence `name - title`."""
    year, month, day = map(int, date.split("-"))
    months = ("January February March April May June July August September October November December").split()
    head = [".Dd %s %d, %d" % (months[month - 1], day, year), ".Dt %s %d" % (name.upper(), section), ".Os",
            ".Sh NAME", ".Nm " + name, ".Nd " + escaped(title)]
    return "\n".join(head + lines) + "\n"
