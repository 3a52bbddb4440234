"""deploy/package: manual pages and completions say what the programs say, what is installed can be used and taken away again, and the
Debian package holds it. deploy/package/clean-root.sh tries that package as root in a Debian of its own."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from harness.deployment import DEPLOY, tool
from harness.process import ROOT, binary_folder

PACKAGE = DEPLOY / "package"
sys.path.insert(0, str(PACKAGE))

from manual import commands, reference  # noqa: E402

PROGRAMS = ("postern", "postern-issuer")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """(DESTDIR, the environment it was installed with): everything, from the programs under test."""
    destination = tmp_path_factory.mktemp("install")
    settings = dict(os.environ, PROGRAMS=str(binary_folder()), PREFIX="/usr", DESTDIR=str(destination))
    subprocess.run([str(PACKAGE / "install.sh"), "install"], check=True, env=settings, timeout=120)
    return destination, settings


def pages(installed):
    return sorted(installed[0].glob("usr/share/man/man*/*"))


def test_every_command_and_option_is_in_the_manual(installed):
    for program in PROGRAMS:
        text = (installed[0] / "usr/share/man/man1" / (program + ".1")).read_text()
        root = commands.described(binary_folder() / program)
        found = list(commands.leaves(root))
        assert len(found) >= 6
        for path, command in found:
            begin = text.index('.Ss "%s"' % " ".join(path))
            section = text[begin:text.index("\n.S", begin + 1)]
            for argument in commands.shown(command):
                assert commands.common(argument) or commands.item(argument)[0] in section


def test_every_key_is_in_the_manual(installed):
    text = (installed[0] / "usr/share/man/man5/proxy.yaml.5").read_text()
    paths = [path for path, _, _ in reference.entries(reference.schema(binary_folder() / "postern"))]
    assert {"version", "upstream.health.path", "issuers.NAME.keys.refresh", "routes.NAME.scopes", "limits.head"} <= set(paths)
    assert re.findall(r'^\.It Ic "(.*)"$', text, re.M) == paths


def test_manual_is_what_mandoc_likes(installed):
    if not shutil.which("mandoc"):
        pytest.skip("no mandoc")
    assert len(pages(installed)) == 3
    said = tool("mandoc", "-Tlint", "-Wstyle", *pages(installed)).stdout.splitlines()
    # Whether the other pages are on this machine is not theirs to say.
    assert [line for line in said if "referenced manual not found" not in line] == []
    shown = tool("mandoc", "-Tutf8", pages(installed)[1]).stdout
    assert "--take-over pid" in re.sub(".\b", "", shown)


@pytest.mark.parametrize("words, expected", [
    (["postern", ""], {"run", "check", "explain", "routes", "schema", "health"}),
    (["postern", "check", "--f"], {"--format"}),
    (["postern", "routes", "--format", ""], {"text", "json"}),
    (["postern-issuer", "client", ""], {"create", "list", "show"}),
    (["postern-issuer", "run", "--red"], {"--redis", "--redis-ca"}),
])
def test_bash_completes(installed, words, expected):
    script = installed[0] / "usr/share/bash-completion/completions" / words[0]
    function = re.search(r"^complete .*-F (\S+)", script.read_text(), re.M)[1]
    said = tool("bash", "-c", 'source "$1"; function=$2; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; '
                'COMP_POINT=${#COMP_LINE}; "$function" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"; '
                'printf "%s\\n" "${COMPREPLY[@]}"', "bash", script, function, *words)
    assert expected <= {line.strip() for line in said.stdout.splitlines()}, said


def test_zsh_reads_its_completions(installed):
    if not shutil.which("zsh"):
        pytest.skip("no zsh")
    for program in PROGRAMS:
        script = installed[0] / "usr/share/zsh/site-functions" / ("_" + program)
        assert script.read_text().startswith("#compdef %s\n" % program)
        done = tool("zsh", "-f", "-c", 'fpath=("${1:h}" $fpath); autoload -Uz compinit; compinit -D -u; '
                    'print -r -- "$_comps[$2]"; autoload +X "_$2"; zsh -n "$1"', "zsh", script, program)
        assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "_" + program, "")


@pytest.mark.parametrize("line, expected", [("postern ", {"run", "check"}), ("postern-issuer client ", {"create", "list"}),
                                            ("postern check --for", {"--format"})])
def test_fish_completes(installed, line, expected, tmp_path):
    if not shutil.which("fish"):
        pytest.skip("no fish")
    script = installed[0] / "usr/share/fish/vendor_completions.d" / (line.split()[0] + ".fish")
    # It completes what it can find only.
    found = "%s:%s" % (installed[0] / "usr/bin", os.environ["PATH"])
    done = tool("fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", "--", script, line,
                env=dict(os.environ, HOME=str(tmp_path), PATH=found))
    assert expected <= {each.split("\t")[0] for each in done.stdout.splitlines()}, done


def test_what_is_installed_runs_and_is_refused_until_it_is_set_up(installed):
    program = installed[0] / "usr/bin/postern"
    unit = (installed[0] / "usr/lib/systemd/system/postern.service").read_text()
    assert "@" not in re.sub(r"@system-service|@privileged", "", unit) and "ExecStart=/usr/bin/postern run\n" in unit
    done = tool(program, "check", installed[0] / "etc/postern/proxy.yaml")
    assert done.returncode == 78 and "upstream: is required" in done.stdout + done.stderr
    assert tool(program, "check", installed[0] / "usr/share/doc/postern/examples/proxy.yaml").returncode == 0


def test_uninstall_takes_all_of_it_but_a_changed_configuration(installed, tmp_path):
    settings = dict(installed[1], DESTDIR=str(tmp_path), PREFIX="/opt/postern")
    subprocess.run([str(PACKAGE / "install.sh"), "install"], check=True, env=settings, timeout=120)
    configuration = tmp_path / "etc/postern/proxy.yaml"
    text = configuration.read_text() + "# mine\n"
    configuration.write_text(text)
    subprocess.run([str(PACKAGE / "install.sh"), "install"], check=True, env=settings, timeout=120)
    assert configuration.read_text() == text
    subprocess.run([str(PACKAGE / "install.sh"), "uninstall"], check=True, env=settings, timeout=60, stdout=subprocess.DEVNULL)
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [configuration]
    shutil.copy(PACKAGE / "proxy.yaml", configuration)
    subprocess.run([str(PACKAGE / "install.sh"), "uninstall"], check=True, env=settings, timeout=60)
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [] and not (tmp_path / "etc/postern").exists()


def test_debian_package_holds_it(tmp_path):
    if not shutil.which("dpkg-shlibdeps"):
        pytest.skip("no dpkg-dev")
    # Neither stripped of much nor compressed much: what is inside counts here.
    made = tool(PACKAGE / "deb.sh", tmp_path, timeout=120,
                env=dict(os.environ, PROGRAMS=str(binary_folder()), DEB_COMPRESSION="none", SOURCE_DATE_EPOCH="1700000000"))
    assert made.returncode == 0, made.stderr
    deb = pathlib.Path(made.stdout.strip())
    fields = tool("dpkg-deb", "--field", deb).stdout
    needed = re.search(r"^Depends: (.*)$", fields, re.M)[1]
    for library in ("libc6", "libssl3", "libhiredis", "libyaml-0-2", "libsqlite3-0", "libpq5", "libstdc++6"):
        assert library in needed
    assert tool("dpkg-deb", "--info", deb, "conffiles").stdout == "/etc/postern/proxy.yaml\n"
    subprocess.run(["dpkg-deb", "--extract", str(deb), str(tmp_path / "root")], check=True, timeout=60)
    done = tool(tmp_path / "root/usr/bin/postern", "--version")
    assert done.returncode == 0 and "_%s_" % done.stdout.strip() in deb.name
    assert (tmp_path / "root/usr/share/man/man1/postern-issuer.1.gz").exists()
    assert (tmp_path / "root/usr/share/zsh/vendor-completions/_postern").exists()


def test_scripts_of_the_package_are_shell(tmp_path):
    for name in ("postinst", "prerm", "postrm"):
        assert tool("sh", "-n", PACKAGE / name).returncode == 0
        if shutil.which("shellcheck"):
            done = tool("shellcheck", PACKAGE / name)
            assert done.returncode == 0, done.stdout
