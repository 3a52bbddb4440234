"""Markdown tables."""
from __future__ import annotations


def table(heads, rows):
    """A Markdown table; every column but the first is aligned to the right."""
    lines = [row(heads), row(["---"] + ["---:"] * (len(heads) - 1))]
    return "\n".join(lines + [row(each) for each in rows])


def row(cells):
    """One line of a table. A bar inside a cell would end it."""
    return "| " + " | ".join(str(each).replace("|", "\\|") for each in cells) + " |"
