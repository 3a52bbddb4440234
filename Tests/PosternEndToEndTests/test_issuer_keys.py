"""The issuer's signing keys: published before they sign, kept while their tokens live, encrypted at rest; rotated by command
and by age. Over both stores."""
import datetime
import secrets

import jwt as pyjwt
import pytest

from harness.issuer import AUDIENCE, IssuerServer, basic, jose
from harness.net import wait_until
from harness.process import run
from harness.stores import SQLiteFile

# A new key signs when every cache of the key set is over and every process has read the store again, in seconds.
NOTICE = 360


def kids(issuer):
    return [each["kid"] for each in issuer.keys()]


def signer(issuer):
    """The key that a new token is signed with; the token has to be good by the key set as it is published."""
    token = issuer.token("admin")
    key = [each for each in issuer.keys() if each["kid"] == jose(token)["kid"]][0]
    pyjwt.decode(token, pyjwt.PyJWK(key), algorithms=[key["alg"]], audience=AUDIENCE, issuer=issuer.url)
    return key["kid"]


def listed(issuer):
    """The rows of `key list`: {kid: (algorithm, state, moment from which it signs)}."""
    done = issuer.command("key", "list")
    assert done.returncode == 0, done.stderr
    rows = {}
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) > 2 and words[1] in ("RS256", "ES256", "EdDSA"):
            moment = [datetime.datetime.fromisoformat(each.replace("Z", "+00:00")) for each in words if each[:2] == "20"]
            rows[words[0]] = (words[1], words[2], moment)
    return rows


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """An issuer that was started before its key was rotated, by command: it reads its keys again every 30 seconds."""
    folder = tmp_path_factory.mktemp("running")
    made = IssuerServer(folder, SQLiteFile(folder))
    before = kids(made)
    assert made.command("key", "rotate").returncode == 0
    yield made, before
    made.stop()


def test_the_next_key_is_published_long_before_it_signs(running, start_issuer, issuer_store):
    issuer = start_issuer(issuer_store)
    first = kids(issuer)
    assert len(first) == 1 and signer(issuer) == first[0]
    assert [row[:2] for row in listed(issuer).values()] == [("RS256", "current")]
    begun = datetime.datetime.now(datetime.timezone.utc)
    done = issuer.command("key", "rotate")
    assert done.returncode == 0, done.stderr
    rows = listed(issuer)
    new = [kid for kid, row in rows.items() if row[1] == "next"]
    assert len(rows) == 2 and len(new) == 1 and rows[first[0]][1] == "current"
    # The last moment of its row is the one from which it signs.
    wait = (max(rows[new[0]][2]) - begun).total_seconds()
    assert NOTICE - 5 <= wait <= NOTICE + 5, rows
    issuer.restart()
    assert sorted(kids(issuer)) == sorted(first + new)
    assert signer(issuer) == first[0], "the next key signs already"
    # One waits: there is no second one.
    again = issuer.command("key", "rotate")
    assert set(listed(issuer)) == set(rows), again.stdout + again.stderr


def test_rotation_by_age(start_issuer, issuer_store):
    issuer = start_issuer(issuer_store, start=False)
    issuer.arguments = ["--key-age", "1s"]
    first = list(listed(issuer))
    issuer.start()
    wait_until(lambda: len(kids(issuer)) == 2, 10, "the next key")
    assert signer(issuer) == first[0]
    assert issuer.await_audit("signing_key.add")
    # It is no reason for another one each time it looks.
    issuer.restart()
    assert len(kids(issuer)) == 2


def test_another_algorithm(start_issuer, issuer_store):
    """Tokens of the old key stay good: it stays published."""
    issuer = start_issuer(issuer_store)
    old = issuer.token("admin")
    issuer.stop()
    issuer.arguments = ["--algorithm", "EdDSA"]
    issuer.start()
    new = issuer.token("admin")
    assert [jose(each)["alg"] for each in (old, new)] == ["RS256", "EdDSA"]
    for each in (old, new):
        assert issuer.introspect(each, basic("admin", issuer.secrets["admin"]))["active"] is True
    assert {jose(each)["kid"] for each in (old, new)} <= set(kids(issuer))


def test_a_store_without_its_key_is_of_no_use(start_issuer, issuer_store, tmp_path):
    issuer = start_issuer(issuer_store, start=False)
    options = ["--listen", "127.0.0.1:0", "--issuer", issuer.url, "--audience", AUDIENCE, "--store", issuer_store.url]
    for name, content in (("none", None), ("other", secrets.token_hex(32)), ("short", "00")):
        file = tmp_path / name
        if content is not None:
            file.write_text(content)
            file.chmod(0o600)
        done = run("postern-issuer", "run", *options, "--key-file", file)
        assert done.returncode not in (0, None) and done.stderr, name
        assert content is None or content not in done.stderr
        assert content is not None or not file.exists(), "a key was made beside a store that has another"


def test_a_key_file_that_others_may_read_is_refused(start_issuer, tmp_path):
    issuer = start_issuer(SQLiteFile(tmp_path), start=False)
    issuer.key_file.chmod(0o644)
    done = issuer.command("key", "list")
    assert done.returncode != 0 and "issuer.key" in done.stderr, done.stderr
    issuer.key_file.chmod(0o600)


def test_the_key_from_the_environment(start_issuer, issuer_store):
    """The same bytes as in the file open the store; no file is needed then, and none is made."""
    issuer = start_issuer(issuer_store)
    token = issuer.token("admin")
    issuer.stop()
    text = issuer.key_file.read_text().strip()
    issuer.key_file.unlink()
    issuer.variables["POSTERN_ISSUER_KEY"] = text
    issuer.start()
    assert issuer.introspect(token, basic("admin", issuer.secrets["admin"]))["active"] is True
    assert not issuer.key_file.exists() and text not in issuer.said()


@pytest.mark.slow
def test_a_running_issuer_learns_of_a_key_by_itself(running):
    issuer, before = running
    wait_until(lambda: len(kids(issuer)) == 2, 33, "the new key to be published", interval=0.2)
    assert set(before) < set(kids(issuer)) and signer(issuer) == before[0]
