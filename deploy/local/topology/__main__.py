"""`make topology`: the deployment of compose.yaml, proved once, then running until Ctrl-C or SIGTERM."""
from __future__ import annotations

import argparse
import signal
import sys
import time

from .flow import Flow
from .running import Failure, Topology

SIDECARS = 4


def prove(topology):
    """The reference flow, said step by step."""
    flow = Flow(topology)
    replicas = [name for name in topology.sidecars() if name.startswith("mt5-postern")]

    def step(what, answer, status, *texts):
        assert answer.status == status and all(text in answer.text for text in texts), "%s: %d %s" % (
            what, answer.status, answer.text)
        print("  %-64s %d" % (what, status))

    dashboard, service = flow.token(), flow.token("mt5-api-service")
    for name in replicas:
        answer = flow.call(name, "GET", "/api/v1/trades", dashboard, headers={"X-User-Id": "forged"})
        assert "forged" not in answer.text
        step("%s: the dashboard reads trades" % name, answer, 200, '"x-client-id":"trading-dashboard"')
    step("mt5-api: it may not close one", flow.call("mt5-api", "DELETE", "/api/v1/trades/700001", dashboard), 403,
         "insufficient_scope", "trade:close")
    step("account: alice reads her profile", flow.call("account", "GET", "/api/v1/profiles/alice", flow.login()), 200, "Moreau")
    step("account: and not another's", flow.call("account", "GET", "/api/v1/profiles/bob", flow.login()), 403, "access_denied")
    message = {"to": "alice", "medium": "push", "subject": "A margin call", "text": "at 50 %"}
    step("notification: the MT5 API's service client sends",
         flow.call("notification", "POST", "/api/v1/notifications", service, body=message), 202, "mt5-api-service")
    step("notification: the dashboard may not",
         flow.call("notification", "POST", "/api/v1/notifications", dashboard, body=message), 403, "insufficient_scope")
    flow.revoke(dashboard)
    took = flow.until_refused(replicas, "GET", "/api/v1/trades", dashboard)
    print("  revoked: %d sidecars of the MT5 API refuse the token within %.0f ms" % (len(replicas), took * 1000))


def main():
    options = argparse.ArgumentParser(prog="make topology", description=__doc__)
    options.add_argument("--once", action="store_true", help="stop after the proof")
    options.add_argument("--monitoring", action="store_true", help="Prometheus as well, if it is installed")
    chosen = options.parse_args()

    # Ctrl-C, SIGTERM: the same way out as any other.
    def stop(*_):
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        with Topology({"mt5-postern": SIDECARS}, ["monitoring"] if chosen.monitoring else [], print) as topology:
            prove(topology)
            if chosen.once:
                return 0
            print("Secrets and logs: %s. Ctrl-C stops everything." % topology.folder)
            # A service that has to run and does not is the end of it.
            while all(topology.running(name) for name in topology.processes if name != "issuer-setup"):
                time.sleep(0.5)
            gone = [name for name in topology.processes if name != "issuer-setup" and not topology.running(name)]
            raise Failure("%s ended by itself\n%s" % (gone[0], topology.said(gone[0])[-3000:]))
    except KeyboardInterrupt:
        print("Stopped.")
        return 1 if chosen.once else 0
    except (Failure, AssertionError) as failure:
        print("error: %s" % failure, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
