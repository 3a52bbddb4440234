"""The issuer's signing keys: published before they sign, kept while their tokens live, encrypted at rest; rotated by command
and by age. Over both stores."""
import datetime
import secrets
import time

import jwt as pyjwt
import pytest

from harness.issuer import AUDIENCE, basic, jose
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
    """{kid: row} of `key list`."""
    rows = issuer.told("key", "list")
    for each in rows:
        assert set(each) == {"kid", "algorithm", "state", "created_at", "signs_from", "removed_at"}, each
    return {each["kid"]: each for each in rows}


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_the_next_key_is_published_long_before_it_signs(start_issuer, issuer_store):
    issuer = start_issuer(issuer_store)
    first = kids(issuer)
    assert len(first) == 1 and signer(issuer) == first[0]
    assert [(row["algorithm"], row["state"]) for row in listed(issuer).values()] == [("RS256", "current")]
    new = issuer.told("key", "rotate")
    rows = listed(issuer)
    assert rows[new["kid"]] == new and len(rows) == 2
    assert (new["algorithm"], new["state"], rows[first[0]]["state"]) == ("RS256", "next", "current")
    assert seconds(new["signs_from"]) - seconds(new["created_at"]) == NOTICE and abs(seconds(new["created_at"]) - time.time()) < 10
    issuer.restart()
    assert sorted(kids(issuer)) == sorted(first + [new["kid"]])
    assert signer(issuer) == first[0], "the next key signs already"
    # One waits: there is no second one.
    again = issuer.command("key", "rotate")
    assert again.returncode != 0 and "waits already" in again.stderr, again
    assert set(listed(issuer)) == set(rows)


def test_rotation_by_age(start_issuer, issuer_store):
    issuer = start_issuer(issuer_store, start=False)
    issuer.arguments = ["--key-age", "1s"]
    first = list(listed(issuer))
    made = seconds(listed(issuer)[first[0]]["created_at"])
    # It looks when it starts, and then every 30 seconds.
    wait_until(lambda: time.time() > made + 2, 5, "the key to be older than a second")
    issuer.start()
    wait_until(lambda: len(kids(issuer)) == 2, 10, "the next key")
    assert signer(issuer) == first[0]
    assert issuer.await_audit("signing_key.add")
    # It is no reason for another one each time it looks.
    issuer.restart()
    assert len(kids(issuer)) == 2


@pytest.mark.parametrize("way", ["by command", "at the start"])
def test_another_algorithm(start_issuer, issuer_store, way):
    """Its key is the next one like any other: until then the old one signs."""
    issuer = start_issuer(issuer_store)
    first = kids(issuer)
    issuer.stop()
    if way == "by command":
        assert issuer.told("key", "rotate", "--algorithm", "EdDSA")["algorithm"] == "EdDSA"
    else:
        issuer.arguments = ["--algorithm", "EdDSA"]
    issuer.start()
    assert signer(issuer) == first[0]
    assert [each["alg"] for each in issuer.keys() if each["kid"] not in first] == ["EdDSA"]
    assert sorted((row["algorithm"], row["state"]) for row in listed(issuer).values()) == [("EdDSA", "next"), ("RS256", "current")]


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_the_first_key(start_issuer, issuer_store, algorithm):
    issuer = start_issuer(issuer_store, "--algorithm", algorithm)
    assert jose(issuer.token("admin"))["alg"] == algorithm and len(kids(issuer)) == 1 and signer(issuer)


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
def test_a_running_issuer_learns_of_a_key_by_itself(rotated):
    issuer, before, after = rotated
    wait_until(lambda: len(kids(issuer)) == 2, 33, "the new key to be published", interval=0.2)
    assert set(kids(issuer)) == {before, after} and signer(issuer) == before
