"""`make docs`: the catalogue as a site, in .build/docs (docs.py FOLDER: there). In the pages links are those of plain Markdown, so that
they work wherever the files are read; here they become those of DocC, which has anchors of its own."""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "Sources" / "postern" / "Postern.docc"
LINK = re.compile(r"\]\(([\w.-]*\.md)?(?:#([\w-]+))?\)")


def plain(heading):
    """A heading's anchor in plain Markdown."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")


def anchors(text):
    """{anchor in plain Markdown: the same of DocC}."""
    return {plain(heading): re.sub(r"[`.,:]", "", heading).strip().replace(" ", "-")
            for heading in re.findall(r"^##+ (.+?) *$", text, re.M)}


def rewritten(page, texts):
    """The page with DocC's links."""

    def link(found):
        name, anchor = found.group(1) or page, found.group(2)
        if name not in texts:
            return found.group(0)
        return "](doc:%s%s)" % (name.removesuffix(".md"), "#" + anchors(texts[name]).get(anchor, anchor) if anchor else "")

    # Pictures are known by their names alone.
    return LINK.sub(link, texts[page]).replace("](Resources/", "](")


def main(target):
    work = ROOT / ".build" / "docs-catalogue" / "Postern.docc"
    shutil.rmtree(work.parent, ignore_errors=True)
    shutil.copytree(CATALOGUE, work)
    texts = {path.name: path.read_text("utf-8") for path in CATALOGUE.glob("*.md")}
    for name in texts:
        (work / name).write_text(rewritten(name, texts), "utf-8")
    shutil.rmtree(target, ignore_errors=True)
    return subprocess.run(["docc", "convert", str(work), "--output-path", str(target), "--warnings-as-errors",
                           "--fallback-display-name", "Postern", "--fallback-bundle-identifier", "postern"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".build" / "docs"))
