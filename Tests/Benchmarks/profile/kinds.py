"""The kinds of requests that are profiled, each run against the real proxy under callgrind."""
from __future__ import annotations

import concurrent.futures
import dataclasses
import itertools
import pathlib
import subprocess

from counting import callgrind

import proxy
import wire

MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Kind:
    """One table."""

    title: str
    scenario: proxy.Scenario
    # Requests before anything is counted and in the short run; requests in the long run.
    few: int = proxy.FEW
    many: int = proxy.MANY
    body: bytes = wire.BODY
    new_tokens: bool = False

    @property
    def requests(self):
        """Those that are left of the long run when the short one is taken off: what happens once is in both."""
        return self.many - self.few


_TARGET = "/api/v1/account/balance"
KINDS = {
    "hit": Kind("Cached token, access log off: instructions per request", proxy.SCENARIOS[0]),
    "public": Kind("Public route, access log off: instructions per request", proxy.SCENARIOS[2]),
    "log": Kind("Cached token, access log on: instructions per request", proxy.SCENARIOS[1]),
    "miss": Kind("RS256 token never seen before, access log off: instructions per request",
                 proxy.Scenario("new token", _TARGET, True, "off"), 40, 140, new_tokens=True),
    "body": Kind("Cached token, access log off: instructions per MiB of an answer's body",
                 proxy.Scenario("1 MiB", _TARGET, True, "off"), 20, 80, body=b"postern\n" * (MIB // 8)),
}


def measure(program, kind, folder):
    """(profile of `kind.requests` requests on the event loop, instructions of all other threads meanwhile)"""
    issuer, bearers = {}, itertools.repeat(wire.token() if kind.scenario.with_token else None)
    if kind.new_tokens:
        issuer, bearers = _new_tokens(pathlib.Path(folder), 2 * kind.few + kind.many)
    heads = (wire.request(kind.scenario.target, bearer) for bearer in bearers)
    measured = proxy.Measured(program, kind.scenario, kind.body, issuer)
    try:
        dumps = []
        for times in (kind.few, kind.few, kind.many):
            for head in itertools.islice(heads, times):
                measured.client.call(head, 1)
            dumps.append(measured.dump())
    finally:
        measured.close()
    (few, *few_others), (many, *many_others) = dumps[1:]
    return many.minus(few), sum(each.total for each in many_others) - sum(each.total for each in few_others)


def _new_tokens(folder, count):
    """(settings of their issuer, iterator over `count` RS256 tokens), signed by the openssl program: it takes a few
    milliseconds each."""
    key, public = str(folder / "key.pem"), str(folder / "public.pem")
    _openssl("genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
    _openssl("pkey", "-in", key, "-pubout", "-out", public)

    def token(number):
        signed = wire.signing_input("RS256", number)
        return wire.complete(signed, _openssl("dgst", "-sha256", "-sign", key, given=signed))

    with concurrent.futures.ThreadPoolExecutor() as pool:
        tokens = list(pool.map(token, range(count)))
    return {"algorithms": ["RS256"], "keys": {"file": public}}, iter(tokens)


def _openssl(*words, given=b""):
    try:
        return subprocess.run(["openssl", *words], input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True,
                              timeout=60).stdout
    except FileNotFoundError:
        raise callgrind.Missing("openssl is not installed: run 'deploy/local/setup.sh test'") from None
