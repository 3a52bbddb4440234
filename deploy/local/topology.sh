#!/usr/bin/env bash
# `make topology`: builds, then runs deploy/compose.yaml without containers: issuer, Redis, PostgreSQL, three services each
# behind its own Postern, the MT5 API's in four replicas; proves the reference flow, and goes on until Ctrl-C (--once: stops then).
# The binaries are taken from POSTERN_BIN, if that is set, and nothing is built.
set -euo pipefail
# shellcheck source=deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

deploy/local/setup.sh test
# shellcheck disable=SC2119
if [[ -z ${POSTERN_BIN:-} ]]; then build_release; fi
Tests/PosternEndToEndTests/run.sh --version >/dev/null      # makes the virtual environment
export PYTHONPATH=deploy/local
exec .venv/bin/python -B -m topology "$@"
