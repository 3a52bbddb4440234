"""Helpers of the end-to-end tests: processes, a raw client, a recording upstream, token minting, a key server."""
