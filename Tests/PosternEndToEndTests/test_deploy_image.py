"""deploy/local/image: how it reads the Dockerfile. `make test` carries it out in a stage of its own."""
import pytest

from harness.deployment import DEPLOY  # noqa: F401  (puts deploy/local on the path)
from harness.process import ROOT
from image.dockerfile import Settings, read

TEXT = '''
ARG BASE=debian:12
# A comment
FROM ${BASE} AS first
RUN one \\
    # in the middle
    && for each in a b; do echo "$each" || exit 1; done
ARG VERSION=1
LABEL version="${VERSION}" \\
      base="${BASE}"
FROM first AS second
COPY --from=first /a /b
'''


def settings(name, stages):
    """What the image of a stage says, the stages below it included."""
    stage = stages[name]
    found = settings(stage.base, stages) if stage.base in stages else Settings()
    for instruction, rest in stage.steps:
        if instruction not in ("RUN", "COPY"):
            found.apply(instruction, rest)
    return found


def test_stages_steps_and_arguments():
    stages = read(TEXT, {"VERSION": "7"})
    assert [(each.name, each.base) for each in stages.values()] == [("first", "debian:12"), ("second", "first")]
    assert stages["first"].steps == [
        ("RUN", 'one && for each in a b; do echo "$each" || exit 1; done'), ("LABEL", 'version="7" base="debian:12"')]
    assert stages["second"].steps == [("COPY", "--from=first /a /b")]
    assert settings("second", stages).labels == {"version": "7", "base": "debian:12"}


def test_an_unknown_instruction_is_no_silent_no_op():
    with pytest.raises(ValueError, match="ONBUILD"):
        read("FROM debian:12 AS a\nONBUILD RUN x\n")


@pytest.mark.parametrize("name, check", [
    ("postern", ["/usr/local/bin/postern", "health"]), ("postern-issuer", ["/usr/local/bin/http-healthy", "8000"]),
    ("trading-demo", ["/usr/local/bin/http-healthy", "8001"])])
def test_what_the_images_say(name, check):
    said = settings(name, read((ROOT / "Dockerfile").read_text()))
    assert (said.user, said.entry, said.check) == ("10001:10001", ["/usr/local/bin/" + name], check)
    assert said.command and said.labels["org.opencontainers.image.title"] == name
    assert said.labels["org.opencontainers.image.base.name"].startswith("docker.io/library/debian:bookworm-")
