"""What a keep-alive connection costs while nobody speaks on it."""
from __future__ import annotations

import time

from . import client
from .systems import TARGET

CONNECTIONS = 2000
QUIET = 1.0


def per_connection(stage, system):
    """KiB of resident memory per connection, of `CONNECTIONS` that each had one answer and then fell silent. In a fresh
    process, so that no memory freed by earlier load hides what they take."""
    with stage.start(system) as running:
        time.sleep(2.0)
        before = running.child.rss()
        connections = client.idle_connections(system.name, running.port, CONNECTIONS, stage.tokens.one, TARGET)
        try:
            time.sleep(QUIET)
            return (running.child.rss() - before) / CONNECTIONS
        finally:
            client.close_all(connections)
