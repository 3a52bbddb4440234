"""Helpers of the end-to-end tests: processes, a raw client, a recording upstream, token minting, servers that stand in for
an issuer, Redis in all its shapes."""
