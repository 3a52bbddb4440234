"""Every command and every YAML of the documents is run or checked, and every link leads somewhere. A block that nothing here knows
fails: what is not tested cannot be added."""
import json
import re
import shutil
import sys

import pytest
import yaml

from harness import config as configs
from harness import documentcommands, documentpolicies
from harness.deployment import tool
from harness.documents import CATALOGUE, Page, page, pages
from harness.documentshell import Shell, commands, matches
from harness.manifests import Objects, sidecar, tree
from harness.process import ROOT, run

PAGES = pages()
BLOCKS = [(each, block) for each in PAGES for block in each.blocks]
MARKERS = ("part of", "only parsed:", "answer to", "kustomization", "has mistakes")
# A page whose commands have a test of their own, with more to say.
ELSEWHERE = {"Sources/postern/Postern.docc/issuer.md"}
# What a new user reads first, with nothing but the sources.
FROM_NOTHING = {"README.md", "fastapi.md"}
# Pages whose commands speak to a Postern that runs already, with the repository's proxy.yaml, and to its issuer.
RUNNING = {"runbook.md", "operations.md", "rotation.md", "troubleshooting.md", "observing.md"}


def blocks(*languages, marked=None, files=True):
    """Parameters: the blocks of these languages, with or without the marker."""
    chosen = [(each, block) for each, block in BLOCKS if block.language in languages
              and (block.marker is None if marked is None else block.marked(marked) is not None) and (files or block.file is None)]
    return [pytest.param(each, block, id=block.where) for each, block in chosen]


def runs(block):
    return block.marked("only parsed:") is None


def test_every_block_is_known():
    for each, block in BLOCKS:
        assert block.language in ("sh", "console", "yaml", "json", "python", "text"), "%s: %r" % (block.where, block.language)
        if block.language == "python":
            compile(block.text, block.where, "exec")
        if block.language == "json":
            json.loads(block.text)
        assert block.marker is None or any(block.marked(kind) is not None for kind in MARKERS), "%s: %s" % (block.where, block.marker)
        if block.marked("only parsed:") is not None:
            assert block.language == "sh" and block.marked("only parsed:"), block.where + ": a reason, please"
        if block.language == "text":
            assert not re.search(r"^\$ ", block.text, re.M), block.where + ": commands belong into a console block"


def test_no_code_hides_in_an_indented_block():
    for each in PAGES:
        before = ""
        for number, line in each.prose:
            assert before.strip() or not line.startswith("    ") or not line.strip(), "%s:%d" % (each.name, number)
            before = line


@pytest.mark.timeout(120)
@pytest.mark.parametrize("each", [pytest.param(each, id=each.name) for each in PAGES if each.name not in ELSEWHERE
                                  and any(runs(block) and not block.file for block in each.commands)])
def test_the_commands_work_as_they_stand(each, tmp_path, redis_server):
    shell = Shell(tmp_path, installed=each.path.name not in FROM_NOTHING)
    if each.path.name == "fastapi.md":
        # Whoever comes to the first guide has followed the README so far.
        shell.add(next(block for block in page("README.md").commands if "make release" in block.text))
    if each.path.name == "introspection.md":
        shell.ports.real["6379"] = str(redis_server().port)
    if each.path.name == "issuer-store.md":
        shell.store()
    if each.name.startswith("deploy/") or any("deploy/" in block.text for block in each.commands):
        shutil.copytree(ROOT / "deploy", shell.work / "deploy", ignore=shutil.ignore_patterns("secrets", "__pycache__"))
    if each.path.name in RUNNING:
        shell.running((ROOT / "proxy.yaml").read_text())
    for block in each.commands:
        if runs(block):
            shell.add(block)
    shell.check()


@pytest.mark.parametrize(("each", "block"), blocks("sh", marked="only parsed:"))
def test_what_is_only_parsed_names_what_is_there(each, block, tmp_path):
    documentcommands.read(block, tmp_path)


@pytest.mark.parametrize(("each", "block"), blocks("yaml") + blocks("yaml", marked="part of"))
def test_a_policy_has_no_mistake_and_nothing_suspicious(each, block, tmp_path):
    done = documentpolicies.Place(tmp_path).check(documentpolicies.whole(block, each))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("each", "block"), blocks("yaml", marked="has mistakes"))
def test_a_policy_with_mistakes_has_them(each, block, tmp_path):
    assert documentpolicies.Place(tmp_path).check(block.text).returncode == 78


@pytest.mark.parametrize(("each", "block"), blocks("yaml", marked="kustomization"))
def test_a_kustomization_puts_postern_beside_the_service(each, block, tmp_path):
    folder = tree(tmp_path) / "orders"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(block.text)
    (folder / "deployment.yaml").write_text((folder.parent / "mt5" / "deployment.yaml").read_text().replace("mt5-api", "orders"))
    shutil.copy(folder.parent / "mt5" / "proxy.yaml", folder)
    done = tool("kubectl", "kustomize", folder)
    assert done.returncode == 0, done.stderr
    objects = Objects(done.stdout)
    assert sidecar(objects.of("Deployment")["orders"]["spec"]["template"])
    assert yaml.safe_load(objects.of("ConfigMap")["orders-postern"]["data"]["proxy.yaml"])["version"] == 1


@pytest.mark.parametrize(("each", "block"), blocks("json", marked="answer to"))
def test_an_answer_is_what_postern_answers(each, block, start, upstream):
    method, path = block.marked("answer to").split()
    answer = start(configs.config(upstream)).call(method, path, token=configs.token(scope="other"))
    shown, given = json.loads(block.text), answer.json()
    assert set(shown) == set(given) and shown["status"] == answer.status
    assert {**shown, "request_id": given["request_id"]} == given


@pytest.mark.parametrize("each", [pytest.param(each, id=each.name) for each in PAGES])
def test_links_lead_somewhere(each):
    known = {other.path: other for other in PAGES}
    for number, target in each.links:
        if re.match(r"(https?|mailto):", target):
            continue
        path, _, anchor = target.partition("#")
        file = (each.path.parent / path).resolve() if path else each.path
        assert file.exists(), "%s:%d: %s" % (each.name, number, target)
        if anchor:
            assert anchor in known[file].anchors, "%s:%d: %s" % (each.name, number, target)
    for number, path in each.paths:
        assert (ROOT / path).exists(), "%s:%d: %s" % (each.name, number, path)


def test_the_reference_is_what_the_schema_says():
    """Regenerate: postern schema --markdown > Sources/postern/Postern.docc/configuration.md"""
    assert (CATALOGUE / "configuration.md").read_text() == run("postern", "schema", "--markdown").stdout


def cases(path):
    """{case: raw value} of a Swift enum of strings."""
    found = re.findall(r"^    case (\w+)(?: = \"(\w+)\")?$", (ROOT / path).read_text(), re.M)
    return {name: value or name for name, value in found}


def test_troubleshooting_has_every_code_with_its_status():
    codes = cases("Sources/PosternCore/Exchange/RefusalCode.swift")
    source = (ROOT / "Sources/PosternCore/Exchange/RefusalCode.swift").read_text().partition("status: Int {")[2].partition("title")[0]
    statuses = {}
    for names, status in re.findall(r"case (.*?): (\d+)", source, re.S):
        statuses.update({codes[name]: status for name in re.findall(r"\.(\w+)", names)})
    assert set(statuses) == set(codes.values())
    headings = re.findall(r"^### (\d+) (\w+)$", page("troubleshooting.md").text, re.M)
    assert {code: status for status, code in headings} == statuses and len(headings) == len(statuses)


def test_troubleshooting_has_every_problem_of_a_token():
    source = (ROOT / "Sources/PosternCore/Token/TokenProblem.swift").read_text().partition("CustomStringConvertible")[2]
    sentences = re.findall(r': "(.*)"$', source, re.M)
    assert len(sentences) > 15
    told = re.findall(r"^\| `(the token[^`]*|[^`]*token[^`]*|a claim [^`]*|no key [^`]*|the issuer's [^`]*)` \|",
                      page("troubleshooting.md").text, re.M)
    assert sorted(told) == sorted(sentences)


def test_every_metric_that_is_named_is_there():
    """In the catalogue, by the sources: what needs Redis or several issuers is not in every process's answer."""
    source = (ROOT / "Sources/PosternProxy/Telemetry/MetricsText.swift").read_text()
    for each in PAGES:
        if each.path.parent == CATALOGUE:
            for name in re.findall(r"`(postern_\w+)", each.text):
                assert '"%s"' % name in source, "%s: %s" % (each.name, name)


def test_every_page_of_the_catalogue_is_linked_from_its_first():
    root = page("Postern.md")
    linked = {(CATALOGUE / target.partition("#")[0]).resolve() for _, target in root.links if not target.startswith(("http:", "https:"))}
    assert {each.path for each in PAGES if each.path.parent == CATALOGUE and each.path != root.path} <= linked


def test_docc_makes_a_site_without_a_warning(tmp_path):
    if shutil.which("docc") is None:
        pytest.skip("no docc beside this toolchain")
    done = tool(sys.executable, "-B", ROOT / "deploy" / "local" / "docs.py", tmp_path / "site")
    assert done.returncode == 0, done.stdout + done.stderr
    made = {path.stem for path in (tmp_path / "site" / "data" / "documentation" / "postern").glob("*.json")}
    assert made == {path.stem.lower() for path in CATALOGUE.glob("*.md")} - {"postern"}


# MARK: - The tests of the documents, tested

@pytest.mark.parametrize(("shown", "printed", "agree"), [
    ("a\nb", "a\nb", True), ("a\nb", "a", False), ("a", "a\nb", False), ("a…c", "abbc", True), ("a…c", "ab", False),
    ("…\nend", "one\ntwo\nend", True), ("…", "", True), ("one\n…", "two\none", False), ("a.c", "abc", False)])
def test_output_is_compared(shown, printed, agree):
    assert matches(shown.splitlines(), printed.splitlines()) is agree


def test_commands_of_a_console_are_told_from_their_output():
    assert commands("$ a 'b\nc'\nout\n$ d \\\n  e\n") == [("a 'b\nc'", ["out"]), ("d \\\n  e", [])]


def test_a_command_that_fails_is_noticed(tmp_path):
    (tmp_path / "page.md").write_text("```sh\ntrue\nfalse\n```\n")
    assert_fails(tmp_path, "failed")


def test_output_that_differs_is_noticed(tmp_path):
    (tmp_path / "page.md").write_text("```console\n$ echo one\ntwo\n```\n")
    assert_fails(tmp_path, "printed")


def assert_fails(folder, words):
    shell = Shell(folder)
    for block in Page(folder / "page.md", folder).blocks:
        shell.add(block)
    with pytest.raises(AssertionError, match=words):
        shell.check()


@pytest.mark.parametrize(("command", "words"), [
    ("frobnicate", "what is frobnicate"), ("postern check --frobnicate", "has no --frobnicate"), ("make frobnicate", "no target"),
    ("cat deploy/frobnicate", "is not there"), ("make lint | frobnicate", "what is frobnicate"), ("cat $x", "SC2086")])
def test_a_command_that_is_only_parsed_can_fail(tmp_path, command, words):
    (tmp_path / "page.md").write_text("<!-- test: only parsed: a test -->\n```sh\n%s\n```\n" % command)
    with pytest.raises(AssertionError, match=words):
        documentcommands.read(Page(tmp_path / "page.md", tmp_path).blocks[0], tmp_path)
